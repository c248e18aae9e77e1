"""How close a prediction is to the photograph: per image, and in the mean."""

from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from deepcolor import color

# Identical pictures have an infinite PSNR. It is capped, so that means stay finite.
MOST_DECIBELS = 100.0

DEFINITIONS = {
    "mse": {
        "definition": "Mean squared error of 8-bit RGB, scaled to [0, 1]; mean over images.",
        "unit": "1",
    },
    "psnr": {
        "definition": "Peak signal-to-noise ratio, -10 log10(MSE), of each image; mean over images. "
        f"At most {MOST_DECIBELS:.0f} dB for an image.",
        "unit": "dB",
    },
    "psnr_of_mean_mse": {
        "definition": "-10 log10 of the mean MSE: lower than the mean PSNR wherever images differ "
        "in difficulty.",
        "unit": "dB",
    },
}


def per_image(truth: np.ndarray, prediction: np.ndarray) -> pd.DataFrame:
    """MSE and PSNR of each image.

    Args:
        truth: `(n, height, width, 3)` uint8.
        prediction: Likewise.

    Returns:
        A frame of n rows with the columns mse (in [0, 1]) and psnr (dB).
    """
    difference = (truth.astype(np.float64) - prediction.astype(np.float64)) / 255
    mse = np.mean(difference**2, axis=(1, 2, 3))
    return pd.DataFrame({"mse": mse, "psnr": decibels(mse)})


def decibels(mse: np.ndarray | np.float64) -> np.ndarray:
    """PSNR in dB of mean squared errors in [0, 1], at most MOST_DECIBELS."""
    return -10 * np.log10(np.maximum(mse, 10 ** (-MOST_DECIBELS / 10)))


def summarize(images: pd.DataFrame) -> dict[str, Any]:
    """The content of metrics.json: means over all images and over each data set.

    Args:
        images: Columns data_set, mse and psnr, a row per image.
    """
    return {
        "metrics": DEFINITIONS,
        "all": _means(images),
        "data_sets": {str(name): _means(rows) for name, rows in images.groupby("data_set")},
    }


def _means(images: pd.DataFrame) -> dict[str, float | int]:
    mse = float(images["mse"].mean())
    return {
        "n": len(images),
        "mse": mse,
        "psnr": float(images["psnr"].mean()),
        "psnr_of_mean_mse": float(decibels(np.float64(mse))),
    }


def psnr(truth: keras.KerasTensor, prediction: keras.KerasTensor) -> keras.KerasTensor:
    """PSNR in dB of each image, for `keras.metrics.MeanMetricWrapper`.

    Args:
        truth: `(batch, height, width, 3)` RGB, 0 to 255.
        prediction: `(batch, height, width, 3)` RGB, float in [0, 1].

    Returns:
        `(batch,)` float32.
    """
    return -10 * ops.log10(ops.maximum(mse(truth, prediction), 10 ** (-MOST_DECIBELS / 10)))


def mse(truth: keras.KerasTensor, prediction: keras.KerasTensor) -> keras.KerasTensor:
    """Mean squared error of each image, in [0, 1]; arguments and shape as of `psnr`."""
    return ops.mean(ops.square(color.to_float(truth) - prediction), axis=(1, 2, 3))
