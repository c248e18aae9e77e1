"""What jobs have written, noted, so that a job that reads it notices what has been altered since.

A note per file lies in `.snakemake`, beside Snakemake's own; where that is not, nothing is noted.
Shards, networks and states carry checksums of their own besides, as they may travel.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

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
            facts = path.stat()
            entry = {"size": facts.st_size, "time": facts.st_mtime_ns, "sha256": sha256(path)}
            write_json(_note_of(path), {"file": str(path), **entry})


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
        facts, entry = path.stat(), read_json(note) if note.is_file() else None
        if not isinstance(entry, dict) or not entry.keys() >= {"size", "time", "sha256"}:
            raise DeepColorError(f"{note} is broken; delete it and run the same command again")
        same = [facts.st_size, facts.st_mtime_ns] == [entry["size"], entry["time"]]
        if not same and sha256(path) != entry["sha256"]:
            raise DeepColorError(
                f"{path} is not as it was written (checksum); delete it and run the same command again"
            )


def check_sha256(path: Path, checksum: str, copy: Path | None = None) -> None:
    """Compare a file with its checksum.

    Args:
        path: File as messages name it.
        checksum: SHA-256 in hexadecimal.
        copy: Copy of the file to read in its place.

    Raises:
        DeepColorError: The file is missing, cut short or altered.
    """
    if not path.exists() or sha256(copy or path) != checksum:
        state = "is not as it was written" if path.exists() else "is missing"
        raise DeepColorError(f"{path} {state} (checksum); delete it and run the same command again")


def _note_of(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.relpath(path))).hexdigest()
    return NOTES / f"{name[:32]}.json"
