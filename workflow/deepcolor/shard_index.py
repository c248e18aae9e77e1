"""The index of a data set's shards: how many images they hold, and the checksums that prove it."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, sha256, write_json


def write_index(path: Path, facts: Mapping[str, Sequence[Path]], *, data_set: str, size: int) -> None:
    """Write the index of a data set's shards.

    A shard that is newer than its facts is checked against them. All others are read by those that use
    them, who check them: here it would take as long as to read all photographs.

    Args:
        path: The index, beside the shards.
        facts: The shards' JSON files, by split.
        data_set: Its name.
        size: Side of the pictures in pixels.

    Raises:
        DeepColorError: A shard is missing, or not as it was written.
    """
    index: dict[str, Any] = {"data_set": data_set, "image_size": size, "splits": {}}
    for split, files in facts.items():
        shards = [read_json(file) for file in files]
        for file, shard in zip(files, shards, strict=True):
            written = path.parent / shard["file"]
            if not written.exists() or written.stat().st_mtime_ns > file.stat().st_mtime_ns:
                _check(written, shard["sha256"], written)
        index["splits"][split] = {
            "images": sum(shard["images"] for shard in shards),
            "shards": shards,
        }
    write_json(path, index)


def checked_shards(
    index: dict[str, Any], split: str, folder: Path, scratch: Path | None = None
) -> list[Path]:
    """Compare every shard of a split with its checksum.

    Args:
        index: Of the data set.
        split: Its name.
        folder: Where the index and the shards are.
        scratch: A folder into which the shards are copied, each data set's into one of its own. The
            copies are what is compared.

    Returns:
        The shards, or their copies.

    Raises:
        DeepColorError: A shard is missing, cut short or altered.
    """
    found = []
    for shard in index["splits"][split]["shards"]:
        path = read = folder / shard["file"]
        if scratch is not None and path.exists():
            read = scratch / folder.name / path.name
            read.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, read)
        _check(path, shard["sha256"], read)
        found.append(read)
    return found


def _check(path: Path, checksum: str, read: Path) -> None:
    if not path.exists() or sha256(read) != checksum:
        state = "is not as it was written" if path.exists() else "is missing"
        raise DeepColorError(f"{path} {state} (checksum); delete it and run the same command again")
