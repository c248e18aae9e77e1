"""Photographs of any kind as a luminance at full resolution, with what is to be kept of the file."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from deepcolor.colorize import icc, tiff
from deepcolor.colorize.chroma import differences
from deepcolor.colorize.decode import depth, read_8bit, read_16bit, read_jpeg, without_color
from deepcolor.imaging import bounds
from deepcolor.imaging.decoding import ORIENTATION, UPRIGHT, resize
from deepcolor.imaging.tone import chroma_and_spread

# Photographs of more pixels are refused before they are decoded: a small file can hold a huge one.
MAX_MEGAPIXELS = bounds.MAX_MEGAPIXELS
# Mean chroma (8-bit Cb and Cr) below which a photograph is gray, or has one tone alone; see `tone`.
MIN_CHROMA = 1.5
RESOLUTION_UNIT = 296  # TIFF tag: 2 for inches, 3 for centimeters.
LOOK = 128  # Side of the square that is looked at for color, in pixels.

# EXIF orientations whose turn another one undoes; mirroring undoes itself.
BACK = {6: 8, 8: 6}

# Formats that are read; an MPO file begins as a JPEG file.
TAKEN = {*bounds.FORMATS, "MPO"}

# Formats that are written as they were read; of any other, a PNG file is made.
FORMATS = {"JPEG", "PNG", "TIFF", "WEBP"}


@dataclass
class Photograph:
    """A photograph that is to be colorized.

    Attributes:
        luminance: `(height, width)` uint8 or uint16: the Rec. 601 luma, as stored, not turned upright.
        alpha: Likewise, where the file has transparency.
        kind: "gray", "toned" (shades of one tone, such as sepia) or "color".
        tint: The colors of a toned or colored one, a small square, `(2, side, side)` of
            `chroma.differences`, as stored.
        orientation: EXIF orientation, 1 to 8.
        source_format: Format of the file, as Pillow calls it.
        format: What it is written as, one of FORMATS.
        lossless: Whether a WebP file is.
        profile: ICC profile of the colors that are written; b"" for sRGB.
        kept: What is to be written again: "exif", "dpi", "comment", "extra"; "compression" of a TIFF
            file, "gamma" of a PNG file, and "quantization" of a JPEG file's luminance.
        xmp: The XMP packet, b"" where there is none.
        notes: What there is to say of it, a sentence each.
    """

    luminance: np.ndarray
    alpha: np.ndarray | None
    kind: str
    tint: np.ndarray
    orientation: int
    source_format: str
    format: str
    lossless: bool
    profile: bytes
    kept: dict[str, Any]
    xmp: bytes
    notes: list[str] = field(default_factory=list)

    def upright(self, pixels: np.ndarray) -> np.ndarray:
        """A view of pixels as stored, `(height, width, ...)`, that is upright."""
        return UPRIGHT[self.orientation](pixels) if self.orientation in UPRIGHT else pixels


def read(content: bytes, most_megapixels: float = MAX_MEGAPIXELS) -> Photograph:
    """Read a photograph: every mode that Pillow knows, of 1, 8 or 16 bits, in the formats of TAKEN.

    Gray pictures with an ICC profile of their own, CMYK, and colors whose profile leads one way only
    are converted to sRGB; all others keep their values, and their profile.

    Args:
        content: Of the file.
        most_megapixels: More are refused.

    Raises:
        ValueError: It is broken, too large, no image, or its values have no known range.
    """
    remedy = "--most-megapixels allows more than"
    with bounds.opened(content, most_megapixels, remedy) as image:
        return _read(image, content)


def _read(image: Image.Image, content: bytes) -> Photograph:
    notes = []
    if (frames := _frames(image, content)) > 1:
        notes.append(f"the first of its {frames} pictures")
    format = {"MPO": "JPEG"}.get(image.format or "", image.format or "")
    bits = depth(image)  # First: to look for EXIF data can load a PNG file.
    kept, xmp = _kept(image, format)
    orientation = image.getexif().get(ORIENTATION)
    orientation = orientation if orientation in UPRIGHT else 1
    found = image.info.get("icc_profile") or b""
    if len(found) > icc.MAX_BYTES:
        found = b""
        notes.append(f"its ICC profile is larger than {icc.MAX_BYTES / 1e6:.0f} MB: taken for sRGB")
    try:
        profile, curve = icc.split(found)
    except (OSError, ImageCms.PyCMSError):
        profile = curve = b""
        notes.append("its ICC profile is broken: taken for sRGB")
    one_way = bool(profile) and not icc.leads_back(profile)
    alpha = None
    if bits == 16:
        pixels, alpha = read_16bit(image, content)
        luminance, small = without_color(pixels)
    elif image.mode in ("CMYK", "LAB") or (one_way and image.mode == "RGB"):
        luminance, small = without_color(np.asarray(icc.to_srgb(image, found)))
        profile = b""
        notes.append("its colors became sRGB")
    elif format == "JPEG" and image.mode in ("L", "RGB"):
        luminance, small = read_jpeg(content, image)
    else:
        pixels, alpha = read_8bit(image)
        luminance, small = without_color(pixels)
    if format == "TIFF" and orientation in UPRIGHT:  # Pillow and OpenCV turn these upright.
        turn_back = UPRIGHT[BACK.get(orientation) or orientation]
        luminance = np.ascontiguousarray(turn_back(luminance))
        alpha = None if alpha is None else turn_back(alpha)
        small = None if small is None else turn_back(small)
    kind, tint = _color_of(small)
    if profile and one_way:
        profile = b""
        notes.append("its ICC profile is for reading alone: taken for sRGB")
    if curve:
        try:
            if small is not None:
                raise ValueError("a gray profile in a file with colors")
            luminance = icc.gray_to_srgb(luminance, curve)
            notes.append("its gray profile became sRGB")
        except (ValueError, IndexError, struct.error):
            notes.append("its ICC profile is broken: taken for sRGB")
    return Photograph(
        luminance=luminance,
        alpha=alpha,
        kind=kind,
        tint=tint,
        orientation=orientation,
        source_format=format,
        format=format if format in FORMATS else "PNG",
        lossless=format == "WEBP" and _is_lossless_webp(content),
        profile=profile,
        kept=kept,
        xmp=xmp,
        notes=notes,
    )


def _frames(image: Image.Image, content: bytes) -> int:
    """How many pictures a file has; those of a camera's preview do not count."""
    if image.format == "MPO":
        return 1
    if image.format == "TIFF":  # Pillow would parse them all.
        return bounds.count_directories(content)
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # The first one may be whole, and that is the one that counts.
        return 1


def _is_lossless_webp(content: bytes) -> bool:
    """Whether a WebP file's pixels are in a VP8L chunk (RFC 9649)."""
    place = 12
    while place + 8 <= len(content) and content[place : place + 4] not in (b"VP8L", b"VP8 "):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    return content[place : place + 4] == b"VP8L"


def _color_of(small: np.ndarray | None) -> tuple[str, np.ndarray]:
    """The kind of a photograph, and its tint, by its colors as a square; see `Photograph`."""
    if small is not None:
        chroma, spread = chroma_and_spread(resize(small, LOOK))
        if chroma >= MIN_CHROMA:
            tint = differences(small.astype(np.float32) / 255)
            return "toned" if spread < MIN_CHROMA else "color", tint
    return "gray", np.zeros((2, 1, 1), np.float32)


def _kept(image: Image.Image, format: str) -> tuple[dict[str, Any], bytes]:
    """What Pillow is to write again, see `Photograph.kept`, and the XMP packet."""
    info = image.info
    kept: dict[str, Any] = {}
    if format == "TIFF":
        kept["exif"] = tiff.kept_tags(image.getexif())
        kept["compression"] = info.get("compression")
    elif info.get("exif"):
        kept["exif"] = without_thumbnail(info["exif"])
    # Of TIFF files without a resolution Pillow says that it is 1.
    stated = format != "TIFF" or getattr(image, "tag_v2", {}).get(RESOLUTION_UNIT) in (2, 3)
    dpi = tuple(float(each) for each in info.get("dpi", ()))
    if stated and len(dpi) == 2 and all(0 < each < 1e6 for each in dpi):
        kept["dpi"] = dpi
    if format == "PNG" and info.get("gamma"):
        kept["gamma"] = info["gamma"]
    if format == "JPEG" and image.mode in ("L", "RGB"):
        kept["quantization"] = getattr(image, "quantization", {}).get(0)
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
