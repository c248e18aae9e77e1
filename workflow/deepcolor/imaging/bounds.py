"""Bounds on picture files, checked before pixels are decoded: small ones can cost hours or gigabytes."""

import mmap
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from deepcolor.errors import first_line
from deepcolor.regular_files import open_regular, read_image_file

NO_IMAGE = "no image, or of an unknown format"
# Formats that are read. Of the others that Pillow knows, some start other programs, such as EPS.
FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "TGA", "TIFF"),
    "WEBP",
)
MAX_MEGAPIXELS = 250
# JPEG_MAX_DIMENSION of libjpeg: the longest side, in pixels, that a JPEG file can have.
MAX_SIDE = 65_500
# Scans of a JPEG file, each of which visits every block. Encoders write some 10; the bound is libtiff's,
# see LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER in its tif_jpeg.c. libjpeg-turbo's fuzzers stop at 500.
MAX_SCANS = 100
# Scans allowed for the largest picture; decoding time is proportional to scans times pixels.
USUAL_SCANS = 10
# Bytes of each compressed text and ICC profile of a PNG file, decompressed; Pillow allows 2**20.
MAX_CHUNK_BYTES = 16_000_000
# Largest file of a user's own picture: uncompressed 16-bit RGBA with metadata.
MAX_FILE_MB = 8 * MAX_MEGAPIXELS + 100
# A tile of a TIFF file may have this many pixels, or four times those of the picture.
MAX_TILE_PIXELS = 2**22
JPEG, TIFF = b"\xff\xd8", (b"II", b"MM")  # A file's first two bytes.
MAX_DIRECTORIES = 1000  # Pictures of a TIFF file that are counted.

# Bytes of a value, by its type in a TIFF directory (TIFF 6.0, section 2; BigTIFF has 16 to 18).
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
# Tags that point to directories: EXIF, GPS, interoperability.
DIRECTORIES = (0x8769, 0x8825, 0xA005)
TILE_WIDTH, TILE_HEIGHT = 322, 323

Image.MAX_IMAGE_PIXELS = None  # `check_size` is stricter, and has one limit where Pillow has two.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_CHUNK_BYTES
warnings.filterwarnings("ignore", module=r"PIL\.")  # About damaged metadata, from any thread.

_load_exif = Image.Exif.load


def _load_checked_exif(exif: Image.Exif, data: bytes | None) -> None:
    check_directory(data or b"")
    _load_exif(exif, data or b"")


# Some of Pillow's readers load EXIF data when a file is opened, others much later.
Image.Exif.load = _load_checked_exif  # type: ignore[method-assign,assignment]


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a picture's file.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: The path is not one of a regular file, or the file exceeds MAX_FILE_MB.
    """
    return read_image_file(path, MAX_FILE_MB)


@contextmanager
def opened(
    content: bytes, max_megapixels: float = MAX_MEGAPIXELS, remedy: str = ""
) -> Iterator[Image.Image]:
    """Open a picture that is within all bounds; nothing is decoded yet.

    Errors of the block are turned into the errors below, too: broken files make Pillow's decoders
    raise nearly anything.

    Args:
        content: Content of the picture's file.
        max_megapixels: Largest number of pixels, in millions.
        remedy: Addition to the error of a picture with more pixels.

    Raises:
        ValueError: The file is broken, out of bounds, or no picture.
        MemoryError: The memory does not suffice.
    """
    with _explained():
        if content[:2] in TIFF:  # Pillow reads it when it opens the file.
            check_directory(content)
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            check_size(image, max_megapixels, remedy)
            if content.startswith(JPEG):
                check_scans(content, image.width * image.height / 1e6, max_megapixels)
            check_directory(image.info.get("exif") or b"")
            yield image


@contextmanager
def read_header(path: str | Path) -> Iterator[Image.Image]:
    """Open a picture's file for its size, format and metadata; little of the file is read.

    Args:
        path: File of a picture of any size, which must not be decoded.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: The file is not a regular file, broken, or no picture.
    """
    with open_regular(path) as file, _explained():
        if file.read(2) in TIFF:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                check_directory(content)
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            check_directory(image.info.get("exif") or b"")
            yield image


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the errors of Pillow into a ValueError with one line."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise ValueError(NO_IMAGE) from error
    except MemoryError:
        raise
    except Exception as error:
        if "MAX_TEXT_CHUNK" in str(error) or "MAX_TEXT_MEMORY" in str(error):
            raise ValueError(
                f"its compressed texts or ICC profile are larger than {MAX_CHUNK_BYTES / 1e6:.0f} MB; "
                "save it without them"
            ) from error
        raise ValueError(first_line(error)) from error


def check_scans(content: bytes, megapixels: float, max_megapixels: float = MAX_MEGAPIXELS) -> None:
    """Check how often a decoder has to visit every block of a JPEG file.

    Args:
        content: Content of the file.
        megapixels: Size of the picture.
        max_megapixels: Largest size that is accepted.

    Raises:
        ValueError: The file has too many scans for its size.
    """
    most = int(min(MAX_SCANS, USUAL_SCANS * max(max_megapixels, MAX_MEGAPIXELS) / max(megapixels, 1)))
    if _count_scans(content, most) > most:
        raise ValueError(f"the JPEG file has more than {most} scans; save it again with another program")


def check_size(image: Image.Image, max_megapixels: float, remedy: str = "") -> None:
    """Check the sides, the number of pixels and the tiles of a picture.

    Raises:
        ValueError: One of them is out of bounds.
    """
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise ValueError(
            f"{width}×{height} pixels are {width * height / 1e6:.3g} megapixels; "
            f"{remedy or 'at most'} {max_megapixels:g}{'' if remedy else ' are read'}"
        )
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"{width}×{height} pixels: the longer side has at most {MAX_SIDE:,} pixels")
    tags = getattr(image, "tag_v2", {})
    tile = tags.get(TILE_WIDTH, 0) * tags.get(TILE_HEIGHT, 0)
    if tile > max(MAX_TILE_PIXELS, 4 * width * height):
        raise ValueError("the tiles of the TIFF file are larger than the picture; save it with others")


def check_directory(exif: bytes | mmap.mmap) -> None:
    """Check that the values in TIFF directories, such as EXIF data, are not the same bytes many times.

    Pillow copies each value, so that a megabyte that thousands of tags point to becomes gigabytes.

    Args:
        exif: Content of a TIFF file, or EXIF data.

    Raises:
        ValueError: The values claim more bytes than there are.
    """
    if exif[:6] == b"Exif\0\0":
        exif = exif[6:]
    claimed, waiting, seen = 0, [_first_directory(exif)], set[int]()
    while waiting:
        start = waiting.pop()
        if start in seen or not 0 < start < len(exif):
            continue
        seen.add(start)
        for tag, size, place in _values(exif, start):
            if size <= len(exif) - place:  # Pillow passes over all others.
                claimed += size
            if tag in DIRECTORIES:
                waiting.append(_number(exif, place))
    # Some writers share values, such as the two resolutions.
    if claimed > 2 * len(exif) + 2**16:
        raise ValueError("its TIFF or EXIF tags claim more bytes than there are; save it without them")


def count_directories(content: bytes) -> int:
    """Return how many pictures a TIFF file has, at least 1, at most MAX_DIRECTORIES."""
    places = set[int]()
    place = _first_directory(content)
    while 0 < place < len(content) and place not in places and len(places) < MAX_DIRECTORIES:
        places.add(place)
        entries, _, entry_bytes, start = _layout(content, place)
        if start + entries * entry_bytes > len(content):
            break
        place = _number(content, start + entries * entry_bytes)
    return max(1, len(places))


def _count_scans(content: bytes, most: int) -> int:
    """Return the scans of a JPEG file, exact only where there are about `most` or more."""
    place, scans = 2, 0
    while scans <= most:
        place = content.find(b"\xff", place)
        marker = content[place + 1 : place + 2]
        if place < 0 or not marker or marker == b"\xd9":  # End of the image.
            break
        if marker == b"\xff":  # Padding.
            place += 1
        elif marker[0] < 0xC0 or 0xD0 <= marker[0] <= 0xD8:  # No segment.
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
            if marker == b"\xda":
                scans += 1
                # No more can follow than there are such bytes: usually very few, and found fast.
                if scans + content.count(b"\xff\xda", place) <= most:
                    break
    return scans


def _first_directory(content: bytes | mmap.mmap) -> int:
    if content[2:4] in (b"+\0", b"\0+"):
        return _integer(content, content[8:16])
    return _integer(content, content[4:8])


def _layout(content: bytes | mmap.mmap, place: int) -> tuple[int, int, int, int]:
    """Return a directory's entries, the bytes of an offset, those of an entry, and where they begin."""
    if content[2:4] in (b"+\0", b"\0+"):
        return _integer(content, content[place : place + 8]), 8, 20, place + 8
    return _integer(content, content[place : place + 2]), 4, 12, place + 2


def _values(content: bytes | mmap.mmap, place: int) -> Iterator[tuple[int, int, int]]:
    """Yield the tag, the size in bytes and the place of each value of a directory."""
    entries, word, entry_bytes, start = _layout(content, place)
    form = struct.Struct(f"{'<' if content[:1] == b'I' else '>'}HH{'Q' if word == 8 else 'I'}")
    end = min(start + entries * entry_bytes, len(content) - entry_bytes + 1)
    for entry in range(start, end, entry_bytes):
        tag, kind, count = form.unpack_from(content, entry)
        size = count * TYPE_BYTES.get(kind, 0)
        value = entry + form.size
        yield tag, size, value if size <= word else _number(content, value)


def _number(content: bytes | mmap.mmap, place: int) -> int:
    """Return an offset at a place."""
    word = 8 if content[2:4] in (b"+\0", b"\0+") else 4
    return _integer(content, content[place : place + word])


def _integer(content: bytes | mmap.mmap, value: bytes) -> int:
    return int.from_bytes(value, "little" if content[:1] == b"I" else "big")
