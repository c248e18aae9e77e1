"""A folder of one's own photographs."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from deepcolor.errors import DeepColorError
from deepcolor.files import listing
from deepcolor.photograph import Candidate, Rejection, Source, open_rgb


def folder(seed: int, *, folder: str) -> Source:
    """All files below a folder, in an order drawn with `seed`.

    Hidden files are passed over; a file that is no image is rejected by name.

    Args:
        seed: Of the order, and so of the subset and the split.
        folder: Its path, from the project's folder.

    Raises:
        DeepColorError: There is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DeepColorError(f"{folder}: no such folder; mend 'folder' of the data set in config.yaml")
    return Source(
        candidates=partial(_candidates, seed, root),
        revision="as found",
        about=f"Photographs below the folder {folder}.",
        good_for=(
            "The figures speak for photographs like these. The folder's license and terms are its "
            "owner's: check them before you publish pictures."
        ),
    )


def _candidates(seed: int, root: Path) -> Iterator[Candidate | Rejection]:
    files = listing(root)
    random.Random(f"{seed}").shuffle(files)
    for path in files:
        name = path.relative_to(root).as_posix()
        if not name.isprintable():  # It could not be written into a table, nor into a message.
            yield Rejection(ascii(name), "unusable file name")
            continue
        yield Candidate(id=name, load=partial(open_rgb, path), path=path, source=str(path), group=name)
