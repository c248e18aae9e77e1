"""Draw the images that runs color best and worst."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--runs", nargs="+", required=True, help="names, in order")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="CSV of each run")
    parser.add_argument("--images", type=int, required=True, help="how many of either, at most")
    parser.add_argument("--extremes", type=Path, required=True, help=".npz file to write")
    args = parser.parse_args()
    backend.prepare_keras(threads=1, accelerator="cpu")
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import draw_extremes

    scores = dict(zip(args.runs, args.scores, strict=True))
    draw_extremes(Shards(args.indexes), args.split, scores, args.images, args.extremes)
    print(f"draw_extremes: {args.extremes.name}, {len(scores)} runs", flush=True)


if __name__ == "__main__":
    script.run(main)
