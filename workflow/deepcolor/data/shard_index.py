"""Writing of the index of TFRecord shards: how many images they hold, and their checksums."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.files import read_json, write_json
from deepcolor.integrity import check_sha256


def write_index(path: Path, contents: Mapping[str, Sequence[Path]], *, data_set: str, size: int) -> None:
    """Write the index of a data set's shards.

    A shard that is newer than its JSON file is checked against it. All others are checked when they
    are read: here it would take as long as to read all photographs.

    Args:
        path: Index to write, next to the shards.
        contents: JSON files of the shards, by split.
        data_set: Name of the data set.
        size: Side of the images in pixels.

    Raises:
        DeepColorError: A shard is missing, or has changed since it was written.
    """
    index: dict[str, Any] = {"data_set": data_set, "image_size": size, "splits": {}}
    for split, files in contents.items():
        shards = [read_json(file) for file in files]
        for file, shard in zip(files, shards, strict=True):
            written = path.parent / shard["file"]
            if not written.exists() or written.stat().st_mtime_ns > file.stat().st_mtime_ns:
                check_sha256(written, shard["sha256"])
        index["splits"][split] = {
            "images": sum(shard["images"] for shard in shards),
            "shards": [{key: shard[key] for key in ("file", "images", "sha256")} for shard in shards],
        }
    write_json(path, index)
