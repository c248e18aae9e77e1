"""Write what was found, and the main figures, on one page."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.report.render import write_summary

TABLES = ["metrics", "training", "ablations", "seeds", "comparisons"]


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", type=json.loads, required=True, help="of the report, as JSON")
    parser.add_argument("--split", required=True, help="validation or test")
    for table in TABLES:
        parser.add_argument(f"--{table}", type=Path, required=True, help="CSV table")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--markdown", type=Path, required=True, help="file to write")
    args = parser.parse_args()
    tables = {table: getattr(args, table) for table in TABLES}
    write_summary(args.json, args.markdown, title=args.title, tables=tables, split=args.split)
    print(f"write_summary: {args.json}, {args.markdown.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
