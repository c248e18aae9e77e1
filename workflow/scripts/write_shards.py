"""Write one TFRecord shard of a data set's split."""

import argparse
from pathlib import Path

from deepcolor import integrity, script
from deepcolor.data.manifest import offsets_of, read_slice
from deepcolor.data.shard_writer import ShardFiles, write_shard


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the data set")
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--split", required=True, help="training, validation or test")
    parser.add_argument("--number", type=int, required=True, help="of the shard, from 0")
    parser.add_argument("--of", type=int, required=True, help="shards of the split")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--shard", type=Path, required=True, help="TFRecord file to write")
    parser.add_argument("--contents", type=Path, required=True, help="JSON file to write")
    script.add_scratch(parser)
    args = parser.parse_args()
    integrity.check([str(offsets_of(args.manifest))])
    rows = read_slice(args.manifest, args.split, args.number, args.of)
    with script.scratch(args) as scratch:
        write_shard(
            ShardFiles(args.shard, args.contents),
            rows,
            data_set=args.data_set,
            size=args.image_size,
            manifest=args.manifest,
            scratch=scratch,
        )
    print(f"write_shards {args.data_set}: {args.shard.name}, {len(rows)} images", flush=True)


if __name__ == "__main__":
    script.run(main)
