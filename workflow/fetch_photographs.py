"""Fetch a data set's photographs and write its manifest."""

import argparse
import json
import pkgutil
from pathlib import Path

from deepcolor import command
from deepcolor.fetching import fetch


def main() -> None:
    """Parse the command line and fetch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--source", required=True, help='"module:function" that lists photographs')
    parser.add_argument("--options", type=json.loads, default={}, help="of the source, as JSON")
    parser.add_argument("--training", type=int, required=True, help="images asked for")
    parser.add_argument("--validation", type=int, required=True, help="images asked for")
    parser.add_argument("--seed", type=int, required=True, help="of the subset and the split")
    parser.add_argument("--folder", type=Path, required=True, help="where to write")
    args = parser.parse_args()
    source = pkgutil.resolve_name(args.source)(args.seed, **args.options)
    counts = {"training": args.training, "validation": args.validation}
    done = fetch(args.data_set, source, counts, args.folder)
    print(f"fetch_photographs {args.data_set}: {done}", flush=True)


if __name__ == "__main__":
    command.run(main)
