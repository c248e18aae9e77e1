"""Whether a picture has color, and more of it than one tone."""

import cv2
import numpy as np


def chroma_and_spread(square: np.ndarray) -> tuple[float, float]:
    """The mean chroma of a picture, and the mean chroma that is left when a tone is taken away.

    Chroma is the length of (Cb, Cr) in 8-bit units. A tone, such as sepia, makes Cb and Cr functions
    of the luminance: the best cubic polynomials of it are subtracted for the second figure. Every
    fourth pixel counts.

    Args:
        square: `(height, width, 3)` uint8 RGB.
    """
    pixels = cv2.cvtColor(square[::2, ::2], cv2.COLOR_RGB2YCrCb).reshape(-1, 3).astype(np.float64)
    chroma = pixels[:, 1:] - 128
    powers = np.vander(pixels[:, 0] / 255, 4)
    tone = powers @ np.linalg.lstsq(powers, chroma, rcond=None)[0]
    return float(np.hypot(*chroma.T).mean()), float(np.hypot(*(chroma - tone).T).mean())
