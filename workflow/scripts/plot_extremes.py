"""Set the images that a run colors best and worst side by side."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from deepcolor import script
from deepcolor.report.figures import plot_grid


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--extremes", type=Path, required=True, help=".npz file of the images")
    parser.add_argument("--predictions", type=Path, required=True, help=".npy of the run")
    parser.add_argument("--scores", type=Path, required=True, help="CSV of the run")
    parser.add_argument("--figure", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    drawn = np.load(args.extremes)
    places = {int(row): place for place, row in enumerate(drawn["row"])}
    differences = pd.read_csv(args.scores)["ciede2000"]
    predictions = np.load(args.predictions, mmap_mode="r")
    columns: list[tuple[str, np.ndarray, list[str]]] = []
    for kind in ("Best", "Worst"):
        rows = drawn[f"{kind.lower()}_{args.run}"]
        if not len(rows):  # Of a single image, it is the worst.
            continue
        at = [places[int(row)] for row in rows]
        captions = [f"ΔE {differences.iloc[row]:.1f}" for row in rows]
        columns.append((f"{kind}: input", drawn["grayscale"][at], []))
        columns.append(("prediction", predictions[rows], captions))
        columns.append(("photograph", drawn["truth"][at], []))
    plot_grid(columns, args.figure)
    print(f"plot_extremes: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
