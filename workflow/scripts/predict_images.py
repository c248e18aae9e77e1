"""Predict the held-out images with a network, external predictions or a baseline."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and predict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of a run, or baselines/{baseline}")
    parser.add_argument("--model", type=Path, nargs="?", help=".keras file of a run")
    parser.add_argument("--pictures", type=json.loads, help="folder of external predictions, as JSON")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--predictions", type=Path, required=True, help=".npy file to write")
    args = parser.parse_args()
    backend.prepare_keras(args.threads, accelerator=args.accelerator if args.model else "cpu")
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation import baselines, external, predict
    from deepcolor.models import loading

    shards = Shards(args.indexes)
    if args.model:
        predictor = predict.from_network(loading.load_network(args.model, shards.size))
    elif args.pictures:
        images = shards.images(args.split)[["data_set", "id"]].itertuples(index=False, name=None)
        predictor = external.from_files(
            external.find_pictures(Path(args.pictures), images, args.run), shards.size
        )
    else:
        predictor = baselines.from_baseline(Path(args.run).name, shards)
    count = predict.predict_images(shards, args.split, predictor, args.predictions)
    print(f"predict_images {args.run}: {count} images", flush=True)


if __name__ == "__main__":
    script.run(main)
