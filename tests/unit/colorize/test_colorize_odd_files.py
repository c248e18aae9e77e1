"""Files that are unusual, but not broken: they are read, and what they say is kept."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from deepcolor.colorize.read import read
from PIL import Image, ImageCms, PngImagePlugin
from support import sample_photographs as photos
from unit.colorize.test_colorizer import done, opened


def png_chunk(content: bytes, name: bytes, data: bytes) -> bytes:
    """A PNG file with one more chunk behind its header."""
    return content[:33] + _chunk(name, data) + content[33:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gray_file(**options: Any) -> bytes:
    return photos.encoded(Image.fromarray(photos.gray()), "PNG", **options)


def test_metadata_that_look_like_pixels() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", photos.xmp("the IDAT of it"))
    shades = Image.fromarray(photos.in_16_bits(photos.gray()))
    _, written = done(photos.encoded(shades, "PNG", pnginfo=info))
    opened(written).load()
    assert b"the IDAT of it" in written and read(written).luminance.dtype == np.uint16


def test_an_orientation_that_is_none() -> None:
    as_text = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0\0\0\0\0"
    as_nine = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0"
    for exif in (as_text, as_nine):
        assert read(gray_file(exif=b"Exif\0\0" + exif)).orientation == 1


def test_a_resolution_that_is_none() -> None:
    content = photos.tiff(
        photos.gray(), resolution=(72, 93), resolutionunit="INCH", photometric="minisblack"
    )
    assert content.count(struct.pack("<II", 93, 1)) == 1
    content = content.replace(struct.pack("<II", 93, 1), struct.pack("<II", 93, 0))
    photograph = read(content)
    assert "dpi" not in photograph.kept
    done(content)


def test_a_second_picture_that_is_not_there() -> None:
    content = bytearray(photos.tiff(photos.gray(), photometric="minisblack"))
    start = int.from_bytes(content[4:8], "little")
    pointer = start + 2 + 12 * int.from_bytes(content[start : start + 2], "little")
    content[pointer : pointer + 4] = (len(content) - 40).to_bytes(4, "little")
    colorized, _ = done(bytes(content))
    np.testing.assert_array_equal(colorized.photograph.luminance, photos.gray())


def test_xmp_that_leaves_no_room_for_the_mark() -> None:
    large = photos.xmp("x" * 64_500).encode()
    content = photos.encoded(Image.fromarray(photos.gray()), "JPEG", xmp=large)
    colorized, written = done(content)
    assert colorized.notes == ["its XMP metadata leave no room for the mark and are left out"]
    assert b"DeepColor" in opened(written).info["xmp"]


def test_sixteen_bits_in_a_netpbm_file() -> None:
    shades = photos.in_16_bits(photos.gray())
    height, width = shades.shape
    content = b"P5 %d %d 65535\n" % (width, height) + shades.astype(">u2").tobytes()
    colorized, written = done(content)
    np.testing.assert_array_equal(colorized.photograph.luminance, shades)
    assert opened(written).format == "PNG" and read(written).luminance.dtype == np.uint16


def gray_and_alpha_16(shades: np.ndarray) -> bytes:
    """A PNG file of 16-bit shades, half transparent."""
    both = np.dstack([photos.in_16_bits(shades), np.full(shades.shape, 30000, np.uint16)])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in both)
    header = struct.pack(">IIBBBBB", *shades.shape[::-1], 16, 4, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


@pytest.mark.parametrize("mode", ["L", "LA", "L with a transparent shade"])
@pytest.mark.parametrize("deep", [False, True])
def test_gray_profiles_hold_with_transparency_too(mode: str, deep: bool) -> None:
    profile = photos.gray_profile(b"curv\0\0\0\0\0\0\0\x01" + (256).to_bytes(2, "big"))
    shades = photos.gray()
    pixels = photos.in_16_bits(shades) if deep else shades
    if mode == "LA":
        image = Image.fromarray(shades).convert("LA")
        content = gray_and_alpha_16(shades) if deep else photos.encoded(image, "PNG")
    else:
        content = photos.encoded(Image.fromarray(pixels), "PNG")
    if mode.startswith("L w"):
        content = png_chunk(content, b"tRNS", int(pixels[0, 0]).to_bytes(2, "big"))
    photograph = read(png_chunk(content, b"iCCP", b"gray\0\0" + zlib.compress(profile)))
    assert photograph.notes == ["its gray profile became sRGB"] and photograph.kind == "gray"
    assert photograph.luminance.dtype == (np.uint16 if deep else np.uint8)
    # A linear curve: middle tones become much lighter.
    assert np.mean(photograph.luminance) > 1.1 * np.mean(read(content).luminance)
    assert (photograph.alpha is None) == (mode == "L")
    if mode.startswith("L w"):
        assert photograph.alpha is not None
        assert photograph.alpha[0, 0] == 0 and photograph.alpha.max() > 0


def test_colors_multiplied_with_alpha() -> None:
    colors = photos.in_16_bits(photos.colored())
    alpha = np.full(colors.shape[:2], 30000, np.uint16)
    multiplied = (colors * (30000 / 65535)).round().astype(np.uint16)
    content = photos.tiff(np.dstack([multiplied, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    straight = photos.tiff(np.dstack([colors, alpha]), photometric="rgb", extrasamples=["unassalpha"])
    difference = read(content).luminance.astype(int) - read(straight).luminance
    assert np.abs(difference).max() <= 3
    np.testing.assert_array_equal(read(done(content)[1]).alpha, alpha)


def test_the_gamma_of_a_png_file_stays() -> None:
    deep = cv2.imencode(".png", photos.in_16_bits(photos.gray()))[1].tobytes()
    for content in (gray_file(), deep):
        with_gamma = png_chunk(content, b"gAMA", (100_000).to_bytes(4, "big"))
        assert opened(done(with_gamma)[1]).info["gamma"] == pytest.approx(1)


def scanner_profile() -> bytes:
    """A profile that has a table from a scanner's colors to CIELAB, and none back."""
    table = b"mft1\0\0\0\0\x03\x03\x02\0" + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256)) * 3
    corners = [(red, green, blue) for red in (0, 1) for green in (0, 1) for blue in (0, 1)]
    table += ramp + bytes(value for each in corners for value in (85 * sum(each), 128, 128)) + ramp
    tags = [(b"desc", b"desc\0\0\0\0\0\0\0\x05scan\0" + bytes(78)), (b"A2B0", table)]
    head = bytearray(photos.srgb_profile()[:128])
    head[12:24] = b"scnrRGB Lab "
    place, entries, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, value in tags:
        entries += name + struct.pack(">II", place + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head[0:4] = struct.pack(">I", place + len(data))
    return bytes(head) + struct.pack(">I", len(tags)) + entries + data


def test_a_profile_that_leads_one_way() -> None:
    """Colors become sRGB, as they cannot be written in their own space."""
    profile = scanner_profile()
    ImageCms.getOpenProfile(io.BytesIO(profile))
    for format in ("JPEG", "PNG"):
        colors = Image.fromarray(photos.colored())
        colorized, written = done(photos.encoded(colors, format, icc_profile=profile))
        assert "its colors became sRGB" in colorized.notes
        assert "icc_profile" not in opened(written).info
    deep = photos.tiff(
        photos.in_16_bits(photos.colored()),
        photometric="rgb",
        iccprofile=profile,
    )
    assert "its ICC profile is for reading alone: taken for sRGB" in read(deep).notes


def test_tags_of_a_tiff_file() -> None:
    """Texts, rational numbers, and several of them."""
    tags = [
        (33434, "2I", 1, (1, 125), True),  # Exposure.
        (65000, "H", 3, (1, 2, 3), True),
        (315, "s", 0, b"Zoe", True),
    ]
    for pixels in (
        photos.colored(),
        photos.in_16_bits(photos.colored()),
    ):
        _, written = done(photos.tiff(pixels, photometric="rgb", extratags=tags))
        with tifffile.TiffFile(io.BytesIO(written)) as file:
            found = file.pages.first.tags
            assert found[33434].value == (1, 125) and found[65000].value == (1, 2, 3)
            assert found[315].value == "Zoe"
