"""An archive of a finished report: all that shows how it came about, and renders it again.

A gzipped tar file with the code and configuration, the locks of the packages, the results with what
Snakemake noted of them, what is known of the photographs (not these themselves, nor shards), and
SHA256SUMS over all of it. `deepcolor.report.restore` unpacks it.
"""

import gzip
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from deepcolor.errors import DeepColorError
from deepcolor.files import replacing

# The project itself: files and folders.
CODE = (
    ".ci", ".dockerignore", ".gitignore", ".snakemake-workflow-catalog.yml", "CHANGELOG.md",
    "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "Snakefile", "config.yaml",
    "docs", "envs", "pyproject.toml", "rules", "tests", "workflow",
)  # fmt: skip
SUMS = "SHA256SUMS"  # As `sha256sum --check` reads it.
METADATA = ".snakemake/metadata"
# Of a data set: what the report, the cards and the tables are made of.
OF_DATA = ("manifest.csv", "manifest.offsets.json", "rejected.csv", "data_set.json", "index.json")
# What a training resumes from after an interruption.
PASSED_OVER = ("backup-", "best-backup-")


# Snakemake names a record after its file, in base64; a long name is in parts that begin with "@".
RECORD = re.compile(r"@?[\w=-]+", re.ASCII)
# Hidden, and a result: how old a folder is that a job has made.
TIMESTAMP = ".snakemake_timestamp"


@dataclass(frozen=True)
class Layout:
    """Where an archive's files belong, by the configuration of the project that packs or restores.

    Attributes:
        results: Folder of the results, from the project's folder.
        data: Folder of the data.
        others: Further files: the CONFIGFILE, and lists of photographs.
    """

    results: str = "results"
    data: str = "data"
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Path, config: Mapping[str, Any], overlay: Path | None) -> Self:
        """Return the layout of a configuration.

        Args:
            project: Folder of the project.
            config: Configuration, see `configuration.read_without_files`.
            overlay: File that is laid over config.yaml.

        Raises:
            DeepColorError: A folder or file is outside the project, or the folder is one of code.
        """
        used = config.get("compare", {}).get("data_sets", config["data_sets"])
        entries = [config["data_sets"][name] for name in used if name in config["data_sets"]]
        lists = [each["list"] for each in entries if each.get("list")]
        keys = [("results", config["results"]), ("data", config["data"])]
        keys += [("list", each) for each in lists]
        if overlay is not None:
            keys.append(("CONFIGFILE", os.path.relpath(overlay, project)))
        for key, name in keys:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise DeepColorError(
                    f"{key}: {name} lies outside the project's folder; an archive needs it inside"
                )
            is_code = not path.parts or path.parts[0] in CODE
            if key in ("results", "data") and (is_code or _is_hidden(path)):
                raise DeepColorError(
                    f"{key}: {name} is no folder for an archive; name one that is not hidden and "
                    "holds no code"
                )
        results, data, *others = [str(PurePosixPath(name)) for _, name in keys]
        return cls(results, data, tuple(others))

    def holds(self, name: str) -> bool:
        """Return whether an archive may hold a file that is no code.

        Args:
            name: Path of the file from the project's folder, without "." and "..".
        """
        path = PurePosixPath(name)
        folders = [str(folder) for folder in path.parents]
        if name in self.others:
            return True
        if METADATA in folders:
            return all(map(RECORD.fullmatch, path.relative_to(METADATA).parts))
        if _is_hidden(path.parent if path.name == TIMESTAMP else path):
            return False
        if self.data in folders and path.name in OF_DATA:
            return True
        return self.results in folders and not path.name.startswith(PASSED_OVER)


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def members(project: Path, layout: Layout) -> list[PurePosixPath]:
    """Return the files of an archive, from the project's folder, sorted.

    Hidden files and folders of results and data, and what an interrupted training resumes from, are
    left out.

    Args:
        project: Folder of the project.
        layout: Where results and data are.

    Raises:
        DeepColorError: There is no report.
    """
    if not (project / layout.results / "report.html").exists():
        raise DeepColorError(f"{layout.results}/report.html is not there; make report writes it")
    found = set(code_files(project))
    found |= {name for name in layout.others if (project / name).is_file()}
    for folder in (layout.results, layout.data, METADATA):
        names = (path.as_posix() for path in _below(project, Path(folder)))
        found |= set(filter(layout.holds, names))
    return sorted(map(PurePosixPath, found))


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
        # A link to a folder above would lead round and round. Hidden folders are those of tools.
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".") and os.path.realpath(Path(top, each)) not in seen
        ]
        for name in names:
            path = Path(top, name)
            hidden = name.startswith(".") and name != TIMESTAMP
            if path.is_file() and not hidden and not name.startswith(PASSED_OVER):
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
                hashing = HashingReader(file)
                entry = tar.gettarinfo(arcname=str(name), fileobj=file)
                if name.parts[0] not in CODE:  # Some file systems take all files for executable.
                    entry.mode &= 0o666
                tar.addfile(entry, hashing)
            sums.append(f"{hashing.digest.hexdigest()}  {name}\n")
            count += 1
        content = "".join(sums).encode("utf-8", "surrogateescape")
        entry = tarfile.TarInfo(SUMS)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return count, archive.stat().st_size


class HashingReader(io.RawIOBase):
    """A file whose checksum is taken while it is read.

    Attributes:
        digest: SHA-256 of what has been read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read and hash up to `size` bytes, all that are left if it is -1."""
        content = self._file.read(size)
        self.digest.update(content)
        return content
