"""See whether a data set can be fetched, and what that will take."""

import argparse
import json
import pkgutil
from dataclasses import asdict
from pathlib import Path

from deepcolor import script
from deepcolor.data.sources.base import Request
from deepcolor.errors import DeepColorError
from deepcolor.files import write_json


def main() -> None:
    """Parse the command line and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-set", required=True, help="its name")
    parser.add_argument("--source", required=True, help='"module:function" that lists photographs')
    parser.add_argument("--options", type=json.loads, default={}, help="of the source, as JSON")
    parser.add_argument("--images", type=json.loads, required=True, help="asked for, by split, as JSON")
    parser.add_argument("--seed", type=int, required=True, help="of the subset and the split")
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    parser.add_argument("--findings", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    request = Request(args.seed, sum(args.images.values()), args.cache)
    findings = {"name": args.data_set, "images": request.count, "problem": None}
    try:
        source = pkgutil.resolve_name(args.source)(request, **args.options)
        findings.update(asdict(source.needs()), revision=source.revision)
    except DeepColorError as error:
        findings["problem"] = str(error)
    write_json(args.findings, findings)


if __name__ == "__main__":
    script.run(main)
