"""A folder of one's own photographs."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from deepcolor.errors import DeepColorError
from deepcolor.files import listing
from deepcolor.photograph import Candidate, Needs, Rejection, Request, Source


def folder(request: Request, *, folder: str, license: str = "", terms: str = "") -> Source:
    """All files below a folder, in an order drawn with the seed.

    Hidden files are passed over; a file that is no image is rejected by name.

    Args:
        request: What is asked for.
        folder: Its path, from the project's folder.
        license: Of the photographs.
        terms: Of their use, one sentence.

    Raises:
        DeepColorError: There is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DeepColorError(f"{folder}: no such folder; mend 'folder' of the data set in config.yaml")
    return Source(
        candidates=partial(_candidates, request.seed, root, license),
        revision=f"folder {folder}, as found",
        about=f"Photographs below the folder {folder}.",
        good_for=(
            "The figures speak for photographs like these. The folder's license and terms are its "
            "owner's: check them before you publish pictures."
        ),
        terms=terms,
        needs=partial(_needs, root, request.count),
    )


def _needs(root: Path, count: int) -> Needs:
    found = len(listing(root))
    if found < count:
        raise DeepColorError(
            f"{root} holds {found:,} files, and {count:,} photographs are asked for; add some, or ask "
            "for fewer under 'data_sets' in config.yaml"
        )
    return Needs(notes=(f"{found:,} files for {count:,} photographs",))


def _candidates(seed: int, root: Path, license: str) -> Iterator[Candidate | Rejection]:
    files = listing(root)
    random.Random(f"{seed}").shuffle(files)
    for path in files:
        name = path.relative_to(root).as_posix()
        if not name.isprintable():  # It could not be written into a table, nor into a message.
            yield Rejection(ascii(name), "unusable file name")
            continue
        yield Candidate(id=name, path=path, source=str(path), license=license)
