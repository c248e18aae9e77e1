"""From the ranges of a data set to its manifest: no photograph twice, and the counts asked for.

No photograph is read. In memory are numbers, some 60 bytes a photograph while ranges are compared, and
the rows that change; all others go from file to file.
"""

import csv
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from deepcolor.cells import guarded, unguarded
from deepcolor.data.fetch import RangeFiles, checksum, files_of
from deepcolor.data.manifest import compose, join_records, parse, parsed, records, row_at
from deepcolor.data.near_duplicates import Twins
from deepcolor.data.sources.base import Rejection
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, sha256, write_json
from deepcolor.progress import Progress

RESERVE = -1  # In place of the number of a split.


def join(name: str, counts: Mapping[str, int], folder: Path, of: int, distance: int) -> str:
    """Write the manifest of a data set from its ranges.

    Ranges are gone through in order. A photograph that is in an earlier one, too, and a near-duplicate
    of one that is there in another split, is passed over; the reserves of the ranges make up for it,
    and for what a range lacks. A near-duplicate in one split joins the group of the nearest. The result
    does not depend on when and where the ranges were fetched.

    Writes into `folder`: `manifest.csv` and where its rows begin; `data_set.json` (what the report says
    of the data); `rejected.csv` (each photograph passed over, and why).

    Args:
        name: Of the data set.
        counts: Photographs asked for, by split.
        folder: Of the data set, with the files of its ranges.
        of: Ranges.
        distance: Bits in which the hashes of near-duplicates differ at most, 0 not to look for them.

    Returns:
        What was done, in a few words.

    Raises:
        DeepColorError: There are fewer usable photographs than asked for.
    """
    ranges = [files_of(folder, number, of) for number in range(of)]
    facts = [_checked(each) for each in ranges]
    choice = _Choice(ranges, sum(each["rows"] for each in facts), list(counts))
    if of > 1:
        choice.pass_over_twins(name, distance)
    wanted = {split: count - choice.count(split) for split, count in counts.items()}
    if of > 1:
        choice.fill(wanted)
    reasons, first = _write_rejected(folder / "rejected.csv", ranges, choice.rejected)
    if any(wanted.values()):
        # What a range lacks, or is passed over only here, a larger range would have made up for.
        remedy = "add photographs, or raise 'images_per_range'" if of > 1 else "or add photographs"
        rejected = sum(reasons.values())
        raise DeepColorError(_too_few(name, counts, wanted, rejected, first, folder, remedy))
    near = [each["near_duplicates"] for each in facts]
    write_json(
        folder / "data_set.json",
        {
            "name": name,
            **{key: facts[0][key] for key in ("revision", "about", "good_for", "terms")},
            "asked": dict(counts),
            "delivered": {split: choice.count(split) for split in counts},
            "rejected": dict(sorted(reasons.items())),
            "near_duplicates": None if None in near else sum(near) + choice.more_twins,
        },
    )
    total = join_records(folder / "manifest.csv", choice.rows())
    return f"{total:,} images of {of:,} ranges, {sum(reasons.values()):,} rejected"


def _checked(files: RangeFiles) -> dict[str, Any]:
    """The facts of a range whose files are as they were written.

    Raises:
        DeepColorError: One is not.
    """
    facts: dict[str, Any] = read_json(files.facts)
    known = {
        files.facts: checksum(facts),
        files.rows: sha256(files.rows),
        files.rejected: sha256(files.rejected),
    }
    listed = facts.get("sha256")
    rows, rejected, said = listed if isinstance(listed, list) and len(listed) == 3 else ("",) * 3
    for path, noted in ((files.facts, said), (files.rows, rows), (files.rejected, rejected)):
        if known[path] != noted:
            raise DeepColorError(
                f"{path} is not as it was written (checksum); delete it and run the same command again"
            )
    return facts


class _Choice:
    """Which rows of the ranges are taken, and into which split.

    Attributes:
        rejected: What was passed over, after the ranges themselves had passed over theirs.
        more_twins: Near-duplicates that are taken, beyond those that the ranges have counted.
    """

    def __init__(self, ranges: list[RangeFiles], rows: int, splits: list[str]) -> None:
        self.rejected: list[Rejection] = []
        self.more_twins = 0
        self._files = [each.rows for each in ranges]
        self._splits = splits
        numbers = {split: number for number, split in enumerate(splits)} | {"": RESERVE}
        self._sums = np.zeros(rows, np.uint64)  # The first 64 bits of the checksums.
        self._hashes = np.zeros(rows, np.uint64)
        self._hashed = np.zeros(rows, bool)
        self._own = np.zeros(rows, np.int8)  # The split's number in the range.
        self._range = np.zeros(rows, np.int32)
        self._places = np.zeros(rows, np.int64)  # In the range's file, in bytes.
        self._firsts = []  # The first row of every range.
        row = 0
        for number, path in enumerate(self._files):
            self._firsts.append(row)
            for place, values in parsed(path):
                self._sums[row] = int(values["sha256"][:16], 16)
                self._hashed[row] = values["phash"] != ""
                self._hashes[row] = int(values["phash"] or "0", 16)
                self._own[row] = numbers[values["split"]]
                self._range[row] = number
                self._places[row] = place
                row += 1
        # The split into which a row goes, RESERVE for none.
        self._split = self._own.copy()
        self._joined: dict[str, str] = {}  # A group to the one that it has become a part of.
        self._twins: Twins | None = None
        self._alone = np.zeros(rows, bool)  # Whether there is no near-duplicate of a row.
        self._copies: dict[int, list[int]] = {}  # Rows by what they have in common of their checksums.

    def count(self, split: str) -> int:
        """The rows that are taken for a split."""
        return int(np.count_nonzero(self._split == self._splits.index(split)))

    def pass_over_twins(self, name: str, distance: int) -> None:
        """Leave out what is in an earlier range, too, and the near-duplicates of another split."""
        order = np.argsort(self._sums, kind="stable")
        same = np.flatnonzero(np.diff(self._sums[order]) == 0)
        for row in np.unique(order[np.concatenate([same, same + 1])]):
            self._copies.setdefault(int(self._sums[row]), []).append(int(row))
        if distance:
            self._twins = Twins(distance)
            self._twins.add(self._hashes)
            self._alone = self._twins.alone()
        self._split[:] = RESERVE
        rows = np.flatnonzero(self._own != RESERVE)
        with Progress(f"write_manifest {name}", len(rows), "images") as progress:
            for row in rows:
                self._take(int(row), int(self._own[row]))
                progress.add()

    def fill(self, wanted: dict[str, int]) -> None:
        """Take rows of the reserves, until nothing is wanted or there are no more.

        Args:
            wanted: By split; what is taken is taken off.
        """
        for row in np.flatnonzero(self._own == RESERVE):
            lacking = [split for split in wanted if wanted[split]]
            if not lacking:
                return
            # Where its near-duplicates are, if that can be.
            there = {self._splits[number] for number in np.unique(self._split[self._near(int(row))])}
            split = next((each for each in lacking if there == {each}), lacking[0])
            wanted[split] -= self._take(int(row), self._splits.index(split))

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Split and record of all rows that are taken, sorted by split and id."""
        parts: list[Iterable[tuple[str, str, bytes]]] = [
            self._unmoved(number) for number in range(len(self._files))
        ]
        added = np.flatnonzero((self._own == RESERVE) & (self._split != RESERVE))
        parts.append(sorted(self._moved(int(row)) for row in added))
        return ((split, record) for split, _, record in heapq.merge(*parts))

    def _unmoved(self, number: int) -> Iterator[tuple[str, str, bytes]]:
        """Split, id and record of the rows that a range has put into the splits in which they stay."""
        with open(self._files[number], "rb") as file:
            file.readline()
            for row, record in enumerate(records(file), start=self._firsts[number]):
                if self._own[row] != RESERVE and self._split[row] != RESERVE:
                    values = parse(record)
                    if values["group"] in self._joined:
                        record = compose({**values, "group": self._group(values["group"])})
                    yield values["split"], values["id"], record

    def _moved(self, row: int) -> tuple[str, str, bytes]:
        """The same of a row that was taken from a reserve."""
        values = self._read(row)
        split = self._splits[self._split[row]]
        changed = {**values, "split": split, "group": self._group(values["group"])}
        return split, values["id"], compose(changed)

    def _take(self, row: int, split: int) -> bool:
        """Take a row for a split unless it cannot be; whether it was taken."""
        near = self._near(row)
        reason = self._copy(row) or self._apart(near, split)
        if not (reason or len(near)):  # Nearly always.
            self._split[row] = split
            return True
        values = self._read(row)
        counted = bool(self._own[row] != RESERVE) and values["group"] != values["id"]
        if reason:
            self.rejected.append(Rejection(values["id"], reason))
            self.more_twins -= counted
            return False
        group, other = (self._group(each["group"]) for each in (values, self._read(int(near[0]))))
        if group != other:
            self._joined[group] = other
        self.more_twins += not counted
        self._split[row] = split
        return True

    def _near(self, row: int) -> np.ndarray:
        """The near-duplicates of a row among those taken, the nearest first.

        Within its range they have been looked for, but for where reserves go.
        """
        if self._twins is None or self._alone[row] or not self._hashed[row]:
            return np.empty(0, np.int64)
        twins = self._twins.of(int(self._hashes[row]))
        taken = (self._split[twins] != RESERVE) & self._hashed[twins]
        if self._own[row] != RESERVE:
            taken &= self._range[twins] != self._range[row]
        return twins[taken]

    def _copy(self, row: int) -> str | None:
        """The reason not to take a row of which a copy is taken."""
        for copy in self._copies.get(int(self._sums[row]), []):
            if self._split[copy] != RESERVE:
                other = self._read(copy)
                if other["sha256"] == self._read(row)["sha256"]:
                    return f"duplicate of {other['id']}"
        return None

    def _apart(self, near: np.ndarray, split: int) -> str | None:
        """The reason not to take a row for a split if a near-duplicate is in another."""
        others = near[self._split[near] != split]
        if not len(others):
            return None
        twin = int(others[0])
        where = self._splits[self._split[twin]]
        return f"near-duplicate of {self._read(twin)['id']}, which is in {where}"

    def _group(self, group: str) -> str:
        """What a group has become a part of by now."""
        while group in self._joined:
            group = self._joined[group]
        return group

    def _read(self, row: int) -> dict[str, str]:
        return row_at(self._files[self._range[row]], int(self._places[row]))


def kind(reason: str) -> str:
    """The reason of a rejection without its details, to be counted."""
    return reason.split(":")[0].split(" of ")[0]


def _write_rejected(
    path: Path, ranges: Sequence[RangeFiles], more: Sequence[Rejection]
) -> tuple[Counter[str], Rejection | None]:
    """Gather what the ranges have passed over, and more; reasons counted, and the first of them."""
    reasons: Counter[str] = Counter()
    first = None
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "reason"])
        for rejection in chain(*(_rejections(each.rejected) for each in ranges), more):
            writer.writerow([guarded(rejection.id), guarded(rejection.reason)])
            reasons[kind(rejection.reason)] += 1
            first = first or rejection
    return reasons, first


def _rejections(path: Path) -> Iterator[Rejection]:
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for id, reason in reader:
            yield Rejection(unguarded(id), unguarded(reason))


def _too_few(
    name: str,
    counts: Mapping[str, int],
    wanted: Mapping[str, int],
    rejected: int,
    first: Rejection | None,
    folder: Path,
    remedy: str,
) -> str:
    missing = ", ".join(
        f"{counts[split] - wanted[split]} of {counts[split]} for {split}" for split in counts
    )
    message = f"data set '{name}' has too few usable photographs: {missing}"
    if first:
        message += (
            f"; {rejected} rejected, listed in {folder / 'rejected.csv'} "
            f"(first: {first.id}, {first.reason})"
        )
    return f"{message}. Ask for fewer under 'data_sets' in config.yaml, {remedy}"
