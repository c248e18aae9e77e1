"""Example photographs for the page to try networks, from packages that may be installed."""

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Example:
    """A photograph inside a package.

    Attributes:
        name: Name on the page, a file name.
        title: What it shows.
        package: Package that has it.
        file: Path in the package.
    """

    name: str
    title: str
    package: str
    file: str


# In the public domain, or CC0. The first is black-and-white.
EXAMPLES = (
    Example("camera.jpg", "A photographer", "skimage", "data/camera.png"),
    Example("astronaut.jpg", "An astronaut", "skimage", "data/astronaut.png"),
    Example("cat.jpg", "A cat", "skimage", "data/chelsea.png"),
    Example("coffee.jpg", "A cup of coffee", "skimage", "data/coffee.png"),
)


def examples() -> list[Example]:
    """Return the examples whose packages are installed; none of these is imported."""
    return [example for example in EXAMPLES if _path(example) is not None]


def read_example(name: str, longest: int) -> bytes | None:
    """Return an example in shades of gray as a JPEG file, None if there is none of this name.

    Args:
        name: Name of the example.
        longest: Longer side in pixels, at most.
    """
    path = next((_path(example) for example in examples() if example.name == name), None)
    if path is None:
        return None
    with Image.open(path) as image:
        gray = image.convert("L")
    gray.thumbnail((longest, longest), Image.Resampling.BOX)
    file = io.BytesIO()
    gray.save(file, "JPEG", quality=92)
    return file.getvalue()


def _path(example: Example) -> Path | None:
    """Return the file of an example, None where its package is not installed."""
    spec = find_spec(example.package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    files = (Path(folder, example.file) for folder in folders)
    return next((file for file in files if file.is_file()), None)
