"""The figure of the user study. Equal inputs give equal files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from deepcolor.labels import run_label
from deepcolor.report.figure_style import COLORS, new_figure, project_style, save_figure
from deepcolor.study.answers import GRADES, QUESTIONS

SIMULATED = "SIMULATED ANSWERS"
TWO_WAY, WILSON, REAL = COLORS[0], "0.6", COLORS[2]
# From low to high, told apart in gray, too.
GRADE_COLORS = ("#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838")
AXES = {
    "yes-no": "Colorized pictures taken for real photographs (%)",
    "pairs": "Colorized pictures picked as the real photograph (%)",
}


@project_style()
def plot_acceptance(acceptance: Mapping[str, Any], path: Path) -> None:
    """Plot what people took for real, or how they graded pictures.

    Of each run a dot with the interval over people and images, and below it, fainter, Wilson's. A band
    is the interval of real photographs, dotted lines are published shares (yes-no), or one half, where
    nobody can tell the two pictures apart (pairs). Ratings are bars of the shares of the five grades.
    Simulated answers are written across the figure.

    Args:
        acceptance: Content of acceptance.json.
        path: SVG file to write.
    """
    draw = _plot_ratings if acceptance["protocol"] == "rating" else _plot_shares
    figure = draw(acceptance)
    if acceptance["simulated"]:
        figure.text(
            0.5,
            0.5,
            SIMULATED,
            fontsize=34,
            fontweight="bold",
            color=COLORS[1],
            alpha=0.6,
            rotation=8,
            ha="center",
            va="center",
        )
    save_figure(figure, path, metadata={"Date": None})


def _plot_shares(acceptance: Mapping[str, Any]) -> Figure:
    runs, real = acceptance["runs"], acceptance["real"]
    figure = new_figure(9, 2.2 + 0.42 * len(runs))
    panel = figure.subplots()
    keys = [
        Line2D([], [], color=TWO_WAY, marker="o", linewidth=2, label="over people and images"),
        Line2D([], [], color=WILSON, linewidth=2, label="as if answers were independent (Wilson)"),
    ]
    if real:
        if real["low"] is not None:
            panel.axvspan(100 * real["low"], 100 * real["high"], color=REAL, alpha=0.2, linewidth=0)
        panel.axvline(100 * real["value"], color=REAL, linewidth=1.5)
        keys.append(
            Line2D([], [], color=REAL, linewidth=4, alpha=0.6, label="real photographs called real")
        )
    lines = acceptance["published"]
    if acceptance["protocol"] == "pairs":
        lines = [{"share": 0.5, "short": "cannot be told apart"}]
    for place, each in enumerate(sorted(lines, key=lambda each: each["share"])):
        panel.axvline(100 * each["share"], color="0.3", linestyle=":", linewidth=1.2)
        panel.annotate(
            f"{each['short']} {100 * each['share']:.4g} %",
            (100 * each["share"], 1),
            (-4 if place == 0 and len(lines) > 1 else 4, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            ha="right" if place == 0 and len(lines) > 1 else "left",
        )
    for place, run in enumerate(runs):
        for low, high, color, shift in (
            (run["low"], run["high"], TWO_WAY, 0.0),
            (run["wilson_low"], run["wilson_high"], WILSON, 0.22),
        ):
            if low is not None:
                panel.plot([100 * low, 100 * high], [place + shift] * 2, color=color, linewidth=2)
        panel.plot(100 * run["value"], place, "o", color=TWO_WAY, markersize=6)
    panel.set_yticks(range(len(runs)), [run_label(run["run"]) for run in runs])
    panel.set(xlim=(0, 100), ylim=(len(runs) - 0.5, -0.5), xlabel=AXES[acceptance["protocol"]])
    panel.grid(axis="y", visible=False)
    figure.legend(handles=keys, loc="outside upper left", ncols=len(keys), frameon=False)
    return figure


def _plot_ratings(acceptance: Mapping[str, Any]) -> Figure:
    rows = {
        question: [each for each in acceptance["ratings"] if each["question"] == question]
        for question in QUESTIONS
    }
    names = [each["condition"] for each in rows[QUESTIONS[0]]]
    figure = new_figure(9, 1.6 + 0.36 * len(names))
    panels = figure.subplots(1, len(QUESTIONS), sharey=True)
    for panel, (question, each) in zip(panels, rows.items(), strict=True):
        for place, row in enumerate(each):
            left, total = 0.0, sum(row["counts"])
            for count, color in zip(row["counts"], GRADE_COLORS, strict=True):
                share = 100 * count / total
                panel.barh(place, share, left=left, color=color, edgecolor="white", linewidth=0.5)
                left += share
        panel.set(xlim=(0, 100), xlabel=f"{question.capitalize()}: share of the answers (%)")
        panel.grid(axis="y", visible=False)
    words = ["Real photographs" if name == "real" else run_label(name) for name in names]
    panels[0].set_yticks(range(len(names)), words)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    keys = [
        Rectangle((0, 0), 1, 1, color=color, label=str(grade))
        for grade, color in zip(GRADES, GRADE_COLORS, strict=True)
    ]
    figure.legend(
        handles=keys,
        loc="outside upper left",
        ncols=len(keys),
        frameon=False,
        title="Grade, 5 is the best",
        alignment="left",
    )
    return figure
