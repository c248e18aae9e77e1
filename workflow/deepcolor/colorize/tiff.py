"""TIFF files: which tags are kept, and how they are written. Pillow writes no colors of 16 bits."""

import io
import struct
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

# Tags of TIFF 6.0 and EXIF: directories of their own (EXIF, GPS), and what has options of its own.
DIRECTORIES = (0x8769, 0x8825)
XMP, ICC, IPTC, INTEROP = 700, 34675, 33723, 0xA005
# Tags that say how pixels are stored, and so hold for one file only; what is written anew; and IPTC
# records, of which Pillow reads the first four bytes alone.
OF_PIXELS = {
    254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 282, 283, 284, 292, 293, 296, 317, 318,
    320, 322, 323, 324, 325, 330, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530,
    531, 532, XMP, ICC, IPTC,
}  # fmt: skip


def kept_tags(exif: Image.Exif) -> Image.Exif:
    """The tags of a TIFF file that hold for another, too, with the directories of EXIF and GPS.

    Take them before the file is loaded: Pillow turns TIFF files upright, and takes the orientation out.
    """
    tags = Image.Exif()
    for tag, value in exif.items():
        if tag not in {*OF_PIXELS, *DIRECTORIES}:
            tags[tag] = value
    for tag in DIRECTORIES:
        if entries := exif.get_ifd(tag):
            entries = {key: value for key, value in entries.items() if key != INTEROP}
            tags.get_ifd(tag).update(entries)
            tags[tag] = 0  # Where it lies is found out when it is written.
    return tags


def write(
    file: BinaryIO,
    pixels: np.ndarray,
    kept: dict[str, Any],
    profile: bytes,
    xmp: bytes,
    compressed: bool,
) -> None:
    """Write pixels and tags by tifffile; the directories of EXIF and GPS are put behind them.

    Args:
        file: Open for writing and reading, empty.
        pixels: `(height, width, 3)` RGB, or 4 with alpha, uint8 or uint16.
        kept: See `Photograph`.
        profile: ICC profile, b"" for none.
        xmp: Packet.
        compressed: Whether without loss.
    """
    exif: Image.Exif = kept["exif"]
    tifffile.imwrite(
        file,
        pixels,
        byteorder="<",
        bigtiff=False,
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib" if compressed else None,
        predictor=compressed,
        iccprofile=profile or None,
        resolution=kept.get("dpi"),
        resolutionunit="INCH" if kept.get("dpi") else None,
        metadata=None,
        software=False,
        extratags=[
            *filter(None, map(_simple, exif.items())),
            (XMP, "B", len(xmp), xmp, True),
        ],
    )
    _append(file, {tag: found for tag in DIRECTORIES if (found := exif.get_ifd(tag))})


def _append(file: BinaryIO, directories: dict[int, dict[int, Any]]) -> None:
    """Put directories at the end of a TIFF file, and then its first one again, pointing to them."""
    file.seek(4)
    file.seek(int.from_bytes(file.read(4), "little"))
    count = int.from_bytes(file.read(2), "little")
    entries = [file.read(12) for _ in range(count)]
    for tag, found in directories.items():
        place = _end(file)
        directory = TiffImagePlugin.ImageFileDirectory_v2()
        directory.update(found)
        file.write(directory.tobytes(place))
        entries.append(struct.pack("<HHII", tag, 4, 1, place))  # Of type LONG.
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
    place = _end(file)
    file.write(struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
    file.seek(4)
    file.write(struct.pack("<I", place))


def _end(file: BinaryIO) -> int:
    """Go to the end of a file, which is made even, as places in TIFF files are."""
    size = file.seek(0, io.SEEK_END)
    return size + file.write(bytes(size % 2))


def _simple(item: tuple[int, Any]) -> tuple[int, str, int, Any, bool] | None:
    """A text, or numbers, among tags as tifffile takes it; None for anything else."""
    tag, value = item
    if tag in DIRECTORIES:
        return None
    if isinstance(value, str):
        return tag, "s", 0, value.encode(), True
    if isinstance(value, bytes):
        return tag, "B", len(value), value, True
    values = value if isinstance(value, tuple) else (value,)
    if all(isinstance(each, int) and 0 <= each < 2**32 for each in values):
        return tag, "H" if max(values) < 2**16 else "I", len(values), value, True
    if all(isinstance(each, TiffImagePlugin.IFDRational) for each in values):
        parts = [part for each in values for part in (each.numerator, each.denominator)]
        return tag, "2I", len(values), tuple(map(int, parts)), True
    return None
