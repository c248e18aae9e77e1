"""The order in which training reads images: passes through data sets, which take turns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

READ_BUFFER_BYTES = 2**20  # Of each file; TensorFlow's 256 KiB make reading 15 % slower.
FILES_AT_A_TIME = 8  # Of each data set.
TURNS_PER_BLOCK = 2**16


@dataclass(frozen=True)
class Passes:
    """Passes through a data set, each in an order of its own, one after the other.

    An epoch continues where the one before has stopped: within a pass if it has fewer turns than the
    data set has images, some passes later if it has more.

    Attributes:
        files: TFRecord files.
        counts: Number of records in each.
        turns: Number of records in an epoch.
        buffer_size: Number of records that wait to be drawn from.
    """

    files: Sequence[str]
    counts: Sequence[int]
    turns: int
    buffer_size: int

    def records(self, epoch: tf.Tensor, seed: int, number: int) -> tf.data.Dataset:
        """Return the records of an epoch, shuffled.

        Args:
            epoch: Number of the epoch, counted from 0, int64.
            seed: Random seed of the order.
            number: Number of the data set, which makes its order differ from that of others.
        """
        total = sum(self.counts)
        start = epoch * self.turns
        stop = start + self.turns

        def pass_records(index: tf.Tensor) -> tf.data.Dataset:
            bounds = tf.clip_by_value([start, stop] - index * total, 0, total)
            return self._shuffled(bounds, tf.random.fold_in([seed, index], number))

        return tf.data.Dataset.range(start // total, (stop - 1) // total + 1).flat_map(pass_records)

    def _shuffled(self, bounds: tf.Tensor, seed: tf.Tensor) -> tf.data.Dataset:
        """Return some records of a pass, several files of which are read at a time, shuffled.

        Args:
            bounds: First record and the one after the last, with the files in the order of the pass.
            seed: Random seed of the pass, two integers.
        """
        order = tf.random.experimental.stateless_shuffle(tf.range(len(self.files)), seed)
        counts = tf.gather(tf.constant(self.counts, tf.int64), order)
        before = tf.cumsum(counts, exclusive=True)
        first, end = (tf.clip_by_value(bound - before, 0, counts) for bound in tf.unstack(bounds))
        read = end > first
        pieces = (tf.gather(self.files, order)[read], first[read], (end - first)[read])

        def piece(file: tf.Tensor, skipped: tf.Tensor, taken: tf.Tensor) -> tf.data.Dataset:
            records = tf.data.TFRecordDataset(file, buffer_size=READ_BUFFER_BYTES)
            return records.skip(skipped).take(taken)

        records = tf.data.Dataset.from_tensor_slices(pieces).interleave(
            piece, cycle_length=FILES_AT_A_TIME, num_parallel_calls=tf.data.AUTOTUNE
        )
        number = tf.random.stateless_uniform((), seed, minval=None, maxval=None, dtype=tf.int64)
        buffer = max(1, min(self.buffer_size, sum(self.counts)))
        return records.shuffle(buffer, seed=number, reshuffle_each_iteration=False)


def shuffled_turns(counts: Sequence[int], seed: tf.Tensor) -> tf.data.Dataset:
    """Return whose turn it is: each data set's number as often as it has turns, at random.

    They are shuffled in blocks, in each of which every data set has its share.

    Args:
        counts: Number of turns by data set.
        seed: Random seed of the order, two integers.
    """
    blocks = math.ceil(sum(counts) / TURNS_PER_BLOCK)
    totals = tf.constant(counts, tf.int64)

    def block(number: tf.Tensor) -> tf.data.Dataset:
        shares = totals * (number + 1) // blocks - totals * number // blocks
        turns = tf.repeat(tf.range(len(counts), dtype=tf.int64), shares)
        shuffled = tf.random.experimental.stateless_shuffle(turns, tf.random.fold_in(seed, number))
        return tf.data.Dataset.from_tensor_slices(shuffled)

    return tf.data.Dataset.range(blocks).flat_map(block)
