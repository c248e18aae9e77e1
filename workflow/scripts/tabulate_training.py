"""Gather the records of all trainings in one table."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import tabulate_training, write_table


def main() -> None:
    """Parse the command line and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON of each run")
    parser.add_argument(
        "--varies", type=json.loads, required=True, help="by run of a variant, what it varies, as JSON"
    )
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    write_table(args.table, tabulate_training(args.records, args.varies))
    print(f"tabulate_training: {args.table.name}, {len(args.records)} runs", flush=True)


if __name__ == "__main__":
    script.run(main)
