"""The index of a data set's shards: how many images they hold, and the checksums that prove it."""

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
            path = folder / shard["file"]
            if not path.exists() or sha256(path) != shard["sha256"]:
                state = "is not as it was written" if path.exists() else "is missing"
                raise DeepColorError(
                    f"{path} {state} (checksum); delete it and run the same command again"
                )
