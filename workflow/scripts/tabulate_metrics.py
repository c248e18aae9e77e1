"""Gather the metrics of all runs and baselines in one table."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import tabulate_metrics, write_table


def main() -> None:
    """Parse the command line and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="JSON of each run")
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    write_table(args.table, tabulate_metrics(args.metrics))
    print(f"tabulate_metrics: {args.table.name}, {len(args.metrics)} rows of results", flush=True)


if __name__ == "__main__":
    script.run(main)
