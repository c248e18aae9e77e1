"""The figure of quality against cost. Equal inputs give equal files."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator

from deepcolor.report.figure_style import COLORS, MARKERS, new_figure, project_style, save_figure

Box = tuple[float, float, float, float]


@project_style()
def plot_costs(runs: pd.DataFrame, baseline: float, path: Path) -> None:
    """Plot PSNR against multiply-adds, parameters and training time, on logarithmic axes.

    A model has a color and a marker; a line joins its runs of one seed, of which the longest is filled.

    Args:
        runs: A row per run, a model's first seed before the others, with the columns model, epochs,
            seed, psnr (dB), multiply_adds, parameters, seconds.
        baseline: PSNR of the grayscale copy, a horizontal line.
        path: SVG file to write.
    """
    longest = runs["seconds"].max()
    time, unit = (3600, "h") if longest > 7200 else (60, "min") if longest > 120 else (1, "s")
    costs: dict[str, tuple[str, float]] = {
        "multiply_adds": ("Multiply-adds of a picture (millions)", 1e6),
        "parameters": ("Parameters (millions)", 1e6),
        "seconds": (f"Training time ({unit})", time),
    }
    figure = new_figure(9, max(3.2, 2 + 0.2 * runs["model"].nunique()))
    panels = figure.subplots(1, len(costs), sharey=True)
    for panel, (column, (label, scale)) in zip(panels, costs.items(), strict=True):
        _plot_panel(panel, runs.assign(cost=runs[column] / scale), baseline, label)
    panels[0].set_ylabel("PSNR (dB)")
    keys = [
        Line2D([], [], color="0.4", linestyle="--", linewidth=1, label="grayscale copy"),
        Line2D([], [], color="0.4", marker="o", linestyle="", label="longest training"),
        Line2D([], [], color="0.4", marker="o", mfc="white", linestyle="", label="shorter"),
    ]
    figure.legend(handles=keys, loc="outside upper left", ncols=len(keys), frameon=False)
    figure.draw_without_rendering()  # Sizes and positions are known from here on.
    figure.set_layout_engine("none")
    first = runs.drop_duplicates(["model", "epochs"]).sort_values("epochs", kind="stable")
    for panel, (column, (_, scale)) in zip(panels, costs.items(), strict=True):
        ends = first[first[column] > 0].drop_duplicates("model", keep="last").to_dict("records")
        _annotate(panel, {row["model"]: (row[column] / scale, row["psnr"]) for row in ends})
    save_figure(figure, path, metadata={"Date": None})


def _plot_panel(panel: Axes, runs: pd.DataFrame, baseline: float, label: str) -> None:
    """Plot the PSNR of runs against their costs, in the column `cost`."""
    # A cost of 0, of a network without anything that is counted, has no place on the axis.
    shown = runs[runs["cost"] > 0].sort_values("epochs", kind="stable")
    for number, model in enumerate(dict.fromkeys(runs["model"])):
        style: dict[str, Any] = {
            "color": COLORS[number % len(COLORS)],
            "marker": MARKERS[number % len(MARKERS)],
        }
        for _, line in shown[shown["model"] == model].groupby("seed"):
            panel.plot(line["cost"], line["psnr"], mfc="white", linewidth=0.8, **style)
            panel.plot(line["cost"].iloc[-1:], line["psnr"].iloc[-1:], **style)
    panel.axhline(baseline, color="0.4", linestyle="--", linewidth=1)
    panel.set(xlabel=label, xscale="log")
    low, high = shown["cost"].min(), shown["cost"].max()
    if len(shown):
        panel.set_xlim(low / 2, high * 2)
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    panel.xaxis.set_minor_locator(NullLocator())


def _annotate(panel: Axes, names: Mapping[str, tuple[float, float]]) -> None:
    """Write names beside their points, off other names, points and lines as far as there is room."""
    inside = panel.get_window_extent().extents
    taken = []  # Left, bottom, right and top of boxes, in pixels.
    for line in panel.lines:
        path = line.get_transform().transform(line.get_xydata())
        taken += [(x - 5, y - 5, x + 5, y + 5) for x, y in path]
        for start, end in pairwise(path):
            between = np.linspace(start, end, 2 + int(np.hypot(*(end - start)) / 6))
            taken += [(x - 2, y - 2, x + 2, y + 2) for x, y in between]

    def shared(box: Box, others: Any) -> Any:
        """The area that a box shares with each of others."""
        low = np.maximum(box[:2], np.asarray(others)[..., :2])
        high = np.minimum(box[2:], np.asarray(others)[..., 2:])
        return np.prod(np.maximum(high - low, 0), axis=-1)

    for name, point in names.items():
        arrow = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        text = panel.annotate(
            name, point, (0, 0), textcoords="offset points", fontsize=8, arrowprops=arrow
        )
        size = np.array(Text.get_window_extent(text).size)  # Of the text without its arrow.
        center = panel.transData.transform(point)
        boxes: dict[Box, float] = {}  # With what speaks against them, in square pixels.
        for distance in range(8, 160, 8):
            for angle in (0, 180, 90, 270, 45, 135, 225, 315):  # Right, left, above, below, between.
                toward = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
                corner = center + distance * toward - size * (1 - toward) / 2
                box: Box = (*corner, *(corner + size))
                outside = size.prod() - shared(box, inside)
                boxes[box] = round(distance + shared(box, taken).sum() + 10 * outside)
        best = min(boxes, key=boxes.__getitem__)
        text.set_position((np.array(best[:2]) - center) * 72 / panel.figure.dpi)
        taken += [best] * 5  # Names on names are worse than names on lines.
