"""Photographs of any kind as a luminance at full resolution, with what is to be kept of the file."""

import struct
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from deepcolor.colorize import profiles
from deepcolor.colorize.chroma import differences, luma
from deepcolor.decoding import NO_IMAGE, ORIENTATION, UPRIGHT, resize
from deepcolor.errors import first_line
from deepcolor.tone import chroma_and_spread

# Photographs of more pixels are refused before they are decoded: a small file can hold a huge one.
MOST_MEGAPIXELS = 250
# Mean chroma (8-bit Cb and Cr) below which a photograph is gray, or has one tone alone; see `tone`.
LEAST_CHROMA = 1.5
LOOK = 128  # Side of the square that is looked at for color, in pixels.
TINT = 256  # Side of the square that holds a tint, in pixels.

# Formats that are written as they were read; of any other, a PNG file is made.
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}

# Pillow's own limit is a warning at one size and an error at twice that; ours is one, see `read`.
Image.MAX_IMAGE_PIXELS = None


@dataclass
class Photograph:
    """A photograph that is to be colorized.

    Attributes:
        luminance: `(height, width)` uint8 or uint16: the Rec. 601 luma, as stored, not turned upright.
        alpha: Likewise, where the file has transparency.
        kind: "gray", "toned" (shades of one tone, such as sepia) or "color".
        tint: The colors of a toned or colored one, `(2, TINT, TINT)` of `chroma.differences`, as stored.
        orientation: EXIF orientation, 1 to 8.
        format: What it is written as, a key of SUFFIXES.
        lossless: Whether a WebP file is.
        profile: ICC profile of the colors that are written; b"" for sRGB.
        kept: What Pillow is to write again: "exif", "dpi", "comment", "extra", "compression".
        xmp: The XMP packet, b"" where there is none.
        notes: What there is to say of it, a sentence each.
    """

    luminance: np.ndarray
    alpha: np.ndarray | None
    kind: str
    tint: np.ndarray
    orientation: int
    format: str
    lossless: bool
    profile: bytes
    kept: dict[str, Any]
    xmp: bytes
    notes: list[str] = field(default_factory=list)

    def upright(self, pixels: np.ndarray) -> np.ndarray:
        """A view of pixels as stored, `(height, width, ...)`, that is upright."""
        return UPRIGHT[self.orientation](pixels) if self.orientation in UPRIGHT else pixels


def read(content: bytes, most_megapixels: float = MOST_MEGAPIXELS) -> Photograph:
    """Read a photograph: every format and mode that Pillow knows, of 1, 8 or 16 bits.

    Gray pictures with an ICC profile of their own, and CMYK, are converted to sRGB; all others keep
    their values, and their profile.

    Args:
        content: Of the file.
        most_megapixels: More are refused.

    Raises:
        ValueError: It is broken, too large, no image, or its values have no known range.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damaged metadata.
        try:
            with Image.open(BytesIO(content)) as image:
                return _read(image, content, most_megapixels)
        except UnidentifiedImageError as error:
            raise ValueError(NO_IMAGE) from error
        except MemoryError:
            raise
        except Exception as error:  # Broken files make Pillow's decoders raise nearly anything.
            raise ValueError(first_line(error)) from error


def _read(image: Image.Image, content: bytes, most_megapixels: float) -> Photograph:
    width, height = image.size
    if width * height > most_megapixels * 1e6:
        raise ValueError(
            f"{width}×{height} pixels are {width * height / 1e6:.0f} megapixels; "
            f"--most-megapixels allows more than {most_megapixels:g}"
        )
    notes = []
    if (frames := getattr(image, "n_frames", 1)) > 1 and image.format != "MPO":
        notes.append(f"the first of its {frames} pictures")
    format = {"MPO": "JPEG"}.get(image.format or "", image.format or "")
    kept, xmp = _kept(image, format)
    orientation = image.getexif().get(ORIENTATION, 1)
    found = image.info.get("icc_profile") or b""
    depth = _depth(image)
    if depth == 16:
        pixels, alpha = _read_16bit(image, content)
    else:
        image.load()
        pixels, alpha, found = _read_8bit(image, found)
    luminance, kind, tint = _without_color(pixels)
    try:
        profile, curve = profiles.split(found)
        if curve and pixels.ndim == 2:
            luminance = profiles.gray_to_srgb(luminance, curve)
            notes.append("its gray profile became sRGB")
    except (OSError, ValueError, struct.error, ImageCms.PyCMSError):
        profile = b""
        notes.append("its ICC profile is broken: taken for sRGB")
    return Photograph(
        luminance=luminance,
        alpha=alpha,
        kind=kind,
        tint=tint,
        orientation=orientation,
        format=format if format in SUFFIXES else "PNG",
        lossless=format == "WEBP" and b"VP8L" in content[:64],
        profile=profile,
        kept=kept,
        xmp=xmp,
        notes=notes,
    )


def _depth(image: Image.Image) -> int:
    """Bits of a value: 8 (or 1), or 16.

    Raises:
        ValueError: They are integers of 32 bits, or floats, whose range nobody knows.
    """
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no known range; save it with 8 or 16 bits")
    tile = getattr(image, "tile", [])
    raw = str(tile[0][3]) if tile else ""
    return 16 if image.mode.startswith("I;16") or ";16" in raw else 8


def _read_8bit(image: Image.Image, profile: bytes) -> tuple[np.ndarray, np.ndarray | None, bytes]:
    """Gray `(height, width)` or RGB `(height, width, 3)` uint8, alpha, and the profile that holds."""
    if image.mode in ("CMYK", "LAB"):
        return np.asarray(profiles.to_srgb(image, profile)), None, b""
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
    gray = image.mode in ("1", "L")
    return np.asarray(image.convert("L" if gray else "RGB")), alpha, profile


def _read_16bit(image: Image.Image, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray or RGB uint16, and alpha; Pillow would cut colors off to 8 bits."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16), None
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[:2] != image.size[::-1]:
        image.load()  # Says what is wrong with it, if it can.
        raise ValueError("its 16-bit pixels cannot be decoded")
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    return pixels[..., 2::-1], alpha


def _without_color(pixels: np.ndarray) -> tuple[np.ndarray, str, np.ndarray]:
    """The luminance of gray or RGB pixels, what kind of photograph it is, and its tint."""
    if pixels.ndim == 2:
        return pixels, "gray", np.zeros((2, 1, 1), np.float32)
    if pixels.dtype == np.uint8:
        luminance = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    else:
        luminance = np.empty(pixels.shape[:2], pixels.dtype)
        for first in range(0, len(pixels), 64):
            strip = slice(first, first + 64)
            luminance[strip] = np.rint(luma(pixels[strip]))
    small = resize(pixels, TINT).astype(np.float32) / np.iinfo(pixels.dtype).max
    square = resize((small * 255).round().astype(np.uint8), LOOK)
    chroma, spread = chroma_and_spread(square)
    if chroma < LEAST_CHROMA:
        return luminance, "gray", np.zeros((2, 1, 1), np.float32)
    return luminance, "toned" if spread < LEAST_CHROMA else "color", differences(small)


def _kept(image: Image.Image, format: str) -> tuple[dict[str, Any], bytes]:
    """What Pillow is to write again, see `Photograph.kept`, and the XMP packet."""
    info = image.info
    kept: dict[str, Any] = {}
    if format == "TIFF":
        kept["exif"] = image.getexif()
        kept["compression"] = info.get("compression")
    elif info.get("exif"):
        kept["exif"] = without_thumbnail(info["exif"])
    if info.get("dpi") and min(info["dpi"]) > 0:
        kept["dpi"] = tuple(float(each) for each in info["dpi"])
    if isinstance(info.get("comment"), bytes):
        kept["comment"] = info["comment"]
    # IPTC's older records, which Pillow does not write by itself.
    records = [data for name, data in getattr(image, "applist", []) if name == "APP13"]
    kept["extra"] = b"".join(b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data for data in records)
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    return kept, xmp.encode() if isinstance(xmp, str) else bytes(xmp)


def without_thumbnail(exif: bytes) -> bytes:
    """EXIF data whose second directory, the gray thumbnail, is no longer pointed to; all else stays."""
    start = 6 if exif.startswith(b"Exif\0\0") else 0
    order = {b"II": "little", b"MM": "big"}.get(exif[start : start + 2])
    if order is None:
        return exif
    first = start + int.from_bytes(exif[start + 4 : start + 8], order)  # type: ignore[arg-type]
    count = int.from_bytes(exif[first : first + 2], order)  # type: ignore[arg-type]
    pointer = first + 2 + 12 * count
    if pointer + 4 > len(exif):
        return exif
    return exif[:pointer] + bytes(4) + exif[pointer + 4 :]
