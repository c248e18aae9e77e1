"""Fetch a range of a data set's photographs."""

import argparse
import json
import pkgutil
from pathlib import Path

from deepcolor import script
from deepcolor.data.fetch import fetch_range
from deepcolor.data.quality import Checks
from deepcolor.data.ranges import Range
from deepcolor.data.sources.base import Request


def main() -> None:
    """Parse the command line and fetch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--source", required=True, help='"module:function" that lists photographs')
    parser.add_argument("--options", type=json.loads, default={}, help="of the source, as JSON")
    parser.add_argument("--images", type=json.loads, required=True, help="asked for, by split, as JSON")
    parser.add_argument("--checks", type=json.loads, help="what is asked of photographs, as JSON")
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="manifests to compare with")
    parser.add_argument("--number", type=int, default=0, help="of the range, from 0")
    parser.add_argument("--of", type=int, default=1, help="ranges of the data set")
    parser.add_argument("--seed", type=int, required=True, help="of the subset and the split")
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    parser.add_argument("--threads", type=int, default=1, help="photographs read at a time")
    parser.add_argument("--folder", type=Path, required=True, help="where to write")
    args = parser.parse_args()
    request = Request(args.seed, sum(args.images.values()), args.cache, args.number, args.of)
    done = fetch_range(
        Range(args.data_set, args.images, args.folder, args.number, args.of),
        pkgutil.resolve_name(args.source)(request, **args.options),
        checks=Checks(**args.checks) if args.checks else None,
        others=args.others,
        threads=args.threads,
    )
    print(f"fetch_photographs {args.data_set}: {done}", flush=True)


if __name__ == "__main__":
    script.run(main)
