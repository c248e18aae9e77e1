"""The figures: curves of a training, grids of pictures. Equal inputs give equal files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402
from PIL import Image  # noqa: E402

from deepcolor.files import replacing  # noqa: E402

plt.rcParams.update({"font.size": 9, "svg.hashsalt": "deepcolor", "axes.grid": True})
plt.rcParams.update({"grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False})

# Blue and vermilion of the Okabe-Ito palette, which color-blind people tell apart.
TRAINING, VALIDATION = "#0072B2", "#D55E00"
CURVES = {"loss": "Loss", "psnr": "PSNR (dB)", "accuracy": "Accuracy"}


def plot_curves(history: pd.DataFrame, milestones: Sequence[int], path: Path) -> None:
    """Plot loss, PSNR and accuracy over the epochs, for training and validation.

    Args:
        history: A row per epoch, see `deepcolor.training.COLUMNS`.
        milestones: Epochs at which a run ended; a dotted line marks each.
        path: SVG file to write.
    """
    figure, panels = plt.subplots(1, len(CURVES), figsize=(9, 2.8), layout="constrained")
    for panel, (column, label) in zip(panels, CURVES.items(), strict=True):
        marker = "o" if len(history) == 1 else None
        lines = {
            "training": (column, TRAINING, "-"),
            "validation": (f"val_{column}", VALIDATION, "--"),
        }
        for name, (key, color, style) in lines.items():
            panel.plot(history["epoch"], history[key], style, color=color, marker=marker, label=name)
        for epoch in milestones:
            panel.axvline(epoch, color="0.5", linestyle=":", linewidth=1)
        panel.set(xlabel="Epoch", ylabel=label)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(frameon=False)
    _save(figure, path, metadata={"Date": None})


def plot_grid(
    columns: Sequence[tuple[str, np.ndarray]], captions: Mapping[str, Sequence[str]], path: Path
) -> None:
    """Set pictures side by side: a row per photograph, a column per title.

    Args:
        columns: Titles and pictures, `(rows, size, size, 3)` uint8 each.
        captions: By title, a short text below each picture of that column.
        path: PNG file to write.
    """
    rows = len(columns[0][1])
    figure, panels = plt.subplots(
        rows,
        len(columns),
        figsize=(1.5 * len(columns), 1.66 * rows + 0.2),
        layout="constrained",
        squeeze=False,
    )
    for number, (title, pictures) in enumerate(columns):
        for row in range(rows):
            panel = panels[row, number]
            panel.imshow(pictures[row], interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            panel.grid(False)
            for spine in panel.spines.values():
                spine.set_visible(False)
            if title in captions:
                panel.set_xlabel(captions[title][row], fontsize=8, labelpad=2)
        panels[0, number].set_title(title, fontsize=9)
    _save(figure, path, dpi=120)


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
    size = (1.6 * len(before) + 0.3, 1.6 * len(rows) + 0.3)
    figure, panels = plt.subplots(
        len(rows), len(before), figsize=size, layout="constrained", squeeze=False
    )
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
    _save(figure, path, dpi=120)


def _save(figure: plt.Figure, path: Path, **options: Any) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], **options)
    plt.close(figure)
