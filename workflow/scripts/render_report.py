"""Render the report from tables and figures."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.report.render import render


def main() -> None:
    """Parse the command line and render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=json.loads, required=True, help="configuration, as JSON")
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV tables")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON of each training")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="CSV of runs, baselines")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=".npy of each run")
    parser.add_argument("--compared", nargs="+", required=True, help="runs set side by side")
    parser.add_argument(
        "--as-published", nargs="*", default=[], help="runs to set beside the published figures"
    )
    parser.add_argument("--samples", type=Path, required=True, help=".npz file of drawn images")
    parser.add_argument("--extremes", type=Path, required=True, help=".npz file of best and worst")
    parser.add_argument("--figures", type=Path, nargs="+", required=True, help="SVG and PNG files")
    parser.add_argument("--distances", type=Path, nargs="*", default=[], help="JSON of each run")
    parser.add_argument(
        "--acceptance", type=Path, nargs="*", default=[], help="JSON and CSV files of the user study"
    )
    parser.add_argument("--report", type=Path, required=True, help="HTML file to write")
    args = parser.parse_args()
    render(
        args.report,
        title=args.config["title"],
        config=args.config,
        tables={table.stem: table for table in args.tables},
        records=args.records,
        scores={file.parent.name: file for file in args.scores},
        predictions={file.parent.name: file for file in args.predictions},
        compared=args.compared,
        as_published=args.as_published,
        samples=args.samples,
        extremes=args.extremes,
        figures=args.figures,
        distances={file.parent.name: file for file in args.distances},
        benchmarks=Path(args.config["results"], "benchmarks"),
        acceptance=args.acceptance,
    )
    print(f"render_report: {args.report}", flush=True)


if __name__ == "__main__":
    script.run(main)
