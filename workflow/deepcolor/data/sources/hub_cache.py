"""The cache of a data set of the Hugging Face hub: image files of parts, drawn at random."""

import heapq
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from deepcolor.data.sources.hub import HubSplit, MissingImage
from deepcolor.files import read_json, replacing, write_json
from deepcolor.files import sha256 as checksum_of
from deepcolor.imaging import bounds


@dataclass(frozen=True)
class Draw:
    """The rows drawn from a part: those with the `start`-th to the `end`-th lowest lot."""

    seed: int
    start: int
    end: int

    def lot(self, part: int, row: int) -> int:
        """Return a random number that depends only on the seed, the part and the row."""
        digest = blake2b(f"{self.seed}/{part}/{row}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def rows(self, part: int, rows: int) -> list[int]:
        """Return the drawn rows of a part.

        Args:
            part: Number of the part.
            rows: Number of rows of the part.
        """
        by_lot = sorted(range(rows), key=lambda row: self.lot(part, row))
        return sorted(by_lot[self.start : self.end])


def fetch_part(
    source: HubSplit, part: int, draw: Draw, commit: str
) -> list[tuple[int, Path | MissingImage]]:
    """Return the rows that a draw takes from a part, and their files in the cache.

    Args:
        source: Split of a data set on the hub.
        part: Number of the part.
        draw: Draw of the rows.
        commit: Commit of the data set's repository.

    Returns:
        Number of each row, and its whole image file or why there is none.
    """
    path = source.cache / f"{part:06}.json"
    known = read_json(path) if path.exists() else {"rows": None, "images": {}}
    whole = known["rows"] is not None and all(
        _is_whole(source.cache, known["images"].get(str(row))) for row in draw.rows(part, known["rows"])
    )
    if not whole:
        known = source.reach(partial(_download, source, part, draw, commit, known), f"part {part}")
        write_json(path, known)
    images = {row: known["images"][str(row)] for row in draw.rows(part, known["rows"])}
    return [
        (row, MissingImage(image["fault"]) if "fault" in image else source.cache / image["file"])
        for row, image in images.items()
    ]


def _download(
    source: HubSplit, part: int, draw: Draw, commit: str, known: dict[str, Any]
) -> dict[str, Any]:
    rows = 0
    best: list[tuple[int, int, Any]] = []  # A heap of what is drawn so far, the worst on top.
    for rows, cell in enumerate(source.cells(part, commit), start=1):
        heapq.heappush(best, (-draw.lot(part, rows - 1), rows - 1, cell))
        if len(best) > draw.end:
            heapq.heappop(best)
    images = dict(known["images"])
    drawn = set(draw.rows(part, rows))
    for _, row, cell in best:
        if row not in drawn:
            continue
        content = source.content(cell, commit)
        if isinstance(content, MissingImage):
            images[str(row)] = {"fault": content.reason}
            continue
        file = f"{part:06}-{row:06}{_suffix(content)}"
        with replacing(source.cache / file) as temporary:
            temporary.write_bytes(content)
        images[str(row)] = {"file": file, "sha256": sha256(content).hexdigest()}
    return {"rows": rows, "images": images}


def _is_whole(cache: Path, image: dict[str, str] | None) -> bool:
    if image is None or "fault" in image:
        return image is not None
    if not (cache / image["file"]).exists():
        return False
    return checksum_of(cache / image["file"]) == image["sha256"]


def _suffix(content: bytes) -> str:
    """The file suffix of an image's format; ".bin" for what is none."""
    try:
        with bounds.opened(content) as image:
            return f".{(image.format or 'bin').lower()}"
    except Exception:
        return ".bin"
