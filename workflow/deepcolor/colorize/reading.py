"""Photographs of any kind as a luminance at full resolution, with what is to be kept of the file."""

import struct
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import simplejpeg
import tifffile
from PIL import Image, ImageCms, UnidentifiedImageError

from deepcolor.colorize import profiles, tiff
from deepcolor.colorize.chroma import differences, luma
from deepcolor.decoding import NO_IMAGE, ORIENTATION, UPRIGHT, resize
from deepcolor.errors import first_line
from deepcolor.tone import chroma_and_spread

# Photographs of more pixels are refused before they are decoded: a small file can hold a huge one.
MOST_MEGAPIXELS = 250
# Mean chroma (8-bit Cb and Cr) below which a photograph is gray, or has one tone alone; see `tone`.
LEAST_CHROMA = 1.5
# TIFF tags: bits of each channel; 0 for white as 0; 2 for planes; 2 for inches and 3 for
# centimeters; 1 for colors that are multiplied with alpha.
BITS, PHOTOMETRIC, PLANES, RESOLUTION_UNIT, EXTRA = 258, 262, 284, 296, 338
STRIP = 64  # Rows of 16-bit colors that become floats at a time.
LOOK = 128  # Side of the square that is looked at for color, in pixels.
TINT = 256  # Side of the square that holds a tint, in pixels.

# EXIF orientations whose turn another one undoes; mirroring undoes itself.
BACK = {6: 8, 8: 6}

# Formats of Pillow's that are taken. Of what else it knows, some start other programs, such as EPS.
TAKEN = {
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI", "TGA", "TIFF"),
    "WEBP",
}

# Formats that are written as they were read; of any other, a PNG file is made.
FORMATS = {"JPEG", "PNG", "TIFF", "WEBP"}

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # What goes wrong is said by an error.

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


def read(content: bytes, most_megapixels: float = MOST_MEGAPIXELS) -> Photograph:
    """Read a photograph: every mode that Pillow knows, of 1, 8 or 16 bits, in the formats of TAKEN.

    Gray pictures with an ICC profile of their own, CMYK, and colors whose profile leads one way only
    are converted to sRGB; all others keep their values, and their profile.

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
                if image.format not in TAKEN:
                    raise UnidentifiedImageError
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
            f"{width}×{height} pixels are {width * height / 1e6:.3g} megapixels; "
            f"--most-megapixels allows more than {most_megapixels:g}"
        )
    notes = []
    if (frames := _frames(image)) > 1:
        notes.append(f"the first of its {frames} pictures")
    format = {"MPO": "JPEG"}.get(image.format or "", image.format or "")
    depth = _depth(image)  # First: to look for EXIF data can load a PNG file.
    kept, xmp = _kept(image, format)
    orientation = image.getexif().get(ORIENTATION)
    orientation = orientation if orientation in UPRIGHT else 1
    found = image.info.get("icc_profile") or b""
    try:
        profile, curve = profiles.split(found)
    except (OSError, ImageCms.PyCMSError):
        profile = curve = b""
        notes.append("its ICC profile is broken: taken for sRGB")
    one_way = bool(profile) and not profiles.leads_back(profile)
    alpha = None
    if depth == 16:
        pixels, alpha = _read_16bit(image, content)
        luminance, small = _without_color(pixels)
    elif image.mode in ("CMYK", "LAB") or (one_way and image.mode == "RGB"):
        luminance, small = _without_color(np.asarray(profiles.to_srgb(image, found)))
        profile = b""
        notes.append("its colors became sRGB")
    elif format == "JPEG" and image.mode in ("L", "RGB"):
        luminance, small = _read_jpeg(content, image)
    else:
        pixels, alpha = _read_8bit(image)
        luminance, small = _without_color(pixels)
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
            luminance = profiles.gray_to_srgb(luminance, curve)
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


def _frames(image: Image.Image) -> int:
    """How many pictures a file has; those of a camera's preview do not count."""
    if image.format == "MPO":
        return 1
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


def _depth(image: Image.Image) -> int:
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


def _read_8bit(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
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


def _read_16bit(image: Image.Image, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
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


def _read_jpeg(content: bytes, image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """The luminance of a JPEG file, which it holds as it is, and its colors, decoded at a fraction.

    See `_without_color`.
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
        return _without_color(_read_8bit(image)[0])
    return luminance, resize(pixels, TINT)


def _without_color(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
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


def _color_of(small: np.ndarray | None) -> tuple[str, np.ndarray]:
    """The kind of a photograph, and its tint, by its colors as a square; see `Photograph`."""
    if small is not None:
        chroma, spread = chroma_and_spread(resize(small, LOOK))
        if chroma >= LEAST_CHROMA:
            tint = differences(small.astype(np.float32) / 255)
            return "toned" if spread < LEAST_CHROMA else "color", tint
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
