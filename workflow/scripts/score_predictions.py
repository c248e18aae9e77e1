"""Score predictions of the held-out images."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow
from deepcolor.evaluation import score


def main() -> None:
    """Parse the command line and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, for messages")
    parser.add_argument("--predictions", type=Path, required=True, help=".npy file")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--per-image", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    import_tensorflow()
    from deepcolor.data.shards import Shards

    scores = score.score_predictions(Shards(args.indexes), args.split, args.predictions, args.threads)
    summary = score.write_scores(scores, args.per_image, args.metrics)
    print(f"score_predictions {args.run}: {summary}", flush=True)


if __name__ == "__main__":
    script.run(main)
