"""A page beside the pictures of a folder: each before and after, to be sorted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from deepcolor.files import replacing

# The small pictures of the page, in folders like those of the pictures themselves.
FILES = "contact_sheet_files"
HALVES = ("before", "after")
TEMPLATES = Path(__file__).parent / "templates"


def write_pair(output: Path, name: str, before: np.ndarray, after: np.ndarray) -> None:
    """Write the small pictures of one photograph.

    Args:
        output: Folder of the colorized pictures.
        name: Of the colorized picture in it.
        before: `(height, width, 3)` uint8 RGB.
        after: Likewise.
    """
    for path, pixels in zip(_paths(output, name), (before, after), strict=True):
        with replacing(path) as temporary:
            Image.fromarray(pixels).save(temporary, "JPEG", quality=85)


def read_pair(output: Path, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The small pictures of one photograph, or None where one is missing or broken."""
    try:
        before, after = (np.asarray(Image.open(path).convert("RGB")) for path in _paths(output, name))
    except OSError:
        return None
    return before, after


def _paths(output: Path, name: str) -> list[Path]:
    return [output / FILES / f"{name}.{half}.jpg" for half in HALVES]


def render(entries: Sequence[dict[str, Any]], trained_on: Sequence[str]) -> str:
    """The page.

    Args:
        entries: Of the manifest.
        trained_on: What there is to know of the network, a sentence each.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["address"] = lambda name: quote(name)
    return environment.get_template("contact_sheet.html.j2").render(
        entries=entries, trained_on=trained_on, files=FILES
    )
