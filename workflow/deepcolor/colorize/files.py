"""Which files are colorized, and where to."""

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from deepcolor.colorize.reading import FORMATS, TAKEN
from deepcolor.files import listing

# Beside the pictures in the folder of the output.
MANIFEST, SHEET = "colorized.json", "contact_sheet.html"


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


def find_jobs(named: Sequence[str], output: Path) -> tuple[list[Job], dict[str, str]]:
    """The photographs that files, folders and patterns name.

    Of folders all files are taken, however deep, whose suffix is one of a picture's, and keep their
    place in the folder; files of the output folder are none of them, where it lies inside. A format that
    is only read, such as GIF, becomes a PNG file, with .png behind its name.

    Args:
        named: Files, folders, and patterns with *, ? and **.
        output: Folder of the pictures to be made.

    Returns:
        The jobs, in the order named, each file once; and by name what cannot be done, and why.
    """
    jobs: dict[Path, Job] = {}
    faults: dict[str, str] = {}
    targets: dict[str, Path] = {}
    inside = output.resolve()
    for each in named:
        path = Path(each)
        found: Iterable[tuple[Path, Path]]
        if path.is_dir():
            files = [file for file in listing(path) if inside not in file.resolve().parents]
            found = [(file, file.relative_to(path)) for file in files if _is_picture(file)]
            if not found:
                faults[each] = "there are no pictures in this folder"
        elif path.exists():
            found = [(path, Path(path.name))]
        elif glob.has_magic(each):
            files = [Path(file) for file in sorted(glob.glob(each, recursive=True))]
            found = [(file, Path(file.name)) for file in files if file.is_file() and _is_picture(file)]
            if not found:
                faults[each] = "no picture matches this pattern"
        else:
            found = []
            faults[each] = "there is no such file or folder"
        for file, place in found:
            if file.resolve() in jobs:
                continue
            name = place.as_posix() if _is_written(file) else f"{place.as_posix()}.png"
            if name in targets:
                faults[str(file)] = f"{targets[name]} has the same name; give them different outputs"
                continue
            targets[name] = file
            jobs[file.resolve()] = Job(file, output / name, name)
    return _without_inputs(jobs, faults), faults


def _without_inputs(jobs: dict[Path, Job], faults: dict[str, str]) -> list[Job]:
    """The jobs that write over none of the inputs."""
    # By device and number, so that links are found, too.
    inputs = {(stat.st_dev, stat.st_ino) for path in jobs if (stat := path.stat())}
    kept = []
    for job in jobs.values():
        try:
            there = job.target.stat()
        except OSError:
            kept.append(job)
            continue
        if (there.st_dev, there.st_ino) in inputs:
            faults[str(job.source)] = f"{job.target} is an input; name another --output"
        else:
            kept.append(job)
    return kept


def _is_picture(file: Path) -> bool:
    return Image.registered_extensions().get(file.suffix.lower()) in TAKEN


def _is_written(file: Path) -> bool:
    return Image.registered_extensions().get(file.suffix.lower()) in {*FORMATS, "MPO"}
