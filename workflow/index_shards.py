"""Check a data set's shards and write their index."""

import argparse
from pathlib import Path

from deepcolor import command
from deepcolor.shard_index import write_index


def main() -> None:
    """Parse the command line and index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--training", type=Path, nargs="+", required=True, help="JSON of shards")
    parser.add_argument("--validation", type=Path, nargs="+", required=True, help="JSON of shards")
    parser.add_argument("--test", type=Path, nargs="*", default=[], help="JSON of shards")
    parser.add_argument("--index", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    facts = {"training": args.training, "validation": args.validation}
    if args.test:
        facts["test"] = args.test
    write_index(args.index, facts, data_set=args.data_set, size=args.image_size)
    count = sum(len(files) for files in facts.values())
    print(f"index_shards {args.data_set}: {count} shards", flush=True)


if __name__ == "__main__":
    command.run(main)
