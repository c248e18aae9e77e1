"""How sure networks of color classes are, and how often they are right: reliability and entropy."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.predict import BATCH_SIZE, streamed_array
from deepcolor.imaging import color, color_classes
from deepcolor.models.heads import CLASS_STEP, class_decoder, targets_of

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.data.shards import Shards

BINS = 15  # Of confidence, equally wide, as in the source.
DEFINITIONS = {
    "cells": f"Squares of {CLASS_STEP} by {CLASS_STEP} pixels, for each of which a network predicts a "
    f"distribution over {color_classes.COUNT} color classes; as trained, neither sharpened nor freed "
    "from a prior.",
    "confidence": "Mean probability of the likeliest class.",
    "accuracy": "Share of cells whose likeliest class is the one nearest to the photograph's a* and b*.",
    "expected_calibration_error": "Mean difference between confidence and accuracy, without its sign, "
    f"over {BINS} bins of confidence weighted by their cells (Guo et al. 2017).",
    "encoded": "Mean share that the soft encoding of the photograph's a* and b* gives to the likeliest "
    "class: what training asks for. It spreads each color over its neighbors, too, so that a network "
    "that knew all colors would give the nearest class about half.",
    "encoded_calibration_error": "The expected calibration error with `encoded` for accuracy.",
    "entropy": "Mean entropy of the distributions, in bits.",
    "negative_log_likelihood": "Mean of -log2 of the probability of the true class, in bits; of "
    "calibrated distributions it is the entropy.",
}

# From photographs, `(batch, size, size, 3)` uint8, to logits of the color classes, `(batch, size /
# CLASS_STEP, size / CLASS_STEP, color_classes.COUNT)`.
ClassPredictor = Callable[[np.ndarray], Any]


class Reliability:
    """Sums over cells that say how far probabilities can be relied on, by bins of confidence."""

    def __init__(self) -> None:
        self._cells, self._confidence, self._right, self._encoded = np.zeros((4, BINS))
        self._entropy = self._loss = 0.0

    def add(self, logits: Any, encoded: Any) -> np.ndarray:
        """Count cells.

        Args:
            logits: Logits of the classes, `(..., color_classes.COUNT)` float32.
            encoded: Soft encodings of the true colors, of the same shape; the true class is that of
                the largest share.

        Returns:
            The entropy of each distribution in bits, `(...)` float32.
        """
        logarithms = ops.log_softmax(ops.convert_to_tensor(logits), axis=-1)
        entropy = _numpy(-ops.sum(ops.exp(logarithms) * logarithms, axis=-1)) / np.float32(np.log(2))
        confidence = _numpy(ops.exp(ops.max(logarithms, axis=-1))).ravel()
        likeliest, true = (
            ops.expand_dims(ops.argmax(each, axis=-1), -1) for each in (logarithms, encoded)
        )
        right = _numpy(ops.equal(likeliest, true)).ravel()
        shares = _numpy(ops.take_along_axis(encoded, likeliest, axis=-1)).ravel()
        of_true = ops.take_along_axis(logarithms, true, axis=-1)
        # A bin has its upper end, as in the source.
        bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        self._cells += np.bincount(bins, minlength=BINS)
        self._confidence += np.bincount(bins, confidence, BINS)
        self._right += np.bincount(bins, right, BINS)
        self._encoded += np.bincount(bins, shares, BINS)
        self._entropy += float(entropy.sum(dtype=np.float64))
        self._loss -= float(_numpy(of_true).sum(dtype=np.float64)) / np.log(2)
        return entropy

    def summary(self) -> dict[str, Any]:
        """Return what DEFINITIONS defines, and the bins: ends, cells and means of each."""
        total = self._cells.sum()
        sums = {
            "confidence": self._confidence, "accuracy": self._right, "encoded": self._encoded,
        }  # fmt: skip
        bins = [
            {
                "low": number / BINS,
                "high": (number + 1) / BINS,
                "cells": int(cells),
                **{name: each[number] / cells if cells else None for name, each in sums.items()},
            }
            for number, cells in enumerate(self._cells)
        ]
        return {
            "cells": int(total),
            **{name: each.sum() / total for name, each in sums.items()},
            "expected_calibration_error": np.abs(self._confidence - self._right).sum() / total,
            "encoded_calibration_error": np.abs(self._confidence - self._encoded).sum() / total,
            "entropy": self._entropy / total,
            "negative_log_likelihood": self._loss / total,
            "bins": bins,
        }


def measure_certainty(
    shards: "Shards", split: str, predictor: ClassPredictor, path: Path
) -> dict[str, Any]:
    """Measure how sure a network is of every image of a split. One batch is in memory at a time.

    Args:
        shards: Shards of the data sets.
        split: Name of the split.
        predictor: Network of `class_predictor`.
        path: `.npy` file to write: the entropy of every cell, `(n, size / CLASS_STEP, size /
            CLASS_STEP)` uint8, 0 for none and 255 for that of equal classes; in the order of
            `Shards.images`.

    Returns:
        The content of certainty.json.
    """
    reliability, most = Reliability(), float(np.log2(color_classes.COUNT))
    side = shards.size // CLASS_STEP
    with streamed_array(path, (shards.count(split), side, side)) as file:
        for batch in shards.evaluation_batches(split, BATCH_SIZE):
            photographs = batch.numpy()
            entropy = reliability.add(predictor(photographs), targets_of(photographs, "classes"))
            file.write(np.rint(255 * np.clip(entropy / most, 0, 1)).astype(np.uint8).tobytes())
    return {
        "definitions": DEFINITIONS,
        "n": shards.count(split),
        "classes": color_classes.COUNT,
        "highest_entropy": most,
        **reliability.summary(),
    }


def class_predictor(network: keras.Model) -> ClassPredictor:
    """Return the predictor of a saved network's color classes.

    Raises:
        DeepColorError: The network predicts none.
    """
    decoder = class_decoder(network)
    if decoder is None:
        raise DeepColorError(f"{network.name} predicts no color classes; name one with target: classes")
    classes = keras.Model(network.input, decoder.input)
    return lambda photographs: classes.predict_on_batch(color.to_luminance(photographs))


def _numpy(values: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(values))
