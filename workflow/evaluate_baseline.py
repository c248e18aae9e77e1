"""Score a baseline that needs no network, such as the grayscale input itself."""

import argparse
from pathlib import Path

from deepcolor import command
from deepcolor.names import BASELINES


def main() -> None:
    """Parse the command line and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", required=True, choices=list(BASELINES))
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="CSV of each index")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--per-image", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    command.prepare_keras(args.threads, accelerator="cpu")
    from deepcolor import evaluation, scores
    from deepcolor.shards import Shards

    shards = Shards(args.indexes)
    scored = evaluation.evaluate_baseline(args.baseline, shards, args.split, args.threads)
    scored = scores.with_groups(scored, dict(zip(shards.data_sets, args.manifests, strict=True)))
    done = scores.write_scores(scored, args.per_image, args.metrics)
    print(f"evaluate_baseline {args.baseline}: {done}", flush=True)


if __name__ == "__main__":
    command.run(main)
