"""Pixels of files of every kind: a luminance at full resolution, and colors as a small square."""

from io import BytesIO

import cv2
import numpy as np
import simplejpeg
import tifffile
from PIL import Image

from deepcolor.colorize.chroma import luma
from deepcolor.imaging.decoding import ORIENTATION, UPRIGHT, resize

# TIFF tags: bits of each channel; 0 for white as 0; 2 for planes; 1 for colors multiplied with alpha.
BITS, PHOTOMETRIC, PLANES, EXTRA = 258, 262, 284, 338
STRIP = 64  # Rows of 16-bit colors that become floats at a time.
TINT = 256  # Side of the square that holds a tint, in pixels.

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # What goes wrong is said by an error.


def depth(image: Image.Image) -> int:
    """Bits of a value: 8 (or 1), or 16. Of 16-bit CMYK Pillow's 8 bits will do.

    Raises:
        ValueError: They are integers of 32 bits, or floats, whose range nobody knows.
    """
    if image.mode == "I" and image.format == "PPM":  # Pillow brings 9 to 16 bits to 16.
        return 16
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no known range; save it with 8 or 16 bits")
    if image.mode.startswith("I;16"):
        return 16
    if image.mode not in ("RGB", "RGBA", "LA"):
        return 8
    if image.format == "TIFF":
        return 16 if 16 in getattr(image, "tag_v2", {}).get(BITS, ()) else 8
    tile = getattr(image, "tile", [])
    return 16 if tile and ";16" in str(tile[0][3]) else 8


def read_8bit(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray `(height, width)` or RGB `(height, width, 3)` uint8, and alpha."""
    alpha = None
    gray = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
        if gray:
            return np.asarray(image.getchannel("R")), alpha
    wanted = "L" if gray else "RGB"
    return np.asarray(image if image.mode == wanted else image.convert(wanted)), alpha


def read_16bit(image: Image.Image, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray or RGB uint16, and alpha; Pillow would cut colors off to 8 bits."""
    tags = getattr(image, "tag_v2", {})
    alpha = None
    if image.mode.startswith("I"):
        pixels: np.ndarray = np.asarray(image).astype(np.uint16)
        if tags.get(PHOTOMETRIC) == 0:
            np.subtract(65535, pixels, out=pixels)
    elif tags.get(PLANES) == 2:
        pixels, alpha = _read_planes(content, tags.get(ORIENTATION, 1))
    else:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if decoded is None or decoded.dtype != np.uint16 or decoded.shape[:2] != image.size[::-1]:
            image.load()  # Says what is wrong with it, if it can.
            raise ValueError("its 16-bit pixels cannot be decoded")
        alpha = decoded[..., 3] if decoded.shape[2] == 4 else None
        gray = alpha is not None and (decoded[..., :2] == decoded[..., 1:3]).all()  # Gray with alpha.
        pixels = decoded[..., 0] if gray else decoded[..., 2::-1]
    transparent = image.info.get("transparency")
    if alpha is None and transparent is not None and not isinstance(transparent, bytes):
        same = pixels == np.asarray(transparent, np.uint16)
        alpha = np.where(same if pixels.ndim == 2 else same.all(axis=-1), 0, 65535).astype(np.uint16)
    if alpha is not None and tags.get(EXTRA) == (1,):  # Colors are multiplied with it.
        own = alpha.astype(np.float32) if pixels.ndim == 2 else alpha[..., None].astype(np.float32)
        pixels = np.clip(pixels / np.maximum(own, 1) * 65535 + 0.5, 0, 65535).astype(np.uint16)
    return pixels, alpha


def _read_planes(content: bytes, orientation: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The same of a TIFF file with a plane for each channel, which OpenCV confounds; upright, too."""
    planes = tifffile.imread(BytesIO(content), key=0)
    pixels = UPRIGHT.get(orientation, np.asarray)(np.moveaxis(planes, 0, -1))
    return pixels[..., :3], pixels[..., 3] if pixels.shape[2] == 4 else None


def read_jpeg(content: bytes, image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """The luminance of a JPEG file, which it holds as it is, and its colors, decoded at a fraction.

    See `without_color`.
    """
    try:
        luminance = simplejpeg.decode_jpeg(content, "GRAY", fastdct=False)[..., 0]
        if image.mode == "L":
            return luminance, None
        least = min(TINT, *image.size)
        pixels = simplejpeg.decode_jpeg(content, "RGB", min_height=least, min_width=least)
    except ValueError as error:
        if "extraneous bytes" not in str(error):  # Some cameras leave them: no damage.
            raise
        return without_color(read_8bit(image)[0])
    return luminance, resize(pixels, TINT)


def without_color(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The luminance of gray or RGB pixels, and the colors of RGB as a square of TINT pixels."""
    if pixels.ndim == 2:
        return pixels, None
    if pixels.dtype == np.uint8:
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), resize(pixels, TINT)
    luminance = np.empty(pixels.shape[:2], pixels.dtype)
    for first in range(0, len(pixels), STRIP):
        strip = slice(first, first + STRIP)
        luminance[strip] = np.rint(luma(pixels[strip]))
    return luminance, (resize(pixels, TINT) >> 8).astype(np.uint8)
