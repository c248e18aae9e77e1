"""Say whether all is there that a run needs, and what it will cost."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.config.preflight import Plan, describe, estimate
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json


def main() -> None:
    """Parse the command line, print, and end with an error if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-sets", type=Path, nargs="+", required=True, help="JSON of each")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="JSON of each")
    parser.add_argument("--images", type=json.loads, required=True, help="of all data sets, by split")
    parser.add_argument("--runs", type=json.loads, required=True, help="what each takes")
    parser.add_argument("--split", required=True, help="evaluated: validation or test")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--data", type=Path, required=True, help="folder for the data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    parser.add_argument("--results", type=Path, required=True, help="folder for the results")
    args = parser.parse_args()
    costs = estimate(
        [read_json(path) for path in args.data_sets],
        [read_json(path) for path in args.models],
        Plan(
            images=args.images,
            runs=args.runs,
            evaluated=args.split,
            image_size=args.image_size,
            folders=[args.cache, args.data, args.results],
        ),
    )
    for line in describe(costs):
        print(line, flush=True)
    if costs.problems:
        raise DeepColorError(
            f"{len(costs.problems)} of what this run needs is missing or too small, see above"
        )


if __name__ == "__main__":
    script.run(main)
