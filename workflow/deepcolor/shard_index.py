"""The index of a data set's shards: how many images they hold, and the checksums that prove it."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, sha256, write_json


def write_index(path: Path, facts: Mapping[str, Sequence[Path]], *, data_set: str, size: int) -> None:
    """Write the index of a data set's shards, each checked against its facts.

    Args:
        path: The index, beside the shards.
        facts: The shards' JSON files, by split.
        data_set: Its name.
        size: Side of the pictures in pixels.

    Raises:
        DeepColorError: A shard is not as it was written.
    """
    index: dict[str, Any] = {"data_set": data_set, "image_size": size, "splits": {}}
    for split, files in facts.items():
        shards = [read_json(file) for file in files]
        index["splits"][split] = {
            "images": sum(shard["images"] for shard in shards),
            "shards": shards,
        }
    check_shards(index, path.parent)
    write_json(path, index)


def check_shards(index: dict[str, Any], folder: Path) -> None:
    """Compare every shard of an index with its checksum.

    Raises:
        DeepColorError: A shard is missing, cut short or altered.
    """
    for split in index["splits"].values():
        for shard in split["shards"]:
            _check(shard, folder / shard["file"])


def copy_shards(index: dict[str, Any], folder: Path, scratch: Path) -> Path:
    """Copy the shards of an index into a folder of their own below `scratch`, and check the copies.

    Returns:
        The folder with the copies.

    Raises:
        DeepColorError: A shard is missing, cut short or altered.
    """
    copies = scratch / folder.name
    copies.mkdir()
    for split in index["splits"].values():
        for shard in split["shards"]:
            copy, path = copies / shard["file"], folder / shard["file"]
            if path.exists():
                shutil.copyfile(path, copy)
            _check(shard, path, copy)
    return copies


def _check(shard: dict[str, Any], path: Path, copy: Path | None = None) -> None:
    read = copy or path
    if not read.exists() or sha256(read) != shard["sha256"]:
        state = "is not as it was written" if path.exists() else "is missing"
        raise DeepColorError(f"{path} {state} (checksum); delete it and run the same command again")
