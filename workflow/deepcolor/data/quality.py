"""What makes a photograph unfit for a data set: no color, or too few pixels."""

from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

from deepcolor.imaging.tone import chroma_and_spread

SIDE = 128  # Of the squares that are looked at, in pixels.


@dataclass(frozen=True)
class Checks:
    """What is asked of a photograph; see `checks` in the schema of the configuration."""

    min_side: int
    min_chroma: float
    toned: bool
    near_duplicates: int


def fault(square: np.ndarray, width: int, height: int, checks: Checks) -> str | None:
    """Say why a photograph is unfit, or None.

    Args:
        square: The photograph as `(SIDE, SIDE, 3)` uint8 RGB.
        width: Of the photograph itself, in pixels.
        height: Of the photograph itself, in pixels.
        checks: What is asked.
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
    """A 64-bit hash that changes little when a picture is resized, compressed or brightened.

    Source: the pHash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions" (2010), as the package imagehash computes it.
    """
    return int(str(imagehash.phash(Image.fromarray(square))), 16)
