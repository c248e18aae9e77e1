"""Augmentation of training photographs, in Keras's own operations: it runs on the device.

The functions change a batch by the values that they are given, one value per photograph. The layers
draw the values, in training alone: `GeometricAugmentation` changes the photographs, input and target
alike; `PhotometricAugmentation` changes only the luminance that the network sees. No function has a
gradient, as no weights lie before them, and none adds up in an order that may vary: equal seeds give
equal bits. On several devices under TensorFlow each device draws the same values for its part of a
batch, as it does for dropout.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from deepcolor.constants import LUMA
from deepcolor.imaging import color

GEOMETRIC = ("flip", "rotate")
PHOTOMETRIC = ("gray_mix", "gamma", "blur", "grain", "jpeg")
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


def flip(photographs: keras.KerasTensor, mirrored: keras.KerasTensor) -> keras.KerasTensor:
    """Mirror photographs left to right.

    Args:
        photographs: RGB images, `(n, size, size, 3)`.
        mirrored: Whether each is mirrored, `(n,)` bool.
    """
    return ops.where(_each(mirrored), ops.flip(photographs, axis=2), photographs)


def turn(photographs: keras.KerasTensor, turns: keras.KerasTensor) -> keras.KerasTensor:
    """Rotate photographs counterclockwise by right angles, without a loss.

    Args:
        photographs: RGB images, `(n, size, size, 3)`.
        turns: Right angles of each, `(n,)`: 0, 1, 2 or 3.
    """
    half = ops.where(_each(turns >= 2), ops.flip(photographs, axis=(1, 2)), photographs)
    odd = ops.logical_or(turns == 1, turns == 3)
    return ops.where(_each(odd), ops.rot90(half, axes=(1, 2)), half)


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
    row = sine * right + cosine * down + (size - 1) / 2
    column = cosine * right - sine * down + (size - 1) / 2
    top, left = ops.floor(row), ops.floor(column)
    # In floats, with float places: of 8-bit and of most integers, TensorFlow computes this on the CPU.
    pixels = ops.reshape(ops.cast(photographs, "float32"), (-1, size * size, 3))
    total = 0.0
    for near, below in ((1 - (row - top), top), (row - top, top + 1)):
        for close, beside in ((1 - (column - left), left), (column - left, left + 1)):
            places = _reflected(below, size) * size + _reflected(beside, size)
            values = _taken(pixels, ops.reshape(ops.cast(places, "int32"), (-1, size * size)))
            total += ops.reshape(near * close, (-1, size * size, 1)) * values
    return ops.cast(ops.round(ops.reshape(total, (-1, size, size, 3))), "uint8")


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


class GeometricAugmentation(keras.layers.Layer):
    """Random mirror images and rotations of 8-bit photographs, in training alone."""

    def __init__(self, strengths: Mapping[str, float | None], **options: Any) -> None:
        """Take the strengths by name, see `config.augmentation`.

        Args:
            strengths: `flip` mirrors every other photograph; `rotate` turns by a right angle or, with
                a number, by up to so many degrees either way.
            options: Options of the layer.
        """
        super().__init__(**{"dtype": "float32", **options})
        self.strengths = {name: strengths[name] for name in GEOMETRIC if name in strengths}
        self.generator = keras.random.SeedGenerator() if self.strengths else None

    def call(self, photographs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return photographs, `(n, size, size, 3)` uint8."""
        if not training or not self.strengths:
            return photographs
        count = ops.shape(photographs)[0]
        if "flip" in self.strengths:
            draws = keras.random.uniform((count,), seed=self.generator)
            photographs = flip(photographs, draws < 0.5)
        if "rotate" in self.strengths:
            most = self.strengths["rotate"]
            if most is None:
                draws = keras.random.uniform((count,), 0, 4, seed=self.generator)
                return turn(photographs, ops.floor(draws))
            draws = keras.random.uniform((count,), -most, most, seed=self.generator)
            photographs = rotate(photographs, draws)
        return photographs

    def compute_output_spec(
        self, photographs: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """Return shape and type of the photographs that come in."""
        return keras.KerasTensor(photographs.shape, photographs.dtype)


class PhotometricAugmentation(keras.layers.Layer):
    """Luminance of photographs; in training that of old or bad reproductions of them."""

    def __init__(self, strengths: Mapping[str, float | None], **options: Any) -> None:
        """Take the strengths by name, see `config.augmentation`.

        Args:
            strengths: Upper bounds, drawn up to for every photograph: `gray_mix`, the share of a film
                blind to red; `gamma` g, an exponent between 1 / (1 + g) and 1 + g; `blur`, a standard
                deviation in pixels; `grain`, one of noise in [0, 1]; and `jpeg`, the lowest quality.
            options: Options of the layer.
        """
        super().__init__(**{"dtype": "float32", **options})
        self.strengths: dict[str, Any] = {
            name: strengths[name] for name in PHOTOMETRIC if name in strengths
        }
        self.generator = keras.random.SeedGenerator() if self.strengths else None

    def call(self, photographs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return luminance, `(n, size, size, 1)` float32 in [0, 1], of RGB from 0 to 255."""
        if not training or not self.strengths:
            return color.to_luminance(photographs)
        most, count = self.strengths, ops.shape(photographs)[0]

        def draw(low: float, high: float) -> keras.KerasTensor:
            return keras.random.uniform((count,), low, high, seed=self.generator)

        if "gray_mix" in most:
            weights = film_weights(draw(0, most["gray_mix"]), draw(0, 0.5))
            luminance = mix_gray(photographs, weights)
        else:
            luminance = color.to_luminance(photographs)
        if "gamma" in most:
            bound = math.log(1 + most["gamma"])
            luminance = adjust_gamma(luminance, ops.exp(draw(-bound, bound)))
        if "blur" in most:
            luminance = blur(luminance, draw(0, most["blur"]))
        if "grain" in most:
            noise = keras.random.normal(ops.shape(luminance), seed=self.generator)
            luminance = add_grain(luminance, noise * _each(draw(0, most["grain"])))
        if "jpeg" in most:
            luminance = compress(luminance, ops.minimum(ops.floor(draw(most["jpeg"], 101)), 100))
        return luminance

    def compute_output_spec(
        self, photographs: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """Return `(..., 1)` float32 for `(..., 3)`."""
        return keras.KerasTensor((*photographs.shape[:-1], 1), "float32")


def _each(values: keras.KerasTensor) -> keras.KerasTensor:
    """Give values of images, `(n,)`, the shape `(n, 1, 1, 1)`."""
    return values[:, None, None, None]


def _reflected(places: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Return places on an axis, up to `size` pixels beyond its ends, mirrored at them."""
    inside = ops.abs(places + 0.5) - 0.5
    return size - 0.5 - ops.abs(size - 0.5 - inside)


def _taken(pixels: keras.KerasTensor, places: keras.KerasTensor) -> keras.KerasTensor:
    """Return the pixels of each image, `(n, pixels, channels)`, at its places, `(n, places)`."""
    # Image by image: several devices exchange nothing for it.
    return ops.vectorized_map(lambda pair: ops.take(pair[0], pair[1], axis=0), (pixels, places))


def _dct() -> np.ndarray:
    """Return the matrix of the orthonormal DCT-II of eight values, `(8, 8)`."""
    frequencies, places = np.mgrid[:8, :8]
    matrix = np.cos((2 * places + 1) * frequencies * np.pi / 16) / 2
    matrix[0] /= np.sqrt(2)
    return matrix
