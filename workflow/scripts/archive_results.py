"""Pack a finished report into one file, with all that shows how it came about, and unpack it elsewhere.

No rule: `make archive` and `make restore` run it.
"""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.config import configuration
from deepcolor.errors import DeepColorError, shown
from deepcolor.report import restore
from deepcolor.report.archive import Layout, members, pack

PROJECT = Path(__file__).parents[2]


def main() -> None:
    """Parse the command line, and pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["pack", "unpack"])
    parser.add_argument("--configfile", type=Path, help="what is laid over config.yaml")
    parser.add_argument("--archive", type=Path, required=True, help=".tar.gz file")
    args = parser.parse_args()
    if args.what == "pack":
        _pack(args.archive, args.configfile)
    else:
        _unpack(args.archive, args.configfile)


def _pack(archive: Path, configfile: Path | None) -> None:
    if archive.is_dir():
        raise DeepColorError(f"{archive} is a folder; name a file: make archive FILE=…")
    layout = Layout.of(PROJECT, configuration.read(configfile), configfile)
    itself = archive.resolve()
    names = members(PROJECT, layout)
    names = [name for name in names if (PROJECT / name).resolve() != itself]
    count, size = pack(PROJECT, names, archive)
    print(f"Archive: {shown(archive)}, {count:,} files, {size / 1e6:,.0f} MB")


def _unpack(archive: Path, configfile: Path | None) -> None:
    if not archive.is_file():
        raise DeepColorError(f"there is no archive {archive}; name one: make restore FILE=…")
    if configfile and not configfile.is_file():
        raise DeepColorError(
            f"there is no file {configfile}; if the archive holds it, take it out and read it first: "
            f"tar -xzf {archive} {configfile}"
        )
    layout = Layout.of(PROJECT, configuration.read_without_files(configfile), configfile)
    count = restore.unpack(archive, PROJECT, layout)
    print(f"Restored {count:,} files of {shown(archive)}; `make report` continues from there")


if __name__ == "__main__":
    script.run(main, noted=False)
