"""TFRecord shards: resized color pictures, 8-bit, with an index that says what is whole.

The one module that needs TensorFlow whatever Keras runs on: shards are read with `tf.data`.
"""

import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import tensorflow as tf

from deepcolor.decoding import read_square
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, sha256, write_json
from deepcolor.manifest import refetch
from deepcolor.shard_index import checked_shards

SHUFFLE_BYTES = 512 * 2**20  # Memory for shuffling, whatever the number of images.
FEATURES = {name: tf.io.FixedLenFeature((), tf.string) for name in ("image", "id", "data_set")}


def write_shard(
    path: Path,
    facts: Path,
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
        facts: A JSON file for the shard's number of images and checksum.
        rows: Of the manifest.
        data_set: Its name.
        size: Side of the pictures in pixels.
        manifest: Where the rows are from, for error messages.
        scratch: A folder in which the shard is written before it is copied to its place.

    Raises:
        DeepColorError: A photograph is missing or is not the one that was fetched.
    """
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
    write_json(facts, {"file": path.name, "images": len(rows), "sha256": checksum})


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
        self._checked: dict[str, list[str]] = {}
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

    def _files(self, split: str) -> list[str]:
        """The files of a split.

        Raises:
            DeepColorError: One is missing, cut short or altered.
        """
        if split not in self._checked:
            self._checked[split] = [
                str(path)
                for folder, index in self._indexes
                for path in checked_shards(index, split, folder, self._scratch)
            ]
        return self._checked[split]

    def training_batches(
        self,
        batch_size: int,
        *,
        seed: int,
        epochs: range,
        flip: bool = False,
        rotate: bool = False,
    ) -> tf.data.Dataset:
        """Batches of the training split, one epoch after the other, shuffled.

        The order, and each image's augmentation, depend on the seed, the epoch and the place in the
        epoch alone: an epoch is the same whether training starts at it or long before.

        Args:
            batch_size: Images in a batch; an epoch's last batch may be smaller.
            seed: Of the order and the augmentation.
            epochs: Which epochs, counted from 0.
            flip: Mirror every other image, left to right.
            rotate: Turn images by 0, 90, 180 or 270 degrees.

        Returns:
            A data set of batches `(batch, size, size, 3)` uint8 RGB.
        """
        files, count = self._files("training"), self.count("training")
        # Two windows are in memory: one is being used, one is being read.
        window = max(1, min(count, SHUFFLE_BYTES // 2 // (self.size * self.size * 3)))

        def shuffle(epoch: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
            return lambda records: tf.random.experimental.stateless_shuffle(records, [seed, epoch])

        def augment(position: tf.Tensor, image: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
            numbers = tf.random.stateless_uniform((2,), [seed, epoch * count + position])
            if flip:
                image = tf.cond(numbers[0] < 0.5, lambda: image[:, ::-1], lambda: image)
            if rotate:
                image = tf.image.rot90(image, tf.cast(numbers[1] * 4, tf.int32))
            return tf.ensure_shape(image, (self.size, self.size, 3))

        def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
            order = tf.random.experimental.stateless_shuffle(tf.constant(files), [seed, epoch])
            records = tf.data.Dataset.from_tensor_slices(order).interleave(
                tf.data.TFRecordDataset, cycle_length=8
            )
            # Dataset.shuffle takes no seed that changes by the epoch: windows are shuffled whole.
            records = records.batch(window).prefetch(1).map(shuffle(epoch)).unbatch()
            images = records.map(self._image, num_parallel_calls=tf.data.AUTOTUNE)
            if flip or rotate:
                images = images.enumerate().map(
                    lambda position, image: augment(position, image, epoch),
                    num_parallel_calls=tf.data.AUTOTUNE,
                )
            return images.batch(batch_size)

        dataset = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches)
        return dataset.prefetch(2)

    def steps(self, batch_size: int) -> int:
        """The number of batches in an epoch of the training split."""
        return math.ceil(self.count("training") / batch_size)

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        """Batches `(batch, size, size, 3)` uint8 RGB of a split, in the order of the manifest."""
        batches = tf.data.TFRecordDataset(self._files(split)).map(self._image).batch(batch_size)
        count = math.ceil(self.count(split) / batch_size)
        return batches.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)

    def names(self, split: str) -> Iterator[tuple[str, str]]:
        """The data set and id of every image of a split, in the order of `evaluation_batches`."""
        for record in tf.data.TFRecordDataset(self._files(split)):
            example = tf.io.parse_single_example(record, FEATURES)
            yield example["data_set"].numpy().decode(), example["id"].numpy().decode()

    def _image(self, record: tf.Tensor) -> tf.Tensor:
        image = tf.io.parse_single_example(record, {"image": FEATURES["image"]})["image"]
        return tf.reshape(tf.io.decode_raw(image, tf.uint8), (self.size, self.size, 3))
