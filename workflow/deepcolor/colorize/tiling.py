"""The colors that a network gives a photograph, at the network's own size: of the whole, or of tiles."""

import math
import time
from collections.abc import Callable

import cv2
import numpy as np

from deepcolor.imaging.decoding import resize

BATCH = 16  # Tiles that are predicted at a time.

Predict = Callable[[np.ndarray], np.ndarray]


def working_picture(luminance: np.ndarray, size: int, tiles: int) -> np.ndarray:
    """A photograph at the size at which a network sees it.

    Args:
        luminance: Upright, `(height, width)` uint8 or uint16.
        size: Side of the network's pictures in pixels.
        tiles: See `Settings`.

    Returns:
        `(height', width')` float32 in [0, 1]; `(size, size)` without tiles.
    """
    if tiles:
        small = _resized(luminance, *working_size(luminance.shape, size, tiles))
    else:
        small = resize(luminance, size)  # As in training.
    return small.astype(np.float32) / np.float32(np.iinfo(luminance.dtype).max)


def predict_colors(
    small: np.ndarray,
    predict: Predict,
    size: int,
    flip_average: bool,
    max_seconds: float = math.inf,
) -> np.ndarray:
    """Predict the colors of a `working_picture`.

    Args:
        small: `(height, width)` float32 in [0, 1], each at least `size`.
        predict: The network: `(n, size, size, 1)` float32 in [0, 1] to RGB `(n, size, size, 3)`.
        size: Side of the network's pictures in pixels.
        flip_average: Whether the predictions of the picture and of its mirror image are averaged.
        max_seconds: Time after which no further batch of tiles is predicted.

    Returns:
        RGB `(height, width, 3)` float32 in [0, 1].

    Raises:
        ValueError: The time was exceeded.
    """
    end = time.monotonic() + max_seconds

    def predict_in_time(tiles: np.ndarray) -> np.ndarray:
        if time.monotonic() > end:
            raise ValueError(f"its tiles take more than {max_seconds:.0f} seconds; use none, or fewer")
        return predict(tiles)

    rgb = _tiled(small, predict_in_time, size)
    if flip_average:
        rgb = (rgb + _tiled(small[:, ::-1], predict_in_time, size)[:, ::-1]) / 2
    return rgb


def working_size(shape: tuple[int, ...], size: int, tiles: int) -> tuple[int, int]:
    """The height and width at which a photograph of a shape is cut into tiles.

    The shorter side has as many tiles, not counting overlaps, and the other what the aspect ratio asks
    for; but nothing is enlarged beyond the photograph's own pixels, unless a side were shorter than a
    tile.
    """
    scale = min(tiles * size / min(shape), max(1.0, size / max(shape)))
    height, width = (max(size, round(side * scale)) for side in shape[:2])
    return height, width


def _resized(luminance: np.ndarray, height: int, width: int) -> np.ndarray:
    larger = height > luminance.shape[0] or width > luminance.shape[1]
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    return cv2.resize(luminance, (width, height), interpolation=how)


def _tiled(small: np.ndarray, predict: Predict, size: int) -> np.ndarray:
    """Predict overlapping tiles, and blend them with weights that vanish at a tile's edges."""
    places = [(y, x) for y in _starts(small.shape[0], size) for x in _starts(small.shape[1], size)]
    if len(places) == 1:
        return predict(np.ascontiguousarray(small)[None, :, :, None])[0]
    edge = np.sin((np.arange(size) + 0.5) * (np.pi / size)).astype(np.float32) ** 2
    window = np.outer(edge, edge)[..., None]
    total = np.zeros((*small.shape, 3), np.float32)
    weight = np.zeros((*small.shape, 1), np.float32)
    for first in range(0, len(places), BATCH):
        batch = places[first : first + BATCH]
        cut = np.stack([small[y : y + size, x : x + size] for y, x in batch])[..., None]
        for (y, x), rgb in zip(batch, predict(cut), strict=True):
            total[y : y + size, x : x + size] += window * rgb
            weight[y : y + size, x : x + size] += window
    return total / weight


def _starts(length: int, size: int) -> list[int]:
    """Where tiles begin, so that neighbors overlap by half or more and the last one ends at the end."""
    count = math.ceil((length - size) / (size / 2)) + 1
    return [round(start) for start in np.linspace(0, length - size, count)]
