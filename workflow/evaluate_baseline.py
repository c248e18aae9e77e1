"""Score a baseline that needs no network: the grayscale input itself."""

import argparse
from pathlib import Path

from deepcolor import command


def main() -> None:
    """Parse the command line and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--per-image", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    command.prepare_keras(threads=1, accelerator="cpu")
    from deepcolor import evaluation
    from deepcolor.shards import Shards

    scores = evaluation.evaluate_grayscale(Shards(args.indexes), args.split)
    done = evaluation.write_scores(scores, args.per_image, args.metrics)
    print(f"evaluate_baseline grayscale-copy: {done}", flush=True)


if __name__ == "__main__":
    command.run(main)
