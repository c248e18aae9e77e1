"""Check a data set's shards and write their index."""

import argparse
import json
from pathlib import Path

from deepcolor import integrity, script
from deepcolor.data.shard_index import write_index


def main() -> None:
    """Parse the command line and index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--shards", type=json.loads, required=True, help="how many, by split, as JSON")
    parser.add_argument("--index", type=Path, required=True, help="JSON file to write, beside them")
    args = parser.parse_args()
    folder = args.index.parent
    # Not named one by one: a command line has no room for thousands.
    contents = {
        split: [folder / f"{split}-{number:05}-of-{count:05}.json" for number in range(count)]
        for split, count in args.shards.items()
    }
    # What no command line names, nobody has looked at.
    integrity.check([str(file) for files in contents.values() for file in files])
    write_index(args.index, contents, data_set=args.data_set, size=args.image_size)
    print(f"index_shards {args.data_set}: {sum(args.shards.values())} shards", flush=True)


if __name__ == "__main__":
    script.run(main)
