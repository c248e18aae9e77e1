"""Augmentation of training photographs, in Keras's own operations: it runs on the device.

The functions of `geometric` and `photometric` change a batch by the values that they are given, one
value per photograph. The layers draw the values, in training alone: `GeometricAugmentation` changes the
photographs, input and target alike; `PhotometricAugmentation` changes only the luminance that the
network sees. No function has a gradient, as no weights lie before them, and none adds up in an order
that may vary: equal seeds give equal bits. On several devices under TensorFlow each device draws the
same values for its part of a batch, as it does for dropout.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from deepcolor.imaging import color
from deepcolor.training import geometric, photometric

GEOMETRIC = ("flip", "rotate")
PHOTOMETRIC = ("gray_mix", "gamma", "fading", "blur", "grain", "jpeg")


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
            photographs = geometric.flip(photographs, draws < 0.5)
        if "rotate" in self.strengths:
            most = self.strengths["rotate"]
            if most is None:
                draws = keras.random.uniform((count,), 0, 4, seed=self.generator)
                return geometric.turn(photographs, ops.floor(draws))
            draws = keras.random.uniform((count,), -most, most, seed=self.generator)
            photographs = geometric.rotate(photographs, draws)
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
            strengths: `gray_mix`, the part of the photographs that a film blind to red has a share in.
                The others are bounds, drawn up to for every photograph: `gamma` g, an exponent between
                1 / (1 + g) and 1 + g; `fading`, how far black is lifted and white lowered; `blur`, a
                standard deviation in pixels; `grain`, one of noise in [0, 1]; and `jpeg`, the lowest
                quality.
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
            # 0 for all but the part of the photographs that is asked for, of which uniform up to 1.
            shares = ops.relu(1 - draw(0, 1) / most["gray_mix"])
            weights = photometric.film_weights(shares, draw(0, 0.5))
            luminance = photometric.mix_gray(photographs, weights)
        else:
            luminance = color.to_luminance(photographs)
        if "gamma" in most:
            bound = math.log(1 + most["gamma"])
            luminance = photometric.adjust_gamma(luminance, ops.exp(draw(-bound, bound)))
        if "fading" in most:
            blacks, whites = draw(0, most["fading"]), 1 - draw(0, most["fading"])
            luminance = photometric.fade(luminance, blacks, whites)
        if "blur" in most:
            luminance = photometric.blur(luminance, draw(0, most["blur"]))
        if "grain" in most:
            noise = keras.random.normal(ops.shape(luminance), seed=self.generator)
            deviations = draw(0, most["grain"])[:, None, None, None]
            luminance = photometric.add_grain(luminance, noise * deviations)
        if "jpeg" in most:
            qualities = ops.minimum(ops.floor(draw(most["jpeg"], 101)), 100)
            luminance = photometric.compress(luminance, qualities)
        return luminance

    def compute_output_spec(
        self, photographs: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """Return `(..., 1)` float32 for `(..., 3)`."""
        return keras.KerasTensor((*photographs.shape[:-1], 1), "float32")
