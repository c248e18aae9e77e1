"""Write the model card of a run: what it is, what it learned from, how good it is, and its limits."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.report.model_card import write_card


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--record", type=Path, required=True, help="training.json of the run")
    parser.add_argument("--model", type=Path, required=True, help=".keras file of the run")
    parser.add_argument("--split", required=True, help="validation or test")
    for name, file in {"metrics": "JSON", "scores": "CSV of each image"}.items():
        parser.add_argument(
            f"--{name}", type=Path, nargs="+", required=True, help=f"{file}, of the run and baselines"
        )
    parser.add_argument("--about", type=Path, nargs="+", required=True, help="JSON of each data set")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="CSV of each data set")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--markdown", type=Path, required=True, help="file to write")
    args = parser.parse_args()
    write_card(
        args.json,
        args.markdown,
        record=args.record,
        model=args.model,
        metrics={file.parent.name: file for file in args.metrics},
        scores={file.parent.name: file for file in args.scores},
        about=args.about,
        manifests=args.manifests,
        split=args.split,
    )
    print(f"write_model_card {args.run}: {args.markdown}, {args.json.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
