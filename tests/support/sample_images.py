"""Pictures for tests: colorful, all different, and made from a number alone."""

import io

import numpy as np
from PIL import Image


def picture(number: int, width: int = 120, height: int = 90) -> Image.Image:
    """A smooth picture of random colors."""
    colors = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(colors).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(number: int, quality: int = 90, **options: int) -> bytes:
    """`picture` as a JPEG file."""
    return encoded(picture(number, **options), quality)


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    """A picture as a JPEG file."""
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return content.getvalue()
