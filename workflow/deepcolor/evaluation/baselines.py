"""Baselines: predictions that need no network, from the grayscale copy to the true chroma."""

from typing import TYPE_CHECKING

import numpy as np

from deepcolor.evaluation.predict import BATCH_SIZE, Predictor
from deepcolor.imaging import lab

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.data.shards import Shards


def baseline_predictor(baseline: str, shards: "Shards") -> Predictor:
    """Return the predictor of a baseline.

    Args:
        baseline: Key of `labels.BASELINES`.
        shards: Shards of the data sets, whose training images the mean chroma is taken from.
    """
    average = training_chroma(shards) if baseline == "mean-chroma" else np.zeros(0)
    predict = {
        "grayscale-copy": lab.grayscale,
        "mean-chroma": lambda images: constant_chroma(images, average),
        "mean-chroma-oracle": lambda images: constant_chroma(images, mean_chroma(images)),
        "true-chroma": lambda images: lab.with_luminance(images, images),
    }[baseline]
    return lambda images, _: predict(images)


def training_chroma(shards: "Shards") -> np.ndarray:
    """Return the mean a* and b* of all training images, `(2, 1, 1)` float32."""
    means = [mean_chroma(batch.numpy()) for batch in shards.evaluation_batches("training", BATCH_SIZE)]
    return np.concatenate(means).mean(axis=0, dtype=np.float64).astype("float32")


def mean_chroma(images: np.ndarray) -> np.ndarray:
    """Return the mean a* and b* of each image, `(n, height, width, 3)` uint8, as `(n, 2, 1, 1)`."""
    return lab.to_lab(images)[:, 1:].mean(axis=(2, 3), keepdims=True)


def constant_chroma(images: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Return images with their own luminance and the same chroma, `(…, 2, 1, 1)`, everywhere."""
    lightness = lab.lightness(images)[:, None]
    planes = np.broadcast_to(chroma, (len(images), 2, *lightness.shape[2:]))
    return lab.to_rgb(np.concatenate([lightness, planes], axis=1))
