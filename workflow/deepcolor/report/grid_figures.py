"""Figures of pictures side by side, captioned with their scores."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from deepcolor.labels import run_label
from deepcolor.report.figures import plot_grid


def plot_samples(
    samples: Path, baseline: Path, runs: Mapping[str, tuple[Path, Path]], path: Path
) -> None:
    """Plot drawn images side by side: input, prediction of each run, photograph.

    Args:
        samples: `.npz` file of `samples.draw_samples`.
        baseline: per_image.csv of the grayscale copy.
        runs: predictions.npy and per_image.csv by run, in the order of the columns.
        path: PNG file to write.
    """
    drawn = np.load(samples)
    rows = drawn["row"]
    columns = [("Input", drawn["grayscale"], _decibels(baseline, rows))]
    for run, (predictions, scores) in runs.items():
        pictures = np.load(predictions, mmap_mode="r")[rows]
        columns.append((run_label(run, separator="\n"), pictures, _decibels(scores, rows)))
    columns.append(("Photograph", drawn["truth"], []))
    plot_grid(columns, path)


def _decibels(scores: Path, rows: np.ndarray) -> list[str]:
    """Return the PSNR of rows of a per_image.csv, as captions."""
    return [f"{value:.1f} dB" for value in pd.read_csv(scores)["psnr"].iloc[rows]]


def plot_extremes(run: str, extremes: Path, predictions: Path, scores: Path, path: Path) -> None:
    """Plot the images that a run colors best and worst side by side.

    Args:
        run: Name of the run.
        extremes: `.npz` file of `samples.draw_extremes`.
        predictions: predictions.npy of the run.
        scores: per_image.csv of the run.
        path: PNG file to write.
    """
    drawn = np.load(extremes)
    places = {int(row): place for place, row in enumerate(drawn["row"])}
    differences = pd.read_csv(scores)["ciede2000"]
    pictures = np.load(predictions, mmap_mode="r")
    columns: list[tuple[str, np.ndarray, list[str]]] = []
    for kind in ("Best", "Worst"):
        rows = drawn[f"{kind.lower()}_{run}"]
        if not len(rows):  # A single image is the worst.
            continue
        at = [places[int(row)] for row in rows]
        captions = [f"ΔE {differences.iloc[row]:.1f}" for row in rows]
        columns.append((f"{kind}: input", drawn["grayscale"][at], []))
        columns.append(("prediction", pictures[rows], captions))
        columns.append(("photograph", drawn["truth"][at], []))
    plot_grid(columns, path)
