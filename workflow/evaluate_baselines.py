"""Score the baselines that need no network, such as the grayscale input itself."""

import argparse
from pathlib import Path

from deepcolor import backend, command
from deepcolor.names import BASELINES


def main() -> None:
    """Parse the command line and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="CSV of each index")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--baselines", nargs="+", required=True, choices=list(BASELINES))
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="JSON files to write")
    parser.add_argument("--per-image", type=Path, nargs="+", required=True, help="CSV files to write")
    args = parser.parse_args()
    backend.prepare_keras(args.threads, accelerator="cpu")
    from deepcolor import evaluation, scores
    from deepcolor.shards import Shards

    shards = Shards(args.indexes)
    manifests = dict(zip(shards.data_sets, args.manifests, strict=True))
    for baseline, summary, per_image in zip(args.baselines, args.metrics, args.per_image, strict=True):
        scored = evaluation.evaluate_baseline(baseline, shards, args.split, args.threads)
        done = scores.write_scores(scores.with_groups(scored, manifests), per_image, summary)
        print(f"evaluate_baselines {baseline}: {done}", flush=True)


if __name__ == "__main__":
    command.run(main)
