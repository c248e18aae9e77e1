"""Color classes of photographs: their shares, and the decoding that suits a trained network."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

import keras
import numpy as np
from keras import ops

from deepcolor.imaging import color, color_classes, lab
from deepcolor.imaging.colorfulness import colorfulness
from deepcolor.models.heads import CLASS_STEP, ClassDecoding, targets_of
from deepcolor.training.metrics import psnr

# Images that suffice for the shares of the classes, and for choosing between decodings.
MAX_COUNTED, MAX_DECODED = 20_000, 500
# Temperatures for exact colors, and temperatures and priors for vivid ones.
EXACT = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
VIVID = tuple(product((0.6, 0.5, 0.38, 0.3), (0.0, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)))


def count_classes(batches: Iterable[Any]) -> np.ndarray:
    """Return the shares of the color classes in photographs.

    Args:
        batches: Random photographs, `(n, size, size, 3)` uint8; the first MAX_COUNTED count.

    Returns:
        `(color_classes.COUNT,)` float32 with the sum 1.
    """
    total, images = np.zeros(color_classes.COUNT), 0
    for batch in _first(batches, MAX_COUNTED):
        shares = ops.mean(targets_of(ops.convert_to_tensor(batch), "classes"), axis=(1, 2))
        total += ops.convert_to_numpy(shares).sum(axis=0, dtype=np.float64)
        images += len(batch)
    return (total / images).astype(np.float32)


def choose_decoding(
    network: keras.Model, batches: Iterable[Any], images: int, shares: np.ndarray
) -> ClassDecoding:
    """Choose how the distributions that a trained network predicts become colors.

    Exact colors have the highest PSNR, with all of the prior; vivid ones come closest to the true
    chroma among those that are as colorful as the photographs, or, if none is, are the most colorful.
    Compared are pictures of the size of the network's grid.

    Args:
        network: Model from luminance to classes.
        batches: Photographs that it was not trained on, `(n, size, size, 3)` uint8.
        images: Number of photographs. Of more than MAX_DECODED every second batch counts, or every
            third and so on: data sets lie one after the other.
        shares: Shares of the classes in the training images.
    """
    pairs = [(temperature, 0.0) for temperature in EXACT] + list(VIVID)
    rows, colorful = [], []
    for batch in islice(batches, 0, None, math.ceil(images / MAX_DECODED)):
        photographs = ops.convert_to_tensor(batch)
        # Not by `predict_on_batch`, which on several devices wants batches that are shared out.
        logits = network(color.to_luminance(photographs), training=False)
        rows.append([_measured(photographs, logits, shares, *pair) for pair in pairs])
        small = ops.convert_to_numpy(_reduced(color.to_float(photographs)))
        colorful += [colorfulness(photograph) for photograph in lab.to_8bit(small)]
    # By candidate, measure and image.
    decibels, distances, colorfulnesses = np.concatenate(rows, axis=-1).mean(axis=-1).T
    vivid = colorfulnesses >= np.mean(colorful)
    exact = pairs[int(np.argmax(decibels[: len(EXACT)]))]
    if not vivid.any():
        return ClassDecoding(shares, exact, pairs[int(np.argmax(colorfulnesses))])
    return ClassDecoding(shares, exact, pairs[int(np.argmin(np.where(vivid, distances, np.inf)))])


def _measured(
    photographs: Any, logits: Any, shares: np.ndarray, temperature: float, prior: float
) -> np.ndarray:
    """Return PSNR, distance to the true chroma and colorfulness of each picture, `(3, n)`."""
    rgb = color.to_float(photographs)
    small = _reduced(rgb)
    chroma = color_classes.decode(logits, shares, temperature, prior)
    pictures = color.add_chroma(color.to_luminance(small * 255), chroma / color.CHROMA_SCALE)
    difference = chroma - color_classes.grid_chroma(rgb, CLASS_STEP)
    return np.stack(
        [
            ops.convert_to_numpy(psnr(small * 255, pictures)),
            ops.convert_to_numpy(ops.mean(ops.norm(difference, axis=-1), axis=(1, 2))),
            [colorfulness(picture) for picture in lab.to_8bit(ops.convert_to_numpy(pictures))],
        ]
    )


def _reduced(rgb: Any) -> Any:
    """Return RGB images at the size of a network's grid."""
    return ops.average_pool(rgb, CLASS_STEP, CLASS_STEP, data_format="channels_last")


def _first(batches: Iterable[Any], images: int) -> Iterator[Any]:
    """Yield the first batches that hold so many images together."""
    for batch in batches:
        yield batch
        images -= len(batch)
        if images <= 0:
            return
