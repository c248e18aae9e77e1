"""Draw images kept aside that the figures show."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--images", type=int, required=True, help="how many")
    parser.add_argument("--seed", type=int, required=True, help="of the draw")
    parser.add_argument("--samples", type=Path, required=True, help=".npz file to write")
    args = parser.parse_args()
    backend.prepare_keras(threads=1, accelerator="cpu")
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import draw_samples

    count = draw_samples(Shards(args.indexes), args.split, args.images, args.seed, args.samples)
    print(f"draw_samples: {count} images", flush=True)


if __name__ == "__main__":
    script.run(main)
