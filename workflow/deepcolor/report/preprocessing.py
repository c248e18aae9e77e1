"""Photographs before and after preprocessing, for their figure."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepcolor.data.manifest import chunks, unreadable
from deepcolor.imaging.decoding import open_rgb, read_square

MAX_PHOTOGRAPHS = 6  # Side by side in the figure.
MAX_SIDE = 512  # Pixels of a photograph's longer side that the figure can show.


def draw_photographs(manifest: Path, count: int, seed: int) -> list[str]:
    """Return the paths of photographs drawn from a manifest, at most MAX_PHOTOGRAPHS.

    Args:
        manifest: Manifest of the data set.
        count: Number of photographs, at most.
        seed: Random seed of the draw.
    """
    total = sum(len(rows) for rows in chunks(manifest, ["path"]))
    places = random.Random(f"{seed}").sample(range(total), min(count, MAX_PHOTOGRAPHS, total))
    paths: dict[int, str] = {}
    for rows in chunks(manifest, ["path"]):
        paths |= rows["path"][rows.index.isin(places)].to_dict()
    return [paths[place] for place in places]


def preprocess(
    paths: Sequence[str], image_size: int, manifest: Path
) -> tuple[list[np.ndarray], list[tuple[int, int]], list[np.ndarray]]:
    """Read photographs as they are and as networks get them.

    Args:
        paths: Files of the photographs.
        image_size: Side of the images in pixels.
        manifest: Manifest that names the photographs, for messages.

    Returns:
        Photographs, (height, width, 3) uint8 RGB each, at most MAX_SIDE on a side; their true widths and
        heights; the preprocessed images, (image_size, image_size, 3) uint8 RGB each.

    Raises:
        DeepColorError: A photograph cannot be read.
    """
    before, sizes, after = [], [], []
    for path in paths:
        try:
            photograph = open_rgb(path)
            square, size = read_square(path, image_size)
        except ValueError as error:
            raise unreadable(path, error, manifest) from error
        photograph.thumbnail((MAX_SIDE, MAX_SIDE))
        before.append(np.asarray(photograph))
        sizes.append(size)
        after.append(square)
    return before, sizes, after
