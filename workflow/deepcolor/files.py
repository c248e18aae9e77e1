"""Files that are there whole or not at all, and their checksums."""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends well.

    The content is on disk before the rename, so that a process killed at any moment leaves either
    the old file or the new one. The temporary name keeps the suffixes, which Keras insists on,
    and is the same every time, so that what a killed process has left is written over.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of nearly all the bytes that a file system allows has no room for more.
    name = path.name if len(os.fsencode(path.name)) < 240 else f"{_short(path.stem)}{path.suffix}"
    temporary = path.with_name(f".partial.{name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _short(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Hold a lock on a folder for the time of a block: jobs that share it take turns.

    A folder that cannot be written needs none.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "w")  # noqa: SIM115 (closed below)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another job that fills {folder}", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        DeepColorError: It is broken.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DeepColorError(
            f"{path} is broken ({error}); delete it and run the same command again"
        ) from error


def listing(folder: str | Path) -> list[Path]:
    """The files below a folder, sorted; hidden ones and those in hidden folders are passed over."""
    return sorted(Path(entry.path) for _, entry in walk(folder))


def walk(folder: str | Path, within: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files below a folder, in no order: their paths in it, and what is known of them.

    Hidden files and folders are passed over, and folders that cannot be opened; links to folders are
    not followed.
    """
    folders = []
    with (
        suppress(PermissionError, FileNotFoundError, NotADirectoryError),
        os.scandir(Path(folder, within)) as there,
    ):
        for entry in there:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{within}{entry.name}/")
            elif entry.is_file():
                yield f"{within}{entry.name}", entry
    for each in folders:
        yield from walk(folder, each)


def sha256(path: str | Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
