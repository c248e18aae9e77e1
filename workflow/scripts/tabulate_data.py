"""Gather what is known of the data sets, and whom to credit for the photographs."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import tabulate_credits, tabulate_data, write_table


def main() -> None:
    """Parse the command line and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--about", type=Path, nargs="+", required=True, help="JSON of each data set")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="CSV of each data set")
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--credits", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    write_table(args.table, tabulate_data(args.about, args.manifests))
    write_table(args.credits, tabulate_credits(args.about, args.manifests))
    print(f"tabulate_data: {args.table.name}, {len(args.about)} data sets", flush=True)


if __name__ == "__main__":
    script.run(main)
