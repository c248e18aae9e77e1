"""The visible mark: a few small words in a corner, for pictures whose metadata will be lost."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = "Colorized by AI"
SHARE, LEAST = 1 / 40, 9  # Height of the letters: of the shorter side, and in pixels at least.
OPACITY = 0.75


def label(pixels: np.ndarray) -> bool:
    """Draw the mark at the lower left: light letters on a dark ground, half transparent.

    Args:
        pixels: Upright, `(height, width, 3 or 4)` uint8 or uint16; changed in place. A view will do.

    Returns:
        Whether there was room for it.
    """
    height, width = pixels.shape[:2]
    letters = max(LEAST, round(min(height, width) * SHARE))
    font = ImageFont.load_default(letters)
    left, top, right, bottom = font.getbbox(WORDS)
    pad = letters // 3
    box = (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad)
    if box[0] > width or box[1] > height:
        return False
    drawn = Image.new("L", box, 0)
    ImageDraw.Draw(drawn).text((pad - left, pad - top), WORDS, 255, font)
    mask = np.asarray(drawn, np.float32)[..., None] / 255
    most = np.iinfo(pixels.dtype).max
    corner = pixels[height - box[1] :, : box[0], :3]
    mark = mask * most
    corner[:] = np.rint(corner * (1 - OPACITY) + mark * OPACITY).astype(pixels.dtype)
    pixels[height - box[1] :, : box[0], 3:] = most
    return True
