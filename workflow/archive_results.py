"""Pack a finished report into one file, with all that shows how it came about, and unpack it elsewhere.

No rule: `make archive` and `make restore` run it.
"""

import argparse
from pathlib import Path

from deepcolor import archiving, command, configuration
from deepcolor.errors import DeepColorError

PROJECT = Path(__file__).parent.parent


def main() -> None:
    """Parse the command line, and pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["pack", "unpack"])
    parser.add_argument("--configfile", type=Path, help="what is laid over config.yaml")
    parser.add_argument("--archive", type=Path, required=True, help=".tar.gz file")
    args = parser.parse_args()
    if args.what == "pack":
        if args.archive.is_dir():
            raise DeepColorError(f"{args.archive} is a folder; name a file: make archive FILE=…")
        config = configuration.read(args.configfile)
        listed = [each.options.get("list") for each in configuration.data_sets(config)]
        names = archiving.members(
            PROJECT, config["results"], config["data"], args.configfile, [*filter(None, listed)]
        )
        itself = args.archive.resolve()
        names = [name for name in names if (PROJECT / name).resolve() != itself]
        count, size = archiving.pack(PROJECT, names, args.archive)
        print(f"Archive: {args.archive}, {count:,} files, {size / 1e6:,.0f} MB")
        return
    if not args.archive.is_file():
        raise DeepColorError(f"there is no archive {args.archive}; name one: make restore FILE=…")
    count = archiving.unpack(args.archive, PROJECT)
    print(f"Restored {count:,} files of {args.archive}; `make report` goes on from there")


if __name__ == "__main__":
    command.run(main, noted=False)
