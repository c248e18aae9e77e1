"""From a source's photographs to a range of a data set: its share of the counts asked for.

What is made of all ranges is in `deepcolor.data.merge`.
"""

import hashlib
import json
import math
import unicodedata
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from deepcolor.data.manifest import parsed, row_at, write_manifest
from deepcolor.data.near_duplicates import Twins
from deepcolor.data.quality import SIDE, Checks, fault, perceptual_hash
from deepcolor.data.sources.base import Candidate, Rejection, Source
from deepcolor.errors import first_line
from deepcolor.files import replacing, sha256, write_json
from deepcolor.frames import write_frame
from deepcolor.imaging.decoding import decode_square
from deepcolor.progress import Progress, ahead
from deepcolor.regular_files import read_image_file

# Longer texts of a source, such as a license, are cut off; `csv` refuses fields of 131,072 characters.
MAX_TEXT_CHARACTERS = 1000


@dataclass(frozen=True)
class Examined:
    """A candidate that could be read."""

    candidate: Candidate
    row: dict[str, Any]
    fault: str | None
    hash: int | None


@dataclass(frozen=True)
class RangeFiles:
    """The files of a range, beside the manifest.

    Attributes:
        rows: CSV file with the columns of a manifest, sorted like one; rows of the reserve have no
            split.
        rejected: CSV file: each photograph passed over, and why.
        facts: JSON file: what the report says of the source, and counts.
    """

    rows: Path
    rejected: Path
    facts: Path


def files_of(folder: Path, number: int, of: int) -> RangeFiles:
    """The files of a range of the data set in a folder; ranges are counted from 0."""
    stem = folder / "ranges" / f"{number:05}-of-{of:05}"
    ends = (".csv", ".rejected.csv", ".json")
    return RangeFiles(*(stem.with_name(f"{stem.name}{end}") for end in ends))


def share(counts: Mapping[str, int], number: int, of: int) -> dict[str, int]:
    """The photographs that a range takes of the counts asked for, and for its reserve, "".

    The reserve takes the place of what turns out to be in two ranges, and of what another range lacks:
    2 %, and of small ranges three times the spread with which chance deals out what is fit.
    """
    wanted = {
        split: count * (number + 1) // of - count * number // of for split, count in counts.items()
    }
    total = sum(wanted.values())
    return wanted | ({"": math.ceil(max(0.02 * total, 3 * math.sqrt(total)))} if of > 1 else {})


def fetch_range(
    name: str,
    source: Source,
    counts: Mapping[str, int],
    folder: Path,
    *,
    number: int = 0,
    of: int = 1,
    checks: Checks | None = None,
    others: Sequence[Path] = (),
    threads: int = 1,
) -> str:
    """Take photographs from a source until every split has its share, or until there are no more.

    Splits are filled in the order of `counts`. A photograph that is passed over is replaced by the
    next one of the source. Of near-duplicates none is in another split than its twin; within a
    split each joins the group of the nearest.

    Writes the range's files, see `RangeFiles`, and `images/` into `folder` where the source has no
    files of its own. The photographs taken depend on the source's order, `counts`, `checks`, `others`
    and the range alone, not on `threads`.

    Args:
        name: Of the data set.
        source: Where the photographs come from.
        counts: Photographs asked for, by split ("training", "validation", "test"), of all ranges.
        folder: Of the data set.
        number: Of the range, from 0.
        of: Ranges.
        checks: What is asked of photographs; None where the source answers for them.
        others: Manifests of the data sets among which near-duplicates are looked for, too.
        threads: How many photographs are read at a time.

    Returns:
        What was done, in a few words.
    """
    files = files_of(folder, number, of)
    rows: list[dict[str, Any]] = []
    rejected: list[Rejection] = []
    wanted = share(counts, number, of)
    asked = sum(wanted.values())
    known = _Known(others, checks.near_duplicates if checks else 0)
    crops: set[str] = set()
    kept = 0

    examine = partial(_examine, images=folder / "images", checks=checks)
    label = f"fetch_photographs {name}" + (f" {number}" if of > 1 else "")
    with (
        Progress(label, asked, "images") as progress,
        closing(
            # No more are in hand than are wanted: the source is not asked, say for a download, in vain.
            ahead(examine, _needed(source, wanted), threads, lambda: sum(wanted.values()))
        ) as examined,
    ):
        for found in examined:
            if not any(wanted.values()):
                break
            if isinstance(found, Rejection):
                rejected.append(found)
                continue
            candidate, row = found.candidate, found.row
            if candidate.crop:
                crops.add(row["path"])
            split = candidate.split or next(split for split in wanted if wanted[split])
            if not wanted[split]:
                continue
            reason = found.fault
            if first := known.copy_of(row["sha256"]):
                reason = f"duplicate of {first}"
            near = [] if found.hash is None or reason else known.twins_of(found.hash)
            apart = next((twin for twin in near if twin.split != split), None)
            if apart:
                where = f"is in {apart.split}" if apart.split else "is kept in reserve"
                reason = f"near-duplicate of {apart.id}, which {where}"
            if reason:
                rejected.append(Rejection(candidate.id, reason))
                continue
            if near:
                kept += split != ""
                row["group"] = near[0].group
            known.add(row["sha256"], found.hash, Taken(split, candidate.id, row["group"]))
            rows.append({**row, "split": split})
            wanted[split] -= 1
            progress.add()

    for unused in crops - {row["path"] for row in rows}:
        Path(unused).unlink()
    listed = [(each.id, _in_one_line(each.reason)) for each in rejected]
    write_frame(files.rejected, pd.DataFrame(listed, columns=["id", "reason"]))
    write_manifest(files.rows, rows)
    facts = {
        "revision": source.revision,
        "about": source.about,
        "good_for": source.good_for,
        "terms": source.terms,
        "rows": len(rows),
        "near_duplicates": kept if known.looks else None,
    }
    write_json(
        files.facts,
        {**facts, "sha256": [sha256(files.rows), sha256(files.rejected), checksum(facts)]},
    )
    groups, kept_back = len({row["group"] for row in rows}), sum(row["split"] == "" for row in rows)
    done = len(rows) - kept_back
    due = asked - share(counts, number, of).get("", 0)
    short = f" of {due:,}" if done < due else ""
    reserve = f" and {kept_back:,} in reserve" if of > 1 else ""
    return f"{done:,}{short} images{reserve} from {groups:,} photographs, {len(rejected):,} rejected"


def checksum(facts: Mapping[str, Any]) -> str:
    """The SHA-256 checksum, in hexadecimal, of what a range's facts say beside checksums."""
    said = {key: value for key, value in facts.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _needed(source: Source, wanted: Mapping[str, int]) -> Iterator[Candidate | Rejection]:
    """A source's candidates, without those for splits that are full."""
    for candidate in source.candidates():
        if not any(wanted.values()):
            return
        if isinstance(candidate, Rejection) or candidate.split is None or wanted[candidate.split]:
            yield candidate


def _examine(
    candidate: Candidate | Rejection, images: Path, checks: Checks | None
) -> Examined | Rejection:
    """Read a candidate, or save its crop, and see whether it is fit."""
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
        "source": _in_one_line(candidate.source),
        "license": _in_one_line(candidate.license),
        "credit": _in_one_line(candidate.credit),
        "group": candidate.group or candidate.id,
        "phash": "" if hash is None else f"{hash:016x}",
    }
    return Examined(candidate, row, fault(square, width, height, checks) if checks else None, hash)


def _in_one_line(text: str) -> str:
    """Return a text that fits into a table: control characters are spaces, the end is cut off."""
    if len(text) > MAX_TEXT_CHARACTERS:
        text = f"{text[: MAX_TEXT_CHARACTERS - 1]}…"
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character
        for character in text
    )


class Taken(NamedTuple):
    """A photograph that was taken."""

    split: str
    id: str
    group: str


class _Known:
    """The photographs that were taken, here and in other data sets.

    Of those of other data sets numbers are in memory, some 50 bytes each; names are read when needed.
    """

    def __init__(self, others: Sequence[Path], distance: int) -> None:
        self.looks = distance > 0
        self._others = others
        self._twins = Twins(distance)
        sums, places, hashes, hashed = array("Q"), array("q"), array("Q"), array("q")
        for number, manifest in enumerate(others):
            for offset, row in parsed(manifest):
                place = number << 48 | offset
                sums.append(int(row["sha256"][:16], 16))
                places.append(place)
                if self.looks and row["phash"]:
                    hashes.append(int(row["phash"], 16))
                    hashed.append(place)
        self._twins.add(np.frombuffer(hashes, np.uint64))
        self._hashed = hashed
        order = np.argsort(np.frombuffer(sums, np.uint64))
        self._sums = np.frombuffer(sums, np.uint64)[order]
        self._places = np.frombuffer(places, np.int64)[order]
        self._first_with: dict[str, str] = {}
        self._own: list[Taken] = []

    def add(self, checksum: str, hash: int | None, taken: Taken) -> None:
        """Remember a photograph."""
        self._first_with[checksum] = taken.id
        if self.looks and hash is not None:
            self._twins.add(hash)
            self._own.append(taken)

    def copy_of(self, checksum: str) -> str | None:
        """The name of a photograph with the same bytes."""
        if checksum in self._first_with:
            return self._first_with[checksum]
        value = np.uint64(int(checksum[:16], 16))
        first, last = (np.searchsorted(self._sums, value, side) for side in ("left", "right"))
        for place in sorted(int(each) for each in self._places[first:last]):
            row, name = self._read(place)
            if row["sha256"] == checksum:
                return name
        return None

    def twins_of(self, hash: int) -> list[Taken]:
        """The near-duplicates of a photograph, the nearest first."""
        if not self.looks:
            return []
        return [self._taken(int(number)) for number in self._twins.of(hash)]

    def _taken(self, number: int) -> Taken:
        if number >= len(self._hashed):
            return self._own[number - len(self._hashed)]
        row, name = self._read(self._hashed[number])
        return Taken(row["split"], name, name)

    def _read(self, place: int) -> tuple[dict[str, str], str]:
        """A row of another data set, and its photograph's name with that of the data set."""
        manifest = self._others[place >> 48]
        row = row_at(manifest, place & 2**48 - 1)
        return row, f"{manifest.parent.name}/{row['id']}"
