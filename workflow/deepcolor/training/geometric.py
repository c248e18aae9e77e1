"""Changes of photographs that input and target of a network share, one value per photograph.

In Keras's own operations, for `training.augmentation`, which draws the values.
"""

import math

import keras
from keras import ops


def flip(photographs: keras.KerasTensor, mirrored: keras.KerasTensor) -> keras.KerasTensor:
    """Mirror photographs left to right.

    Args:
        photographs: RGB images, `(n, size, size, 3)`.
        mirrored: Whether each is mirrored, `(n,)` bool.
    """
    return ops.where(mirrored[:, None, None, None], ops.flip(photographs, axis=2), photographs)


def turn(photographs: keras.KerasTensor, turns: keras.KerasTensor) -> keras.KerasTensor:
    """Rotate photographs counterclockwise by right angles, without a loss.

    Args:
        photographs: RGB images, `(n, size, size, 3)`.
        turns: Right angles of each, `(n,)`: 0, 1, 2 or 3.
    """
    turns = turns[:, None, None, None]
    half = ops.where(turns >= 2, ops.flip(photographs, axis=(1, 2)), photographs)
    odd = ops.logical_or(turns == 1, turns == 3)
    return ops.where(odd, ops.rot90(half, axes=(1, 2)), half)


def rotate(photographs: keras.KerasTensor, degrees: keras.KerasTensor) -> keras.KerasTensor:
    """Rotate photographs counterclockwise around their center, with reflections in the corners.

    Args:
        photographs: RGB images, `(n, size, size, 3)` uint8.
        degrees: Angle of each, `(n,)` float32.

    Returns:
        Images of the same shape, uint8, interpolated between the four nearest pixels.
    """
    size = photographs.shape[1]
    offsets = ops.arange(size, dtype="float32") - (size - 1) / 2
    down, right = offsets[None, :, None], offsets[None, None, :]
    radians = degrees * (math.pi / 180)
    sine, cosine = (function(radians)[:, None, None] for function in (ops.sin, ops.cos))
    # From where in the photograph each pixel comes.
    row = _reflected(sine * right + cosine * down + (size - 1) / 2, size)
    column = _reflected(cosine * right - sine * down + (size - 1) / 2, size)
    # The nearest four pixels are the one at the top left and its neighbors.
    top, left = (ops.minimum(ops.floor(places), size - 2) for places in (row, column))
    first = ops.reshape(ops.cast(top * size + left, "int32"), (-1, size * size))
    down, right = (ops.reshape(part, (-1, size * size, 1)) for part in (row - top, column - left))
    # In floats: of 8-bit and of most integers, TensorFlow computes this on the CPU.
    pixels = ops.reshape(ops.cast(photographs, "float32"), (-1, size * size, 3))
    upper, lower = (
        _between(_taken(pixels, first + below), _taken(pixels, first + below + 1), right)
        for below in (0, size)
    )
    mean = _between(upper, lower, down)
    return ops.cast(ops.round(ops.reshape(mean, (-1, size, size, 3))), "uint8")


def _between(
    start: keras.KerasTensor, end: keras.KerasTensor, shares: keras.KerasTensor
) -> keras.KerasTensor:
    """Return the values at shares in [0, 1] of the way from a start to an end."""
    return start + shares * (end - start)


def _reflected(places: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Return places on an axis, up to `size` pixels beyond its ends, mirrored at them.

    Between the end of the picture and the center of the last pixel there is this pixel alone.
    """
    inside = ops.abs(places + 0.5) - 0.5
    return ops.clip(size - 0.5 - ops.abs(size - 0.5 - inside), 0.0, size - 1.0)


def _taken(pixels: keras.KerasTensor, places: keras.KerasTensor) -> keras.KerasTensor:
    """Return the pixels of each image, `(n, pixels, channels)`, at its places, `(n, places)`."""
    # Image by image: several devices exchange nothing for it.
    return ops.vectorized_map(lambda pair: ops.take(pair[0], pair[1], axis=0), (pixels, places))
