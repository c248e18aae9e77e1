"""Training batches from an array in memory: what `deepcolor.data.shards` does, without TensorFlow.

For notebooks, and for machines that have JAX or PyTorch alone.
"""

import math
from collections.abc import Iterator

import numpy as np


def steps(images: np.ndarray, batch_size: int) -> int:
    """The number of batches in an epoch."""
    return math.ceil(len(images) / batch_size)


def training_batches(
    images: np.ndarray,
    batch_size: int,
    *,
    seed: int,
    epochs: range,
) -> Iterator[tuple[np.ndarray]]:
    """Shuffled batches, one epoch after the other, for `deepcolor.training.loop.train`.

    An epoch depends on the seed and its number alone, whether training starts at it or long before.

    Args:
        images: `(n, size, size, 3)` uint8 RGB.
        batch_size: Images in a batch; an epoch's last batch may be smaller.
        seed: Random seed of the order.
        epochs: Which epochs, counted from 0.

    Yields:
        `(batch, size, size, 3)` uint8 RGB, as a tuple of one.
    """
    for epoch in epochs:
        order = np.random.default_rng([seed, epoch]).permutation(len(images))
        for first in range(0, len(images), batch_size):
            yield (images[order[first : first + batch_size]],)
