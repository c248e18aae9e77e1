"""Set input, predictions and photographs side by side."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from deepcolor import script
from deepcolor.labels import label
from deepcolor.report.figures import plot_grid


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, required=True, help=".npz file of the images")
    parser.add_argument("--baseline", type=Path, required=True, help="CSV of the grayscale copy")
    parser.add_argument("--runs", nargs="+", required=True, help="names, in the order of columns")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=".npy of each run")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="CSV of each run")
    parser.add_argument("--figure", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    samples = np.load(args.samples)
    rows = samples["row"]
    columns = [("Input", samples["grayscale"], decibels(args.baseline, rows))]
    for run, predictions, scores in zip(args.runs, args.predictions, args.scores, strict=True):
        pictures = np.load(predictions, mmap_mode="r")[rows]
        columns.append((label(run, separator="\n"), pictures, decibels(scores, rows)))
    columns.append(("Photograph", samples["truth"], []))
    plot_grid(columns, args.figure)
    print(f"plot_grid: {args.figure.name}", flush=True)


def decibels(scores: Path, rows: np.ndarray) -> list[str]:
    """The PSNR of some rows of a per_image.csv, as captions."""
    return [f"{value:.1f} dB" for value in pd.read_csv(scores)["psnr"].iloc[rows]]


if __name__ == "__main__":
    script.run(main)
