"""From 8-bit RGB to what the networks see: one function for training, evaluation and use."""

import keras
from keras import ops

# Rec. 601 luma, as published (the weights of TensorFlow's and Pillow's grayscale conversion).
LUMA = (0.299, 0.587, 0.114)


def to_float(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Scale 8-bit values, 0 to 255, to float32 in [0, 1]."""
    return ops.cast(rgb, "float32") / 255.0


def to_luminance(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Turn RGB into the luminance that the networks see.

    Args:
        rgb: `(..., 3)`, 0 to 255, 8-bit or float.

    Returns:
        `(..., 1)`, float32 in [0, 1]: the Rec. 601 luma of the gamma-encoded values.
    """
    weights = ops.convert_to_tensor(LUMA, dtype="float32")
    return ops.sum(to_float(rgb) * weights, axis=-1, keepdims=True)


class Luminance(keras.layers.Layer):
    """`to_luminance` as a layer, so that it runs on the device."""

    def call(self, rgb: keras.KerasTensor) -> keras.KerasTensor:
        """See `to_luminance`."""
        return to_luminance(rgb)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """`(..., 3)` becomes `(..., 1)`."""
        return (*input_shape[:-1], 1)
