"""Which files are colorized, and where to."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from deepcolor.colorize.read import FORMATS, TAKEN
from deepcolor.files import listing
from deepcolor.imaging import bounds

# Beside the pictures in the folder of the output: lists, and the folder of the contact sheet's pictures.
MANIFEST, SHEET, SMALL = "colorized.json", "contact_sheet.html", "contact_sheet_files"


@dataclass(frozen=True)
class Job:
    """A photograph and where it goes.

    Attributes:
        source: The file.
        target: The file to be made.
        name: Of the target within the output folder.
    """

    source: Path
    target: Path
    name: str


@dataclass
class Found:
    """What files, folders and patterns name.

    Attributes:
        jobs: The photographs, in the order named, each once.
        faults: By name, what cannot be done, and why.
        passed_over: Files in folders that are no pictures by their names.
    """

    jobs: list[Job] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    passed_over: int = 0


def find_jobs(named: Sequence[str], output: Path) -> Found:
    """The photographs that files, folders and patterns name.

    Of folders all files are taken, however deep, whose suffix is one of a picture's, and keep their
    place in the folder; files of an output folder inside are none of them. A format that is only read,
    such as GIF, becomes a PNG file, with .png behind its name.

    Args:
        named: Files, folders, and patterns with *, ? and **.
        output: Folder of the pictures to be made.
    """
    found = Found()
    jobs: dict[Path, Job] = {}
    targets: dict[str, Path] = {}
    inputs = set()  # By device and number, so that links are found, too.
    for each in named:
        for file, place in find_files(each, found, output.resolve()):
            stat = file.stat()
            inputs.add((stat.st_dev, stat.st_ino))
            if file.resolve() in jobs:
                continue
            name = place.as_posix() if _is_written(file) else f"{place.as_posix()}.png"
            if name in targets:
                reason = f"{targets[name]} has the same name; give them different outputs"
                found.faults[str(file)] = reason
                continue
            targets[name] = file
            jobs[file.resolve()] = Job(file, output / name, name)
    for job in jobs.values():
        if _identity(job.target) in inputs:
            found.faults[str(job.source)] = f"{job.target} is an input; name another --output"
        else:
            found.jobs.append(job)
    return found


def find_files(named: str, found: Found, output: Path | None = None) -> list[tuple[Path, Path]]:
    """The pictures that a file's, a folder's or a pattern's name stands for.

    Args:
        named: What is named; see `find_jobs`.
        found: Notes what is wrong with the name, and what is passed over.
        output: A folder whose files are no inputs.

    Returns:
        Of each its path, and its place in the folder that is named.
    """
    path = Path(named)
    if path.is_dir():
        inside = output if output and path.resolve() in output.parents else None
        files = [
            file.relative_to(path)
            for file in listing(path)
            if inside not in file.resolve().parents and SMALL not in file.relative_to(path).parts
        ]
        pictures = [file for file in files if _is_picture(file)]
        found.passed_over += len(files) - len(pictures)
        if not pictures:
            found.faults[named] = "there are no pictures in this folder"
        return [(path / file, file) for file in pictures]
    if path.is_file():
        return [(path, Path(path.name))]
    if path.exists():
        found.faults[named] = "it is neither a file nor a folder"
        return []
    if glob.has_magic(named):
        files = [Path(file) for file in sorted(glob.glob(named, recursive=True))]
        pictures = [file for file in files if file.is_file() and _is_picture(file)]
        if not pictures:
            found.faults[named] = "no picture matches this pattern"
        return [(file, Path(file.name)) for file in pictures]
    found.faults[named] = "there is no such file or folder"
    return []


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _is_picture(file: Path) -> bool:
    return Image.registered_extensions().get(file.suffix.lower()) in TAKEN


def _is_written(file: Path) -> bool:
    """Whether a file's format is one that is written, by its suffix, or by a look into it."""
    format = Image.registered_extensions().get(file.suffix.lower())
    if format is None:
        try:
            with bounds.read_header(file) as image:
                format = image.format
        except Exception:  # What is wrong with it is said when it is read.
            return False
    return format in {*FORMATS, "MPO"}


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Return a sorting key of a name as people sort: 9 before 10, and a next to A."""
    parts: list[str | int] = list(re.split("([0-9]+)", name.casefold()))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, name
