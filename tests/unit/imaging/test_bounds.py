"""Small files that would cost hours or gigabytes are refused before they are decoded."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deepcolor.colorize import icc, xmp
from deepcolor.colorize.inspection import inspect
from deepcolor.colorize.read import read
from deepcolor.colorize.room import megapixels_of
from deepcolor.imaging import bounds, decoding
from PIL import Image, PngImagePlugin
from support import sample_photographs
from unit.colorize.test_colorize_odd_files import png_chunk


def progressive(scans: int = 0) -> bytes:
    """A progressive JPEG file whose last scan is repeated until there are at least `scans`."""
    file = io.BytesIO()
    Image.fromarray(sample_photographs.gray()).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * (scans - content.count(b"\xff\xda")) + b"\xff\xd9"


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return png_chunk(bytes(33), name, data)[33:]


def png(width: int, height: int) -> bytes:
    """A PNG file of black pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def tiff(entries: dict[int, tuple[int, int, int]], data: bytes = bytes(256)) -> bytes:
    """A TIFF file of 16 x 16 black pixels, with more tags: their types, counts and values."""
    own = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 16, 279: 256}
    tags = {tag: (4, 1, value) for tag, value in own.items()} | entries
    directory = b"".join(struct.pack("<HHII", tag, *value) for tag, value in sorted(tags.items()))
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    return head + struct.pack("<H", len(tags)) + directory + bytes(4)


OVERLAPPING = tiff(dict.fromkeys(range(1000, 1100), (7, 100000, 8)), bytes(100_000))
REFUSED = {
    "scans.jpg": (progressive(bounds.MAX_SCANS + 1), "more than 100 scans"),
    "wide.png": (png(bounds.MAX_SIDE + 1, 1), "longer side"),
    "tall.png": (png(1, bounds.MAX_SIDE + 1), "longer side"),
    "tags.tif": (OVERLAPPING, "claim more bytes than there are"),
    "tiles.tif": (tiff({322: (4, 1, 8192), 323: (4, 1, 8192), 324: (4, 1, 8)}), "tiles"),
    "text.png": (
        png_chunk(png(1, 1), b"zTXt", b"a\0\0" + zlib.compress(bytes(bounds.MAX_CHUNK_BYTES + 1))),
        "larger than 16 MB",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(
    "reader",
    [
        lambda path: read(path.read_bytes()),
        decoding.open_rgb,
        lambda path: decoding.read_square(path, 32),
    ],
    ids=["colorize", "whole", "square"],
)
def test_all_readers_have_the_same_bounds(
    name: str, reader: Callable[[Path], Any], tmp_path: Path
) -> None:
    content, words = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        reader(path)


@pytest.mark.parametrize("name", ["tags.tif", "text.png"])
def test_a_header_is_bounded_too(name: str, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        inspect(tmp_path / name)


def test_what_is_within_bounds_is_read() -> None:
    assert read(png(bounds.MAX_SIDE, 1)).luminance.shape == (1, bounds.MAX_SIDE)
    bounds.check_scans(progressive(bounds.MAX_SCANS), 1)
    bounds.check_scans(progressive(), bounds.MAX_MEGAPIXELS)
    assert read(tiff({})).luminance.shape == (16, 16)


def test_larger_pictures_may_have_fewer_scans() -> None:
    bounds.check_scans(progressive(50), 50)
    with pytest.raises(ValueError, match="more than 50 scans"):
        bounds.check_scans(progressive(51), 50)


def test_scans_of_other_pictures_in_the_file_do_not_count() -> None:
    """Behind the picture a camera puts previews and films, before it a thumbnail."""
    behind = progressive() + progressive() * 20
    thumbnail = progressive() * 20
    segment = b"\xff\xed" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail
    before = progressive()[:2] + segment + progressive()[2:]
    for content in (behind, before):
        assert content.count(b"\xff\xda") > bounds.MAX_SCANS
        np.testing.assert_array_equal(read(content).luminance, read(progressive()).luminance)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_exif_data_have_bounds_wherever_they_are(place: str) -> None:
    content = png(16, 16)
    exif = chunk(b"eXIf", OVERLAPPING)
    middle = 33 if place == "before" else content.index(b"IEND") - 4
    with pytest.raises(ValueError, match="claim more bytes"):
        read(content[:middle] + exif + content[middle:])


def test_directories_of_a_tiff_file_are_counted_without_reading_them() -> None:
    content = tiff({})
    start = int.from_bytes(content[4:8], "little")
    directory = content[start:-4]
    assert bounds.count_directories(content) == 1
    endless = content[:-4] + struct.pack("<I", start)
    assert bounds.count_directories(endless) == 1
    several = content[:-4]
    for _ in range(4):
        several += struct.pack("<I", len(several) + 4) + directory
    assert bounds.count_directories(several + bytes(4)) == 5
    assert read(several + bytes(4)).notes == ["the first of its 5 pictures"]
    many = content[:-4]
    for _ in range(2 * bounds.MAX_DIRECTORIES):
        many += struct.pack("<I", len(many) + 4) + directory
    assert bounds.count_directories(many + bytes(4)) == bounds.MAX_DIRECTORIES


def test_formats_that_start_other_programs_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.eps").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(ValueError, match=bounds.NO_IMAGE):
        decoding.open_rgb(tmp_path / "a.eps")


def test_a_file_of_gigabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    with open(tmp_path / "sparse.tif", "wb") as file:
        file.truncate(bounds.MAX_FILE_MB * 2**20 + 1)
    with pytest.raises(ValueError, match=f"larger than {bounds.MAX_FILE_MB} MB"):
        decoding.open_rgb(tmp_path / "sparse.tif")


def large_profile(size: int, number: int = 0) -> bytes:
    """A valid profile with bytes behind its tags, which nothing refers to."""
    profile = sample_photographs.srgb_profile()
    padding = number.to_bytes(4, "big") + bytes(size - len(profile) - 4)
    return struct.pack(">I", size) + profile[4:] + padding


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_huge_profiles_are_left_out_with_a_note(format: str) -> None:
    colors = Image.fromarray(sample_photographs.colored())
    kept = large_profile(icc.MAX_BYTES)
    assert read(sample_photographs.encoded(colors, format, icc_profile=kept)).profile == kept
    huge = large_profile(icc.MAX_BYTES + 1)
    photograph = read(sample_photographs.encoded(colors, format, icc_profile=huge))
    assert photograph.profile == b""
    assert photograph.notes == ["its ICC profile is larger than 4 MB: taken for sRGB"]


def test_few_profiles_are_kept_in_memory() -> None:
    rgb = np.zeros((1, 1, 3), np.uint8)
    for number in range(2 * icc.MAX_TRANSFORMS):
        icc.to_profile(rgb, large_profile(10_000, number))
    assert icc._transform.cache_info().currsize <= icc.MAX_TRANSFORMS


def test_size_and_metadata_of_larger_pictures_are_read(tmp_path: Path) -> None:
    """A limit can be raised for colorizing; what was made with it must be recognized."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.mark(b"", dict.fromkeys(xmp.NOTED, "x")).decode())
    size = (20_000, 51 * bounds.MAX_MEGAPIXELS)
    Image.new("1", size).save(tmp_path / "large.png", pnginfo=info)
    assert megapixels_of(tmp_path / "large.png") > bounds.MAX_MEGAPIXELS
    assert "colorized by x" in inspect(tmp_path / "large.png")
    with pytest.raises(ValueError, match="at most 250 are read"):
        decoding.open_rgb(tmp_path / "large.png")
