"""A page beside the pictures of a folder: each before and after, to be sorted."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from deepcolor.colorize.inputs import SMALL, natural_order
from deepcolor.errors import printable
from deepcolor.files import replacing

HALVES = ("before", "after")
TEMPLATES = [Path(__file__).parent / "templates", Path(__file__).parent / "static"]
# Bytes that file systems let a name have, less what is put before and behind it, here and in a moment.
LONGEST_NAME = 220
# Width by height of the slimmest and the widest place for a picture; others have a margin in it.
SLIMMEST, WIDEST = 0.55, 4.0


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
    return [output / _small(name, half) for half in HALVES]


def _small(name: str, half: str) -> str:
    """The file of a small picture, in the output folder."""
    folder, _, own = name.rpartition("/")
    if len(os.fsencode(own)) > LONGEST_NAME:
        own = hashlib.sha256(os.fsencode(own)).hexdigest()
    return "/".join(filter(None, (SMALL, folder, f"{own}.{half}.jpg")))


def render(entries: Sequence[Mapping[str, Any]], trained_on: Sequence[str]) -> str:
    """The page, which needs nothing but the small pictures beside it.

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
    ordered = sorted(entries, key=lambda each: natural_order(each["output"]))
    return environment.get_template("contact_sheet.html.j2").render(
        entries=[_shown(each) for each in ordered],
        models=sorted({printable(each["model"] or "an unnamed network") for each in entries}),
        trained_on=trained_on,
    )


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of a photograph."""
    output = entry["output"]
    width, height = entry.get("preview", (3, 2))
    name, notes = printable(_readable(output)), printable("; ".join(entry.get("notes", [])))
    model = printable(entry["model"] or "an unnamed network")
    return {
        "name": name,
        "address": _address(output),
        "before": _address(_small(output, "before")),
        "after": _address(_small(output, "after")),
        "width": width,
        "height": height,
        "ratio": f"{min(max(width / height, SLIMMEST), WIDEST):.4g}",
        "colorfulness": entry["colorfulness"],
        "model": model,
        "notes": notes[:1].upper() + notes[1:],
        "text": f"{name} {notes} {model}",
    }


def _address(name: str) -> str:
    """Where a page in the output folder finds a file; names of any bytes have one."""
    return quote(os.fsencode(name))


def _readable(name: str) -> str:
    """A name as text, with marks in place of bytes that are none."""
    return os.fsencode(name).decode("utf-8", "replace")
