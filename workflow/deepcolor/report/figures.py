"""The figures: curves of a training, grids of pictures. Equal inputs give equal files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from PIL import Image

from deepcolor.evaluation.measures import MEASURES
from deepcolor.files import replacing

# What differs from Matplotlib's defaults.
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "svg.hashsalt": "deepcolor",
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

# The palette of Okabe and Ito, which color-blind people tell apart, without its yellow, faint on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TRAINING, VALIDATION = COLORS[:2]
# One more than colors, so that 56 pairs are different.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
Box = tuple[float, float, float, float]
CURVES = {"loss": "Loss", "psnr": "PSNR (dB)", "accuracy": "Accuracy"}


@contextmanager
def project_style() -> Iterator[None]:
    """Draw in the project's style inside a block or function, and leave a user's settings alone."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def new_figure(width: float, height: float, constrained: bool = True) -> Figure:
    """Return an empty figure, which no window shows and nothing needs to close.

    Args:
        width: In inches.
        height: In inches.
        constrained: Whether Matplotlib makes room for what is written around axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained" if constrained else None)
    FigureCanvasAgg(figure)
    return figure


@project_style()
def plot_curves(history: pd.DataFrame, milestones: Sequence[int], path: Path) -> None:
    """Plot loss, PSNR and accuracy over the epochs, for training and validation.

    Args:
        history: A row per epoch, see `deepcolor.training.history.COLUMNS`.
        milestones: Epochs at which a run ended; a dotted line marks each that was reached.
        path: SVG file to write.
    """
    figure = new_figure(9, 2.8)
    panels = figure.subplots(1, len(CURVES))
    for panel, (column, label) in zip(panels, CURVES.items(), strict=True):
        marker = "o" if len(history) == 1 else None
        lines = {
            "training": (column, TRAINING, "-"),
            "validation": (f"val_{column}", VALIDATION, "--"),
        }
        for name, (key, color, style) in lines.items():
            panel.plot(history["epoch"], history[key], style, color=color, marker=marker, label=name)
        for epoch in milestones:
            if epoch <= history["epoch"].max():
                panel.axvline(epoch, color="0.5", linestyle=":", linewidth=1)
        panel.set(xlabel="Epoch", ylabel=label)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(frameon=False)
    save(figure, path, metadata={"Date": None})


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
    models = list(dict.fromkeys(runs["model"]))
    figure = new_figure(9, max(3.2, 2 + 0.2 * len(models)))
    panels = figure.subplots(1, len(costs), sharey=True)
    for panel, (column, (label, scale)) in zip(panels, costs.items(), strict=True):
        # A cost of 0, of a network without anything that is counted, has no place on the axis.
        shown = runs[runs[column] > 0].sort_values("epochs", kind="stable")
        shown = shown.assign(cost=shown[column] / scale)
        for number, model in enumerate(models):
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
        _label(panel, {row["model"]: (row[column] / scale, row["psnr"]) for row in ends})
    save(figure, path, metadata={"Date": None})


def _label(panel: Axes, names: Mapping[str, tuple[float, float]]) -> None:
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


@project_style()
def plot_scores(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot the mean PSNR, SSIM and CIEDE2000 of runs and baselines with their intervals.

    A filled circle is the prediction as it is, a hollow diamond its chroma on the input's luminance.
    Dashed lines are the grayscale copy and the training-set mean chroma.

    Args:
        rows: Of `views.results`.
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
    save(figure, path, metadata={"Date": None})


@project_style()
def plot_grid(columns: Sequence[tuple[str, np.ndarray, Sequence[str]]], path: Path) -> None:
    """Set pictures side by side: a row per photograph, a column per title.

    Args:
        columns: Titles, pictures, `(rows, size, size, 3)` uint8 each, and a short text below each
            picture of the column; no texts, nothing below.
        path: PNG file to write.
    """
    rows = len(columns[0][1])
    figure = new_figure(1.5 * len(columns), 1.66 * rows + 0.2)
    panels = figure.subplots(rows, len(columns), squeeze=False)
    for number, (title, pictures, captions) in enumerate(columns):
        for row in range(rows):
            panel = panels[row, number]
            panel.imshow(pictures[row], interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            panel.grid(False)
            for spine in panel.spines.values():
                spine.set_visible(False)
            if captions:
                panel.set_xlabel(captions[row], fontsize=8, labelpad=2)
        panels[0, number].set_title(title, fontsize=9)
    save(figure, path, dpi=120)


@project_style()
def plot_preprocessing(
    before: Sequence[np.ndarray],
    sizes: Sequence[tuple[int, int]],
    after: Sequence[np.ndarray],
    path: Path,
) -> None:
    """Set photographs above what preprocessing makes of them.

    Args:
        before: Photographs, `(height, width, 3)` uint8 RGB each.
        sizes: Their width and height as they are, if they are shown smaller.
        after: The same resized, `(size, size, 3)` uint8 RGB each; below them, their grayscale is shown.
        path: PNG file to write.
    """
    gray = [np.asarray(Image.fromarray(picture).convert("L")) for picture in after]
    squares = [(picture.shape[1], picture.shape[0]) for picture in after]
    rows = {"Photograph": (before, sizes), "Resized": (after, squares), "Input": (gray, squares)}
    figure = new_figure(1.6 * len(before) + 0.3, 1.6 * len(rows) + 0.3)
    panels = figure.subplots(len(rows), len(before), squeeze=False)
    for row, (title, (pictures, labels)) in zip(panels, rows.items(), strict=True):
        for panel, picture, (width, height) in zip(row, pictures, labels, strict=True):
            panel.imshow(picture, cmap="gray", vmin=0, vmax=255)
            panel.set_xticks([])
            panel.set_yticks([])
            panel.grid(False)
            panel.set_xlabel(f"{width}×{height}", fontsize=8, labelpad=2)
            for spine in panel.spines.values():
                spine.set_visible(False)
        row[0].set_ylabel(title)
    save(figure, path, dpi=120)


def save(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure: To write.
        path: Its suffix is the format.
        options: Of `Figure.savefig`.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], **options)
