"""Merge the ranges of a data set into its manifest."""

import argparse
import json
import resource
from pathlib import Path

from deepcolor import script
from deepcolor.data.merge import merge_ranges


def main() -> None:
    """Parse the command line and merge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--images", type=json.loads, required=True, help="asked for, by split, as JSON")
    parser.add_argument("--ranges", type=int, required=True, help="how many there are")
    parser.add_argument("--near-duplicates", type=int, default=0, help="bits in which they may differ")
    parser.add_argument("--folder", type=Path, required=True, help="where they are, and where to write")
    args = parser.parse_args()
    # Each range is open while they are merged.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    done = merge_ranges(args.data_set, args.images, args.folder, args.ranges, args.near_duplicates)
    print(f"write_manifest {args.data_set}: {done}", flush=True)


if __name__ == "__main__":
    script.run(main)
