"""Compare runs on the same images: paired differences, with intervals and tests."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.evaluation.comparisons import compare_all, read_scores, read_trained
from deepcolor.report.tables import write_table


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="CSV of runs and baselines"
    )
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON of each training")
    parser.add_argument("--pictures", nargs="*", default=[], help="runs of other programs")
    parser.add_argument(
        "--varies", type=json.loads, required=True, help="by run of a variant, what it varies, as JSON"
    )
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write")
    args = parser.parse_args()
    trained = read_trained(args.records, args.varies)
    scores = read_scores({file.parent.name: file for file in args.scores})
    table = compare_all(scores, trained, args.pictures)
    write_table(args.table, table)
    print(f"compare_runs: {args.table.name}, {len(table)} comparisons", flush=True)


if __name__ == "__main__":
    script.run(main)
