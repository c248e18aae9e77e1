"""Entropy maps of networks of color classes as pictures: dark where a network is sure."""

from pathlib import Path

import matplotlib
import numpy as np

from deepcolor.files import read_json

# Colors of the bytes of certainty.npy, `(256, 3)` uint8, as light as they are high.
PALETTE = matplotlib.colormaps["magma"](np.arange(256), bytes=True)[:, :3]


def certainty_maps(certainty: Path, rows: np.ndarray, size: int) -> tuple[np.ndarray, list[str]]:
    """Return entropy maps of some images, as pictures and in words.

    Args:
        certainty: certainty.json of a run, next to certainty.npy.
        rows: Places of the images.
        size: Side of the pictures in pixels.

    Returns:
        Pictures, `(rows, size, size, 3)` uint8, and the mean entropy of each.
    """
    highest = read_json(certainty)["highest_entropy"]
    maps = np.load(certainty.with_suffix(".npy"), mmap_mode="r")[rows]
    step = size // maps.shape[1]
    means = highest / 255 * maps.mean(axis=(1, 2))
    words = [f"{mean:.1f} of {highest:.1f}\N{NO-BREAK SPACE}bits" for mean in means]
    return PALETTE[maps].repeat(step, axis=1).repeat(step, axis=2), words
