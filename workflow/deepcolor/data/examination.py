"""Examination of candidates: each is read, checked, and described by a row of the manifest."""

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.data.quality import SIDE, Checks, defect, perceptual_hash
from deepcolor.data.sources.base import Candidate, Rejection
from deepcolor.errors import first_line
from deepcolor.files import replacing
from deepcolor.imaging.decoding import decode_square
from deepcolor.regular_files import read_image_file

# Longer texts of a source, such as a license, are cut off; `csv` refuses fields of 131,072 characters.
MAX_TEXT_CHARACTERS = 1000


@dataclass(frozen=True)
class Examined:
    """A candidate that could be read.

    Attributes:
        candidate: The candidate.
        row: Row of the manifest, without the split.
        defect: Reason why the photograph fails the quality checks, None if it passes.
        hash: Perceptual hash; None where nothing is checked.
    """

    candidate: Candidate
    row: dict[str, Any]
    defect: str | None
    hash: int | None


def examine(
    candidate: Candidate | Rejection, images: Path, checks: Checks | None
) -> Examined | Rejection:
    """Read a candidate, or save its crop, and check it.

    Args:
        candidate: Candidate of a source; a rejection is returned as it is.
        images: Folder for crops.
        checks: Quality checks; None for a curated source.
    """
    if isinstance(candidate, Rejection):
        return candidate
    path = candidate.path
    if path is None:
        assert candidate.crop
        path = images / f"{candidate.id}.png"
        with replacing(path) as temporary:
            candidate.crop().save(temporary)
    try:
        content = read_image_file(path)
        square, (width, height) = decode_square(content, SIDE)
    except (ValueError, OSError) as error:
        return Rejection(candidate.id, f"cannot be read: {first_line(error)}")
    hash = perceptual_hash(square) if checks else None
    row = {
        "id": candidate.id,
        "path": path.as_posix(),
        "width": width,
        "height": height,
        "sha256": hashlib.sha256(content).hexdigest(),
        "source": in_one_line(candidate.source),
        "license": in_one_line(candidate.license),
        "credit": in_one_line(candidate.credit),
        "group": candidate.group or candidate.id,
        "phash": "" if hash is None else f"{hash:016x}",
    }
    return Examined(candidate, row, defect(square, width, height, checks) if checks else None, hash)


def in_one_line(text: str) -> str:
    """Return a text that fits into a table: control characters become spaces, the end is cut off."""
    if len(text) > MAX_TEXT_CHARACTERS:
        text = f"{text[: MAX_TEXT_CHARACTERS - 1]}…"
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character
        for character in text
    )
