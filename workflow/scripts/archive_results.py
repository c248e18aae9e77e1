from pathlib import Path
from typing import Literal

from deepcolor import script
from deepcolor.config import configuration
from deepcolor.errors import DeepColorError, printable
from deepcolor.report import restore
from deepcolor.report.archive import Layout, members, pack

PROJECT = Path(__file__).parents[2]


def main(action: Literal["pack", "unpack"], /, *, archive: Path, configfile: Path | None = None) -> None:
    """Pack a finished report into one file, with all that shows how it came about, or unpack it.

    No rule: `make archive` and `make restore` run it.

    Args:
        action: What to do.
        archive: `.tar.gz` file.
        configfile: Configuration laid over config.yaml.
    """
    if action == "pack":
        _pack(archive, configfile)
    else:
        _unpack(archive, configfile)


def _pack(archive: Path, configfile: Path | None) -> None:
    if archive.is_dir():
        raise DeepColorError(f"{archive} is a folder; name a file: make archive FILE=…")
    layout = Layout.of(PROJECT, configuration.read(configfile), configfile)
    itself = archive.resolve()
    names = members(PROJECT, layout)
    names = [name for name in names if (PROJECT / name).resolve() != itself]
    count, size = pack(PROJECT, names, archive)
    print(f"Archive: {printable(archive)}, {count:,} files, {size / 1e6:,.0f} MB")


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
    print(f"Restored {count:,} files of {printable(archive)}; `make report` continues from there")


if __name__ == "__main__":
    script.run(main, noted=False)
