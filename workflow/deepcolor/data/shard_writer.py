"""Writing of TFRecord shards, and of their index: how many images they hold, and their checksums."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.compute.startup import import_tensorflow
from deepcolor.data.manifest import refetch
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, sha256, write_json
from deepcolor.imaging.decoding import read_square
from deepcolor.integrity import check_sha256


def write_shard(
    path: Path,
    contents: Path,
    rows: pd.DataFrame,
    *,
    data_set: str,
    size: int,
    manifest: Path,
    scratch: Path | None = None,
) -> None:
    """Write the photographs of some rows of a manifest as one shard.

    Each record is a tf.train.Example of `image` (size * size * 3 bytes, RGB), `id` and `data_set`.
    The same photographs give the same bytes.

    Args:
        path: The shard.
        contents: JSON file to write next to it: its number of images, their ids and groups in order, and
            the shard's checksum.
        rows: Of the manifest.
        data_set: Its name.
        size: Side of the pictures in pixels.
        manifest: Where the rows are from, for error messages.
        scratch: A folder in which the shard is written before it is copied to its place.

    Raises:
        DeepColorError: A photograph is missing or is not the one that was fetched.
    """
    tf = import_tensorflow()
    with replacing(path) as temporary:
        file = scratch / path.name if scratch else temporary
        with tf.io.TFRecordWriter(str(file)) as writer:
            for row in rows.itertuples():
                if not os.path.exists(row.path) or sha256(row.path) != row.sha256:
                    state = "has changed since" if os.path.exists(row.path) else "is missing though"
                    raise DeepColorError(f"{row.path} {state} it was fetched; {refetch(manifest)}")
                pixels, _ = read_square(row.path, size)
                values = {
                    "image": pixels.tobytes(),
                    "id": row.id.encode(),
                    "data_set": data_set.encode(),
                }
                feature = {
                    key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                    for key, value in values.items()
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString(deterministic=True))
        if scratch:
            shutil.copyfile(file, temporary)
        checksum = sha256(temporary)
    write_json(
        contents,
        {
            "file": path.name,
            "images": len(rows),
            "sha256": checksum,
            "ids": rows["id"].to_list(),
            "groups": rows["group"].to_list(),
        },
    )


def write_index(path: Path, contents: Mapping[str, Sequence[Path]], *, data_set: str, size: int) -> None:
    """Write the index of a data set's shards.

    A shard that is newer than its JSON file is checked against it. All others are read by those that use
    them, who check them: here it would take as long as to read all photographs.

    Args:
        path: The index, beside the shards.
        contents: The shards' JSON files, by split.
        data_set: Its name.
        size: Side of the pictures in pixels.

    Raises:
        DeepColorError: A shard is missing, or not as it was written.
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
