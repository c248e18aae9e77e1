"""Score the pictures that another program has made of the inputs."""

import argparse
import json
from pathlib import Path

from deepcolor import backend, command


def main() -> None:
    """Parse the command line and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, for messages")
    parser.add_argument("--pictures", type=json.loads, required=True, help="their folder, as JSON")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="CSV of each index")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--per-image", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--predictions", type=Path, required=True, help=".npy file to write")
    args = parser.parse_args()
    backend.prepare_keras(args.threads, accelerator="cpu")
    from deepcolor import evaluation, scores
    from deepcolor.shards import Shards

    shards = Shards(args.indexes)
    files = evaluation.find_pictures(Path(args.pictures), shards.names(args.split), args.run)
    scored = evaluation.evaluate_pictures(files, shards, args.split, args.predictions, args.threads)
    scored = scores.with_groups(scored, dict(zip(shards.data_sets, args.manifests, strict=True)))
    done = scores.write_scores(scored, args.per_image, args.metrics)
    print(f"evaluate_pictures {args.run}: {done}", flush=True)


if __name__ == "__main__":
    command.run(main)
