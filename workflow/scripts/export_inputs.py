"""Write the inputs as grayscale pictures, for other programs to colorize."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--folder", type=Path, required=True, help="to write the pictures to")
    args = parser.parse_args()
    backend.prepare_keras(threads=1, accelerator="cpu")
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import export_inputs

    count = export_inputs(Shards(args.indexes), args.split, args.folder)
    print(f"export_inputs: {count} pictures in {args.folder}", flush=True)


if __name__ == "__main__":
    script.run(main)
