"""Colorize the photographs of a folder with an exported network."""

import argparse
import json
from pathlib import Path

from deepcolor import script


def main() -> None:
    """Parse the command line and colorize."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="folder with model.onnx")
    parser.add_argument("--photographs", type=json.loads, required=True, help="folder, as JSON")
    parser.add_argument("--settings", type=json.loads, required=True, help="how, as JSON")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--sheet", type=Path, required=True, help="HTML file to write, with pictures")
    args = parser.parse_args()
    from deepcolor.colorize.batch import colorize_files, report
    from deepcolor.colorize.batch_file import BatchOptions
    from deepcolor.colorize.network import open_exported
    from deepcolor.colorize.settings import Settings

    args.settings.pop("folder")
    most_megapixels = args.settings.pop("most_megapixels")
    summary = colorize_files(
        [args.photographs],
        args.sheet.parent,
        open_exported(args.network / "model.onnx", args.threads),
        Settings(**args.settings),
        BatchOptions(threads=args.threads, most_megapixels=most_megapixels),
    )
    report(summary, args.sheet)


if __name__ == "__main__":
    script.run(main)
