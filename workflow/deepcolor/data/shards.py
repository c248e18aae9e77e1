"""Reading of TFRecord shards: batches of resized color images, 8-bit, for training and evaluation.

This module and `passes` need TensorFlow whatever Keras runs on: shards are read with `tf.data`.
"""

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import tensorflow as tf

from deepcolor import integrity
from deepcolor.config.sampling import epoch_counts
from deepcolor.data.passes import READ_BUFFER_BYTES, Passes, shuffled_turns
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json

# Memory for shuffling, whatever the number of images and data sets.
SHUFFLE_BUFFER_BYTES = 512 * 2**20
FEATURES = {"image": tf.io.FixedLenFeature((), tf.string)}


class Shards:
    """The shards of one or more data sets, those of a split checked before it is first read.

    Attributes:
        size: Side of the pictures in pixels.
    """

    def __init__(self, indexes: Sequence[Path], scratch: Path | None = None) -> None:
        """Open the shards that indexes name.

        Args:
            indexes: Of data sets, beside their shards.
            scratch: An empty folder, into which shards are copied, to be read there.
        """
        self._indexes = [(path.parent, read_json(path)) for path in indexes]
        self._scratch = scratch
        self._checked: dict[str, list[list[str]]] = {}
        self.size: int = self._indexes[0][1]["image_size"]

    def count(self, split: str) -> int:
        """The number of images in a split."""
        return sum(index["splits"][split]["images"] for _, index in self._indexes)

    def checksums(self) -> list[str]:
        """The checksums of all shards, in order."""
        return [
            shard["sha256"]
            for _, index in self._indexes
            for split in sorted(index["splits"])
            for shard in index["splits"][split]["shards"]
        ]

    @property
    def data_sets(self) -> list[str]:
        """The names of the data sets, in the order of the indexes."""
        return [index["data_set"] for _, index in self._indexes]

    def _files(self, split: str) -> list[list[str]]:
        """The files of a split, by data set.

        Raises:
            DeepColorError: One is missing, cut short or altered.
        """
        if split not in self._checked:
            self._checked[split] = [
                [str(path) for path in checked_shards(index, split, folder, self._scratch)]
                for folder, index in self._indexes
            ]
        return self._checked[split]

    def training_batches(
        self,
        batch_size: int,
        *,
        seed: int,
        epochs: range,
        sampling: Mapping[str, float] | None = None,
    ) -> tf.data.Dataset:
        """Batches of the training split, one epoch after the other, shuffled.

        Every batch is a random sample of the split: within a data set neither shards nor shuffling
        know of classes, and data sets take turns at random, each as often as it has images, or as
        sampling says. The order depends on the seed and the epoch alone: an epoch is the same whether
        training starts at it or long before.

        Args:
            batch_size: Images in a batch; an epoch's last batch may be smaller.
            seed: Random seed of the order.
            epochs: Which epochs, counted from 0.
            sampling: Weights of the data sets, see `config.sampling.epoch_counts`; all 1 by default.

        Returns:
            A data set of batches `(batch, size, size, 3)` uint8 RGB.

        Raises:
            DeepColorError: A shard is missing, cut short or altered; or the data sets cannot be
                sampled so.
        """
        passes = self._passes(sampling or {})

        def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
            # Of the function that tf.data traces here, not of the process; 0 would be refused.
            tf.random.set_seed(1)
            streams = [each.records(epoch, seed, number) for number, each in enumerate(passes, 1)]
            records = streams[0]
            if len(streams) > 1:
                counts = [each.turns for each in passes]
                turns = shuffled_turns(counts, tf.random.fold_in([seed, epoch], 0))
                records = tf.data.Dataset.choose_from_datasets(streams, turns)
            return records.batch(batch_size)

        batches = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches)
        return self._decoded(batches)

    def _passes(self, sampling: Mapping[str, float]) -> list[Passes]:
        """Return what an epoch reads of each data set."""
        splits = {index["data_set"]: index["splits"]["training"] for _, index in self._indexes}
        turns = epoch_counts(sampling, {name: split["images"] for name, split in splits.items()})
        all_images = SHUFFLE_BUFFER_BYTES // (self.size * self.size * 3)
        buffers = {name: all_images * turns[name] // self.count("training") for name in splits}
        return [
            Passes(files, [shard["images"] for shard in split["shards"]], turns[name], buffers[name])
            for files, (name, split) in zip(self._files("training"), splits.items(), strict=True)
        ]

    def steps(self, batch_size: int) -> int:
        """The number of batches in an epoch of the training split."""
        return math.ceil(self.count("training") / batch_size)

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        """Batches `(batch, size, size, 3)` uint8 RGB of a split, in the order of the manifest.

        Raises:
            DeepColorError: A shard is missing, cut short or altered.
        """
        records = tf.data.TFRecordDataset(sum(self._files(split), []), buffer_size=READ_BUFFER_BYTES)
        count = math.ceil(self.count(split) / batch_size)
        batches = self._decoded(records.batch(batch_size))
        return batches.apply(tf.data.experimental.assert_cardinality(count))

    def _decoded(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Return batches of images for batches of serialized records, in the same order."""

        def decode(records: tf.Tensor) -> tf.Tensor:
            images = tf.io.parse_example(records, FEATURES)["image"]
            return tf.reshape(tf.io.decode_raw(images, tf.uint8), (-1, self.size, self.size, 3))

        return batches.map(decode, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)

    def images(self, split: str) -> pd.DataFrame:
        """Return what is known of every image of a split, in the order of `evaluation_batches`.

        Returns:
            A row per image: `data_set`, `id`, and `group`, which images share that belong together, such
            as crops of one photograph.

        Raises:
            DeepColorError: A JSON file next to a shard is missing, altered or of another shard.
        """
        columns: dict[str, list[str]] = {"data_set": [], "id": [], "group": []}
        for folder, index in self._indexes:
            for shard in index["splits"][split]["shards"]:
                path = (folder / shard["file"]).with_suffix(".json")
                integrity.check([str(path)])
                contents = read_json(path) if path.exists() else {}
                if not _lists(contents, shard):
                    raise DeepColorError(
                        f"{path} is not that of its shard; delete both and run the same command again"
                    )
                columns["data_set"] += [index["data_set"]] * shard["images"]
                columns["id"] += contents["ids"]
                columns["group"] += contents["groups"]
        return pd.DataFrame(columns)


def _lists(contents: Any, shard: Mapping[str, Any]) -> bool:
    """Return whether the content of a JSON file lists the images of a shard."""
    return (
        isinstance(contents, dict)
        and contents.get("sha256") == shard["sha256"]
        and all(len(contents.get(key, [])) == shard["images"] for key in ("ids", "groups"))
    )


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
        integrity.check_sha256(path, shard["sha256"], read)
        found.append(read)
    return found
