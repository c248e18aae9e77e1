"""Pictures and figures as data URIs, in the best encoding that fits into a budget of bytes."""

import base64
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


def data_uri(path: Path) -> str:
    """Return a PNG or SVG file as a data URI."""
    return _uri(path.read_bytes(), MEDIA_TYPES[path.suffix])


def picture_uri(path: Path) -> str:
    """Return a PNG file with photographs as the data URI of a JPEG, several times smaller."""
    with Image.open(path) as picture:
        return _uri(*_jpeg(90)(picture.convert("RGB")))


def _uri(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _png(picture: Image.Image) -> tuple[bytes, str]:
    file = BytesIO()
    picture.save(file, "png", optimize=True)
    return file.getvalue(), "image/png"


def _jpeg(quality: int) -> Callable[[Image.Image], tuple[bytes, str]]:
    def encode(picture: Image.Image) -> tuple[bytes, str]:
        file = BytesIO()
        # No chroma subsampling: color is what is looked at.
        picture.save(file, "jpeg", quality=quality, subsampling=0, optimize=True)
        return file.getvalue(), "image/jpeg"

    return encode


# From the best to the smallest: the largest side in pixels, an encoder, and what it does, in words.
ENCODINGS: Sequence[tuple[int, Callable[[Image.Image], tuple[bytes, str]], str]] = (
    (512, _png, "without loss"),
    (512, _jpeg(92), "as JPEG of quality 92"),
    (256, _jpeg(85), "as JPEG of quality 85"),
    (192, _jpeg(80), "as JPEG of quality 80, at most 192 pixels wide"),
    (128, _jpeg(80), "as JPEG of quality 80, at most 128 pixels wide"),
    (96, _jpeg(75), "as JPEG of quality 75, at most 96 pixels wide"),
    (64, _jpeg(70), "as JPEG of quality 70, at most 64 pixels wide"),
    (40, _jpeg(60), "as JPEG of quality 60, at most 40 pixels wide"),
)


def encode_pictures(
    pictures: Mapping[str, np.ndarray], budget: int
) -> tuple[dict[str, list[str]], int, str]:
    """Encode square pictures for a page, in the first of ENCODINGS by which all fit into a budget.

    Args:
        pictures: By name, `(n, size, size, 3)` uint8 RGB.
        budget: Bytes of the data URIs together; the last of ENCODINGS is taken even if they are more.

    Returns:
        By name the data URIs; the side of the pictures in pixels; and how they were encoded, in words.
    """
    size = next(iter(pictures.values())).shape[1]
    for most, way, words in ENCODINGS:
        side = min(size, most)
        found = _encoded(pictures, side, way, budget)
        if found is not None:
            return found, side, words
    return _encoded(pictures, side, way) or {}, side, words


def _encoded(
    pictures: Mapping[str, np.ndarray],
    side: int,
    way: Callable[[Image.Image], tuple[bytes, str]],
    budget: int | None = None,
) -> dict[str, list[str]] | None:
    """Pictures as data URIs, None if they are more than a budget."""
    found: dict[str, list[str]] = {}
    total = 0
    for name, batch in pictures.items():
        found[name] = [_uri(*way(_shrunk(picture, side))) for picture in batch]
        total += sum(map(len, found[name]))
        if budget is not None and total > budget:
            return None
    return found


def _shrunk(picture: np.ndarray, side: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture))
    return image if image.width == side else image.resize((side, side), Image.Resampling.BOX)
