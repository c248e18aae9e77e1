"""Photographs of every kind that `deepcolor colorize` is to read, made from numbers alone."""

import io
import struct
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms

WIDTH, HEIGHT = 60, 45


def gray(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A smooth picture with black and white in it, `(height, width)` uint8."""
    values = np.random.default_rng(0).integers(-60, 316, (5, 7)).astype(np.float32)
    smooth = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def colored() -> np.ndarray:
    """A colorful one, `(HEIGHT, WIDTH, 3)` uint8."""
    values = gray()
    return np.stack([values, np.roll(values, 9, 0), 255 - values], -1)


def sepia() -> np.ndarray:
    """A print in shades of one tone, `(HEIGHT, WIDTH, 3)` uint8."""
    scale = gray()[..., None] / 255
    return np.rint(255 * scale ** np.array([0.8, 1.0, 1.3])).astype(np.uint8)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """A picture as a file, without loss where the format can."""
    content = io.BytesIO()
    lossless = {"lossless": True, "exact": True} if format == "WEBP" else {}
    image.save(content, format, **{**lossless, **options})
    return content.getvalue()


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    """Pixels as a TIFF file by tifffile."""
    content = io.BytesIO()
    tifffile.imwrite(content, pixels, **options)
    return content.getvalue()


def in_16_bits(pixels: np.ndarray) -> np.ndarray:
    """Pixels with 16 bits, of which the lower ones count, too."""
    noise = np.random.default_rng(1).integers(-100, 101, pixels.shape)
    return np.clip(pixels.astype(np.int32) * 257 + noise, 0, 65535).astype(np.uint16)


def gray_profile(curve: bytes) -> bytes:
    """An ICC profile of a gray device with a tone curve (tag kTRC), as small as one can be."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"gray\0" + bytes(78)
    tags, data, place = b"", b"", 128 + 4 + 3 * 12
    for tag, content in ((b"desc", name), (b"wtpt", white), (b"kTRC", curve)):
        padded = content + bytes(-len(content) % 4)
        tags += tag + struct.pack(">II", place + len(data), len(content))
        data += padded
    size = place + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"scnr", b"GRAY", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 3) + tags + data


def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def xmp(title: str) -> str:
    """An XMP packet with a title."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="{title}"/></rdf:RDF></x:xmpmeta>'
    )


def exif(orientation: int = 1) -> Image.Exif:
    """EXIF data: maker, orientation, time, place."""
    found = Image.Exif()
    found[0x010F] = "Maker"
    found[0x0112] = orientation
    found.get_ifd(0x8769)[0x9003] = "1931:05:01 12:00:00"
    found[0x8769] = found.get_ifd(0x8769)
    found.get_ifd(0x8825)[1] = "N"
    found[0x8825] = found.get_ifd(0x8825)
    return found


def kinds() -> dict[str, bytes]:
    """Files of every kind, by what they are."""
    shades, colors = Image.fromarray(gray()), Image.fromarray(colored())
    found = {}
    for format in ("JPEG", "PNG", "TIFF", "WEBP"):
        found[f"gray, {format}"] = encoded(shades, format)
        found[f"color, {format}"] = encoded(colors, format)
        found[f"sepia, {format}"] = encoded(Image.fromarray(sepia()), format)
    transparent = colors.copy()
    transparent.putalpha(shades)
    gray_alpha = shades.convert("LA")
    gray_alpha.putalpha(shades.rotate(180))
    for format in ("PNG", "TIFF"):
        found[f"1 bit, {format}"] = encoded(shades.convert("1"), format)
        found[f"palette, {format}"] = encoded(colors.quantize(64), format)
        found[f"gray with alpha, {format}"] = encoded(gray_alpha, format)
        found[f"color with alpha, {format}"] = encoded(transparent, format)
    found["color with alpha, WEBP"] = encoded(transparent, "WEBP")
    found["fax, TIFF"] = encoded(shades.convert("1"), "TIFF", compression="group4")
    found["palette with a transparent color, PNG"] = encoded(colors.quantize(64), "PNG", transparency=3)
    found["palette, GIF"] = encoded(colors.quantize(64), "GIF")
    found["color, BMP"] = encoded(colors, "BMP")
    found["CMYK, JPEG"] = encoded(colors.convert("CMYK"), "JPEG")
    found["CMYK, TIFF"] = encoded(colors.convert("CMYK"), "TIFF")
    found["YCbCr, TIFF"] = encoded(colors.convert("YCbCr"), "TIFF")
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(colors, *spaces, outputMode="LAB")
    assert lab is not None
    found["CIELAB, TIFF"] = encoded(lab, "TIFF")
    shades16, colors16 = in_16_bits(gray()), in_16_bits(colored())
    alpha16 = np.dstack([colors16, shades16])
    for suffix in (".png", ".tiff"):
        format = {".png": "PNG", ".tiff": "TIFF"}[suffix]
        found[f"16 bits gray, {format}"] = cv2.imencode(suffix, shades16)[1].tobytes()
        found[f"16 bits color, {format}"] = cv2.imencode(suffix, colors16[..., ::-1])[1].tobytes()
    found["16 bits with alpha, PNG"] = cv2.imencode(".png", alpha16[..., [2, 1, 0, 3]])[1].tobytes()
    found["16 bits with alpha, TIFF"] = tiff(alpha16, photometric="rgb", extrasamples=["unassalpha"])
    planes = np.ascontiguousarray(np.moveaxis(colors16, -1, 0))
    found["16 bits in planes, TIFF"] = tiff(planes, photometric="rgb", planarconfig="separate")
    found["16 bits, white is 0, TIFF"] = tiff(shades16, photometric="miniswhite")
    found["1×1, PNG"] = encoded(shades.resize((1, 1)), "PNG")
    found["1×1, JPEG"] = encoded(colors.resize((1, 1)), "JPEG")
    found["a line, PNG"] = encoded(shades.resize((1, 300)), "PNG")
    found["a strip, JPEG"] = encoded(colors.resize((400, 2)), "JPEG")
    return found
