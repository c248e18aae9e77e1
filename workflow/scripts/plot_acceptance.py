"""Plot what the answers to the user study say."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.study.analysis.figures import plot_acceptance


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acceptance", type=Path, required=True, help="JSON of the analysis")
    parser.add_argument("--figure", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    plot_acceptance(read_json(args.acceptance), args.figure)
    print(f"plot_acceptance: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
