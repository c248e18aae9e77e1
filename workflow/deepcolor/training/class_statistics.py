"""Color classes of photographs: their shares, and the decoding that suits a trained network."""

import math
from collections.abc import Iterable, Iterator, Sequence
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
# Settings that are compared: temperature, prior and gain.
EXACT = tuple(product((1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4), (0.0,), (1.0, 1.1, 1.2, 1.3)))
VIVID = tuple(product((0.6, 0.5, 0.38, 0.3), (0.0, 0.25, 0.5), (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)))
# Colorfulness of vivid pictures, as a share of that of photographs, at least. From there on errors grow
# fast.
VIVID_SHARE = 0.9


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

    Exact colors have the highest PSNR; vivid ones come closest to the true chroma among those that have
    at least VIVID_SHARE of the photographs' colorfulness, or, if none has, are the most colorful.
    Compared are pictures of the size of the network's grid.

    Args:
        network: Model from luminance to classes.
        batches: Photographs that it was not trained on, `(n, size, size, 3)` uint8.
        images: Number of photographs. Of more than MAX_DECODED every second batch counts, or every
            third and so on: data sets lie one after the other.
        shares: Shares of the classes in the training images.
    """
    decibels, distances, vividness, colorful = [], [], [], []
    for batch in islice(batches, 0, None, math.ceil(images / MAX_DECODED)):
        photographs = ops.convert_to_tensor(batch)
        # Not by `predict_on_batch`, which on several devices wants batches that are shared out.
        logits = network(color.to_luminance(photographs), training=False)
        small = _reduced(color.to_float(photographs))
        true_chroma = color_classes.grid_chroma(color.to_float(photographs), CLASS_STEP)
        colorful.append(_colorfulness(small))
        decoded = [color_classes.decode(logits, shares, *settings) for settings in EXACT]
        decibels.append([psnr(small * 255, _picture(small, chroma)) for chroma in decoded])
        decoded = [color_classes.decode(logits, shares, *settings) for settings in VIVID]
        distances.append([_distance(true_chroma, chroma) for chroma in decoded])
        vividness.append([_colorfulness(_picture(small, chroma)) for chroma in decoded])
    exact = EXACT[int(np.argmax(_means(decibels)))]
    shares_of_colorfulness = _means(vividness) / np.mean(np.concatenate(colorful))
    vivid = shares_of_colorfulness >= VIVID_SHARE
    if not vivid.any():
        return ClassDecoding(shares, exact, VIVID[int(np.argmax(shares_of_colorfulness))])
    closest = int(np.argmin(np.where(vivid, _means(distances), np.inf)))
    return ClassDecoding(shares, exact, VIVID[closest])


def _picture(small: Any, chroma: Any) -> Any:
    """Return RGB images of the luminance of others and of other chroma."""
    return color.add_chroma(color.to_luminance(small * 255), chroma / color.CHROMA_SCALE)


def _distance(true_chroma: Any, chroma: Any) -> Any:
    """Return the mean distance in a* and b* of each image, `(n,)`."""
    return ops.mean(ops.norm(chroma - true_chroma, axis=-1), axis=(1, 2))


def _colorfulness(rgb: Any) -> list[float]:
    """Return the colorfulness of each image."""
    return [colorfulness(picture) for picture in lab.to_8bit(ops.convert_to_numpy(rgb))]


def _means(batches: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return means over the images of all batches by setting, `(settings,)`."""
    columns = [np.stack([ops.convert_to_numpy(value) for value in values]) for values in batches]
    return np.concatenate(columns, axis=-1).mean(axis=-1)


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
