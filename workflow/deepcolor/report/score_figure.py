"""The figure of scores with their intervals. Equal inputs give equal files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D

from deepcolor.evaluation.measures import MEASURES
from deepcolor.report.figure_style import COLORS, new_figure, project_style, save_figure


@project_style()
def plot_scores(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot the mean PSNR, SSIM and CIEDE2000 of runs and baselines with their intervals.

    A filled circle is the prediction as it is, a hollow diamond its chroma on the input's luminance.
    Dashed lines are the grayscale copy and the training-set mean chroma.

    Args:
        rows: Rows of `results.result_rows`.
        path: SVG file to write.
    """
    names = ("psnr", "ssim", "ciede2000")
    figure = new_figure(9, 1.1 + 0.27 * len(rows))
    panels = figure.subplots(1, len(names), sharey=True)
    for panel, name in zip(panels, names, strict=True):
        for key, color, marker, shift in (
            ("predicted", COLORS[0], "o", -0.12), ("kept", COLORS[1], "D", 0.12),
        ):  # fmt: skip
            for place, row in enumerate(rows):
                each = row[key][name]
                panel.plot([each["low"], each["high"]], [place + shift] * 2, color=color, linewidth=1.2)
                face = color if key == "predicted" else "white"
                panel.plot(each["value"], place + shift, marker, color=color, mfc=face, markersize=4.5)
        for row in rows:
            if row["kind"] == "baseline":
                panel.axvline(
                    row["predicted"][name]["value"], color="0.5", linestyle="--", linewidth=0.8
                )
        measure = MEASURES[name]
        unit = f" ({measure.unit})" if measure.unit else ""
        panel.set_xlabel(f"{measure.label}{unit}, {measure.better} is better")
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(rows)), [row["label"] for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    keys = [
        Line2D([], [], color=COLORS[0], marker="o", label="as predicted"),
        Line2D([], [], color=COLORS[1], marker="D", mfc="white", label="on the input's luminance"),
        Line2D([], [], color="0.5", linestyle="--", label="grayscale copy, training-set mean chroma"),
    ]
    figure.legend(handles=keys, loc="outside upper left", ncols=len(keys), frameon=False)
    save_figure(figure, path, metadata={"Date": None})
