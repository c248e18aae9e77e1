"""What jobs have written, noted, so that a job that reads it notices what has been altered since.

A note per file lies in `.snakemake`, beside Snakemake's own; where that is not, nothing is noted.
Shards, networks and states also carry checksums of their own, as they may travel.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, sha256, write_json

NOTES = Path(".snakemake") / "checksums"


def note(arguments: Sequence[str], written: Iterable[Path]) -> None:
    """Note the files that a job has written.

    Args:
        arguments: Of its command line. Files that are named there are noted, and tables in the folders
            that are; pictures in folders, of which there may be many, are not.
        written: By the job.
    """
    if not NOTES.parent.is_dir():
        return
    named = {Path(each) for each in arguments}
    for path in list(written):
        if path in named or (path.parent in named and path.suffix in (".csv", ".json")):
            _note(path, path.stat(), sha256(path))


def check(arguments: Sequence[str]) -> None:
    """Compare the files that a job's command line names with their notes.

    Content is looked at only where size or time are others.

    Raises:
        DeepColorError: A file is not as it was written.
    """
    for path in map(Path, arguments):
        note = _note_of(path)
        if not os.path.isfile(path) or not note.exists():  # Path.is_file refuses long texts.
            continue
        entry = _read_note(note)
        if not _is_unchanged(path, entry) and sha256(path) != entry["sha256"]:
            raise DeepColorError(
                f"{path} is not as it was written (checksum); delete it and run the same command again"
            )


def check_sha256(path: Path, checksum: str, copy: Path | None = None) -> None:
    """Compare a file with its checksum.

    A file whose note has this checksum, and its size and time, is not read. Otherwise it is read, and
    noted if it is right: once after every change, however many jobs use it.

    Args:
        path: File as messages name it.
        checksum: SHA-256 in hexadecimal.
        copy: Copy of the file to read in its place; it is always read.

    Raises:
        DeepColorError: The file is missing, cut short or altered.
    """
    note = _note_of(path)
    if copy is None and path.exists() and note.exists():
        entry = _read_note(note)
        if entry["sha256"] == checksum and _is_unchanged(path, entry):
            return
    facts = path.stat() if path.exists() else None
    if not facts or sha256(copy or path) != checksum:
        state = "is not as it was written" if facts else "is missing"
        raise DeepColorError(f"{path} {state} (checksum); delete it and run the same command again")
    if copy is None and os.access(NOTES.parent, os.W_OK):
        _note(path, facts, checksum)


def _note(path: Path, facts: os.stat_result, checksum: str) -> None:
    """Note a file with its size, time and checksum.

    Args:
        path: File.
        facts: What was known of it before it was read.
        checksum: SHA-256 in hexadecimal.
    """
    entry = {"size": facts.st_size, "time": facts.st_mtime_ns, "sha256": checksum}
    write_json(_note_of(path), {"file": str(path), **entry})


def _read_note(note: Path) -> dict[str, Any]:
    """Return the content of a note.

    Raises:
        DeepColorError: It is broken.
    """
    entry = read_json(note) if note.is_file() else None
    if not isinstance(entry, dict) or not entry.keys() >= {"size", "time", "sha256"}:
        raise DeepColorError(f"{note} is broken; delete it and run the same command again")
    return entry


def _is_unchanged(path: Path, entry: Mapping[str, Any]) -> bool:
    """Return whether a file has the size and the time of its note."""
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns] == [entry["size"], entry["time"]]


def _note_of(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.relpath(path))).hexdigest()
    return NOTES / f"{name[:32]}.json"
