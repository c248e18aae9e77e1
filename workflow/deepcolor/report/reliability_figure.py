"""The figure of how far networks of color classes can be relied on. Equal inputs give equal files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D

from deepcolor.labels import run_label
from deepcolor.report.figure_style import COLORS, MARKERS, new_figure, project_style, save_figure

FEW_CELLS = 0.01  # Share of all cells below which a bin's point is hollow.


@project_style()
def plot_reliability(certainty: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Plot accuracy against confidence, and how often networks are how confident.

    Args:
        certainty: Contents of certainty.json by run.
        path: SVG file to write.
    """
    figure = new_figure(9, max(3.6, 2.6 + 0.2 * len(certainty)))
    reliability, shares = figure.subplots(1, 2, sharex=True)
    keys = []
    for number, (run, content) in enumerate(certainty.items()):
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        bins = [each for each in content["bins"] if each["cells"]]
        confidence = [100 * each["confidence"] for each in bins]
        accuracy, encoded = ([100 * each[key] for each in bins] for key in ("accuracy", "encoded"))
        share = [each["cells"] / content["cells"] for each in bins]
        reliability.plot(confidence, accuracy, color=color, linewidth=1)
        reliability.plot(confidence, encoded, ":", color=color, linewidth=1)
        for x, y, part in zip(confidence, accuracy, share, strict=True):
            face = color if part >= FEW_CELLS else "white"
            reliability.plot(x, y, marker, color=color, mfc=face, markersize=4.5, clip_on=False)
        edges = [0.0, *(100 * each["high"] for each in content["bins"])]
        parts = [100 * each["cells"] / content["cells"] for each in content["bins"]]
        shares.stairs(parts, edges, color=color, linewidth=1.2)
        keys.append(Line2D([], [], color=color, marker=marker, label=run_label(run)))
    reliability.plot([0, 100], [0, 100], "--", color="0.5", linewidth=0.8)
    keys.append(Line2D([], [], color="0.3", linestyle=":", label="share of the soft classes"))
    keys.append(Line2D([], [], color="0.5", linestyle="--", label="calibrated"))
    reliability.set(
        xlim=(0, 100),
        ylim=(0, 100),
        xlabel="Probability of the likeliest class (%)",
        ylabel="Cells where it is the true one (%)",
    )
    shares.set(xlabel="Probability of the likeliest class (%)", ylabel="Share of all cells (%)")
    shares.set_ylim(bottom=0)
    figure.legend(handles=keys, loc="outside upper left", ncols=min(len(keys), 5), frameon=False)
    save_figure(figure, path, metadata={"Date": None})
