"""What is measured while a network trains, in Keras's own operations; the rest is in `metrics`."""

import keras
from keras import ops

from deepcolor.constants import MAX_DECIBELS
from deepcolor.imaging import color


def psnr(truth: keras.KerasTensor, prediction: keras.KerasTensor) -> keras.KerasTensor:
    """PSNR in dB of each image, for `keras.metrics.MeanMetricWrapper`.

    Args:
        truth: `(batch, height, width, 3)` RGB, 0 to 255.
        prediction: `(batch, height, width, 3)` RGB, float in [0, 1].

    Returns:
        `(batch,)` float32.
    """
    return -10 * ops.log10(ops.maximum(mse(truth, prediction), 10 ** (-MAX_DECIBELS / 10)))


def mse(truth: keras.KerasTensor, prediction: keras.KerasTensor) -> keras.KerasTensor:
    """Mean squared error of each image, in [0, 1]; arguments and shape as of `psnr`."""
    return ops.mean(ops.square(color.to_float(truth) - prediction), axis=(1, 2, 3))
