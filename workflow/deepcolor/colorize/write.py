"""Colorized pictures as files: in the photograph's format, depth and with its metadata."""

import io
import struct
from functools import cache
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from deepcolor.colorize import tiff
from deepcolor.colorize.read import Photograph

QUALITY = 95  # Of JPEG and lossy WebP.


def write(file: BinaryIO, pixels: np.ndarray, photograph: Photograph, xmp: bytes, quality: int) -> None:
    """Write a colorized picture.

    Args:
        file: Open for writing and reading, empty.
        pixels: `(height, width, 3)` RGB, or 4 with alpha, uint8 or uint16, as stored.
        photograph: What is kept of it: format, profile, EXIF, resolution.
        xmp: Packet.
        quality: Of JPEG and lossy WebP, 1 to 100; 0 quantizes a JPEG file's luminance as it was, so that
            next to nothing more of it is lost, and is QUALITY for all else.
    """
    format = photograph.format
    if format == "TIFF":
        profile, compressed = photograph.profile, _is_compressed(photograph.kept)
        tiff.write(file, pixels, photograph.kept, profile, xmp, compressed)
        return
    if pixels.dtype == np.uint16:
        _write_16bit_png(file, pixels, photograph, xmp)
        return
    options: dict[str, Any] = {"icc_profile": photograph.profile or None, "xmp": xmp}
    kept = photograph.kept
    options |= {key: kept[key] for key in ("exif", "dpi") if kept.get(key)}
    if format == "JPEG":
        options |= {"subsampling": 0, "extra": kept.get("extra", b"")}
        own = kept.get("quantization") if not quality else None
        options |= {"qtables": [own, _color_table()]} if own else {"quality": quality or QUALITY}
        options |= {"comment": kept["comment"]} if "comment" in kept else {}
    elif format == "WEBP":
        options |= {"quality": quality or QUALITY, "lossless": photograph.lossless, "exact": True}
    elif format == "PNG":
        options = _png_options(photograph, xmp)
    Image.fromarray(pixels).save(file, format, **options)


@cache
def _color_table() -> list[int]:
    """The quantization of color in JPEG files of QUALITY."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "JPEG", quality=QUALITY)
    with Image.open(file) as image:
        return list(getattr(image, "quantization")[1])  # noqa: B009 (of JPEG files alone)


def _png_options(photograph: Photograph, xmp: bytes) -> dict[str, Any]:
    """What Pillow writes into a PNG file beside pixels."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    kept = photograph.kept
    if "gamma" in kept:
        text.add(b"gAMA", struct.pack(">I", round(kept["gamma"] * 100_000)))
    exif = kept.get("exif")
    options = {"pnginfo": text, "icc_profile": photograph.profile or None, "dpi": kept.get("dpi")}
    return {key: value for key, value in {**options, "exif": exif}.items() if value is not None}


def _write_16bit_png(file: BinaryIO, pixels: np.ndarray, photograph: Photograph, xmp: bytes) -> None:
    """OpenCV writes the pixels, Pillow the chunks of metadata."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    done, encoded = cv2.imencode(".png", pixels[..., order])
    if not done:
        raise OSError("OpenCV cannot write a PNG file of 16 bits")
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG", **_png_options(photograph, xmp))
    after_header = 8 + 25  # The signature, and IHDR.
    content = small.getvalue()
    end = after_header
    while content[end + 4 : end + 8] != b"IDAT":
        end += 12 + int.from_bytes(content[end : end + 4], "big")
    metadata = content[after_header:end]
    file.write(encoded[:after_header].tobytes())
    file.write(metadata)
    file.write(encoded[after_header:].tobytes())


def _is_compressed(kept: dict[str, Any]) -> bool:
    """Whether a TIFF file is to be compressed, without loss: where the photograph was in any way."""
    return kept.get("compression") not in (None, "raw")
