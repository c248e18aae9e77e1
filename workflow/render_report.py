"""Render the report from tables and figures."""

import argparse
import json
from pathlib import Path

from deepcolor import command
from deepcolor.report import render

TABLES = ["metrics", "training", "ablations", "seeds", "transfer", "data", "credits"]


def main() -> None:
    """Parse the command line and render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True, help="of the page")
    parser.add_argument("--config", type=json.loads, required=True, help="to be shown, as JSON")
    for table in TABLES:
        parser.add_argument(f"--{table}", type=Path, required=True, help="CSV table")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="CSV of each run")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON of each run")
    parser.add_argument("--models", nargs="+", required=True, help="names, in order")
    parser.add_argument(
        "--as-published", nargs="*", default=[], help="runs to set beside the published figures"
    )
    parser.add_argument("--data-sets", nargs="+", required=True, help="names, in order")
    parser.add_argument("--preprocessing", type=Path, nargs="+", required=True, help="PNG of each")
    parser.add_argument("--comparison", type=Path, required=True, help="PNG grid of all models")
    parser.add_argument("--costs", type=Path, required=True, help="SVG of quality against cost")
    parser.add_argument("--epochs", type=Path, nargs="+", required=True, help="PNG of each model")
    parser.add_argument("--curves", type=Path, nargs="+", required=True, help="SVG of each model")
    parser.add_argument("--report", type=Path, required=True, help="HTML file to write")
    args = parser.parse_args()
    render(
        args.report,
        title=args.title,
        config=args.config,
        tables={table: getattr(args, table) for table in TABLES},
        scores=args.scores,
        records=args.records,
        as_published=args.as_published,
        preprocessing=dict(zip(args.data_sets, args.preprocessing, strict=True)),
        comparison=args.comparison,
        costs=args.costs,
        epochs=dict(zip(args.models, args.epochs, strict=True)),
        curves=dict(zip(args.models, args.curves, strict=True)),
    )
    print(f"render_report: {args.report}", flush=True)


if __name__ == "__main__":
    command.run(main)
