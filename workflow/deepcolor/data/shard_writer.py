"""Writing of TFRecord shards."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd

from deepcolor.compute.startup import import_tensorflow
from deepcolor.data.manifest import refetch
from deepcolor.errors import DeepColorError
from deepcolor.files import replacing, sha256, write_json
from deepcolor.imaging.decoding import read_square


@dataclass(frozen=True)
class ShardFiles:
    """The files of a shard.

    Attributes:
        shard: TFRecord file.
        contents: JSON file with the number of images, their ids and groups in order, and the shard's
            checksum.
    """

    shard: Path
    contents: Path


def write_shard(
    files: ShardFiles,
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
        files: Files to write.
        rows: Rows of the manifest.
        data_set: Name of the data set.
        size: Side of the images in pixels.
        manifest: Manifest of the rows, for error messages.
        scratch: Folder in which the shard is written before it is copied to its place.

    Raises:
        DeepColorError: A photograph is missing or has changed since it was fetched.
    """
    tf = import_tensorflow()
    with replacing(files.shard) as temporary:
        path = scratch / files.shard.name if scratch else temporary
        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in rows.itertuples():
                if not os.path.exists(row.path) or sha256(row.path) != row.sha256:
                    state = "has changed since" if os.path.exists(row.path) else "is missing though"
                    raise DeepColorError(f"{row.path} {state} it was fetched; {refetch(manifest)}")
                pixels, _ = read_square(row.path, size)
                names = {"id": row.id.encode(), "data_set": data_set.encode()}
                writer.write(_serialized(tf, {"image": pixels.tobytes(), **names}))
        if scratch:
            shutil.copyfile(path, temporary)
        checksum = sha256(temporary)
    contents = {
        "file": files.shard.name,
        "images": len(rows),
        "sha256": checksum,
        "ids": rows["id"].to_list(),
        "groups": rows["group"].to_list(),
    }
    write_json(files.contents, contents)


def _serialized(tf: ModuleType, values: dict[str, bytes]) -> bytes:
    """Return a serialized tf.train.Example of byte strings by name."""
    features = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    record: bytes = example.SerializeToString(deterministic=True)
    return record
