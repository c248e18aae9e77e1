"""Reading of TFRecord shards: batches of resized color images, 8-bit, for training and evaluation.

The one module that needs TensorFlow whatever Keras runs on: shards are read with `tf.data`.
"""

import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import tensorflow as tf

from deepcolor import integrity
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json

SHUFFLE_BYTES = 512 * 2**20  # Memory for shuffling, whatever the number of images.
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

    def _image(self, record: tf.Tensor) -> tf.Tensor:
        image = tf.io.parse_single_example(record, FEATURES)["image"]
        return tf.reshape(tf.io.decode_raw(image, tf.uint8), (self.size, self.size, 3))


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
