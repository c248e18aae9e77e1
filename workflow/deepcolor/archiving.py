"""An archive of a finished report: all that shows how it came about, and renders it again.

A gzipped tar file with the code and configuration, the locks of the packages, the results with what
Snakemake noted of them, what is known of the photographs (not these themselves, nor shards), and
SHA256SUMS over all of it.
"""

import gzip
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from deepcolor import ledger
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing, sha256

# The project itself: files and folders.
CODE = (
    ".ci", ".dockerignore", ".gitignore", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile",
    "README.md", "Snakefile", "config.yaml", "docs", "envs", "pyproject.toml", "rules", "tests",
    "workflow",
)  # fmt: skip
SUMS = "SHA256SUMS"  # As `sha256sum --check` reads it.
METADATA = ".snakemake/metadata"
# Of a data set: what the report, the cards and the tables are made of.
OF_DATA = ("manifest.csv", "manifest.offsets.json", "rejected.csv", "data_set.json", "index.json")
# What a training goes on from after an interruption, and what is written while something else goes on.
PASSED_OVER = ("backup-", "best-backup-", ".partial.", ".lock")


def members(
    project: Path, results: str, data: str, overlay: Path | None, lists: Sequence[str] = ()
) -> list[PurePosixPath]:
    """The files of an archive, from the project's folder, sorted.

    Args:
        project: Folder.
        results: Where the results are, as configured.
        data: Where the data are, as configured.
        overlay: What is laid over config.yaml.
        lists: Of photographs, by which data sets were fetched.

    Raises:
        DeepColorError: There is no report, or something lies outside the project's folder.
    """
    needed = [("results", results), ("data", data), *(("list", each) for each in lists)]
    if overlay is not None:
        needed.append(("CONFIGFILE", os.path.relpath(overlay, project)))
    for key, folder in needed:
        if Path(folder).is_absolute() or ".." in Path(folder).parts:
            raise DeepColorError(
                f"{key}: {folder} lies outside the project's folder; an archive needs it inside"
            )
    if not (project / results / "report.html").exists():
        raise DeepColorError(f"{results}/report.html is not there; make report writes it")
    found = {Path(name) for name in code_files(project)}
    found |= set(_below(project, Path(results))) | set(_below(project, Path(METADATA)))
    found |= {path for path in _below(project, Path(data)) if path.name in OF_DATA}
    found |= {Path(each) for each in lists}
    if overlay is not None:
        found.add(Path(os.path.relpath(overlay, project)))
    return sorted(PurePosixPath(path.as_posix()) for path in found)


def code_files(project: Path) -> list[str]:
    """The files of the project itself, as they are."""
    found = [Path(name) for name in CODE if (project / name).is_file()]
    for folder in CODE:
        found += [path for path in _below(project, Path(folder)) if "__pycache__" not in path.parts]
    return [path.as_posix() for path in found]


def _below(project: Path, folder: Path) -> Iterator[Path]:
    seen = set()
    for top, folders, names in os.walk(project / folder, followlinks=True):
        seen.add(os.path.realpath(top))
        # A link to a folder above would lead round and round.
        folders[:] = [each for each in folders if os.path.realpath(Path(top, each)) not in seen]
        for name in names:
            path = Path(top, name)
            if path.is_file() and not name.startswith(PASSED_OVER):
                yield path.relative_to(project)


def pack(project: Path, names: Iterable[PurePosixPath], archive: Path) -> tuple[int, int]:
    """Write an archive, whole or not at all; one file of it is in memory at no time. Links are followed.

    Args:
        project: Folder.
        names: See `members`.
        archive: To write.

    Returns:
        The number of files, and the archive's bytes.

    Raises:
        DeepColorError: A name has a line break.
    """
    sums, count = [], 0
    with (
        replacing(archive) as temporary,
        gzip.open(temporary, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar,
    ):
        for name in names:
            if "\n" in str(name):
                raise DeepColorError(f"{str(name)!r} has a line break in its name; rename the file")
            with open(project / name, "rb") as file:
                # Of what is packed, be it written meanwhile.
                hashing = _Hashing(file)
                tar.addfile(tar.gettarinfo(arcname=str(name), fileobj=file), hashing)
            sums.append(f"{hashing.digest.hexdigest()}  {name}\n")
            count += 1
        content = "".join(sums).encode("utf-8", "surrogateescape")
        entry = tarfile.TarInfo(SUMS)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return count, archive.stat().st_size


class _Hashing(io.RawIOBase):
    """A file whose checksum is taken while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        return content


def unpack(archive: Path, project: Path) -> int:
    """Put the results of an archive into a project, with their times; what is there already is kept.

    Every file appears whole, so that the same call goes on after an interruption.

    Args:
        archive: Of `pack`.
        project: Folder of the same project, in the same state.

    Returns:
        The number of files that were put there.

    Raises:
        DeepColorError: The archive is broken, the project's code is another, or other results are there.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            known = _check(tar, archive)
        with tarfile.open(archive, "r:gz") as tar:
            count = _extract(tar, known, archive, project)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DeepColorError(f"{archive} cannot be unpacked ({first_line(error)})") from error
    # What was noted of files that were here before.
    shutil.rmtree(project / ledger.NOTES, ignore_errors=True)
    return count


def _check(tar: tarfile.TarFile, archive: Path) -> dict[str, str]:
    """Hold every file of an archive against its checksum; the checksums by name."""
    found, listed = {}, b""
    for entry in tar:
        content = tar.extractfile(entry)
        if content is None:
            raise DeepColorError(f"{archive} holds {entry.name}, which is no file; make it anew")
        if entry.name == SUMS:
            listed = content.read()
        else:
            digest = hashlib.sha256()
            while piece := content.read(2**20):
                digest.update(piece)
            found[entry.name] = digest.hexdigest()
    lines = os.fsdecode(listed).split("\n")
    known = {line[66:]: line[:64] for line in lines if line}
    if found != known or not known:
        wrong = sorted(
            name for name in found.keys() | known.keys() if found.get(name) != known.get(name)
        )
        raise DeepColorError(
            f"{archive} is not as it was written ({wrong[0] if wrong else 'it is empty'}); get it again"
        )
    return known


def _extract(tar: tarfile.TarFile, known: dict[str, str], archive: Path, project: Path) -> int:
    ours = set(code_files(project))
    other = [name for name in known if name in ours and sha256(project / name) != known[name]]
    if other:
        raise DeepColorError(
            f"{archive} was made by other code ({other[0]} differs); unpack it into a folder of its "
            "own: it holds the code, too"
        )
    new = [name for name in known if not (project / name).exists()]
    there = [name for name in known if name not in ours and name not in set(new)]
    if differs := [name for name in there if sha256(project / name) != known[name]]:
        raise DeepColorError(f"{differs[0]} is there and is another; move it, or all results, away")
    for name in new:
        # Nothing outside of the project, and nobody's rights but ours.
        entry = tarfile.data_filter(tar.getmember(name), str(project))
        content = tar.extractfile(name)
        assert content  # `_check` has read it.
        with replacing(project / name) as temporary:
            with open(temporary, "wb") as file:
                shutil.copyfileobj(content, file)
            temporary.chmod(entry.mode or 0o644)
            os.utime(temporary, (entry.mtime, entry.mtime))
    return len(new)
