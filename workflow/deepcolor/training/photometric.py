"""Changes of the luminance that a network sees, one value per photograph.

In Keras's own operations, for `training.augmentation`, which draws the values.
"""

import keras
import numpy as np
from keras import ops

from deepcolor.constants import LUMA
from deepcolor.imaging import color

# Quantization of luminance in JPEG (ITU-T T.81, table K.1), which quality 50 stands for.
JPEG_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def mix_gray(photographs: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """Turn photographs into the luminance of a film with its own sensitivity to colors.

    Args:
        photographs: RGB images, `(n, size, size, 3)`, 0 to 255.
        weights: Weights of red, green and blue for each, `(n, 3)` float32; their sum is 1.

    Returns:
        Luminance, `(n, size, size, 1)` float32 in [0, 1], of the gamma-encoded values.
    """
    return ops.sum(color.to_float(photographs) * weights[:, None, None, :], axis=-1, keepdims=True)


def film_weights(shares: keras.KerasTensor, greens: keras.KerasTensor) -> keras.KerasTensor:
    """Return weights of red, green and blue between those of luma and of a film blind to red.

    Early plates see blue alone, orthochromatic film green and blue; neither sees red.

    Args:
        shares: Share of the film, `(n,)` in [0, 1]: 0 for luma, 1 for the film.
        greens: Weight of green in the film, `(n,)`: 0 for blue alone, 0.5 for green and blue alike.

    Returns:
        `(n, 3)` float32.
    """
    luma = ops.convert_to_tensor(LUMA, dtype="float32")
    film = ops.stack([ops.zeros_like(greens), greens, 1 - greens], axis=-1)
    return (1 - shares[:, None]) * luma + shares[:, None] * film


def adjust_gamma(luminance: keras.KerasTensor, exponents: keras.KerasTensor) -> keras.KerasTensor:
    """Raise a luminance in [0, 1] to a power, `(n,)` float32: above 1 darkens, below 1 brightens."""
    return ops.power(luminance, _each(exponents))


def fade(
    luminance: keras.KerasTensor, blacks: keras.KerasTensor, whites: keras.KerasTensor
) -> keras.KerasTensor:
    """Give a luminance the low contrast of a faded print.

    Args:
        luminance: `(n, size, size, 1)` float32 in [0, 1].
        blacks: Gray that black becomes in each, `(n,)` float32.
        whites: Gray that white becomes in each, `(n,)` float32, above that of black.
    """
    return _each(blacks) + _each(whites - blacks) * luminance


def blur(luminance: keras.KerasTensor, sigmas: keras.KerasTensor) -> keras.KerasTensor:
    """Blur a luminance with a Gaussian, which at an edge counts the pixels inside alone.

    Args:
        luminance: `(n, size, size, 1)` float32.
        sigmas: Standard deviation for each in pixels, `(n,)` float32; 0 changes nothing.
    """
    places = ops.arange(luminance.shape[1], dtype="float32")
    distances = places[:, None] - places[None, :]
    widths = ops.maximum(sigmas, 0.01)[:, None, None]  # At 0.01 all neighbors have the weight 0.
    weights = ops.exp(-0.5 * ops.square(distances / widths))
    weights = weights / ops.sum(weights, axis=-1, keepdims=True)
    blurred = ops.matmul(ops.matmul(weights, luminance[..., 0]), ops.transpose(weights, (0, 2, 1)))
    return blurred[..., None]


def add_grain(luminance: keras.KerasTensor, noise: keras.KerasTensor) -> keras.KerasTensor:
    """Add noise of the same shape to a luminance in [0, 1], and clip the sum."""
    return ops.clip(luminance + noise, 0.0, 1.0)


def compress(luminance: keras.KerasTensor, qualities: keras.KerasTensor) -> keras.KerasTensor:
    """Give a luminance the losses of JPEG: its 8×8 DCT, quantized by the standard table.

    Args:
        luminance: `(n, size, size, 1)` float32 in [0, 1]; `size` is a multiple of 8.
        qualities: Quality of each, `(n,)` whole numbers from 1 to 100, on libjpeg's scale.

    Returns:
        Luminance of the same shape, of 8-bit values.
    """
    blocks = luminance.shape[1] // 8
    transform = ops.convert_to_tensor(np.kron(np.eye(blocks), _dct()).astype("float32"))
    qualities = ops.cast(qualities, "float32")[:, None, None]
    scales = ops.where(qualities < 50, ops.floor(5000 / qualities), 200 - 2 * qualities)
    table = ops.floor((ops.convert_to_tensor(JPEG_TABLE, "float32") * scales + 50) / 100)
    steps = ops.tile(ops.clip(table, 1, 255), (1, blocks, blocks))
    values = ops.round(luminance[..., 0] * 255) - 128
    coefficients = ops.matmul(ops.matmul(transform, values), ops.transpose(transform))
    kept = ops.round(coefficients / steps) * steps
    restored = ops.matmul(ops.matmul(ops.transpose(transform), kept), transform)
    return ops.clip(ops.round(restored + 128), 0.0, 255.0)[..., None] / 255.0


def _each(values: keras.KerasTensor) -> keras.KerasTensor:
    """Give values of images, `(n,)`, the shape `(n, 1, 1, 1)`."""
    return values[:, None, None, None]


def _dct() -> np.ndarray:
    """Return the matrix of the orthonormal DCT-II of eight values, `(8, 8)`."""
    frequencies, places = np.mgrid[:8, :8]
    matrix = np.cos((2 * places + 1) * frequencies * np.pi / 16) / 2
    matrix[0] /= np.sqrt(2)
    return matrix
