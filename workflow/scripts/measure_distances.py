"""Take FID, KID and LPIPS between predictions and photographs: those whose weights are there."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import sha256, write_json


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, for messages")
    parser.add_argument("--predictions", type=Path, required=True, help=".npy file")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument(
        "--inception-weights", type=json.loads, help="imagenet or a file, as JSON: FID and KID"
    )
    parser.add_argument("--lpips-weights", type=Path, nargs="?", help="a file: LPIPS")
    parser.add_argument("--seed", type=int, required=True, help="of the subsets of KID")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--distances", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    backend.prepare_keras(args.threads, accelerator=args.accelerator)
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation import distances
    from deepcolor.evaluation.inception import inception_file, inception_network
    from deepcolor.evaluation.lpips import lpips_network
    from deepcolor.evaluation.predict import prediction_batches

    shards = Shards(args.indexes)
    networks, weights = {}, {}
    if args.inception_weights:
        weights["inception"] = inception_file(args.inception_weights)
        networks["inception"] = inception_network(weights["inception"], shards.size)
    if args.lpips_weights:
        weights["lpips"] = args.lpips_weights
        networks["lpips"] = lpips_network(args.lpips_weights, shards.size)
    pictures = prediction_batches(shards, args.split, args.predictions)
    content = distances.measure(pictures, shards.count(args.split), seed=args.seed, **networks)
    content["weights_sha256"] = {name: sha256(path) for name, path in weights.items()}
    write_json(args.distances, content)
    print(f"measure_distances {args.run}: {distances.summary(content)}", flush=True)


if __name__ == "__main__":
    script.run(main)
