"""What a data source yields, and how an image file is opened."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deepcolor.errors import first_line


@dataclass(frozen=True)
class Candidate:
    """A photograph, or a crop of one, that a data set may take.

    Attributes:
        id: Unique in the data set.
        load: Opens the picture as 8-bit RGB. Raises ValueError if it is none.
        path: The image file, where there is one that can stay in its place.
        split: "training" or "validation" where the source must decide, None where it does not care.
        source: URL or name in the source.
        license: Name of the license, "" where it is not known.
        credit: Whom to credit, "" where it is not known.
        group: The photograph that a crop comes from; the id for a whole photograph.
    """

    id: str
    load: Callable[[], Image.Image]
    path: Path | None = None
    split: str | None = None
    source: str = ""
    license: str = ""
    credit: str = ""
    group: str = ""


@dataclass(frozen=True)
class Rejection:
    """A photograph that cannot be taken, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Source:
    """A source's photographs in the order in which they are taken, and what to know of them.

    Attributes:
        candidates: Yields candidates and rejections.
        revision: Version of the source.
        about: What the photographs are, one sentence.
        good_for: What figures from them can and cannot show, one sentence or two.
    """

    candidates: Callable[[], Iterator[Candidate | Rejection]]
    revision: str
    about: str
    good_for: str


def open_rgb(path: str | Path) -> Image.Image:
    """Open an image file upright, as 8-bit RGB, whole; what is transparent becomes white.

    Raises:
        ValueError: The file is missing, broken, absurdly large, or no image.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as image:
                return _to_rgb(ImageOps.exif_transpose(image))
        except Exception as error:  # Broken files make Pillow's decoders raise nearly anything.
            raise ValueError(first_line(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert to 8-bit RGB; Pillow alone would cut off 16-bit values and show what is transparent."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
