"""Opening of files that others have named: regular files alone, and no more than fits into memory."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

# The largest image file that is read from any source of photographs.
MAX_IMAGE_FILE_MB = 256
NOT_REGULAR = "not a regular file"


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading.

    A FIFO without a writer, a device or a folder is neither waited for nor read.

    Raises:
        ValueError: The path is not one of a regular file.
        OSError: The file is missing or cannot be read.
    """
    # Opening a device can have effects; a file may be replaced before it is opened.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(NOT_REGULAR)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(NOT_REGULAR)
    return open(descriptor, "rb")


def read_image_file(path: str | Path, max_mb: int = MAX_IMAGE_FILE_MB) -> bytes:
    """Read an image file.

    Args:
        path: A regular file, or a link to one.
        max_mb: Largest size of the file, in units of 2**20 bytes.

    Raises:
        ValueError: The path is not one of a regular file, or the file is too large.
        OSError: The file is missing or cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if fault := size_fault(size, max_mb):
            raise ValueError(fault)
        content = file.read(size + 1)
    if len(content) > size:  # Such as an endless file of /proc, whose size is 0.
        raise ValueError("larger than its size; it changed while it was read")
    return content


def size_fault(size: int, max_mb: int = MAX_IMAGE_FILE_MB) -> str:
    """Return what is wrong with the size of an image file, in bytes; "" if nothing is."""
    return f"larger than {max_mb} MB" if size > max_mb * 2**20 else ""
