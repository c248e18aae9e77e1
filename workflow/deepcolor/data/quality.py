"""Quality checks: photographs without color or with too few pixels are rejected."""

from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

from deepcolor.imaging.tone import chroma_and_spread

SIDE = 128  # Side in pixels of the squares that are checked.


@dataclass(frozen=True)
class Checks:
    """Thresholds of the quality checks; see `checks` in the schema of the configuration."""

    min_side: int
    min_chroma: float
    toned: bool
    near_duplicates: int


def defect(square: np.ndarray, width: int, height: int, checks: Checks) -> str | None:
    """Return why a photograph fails the quality checks, None if it passes.

    Args:
        square: RGB image of the photograph, uint8, (SIDE, SIDE, 3).
        width: Width of the photograph in pixels.
        height: Height of the photograph in pixels.
        checks: Thresholds.
    """
    if min(width, height) < checks.min_side:
        return f"too small: {width}×{height}"
    chroma, spread = chroma_and_spread(square)
    if chroma < checks.min_chroma:
        return f"gray: mean chroma {chroma:.2f}"
    if spread < checks.min_chroma and not checks.toned:
        return f"one tone: mean chroma {chroma:.2f}, but {spread:.2f} beside its tone"
    return None


def perceptual_hash(square: np.ndarray) -> int:
    """Return a 64-bit hash that changes little when a picture is resized, compressed or brightened.

    Source: the pHash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions" (2010), as the package imagehash computes it.
    """
    return int(str(imagehash.phash(Image.fromarray(square))), 16)
