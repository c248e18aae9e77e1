"""Set runs beside one another: variants beside what they vary, seeds, and data sets."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import (
    read_table,
    tabulate_ablations,
    tabulate_seeds,
    tabulate_transfer,
    write_table,
)


def main() -> None:
    """Parse the command line and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="CSV table")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON of each run")
    parser.add_argument(
        "--varies", type=json.loads, required=True, help="by run of a variant, what it varies, as JSON"
    )
    parser.add_argument("--ablations", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--seeds", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--transfer", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    metrics = read_table(args.metrics)
    ablations = tabulate_ablations(metrics, args.records, args.varies)
    seeds = tabulate_seeds(metrics, args.records)
    write_table(args.ablations, ablations)
    write_table(args.seeds, seeds)
    write_table(args.transfer, tabulate_transfer(metrics, args.records))
    print(
        f"tabulate_comparisons: {args.ablations.name}, {len(ablations)} runs of variants; "
        f"{args.seeds.name}, {args.transfer.name}",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
