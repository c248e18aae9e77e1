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
    flip: bool = False,
    rotate: bool = False,
) -> Iterator[tuple[np.ndarray]]:
    """Shuffled batches, one epoch after the other, for `deepcolor.training.loop.train`.

    An epoch depends on the seed and its number alone, whether training starts at it or long before.

    Args:
        images: `(n, size, size, 3)` uint8 RGB.
        batch_size: Images in a batch; an epoch's last batch may be smaller.
        seed: Of the order and the augmentation.
        epochs: Which epochs, counted from 0.
        flip: Mirror every other image, left to right.
        rotate: Turn images by 0, 90, 180 or 270 degrees.

    Yields:
        `(batch, size, size, 3)` uint8 RGB, as a tuple of one.
    """
    for epoch in epochs:
        random = np.random.default_rng([seed, epoch])
        order = random.permutation(len(images))
        for first in range(0, len(images), batch_size):
            batch = images[order[first : first + batch_size]]
            if flip:
                mirrored = random.random(len(batch)) < 0.5
                batch[mirrored] = batch[mirrored][:, :, ::-1]
            if rotate:
                turns = random.integers(0, 4, len(batch))
                turned = [np.rot90(image, turn) for image, turn in zip(batch, turns, strict=True)]
                batch = np.stack(turned)
            yield (batch,)
