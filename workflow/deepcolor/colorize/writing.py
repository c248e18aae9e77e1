"""Colorized pictures as files: in the photograph's format, depth and with its metadata."""

import io
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin

from deepcolor.colorize.reading import Photograph

# Tags of TIFF 6.0 and EXIF: directories of their own (EXIF, GPS), and what has options of its own.
DIRECTORIES = (0x8769, 0x8825)
XMP, ICC = 700, 34675
# Tags that say how pixels are stored, and so hold for one file only; and what is written anew.
OF_PIXELS = {
    254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 282, 283, 284, 292, 293, 296, 317, 318,
    320, 322, 323, 324, 325, 330, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530,
    531, 532, XMP, ICC,
}  # fmt: skip


def write(file: BinaryIO, pixels: np.ndarray, photograph: Photograph, xmp: bytes, quality: int) -> None:
    """Write a colorized picture.

    Args:
        file: Open for writing and reading, empty.
        pixels: `(height, width, 3)` RGB, or 4 with alpha, uint8 or uint16, as stored.
        photograph: What is kept of it: format, profile, EXIF, resolution.
        xmp: Packet.
        quality: Of JPEG and lossy WebP, 1 to 100.
    """
    format = photograph.format
    if pixels.dtype == np.uint16:
        {"PNG": _write_16bit_png, "TIFF": _write_16bit_tiff}[format](file, pixels, photograph, xmp)
        return
    options: dict[str, Any] = {"icc_profile": photograph.profile or None, "xmp": xmp}
    kept = photograph.kept
    options |= {key: kept[key] for key in ("exif", "dpi") if kept.get(key)}
    if format == "JPEG":
        options |= {"quality": quality, "subsampling": 0, "extra": kept.get("extra", b"")}
        options |= {"comment": kept["comment"]} if "comment" in kept else {}
    elif format == "WEBP":
        options |= {"quality": quality, "lossless": photograph.lossless, "exact": True}
    elif format == "TIFF":
        options |= {"exif": _tiff_tags(kept["exif"]), "compression": _compression(kept)}
    elif format == "PNG":
        options = _png_options(photograph, xmp)
    Image.fromarray(pixels).save(file, format, **options)


def _png_options(photograph: Photograph, xmp: bytes) -> dict[str, Any]:
    """What Pillow writes into a PNG file beside pixels."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    kept = photograph.kept
    exif = kept.get("exif")
    options = {"pnginfo": text, "icc_profile": photograph.profile or None, "dpi": kept.get("dpi")}
    return {key: value for key, value in {**options, "exif": exif}.items() if value is not None}


def _write_16bit_png(file: BinaryIO, pixels: np.ndarray, photograph: Photograph, xmp: bytes) -> None:
    """OpenCV writes the pixels, Pillow the chunks of metadata."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    done, encoded = cv2.imencode(".png", pixels[..., order])
    assert done
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG", **_png_options(photograph, xmp))
    after_header = 8 + 25  # The signature, and IHDR.
    content = small.getvalue()
    metadata = content[after_header : content.index(b"IDAT") - 4]
    file.write(encoded[:after_header].tobytes())
    file.write(metadata)
    file.write(encoded[after_header:].tobytes())


def _write_16bit_tiff(file: BinaryIO, pixels: np.ndarray, photograph: Photograph, xmp: bytes) -> None:
    """Write pixels and tags by tifffile; the EXIF directories are put behind them."""
    kept = photograph.kept
    exif = kept["exif"]
    directories = {tag: found for tag in DIRECTORIES if (found := exif.get_ifd(tag))}
    tifffile.imwrite(
        file,
        pixels,
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib" if _compression(kept) else None,
        predictor=bool(_compression(kept)),
        iccprofile=photograph.profile or None,
        resolution=kept.get("dpi"),
        resolutionunit="INCH" if kept.get("dpi") else None,
        metadata=None,
        software=False,
        extratags=[
            *_simple_tags(exif),
            *((tag, "I", 1, 0, True) for tag in directories),
            (XMP, "B", len(xmp), xmp, True),
        ],
    )
    for tag, found in directories.items():
        file.seek(0, io.SEEK_END)
        file.write(bytes(file.tell() % 2))
        place = file.tell()
        entries = TiffImagePlugin.ImageFileDirectory_v2()
        entries.update(found)
        file.write(entries.tobytes(place))
        file.seek(0)
        with tifffile.TiffFile(file) as written:
            written.pages.first.tags[tag].overwrite(place)


def _simple_tags(exif: Image.Exif) -> list[tuple[int, str, int, Any, bool]]:
    """The texts and numbers among the tags that are kept, as tifffile takes them."""
    tags: list[tuple[int, str, int, Any, bool]] = []
    for tag, value in _tags(exif).items():
        if isinstance(value, str):
            tags.append((tag, "s", 0, value.encode(), True))
        elif isinstance(value, bytes):
            tags.append((tag, "B", len(value), value, True))
        elif isinstance(value, int):
            tags.append((tag, "H" if value < 2**16 else "I", 1, value, True))
    return tags


def _tags(exif: Image.Exif) -> dict[int, Any]:
    """The tags of a TIFF file that hold for another, too, without directories."""
    return {tag: value for tag, value in exif.items() if tag not in {*OF_PIXELS, *DIRECTORIES}}


def _compression(kept: dict[str, Any]) -> str | None:
    """A lossless compression, where the photograph had any."""
    return None if kept.get("compression") in (None, "raw") else "tiff_adobe_deflate"


def _tiff_tags(exif: Image.Exif) -> Image.Exif:
    """The tags of a TIFF file that hold for another, too, with the directories of EXIF and GPS."""
    tags = Image.Exif()
    for tag, value in _tags(exif).items():
        tags[tag] = value
    for tag in DIRECTORIES:
        if entries := exif.get_ifd(tag):
            tags.get_ifd(tag).update(entries)
            tags[tag] = tags.get_ifd(tag)
    return tags
