"""Files that are there whole or not at all, and their checksums."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError, first_line, printable

# What this process has put in its place.
written: set[Path] = set()
# Seconds between two looks at a lock that another process holds.
POLL = 0.2
# How hidden names of what is not whole yet begin.
PARTIAL = ".partial."
# What file systems say that have no locks.
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends well.

    The content is on disk before the rename, so that a process killed at any moment leaves either
    the old file or the new one. The temporary name keeps the suffixes, which Keras insists on,
    and is the same every time, so that what a killed process has left is written over. Who else
    writes the same file, such as a job that has outlived its Snakemake, is waited for.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    with _locked(_beside(path, ".lock"), f"writes {path}"):
        try:
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
            written.add(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: str | Path) -> Iterator[Path]:
    """Give an empty folder beside `folder`, which takes its place when the block ends well."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(folder)
    with _locked(_beside(folder, ".lock"), f"fills {folder}"):
        former = _beside(folder, ".former")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            for path in temporary.rglob("*"):
                if path.is_file():
                    with open(path, "rb+") as file:
                        os.fsync(file.fileno())
            if folder.exists():
                shutil.rmtree(former, ignore_errors=True)
                os.replace(folder, former)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(former, ignore_errors=True)


def _beside(path: Path, suffix: str = "") -> Path:
    """A hidden name beside a path, the same every time."""
    # A name of nearly all the bytes that a file system allows has no room for more.
    name = path.name if len(os.fsencode(path.name)) < 240 else f"{_short(path.stem)}{path.suffix}"
    return path.with_name(f"{PARTIAL}{name}{suffix}")


def _short(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Hold a lock on a folder for the time of a block: jobs that share it take turns.

    A folder that cannot be written needs none.
    """
    folder = Path(folder)
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(folder / ".lock", f"fills {folder}"))
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES):
                raise
        yield


@contextmanager
def _locked(path: Path, does: str) -> Iterator[None]:
    """Hold a lock for the time of a block, on this machine and on those that share its disk.

    The lock ends with its process, be it killed; the file is deleted when the block ends. A file server
    may take long to see that a machine is dead, or never see it: who waits says which file to delete.

    Args:
        path: Of the lock's file.
        does: What the holder does, for messages, such as "writes results/report.html".
    """
    told = False
    while True:
        with open(path, "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    file.seek(0)
                    who = file.read() or "another job"
                    line = f"Waiting for {who}, which {does}; if it is dead, delete {path}"
                    print(printable(line), flush=True)
                told = True
                time.sleep(POLL)
                continue
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
            if not _is(file.fileno(), path):  # Its holder has deleted it meanwhile.
                continue
            with suppress(OSError):  # A full disk is for those who need space.
                file.truncate(0)
                os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode())
            try:
                yield
            finally:
                if _is(file.fileno(), path):
                    path.unlink(missing_ok=True)
            return


def _is(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


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
    except (ValueError, RecursionError) as error:
        raise DeepColorError(
            f"{path} is broken ({first_line(error)}); delete it and run the same command again"
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
