"""Figures of a training's curves and of grids of images. Equal inputs give equal files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from PIL import Image

from deepcolor.report.figure_style import COLORS, new_figure, project_style, save_figure

TRAINING, VALIDATION = COLORS[:2]
CURVES = {"loss": "Loss", "psnr": "PSNR (dB)", "accuracy": "Accuracy"}


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
    save_figure(figure, path, metadata={"Date": None})


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
    save_figure(figure, path, dpi=120)


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
    save_figure(figure, path, dpi=120)
