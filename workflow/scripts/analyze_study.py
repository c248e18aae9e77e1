"""Analyze the answers to the user study."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.files import write_json
from deepcolor.report.tables import write_table
from deepcolor.study.analysis.acceptance import analyze, image_table, run_table
from deepcolor.study.analysis.exclusion import exclude
from deepcolor.study.answers import read_answers


def main() -> None:
    """Parse the command line and analyze."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, required=True, help="CSV file of answers")
    parser.add_argument("--rules", type=json.loads, required=True, help="of exclusion, as JSON")
    parser.add_argument("--acceptance", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write, of runs")
    parser.add_argument("--images", type=Path, required=True, help="CSV file to write, of images")
    args = parser.parse_args()
    answers = read_answers(args.answers)
    kept = exclude(answers, args.rules)
    found = analyze(answers, kept, str(args.answers))
    write_table(args.table, run_table(found))
    write_table(args.images, image_table(kept.answers, simulated=found["simulated"] > 0))
    write_json(args.acceptance, found)
    people = found["people"]
    marked = f"; {found['simulated']:,} answers are SIMULATED" if found["simulated"] else ""
    print(
        f"analyze_study: protocol {found['protocol']}, {people['analyzed']:,} of {people['begun']:,} "
        f"people, {found['answers']:,} answers{marked}",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
