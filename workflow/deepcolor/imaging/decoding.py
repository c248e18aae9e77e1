"""Image files as pixels: whole, or shrunk to a square as fast as their format allows."""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from deepcolor.errors import first_line
from deepcolor.imaging import bounds

cv2.setNumThreads(0)  # Jobs run side by side; none takes a core that another was given.

ORIENTATION = 0x0112  # EXIF tag.
# EXIF orientation to the turn, or mirroring, that makes a picture upright.
UPRIGHT = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def open_rgb(path: str | Path) -> Image.Image:
    """Open an image file upright, as 8-bit RGB, whole; what is transparent becomes white.

    Raises:
        ValueError: The file is missing, not a regular file, broken, out of `bounds`, or no image.
    """
    return _decode(_read(path))


def _read(path: str | Path) -> bytes:
    try:
        return bounds.read_bytes(path)
    except OSError as error:
        raise ValueError(first_line(error)) from error


def _decode(content: bytes) -> Image.Image:
    try:
        with bounds.opened(content) as image:
            return _to_rgb(ImageOps.exif_transpose(image))
    except MemoryError as error:
        raise ValueError("the memory does not suffice") from error


def read_square(path: str | Path, size: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Read an image file as a square; see `decode_square`.

    Raises:
        ValueError: The file is missing, not a regular file, broken, too large, or no image.
    """
    return decode_square(_read(path), size)


def decode_square(content: bytes, size: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode an image file and resize it to a square, its aspect ratio given up, as published.

    A JPEG file is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size that is still large
    enough: its decoder then computes only the frequencies that are wanted.

    Args:
        content: Content of the file, of one of `bounds.FORMATS` and any mode.
        size: Side of the square in pixels.

    Returns:
        Pixels `(size, size, 3)` uint8 RGB, upright, and the picture's own width and height.

    Raises:
        ValueError: The content is broken, out of `bounds`, or no image.
    """
    with bounds.opened(content) as header:
        is_jpeg = header.format in ("JPEG", "MPO") and header.mode in ("RGB", "L")
        width, height = header.size
        orientation = header.getexif().get(ORIENTATION, 1) if is_jpeg else 1
    if not is_jpeg:
        return _decode_whole(content, size)
    divisor = 1
    while divisor < 8 and min(width, height) >= 2 * divisor * size:
        divisor *= 2
    try:
        pixels = simplejpeg.decode_jpeg(
            content,
            "RGB",
            min_width=-(-width // divisor),
            min_height=-(-height // divisor),
        )
    except Exception as error:
        if "extraneous bytes" in str(error):  # Some cameras leave them between markers: no damage.
            return _decode_whole(content, size)
        raise ValueError(first_line(error)) from error
    square = resize(pixels, size, (width / divisor, height / divisor))
    if orientation in UPRIGHT:
        square = np.ascontiguousarray(UPRIGHT[orientation](square))
    if orientation >= 5:
        width, height = height, width
    return square, (width, height)


def _decode_whole(content: bytes, size: int) -> tuple[np.ndarray, tuple[int, int]]:
    picture = _decode(content)
    return resize(np.asarray(picture), size), picture.size


def resize(pixels: np.ndarray, size: int, extent: tuple[float, float] | None = None) -> np.ndarray:
    """Resize pixels to a square.

    Shrinking averages areas: exactly where a side is more than four times the square's, otherwise by
    four samples between pixels for each new pixel, which costs half as much and is closer to the
    exact average than other filters are. Enlarging is bicubic. What has the size stays as it is.

    Args:
        pixels: `(height, width, 3)` uint8.
        size: Side of the square in pixels.
        extent: Width and height in pixels that the picture really covers, where it ends within the
            last column or row.

    Returns:
        `(size, size, 3)` uint8.
    """
    height, width = pixels.shape[:2]
    extent = extent or (width, height)
    if extent == (width, height) == (size, size):
        return pixels
    if min(width, height) < size:
        return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_CUBIC)
    if max(width, height) > 4 * size:
        return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
    double = (2 * size, 2 * size)
    if extent == (width, height):
        samples = cv2.resize(pixels, double, interpolation=cv2.INTER_LINEAR)
    else:
        x, y = extent[0] / double[0], extent[1] / double[1]
        places = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        samples = cv2.warpAffine(pixels, places, double, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(samples, (size, size), interpolation=cv2.INTER_AREA)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert to 8-bit RGB; Pillow alone would cut off 16-bit values and show what is transparent."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
