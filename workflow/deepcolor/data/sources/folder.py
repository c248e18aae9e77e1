"""A folder of one's own photographs."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from io import TextIOWrapper
from itertools import islice
from pathlib import Path, PurePosixPath

from deepcolor.data.sources.base import Candidate, Needs, Rejection, Request, Source
from deepcolor.errors import DeepColorError
from deepcolor.files import walk
from deepcolor.regular_files import open_regular


def folder(
    request: Request, *, folder: str, list: str = "", license: str = "", terms: str = ""
) -> Source:
    """All files below a folder, or those of a list, in an order drawn with the seed.

    Hidden files are passed over, unless the list has them; a file that is no image is rejected by name.
    A file's name alone decides in which range it is: of the others' names none is kept in memory.

    Args:
        request: What is asked for.
        folder: Its path, from the project's folder.
        list: Path of a text file, from the project's folder, that has the path of a photograph in the
            folder on every line, in any order; the folder is then not looked through. "" for none.
        license: Of the photographs.
        terms: Of their use, one sentence.

    Raises:
        DeepColorError: There is no such folder, or no such list.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DeepColorError(f"{folder}: no such folder; mend 'folder' of the data set in config.yaml")
    if list and not Path(list).is_file():
        raise DeepColorError(f"{list}: no such file; mend 'list' of the data set in config.yaml")
    names = partial(_listed, Path(list)) if list else partial(_found, root)
    return Source(
        candidates=partial(_candidates, request, root, names, license),
        revision=f"folder {folder}, as {f'listed in {list}' if list else 'found'}",
        about=f"Photographs below the folder {folder}.",
        good_for=(
            "The figures speak for photographs like these. The folder's license and terms are its "
            "owner's: check them before you publish pictures."
        ),
        terms=terms,
        needs=partial(_needs, list or folder, names, request.count, root if list else None),
    )


def _needs(where: str, names: Callable[[], Iterator[str]], count: int, listed_in: Path | None) -> Needs:
    if listed_in and not any((listed_in / name).is_file() for name in islice(names(), 100)):
        raise DeepColorError(
            f"{where}: none of the first photographs is there; a list has their paths in {listed_in}, "
            f"such as {next(_found(listed_in), 'photograph.jpg')}"
        )
    found = sum(1 for _ in names())
    if found < count:
        raise DeepColorError(
            f"{where} holds {found:,} files, and {count:,} photographs are asked for; add some, or ask "
            "for fewer under 'data_sets' in config.yaml"
        )
    return Needs(notes=(f"{found:,} files for {count:,} photographs",))


def _found(root: Path) -> Iterator[str]:
    return (name for name, _ in walk(root))


def _listed(file: Path) -> Iterator[str]:
    with (
        open_regular(file) as binary,
        TextIOWrapper(binary, "utf-8-sig", "surrogateescape", newline="\n") as opened,
    ):
        for line in opened:
            if name := line.rstrip("\r\n"):
                yield PurePosixPath(name).as_posix()


def _candidates(
    request: Request, root: Path, names: Callable[[], Iterator[str]], license: str
) -> Iterator[Candidate | Rejection]:
    mine = {name for name in names() if _range_of(name, request.ranges) == request.range}
    files = sorted(mine, key=lambda name: name.split("/"))
    random.Random(f"{request.seed}").shuffle(files)
    for name in files:
        if not name.isprintable():  # It could not be written into a table, nor into a message.
            yield Rejection(ascii(name), "unusable file name")
            continue
        if name.startswith("/") or ".." in name.split("/"):
            yield Rejection(name, "outside the folder")
            continue
        path = root / name
        yield Candidate(id=name, path=path, source=str(path), license=license)


def _range_of(name: str, ranges: int) -> int:
    if ranges == 1:
        return 0
    digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ranges
