"""Selection of the photographs of a data set from its ranges, without reading a photograph.

Numbers are in memory, some 60 bytes a photograph, and the rows that change; all others go from file to
file.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deepcolor.data.manifest import compose, parse, parsed, records, row_at
from deepcolor.data.near_duplicates import HashIndex
from deepcolor.data.order import Order
from deepcolor.data.ranges import RangeFiles
from deepcolor.data.sources.base import Rejection
from deepcolor.progress import Progress

RESERVE = -1  # In place of the number of a split.


class Selection:
    """The rows of the ranges that are taken, and their splits.

    Attributes:
        rejected: Photographs rejected here, after those that the ranges had rejected themselves.
        more_near_duplicates: Number of near-duplicates taken, beyond those that the ranges counted.
    """

    def __init__(
        self, ranges: Sequence[RangeFiles], rows: int, splits: Sequence[str], order: Order
    ) -> None:
        """Read the ranges.

        Args:
            ranges: Files of the ranges.
            rows: Number of rows of all ranges.
            splits: Names of the splits.
            order: Order of the rows, in the ranges and when they are merged.
        """
        self.rejected: list[Rejection] = []
        self.more_near_duplicates = 0
        self._files = [files.rows for files in ranges]
        self._splits = splits
        self._order = order
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
        self._index: HashIndex | None = None
        self._unique = np.zeros(rows, bool)  # Whether a row has no near-duplicate.
        self._duplicates: dict[int, list[int]] = {}  # Rows by the first bits of their checksums.

    def count(self, split: str) -> int:
        """Return the number of rows that are taken for a split."""
        return int(np.count_nonzero(self._split == self._splits.index(split)))

    def compare(self, name: str, distance: int) -> None:
        """Reject duplicates of earlier ranges, and near-duplicates of another split.

        Args:
            name: Name of the data set.
            distance: Number of bits in which hashes of near-duplicates differ at most; 0 not to look
                for them.
        """
        order = np.argsort(self._sums, kind="stable")
        same = np.flatnonzero(np.diff(self._sums[order]) == 0)
        for row in np.unique(order[np.concatenate([same, same + 1])]):
            self._duplicates.setdefault(int(self._sums[row]), []).append(int(row))
        if distance:
            self._index = HashIndex(distance)
            self._index.add(self._hashes)
            self._unique = self._index.unique()
        self._split[:] = RESERVE
        rows = np.flatnonzero(self._own != RESERVE)
        with Progress(f"write_manifest {name}", len(rows), "images") as progress:
            for row in rows:
                self._take(int(row), int(self._own[row]))
                progress.add()

    def fill(self, lacking: dict[str, int]) -> None:
        """Take rows of the reserves, until nothing is lacking or there are no more.

        Args:
            lacking: Number of photographs that are lacking, by split; reduced by those taken.
        """
        for row in np.flatnonzero(self._own == RESERVE):
            splits = [split for split in lacking if lacking[split]]
            if not splits:
                return
            # The split of its near-duplicates, if it lacks photographs.
            near = {self._splits[number] for number in np.unique(self._split[self._near(int(row))])}
            split = next((split for split in splits if near == {split}), splits[0])
            lacking[split] -= self._take(int(row), self._splits.index(split))

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Return split and record of all rows that are taken, in the order of the data set."""
        parts: list[Iterable[tuple[tuple[str, str], bytes]]] = [
            self._unmoved(number) for number in range(len(self._files))
        ]
        added = np.flatnonzero((self._own == RESERVE) & (self._split != RESERVE))
        parts.append(sorted(self._moved(int(row)) for row in added))
        return ((split, record) for (split, _), record in heapq.merge(*parts))

    def _unmoved(self, number: int) -> Iterator[tuple[tuple[str, str], bytes]]:
        """Yield sort key and record of the rows of a range that stay in their splits."""
        with open(self._files[number], "rb") as file:
            file.readline()
            for row, record in enumerate(records(file), start=self._firsts[number]):
                if self._own[row] != RESERVE and self._split[row] != RESERVE:
                    values = parse(record)
                    if values["group"] in self._joined:
                        record = compose({**values, "group": self._group(values["group"])})
                    yield self._order.key(values), record

    def _moved(self, row: int) -> tuple[tuple[str, str], bytes]:
        """Return sort key and record of a row that was taken from a reserve."""
        values = self._read(row)
        split = self._splits[self._split[row]]
        changed = {**values, "split": split, "group": self._group(values["group"])}
        return self._order.key(changed), compose(changed)

    def _take(self, row: int, split: int) -> bool:
        """Take a row for a split or reject it; return whether it was taken."""
        near = self._near(row)
        reason = self._duplicate(row) or self._apart(near, split)
        if not (reason or len(near)):  # Nearly always.
            self._split[row] = split
            return True
        values = self._read(row)
        counted = bool(self._own[row] != RESERVE) and values["group"] != values["id"]
        if reason:
            self.rejected.append(Rejection(values["id"], reason))
            self.more_near_duplicates -= counted
            return False
        group, other = (self._group(each["group"]) for each in (values, self._read(int(near[0]))))
        if group != other:
            self._joined[group] = other
        self.more_near_duplicates += not counted
        self._split[row] = split
        return True

    def _near(self, row: int) -> np.ndarray:
        """Return the near-duplicates of a row among those taken, the nearest first.

        Those in its own range were found before, except for rows of the reserve.
        """
        if self._index is None or self._unique[row] or not self._hashed[row]:
            return np.empty(0, np.int64)
        near = self._index.find(int(self._hashes[row]))
        taken = (self._split[near] != RESERVE) & self._hashed[near]
        if self._own[row] != RESERVE:
            taken &= self._range[near] != self._range[row]
        return near[taken]

    def _duplicate(self, row: int) -> str | None:
        """Return the reason not to take a row if a duplicate is taken."""
        for earlier in self._duplicates.get(int(self._sums[row]), []):
            if self._split[earlier] != RESERVE:
                other = self._read(earlier)
                if other["sha256"] == self._read(row)["sha256"]:
                    return f"duplicate of {other['id']}"
        return None

    def _apart(self, near: np.ndarray, split: int) -> str | None:
        """Return the reason not to take a row for a split if a near-duplicate is in another."""
        others = near[self._split[near] != split]
        if not len(others):
            return None
        nearest = int(others[0])
        where = self._splits[self._split[nearest]]
        return f"near-duplicate of {self._read(nearest)['id']}, which is in {where}"

    def _group(self, group: str) -> str:
        """Return the group that a group has been joined to."""
        while group in self._joined:
            group = self._joined[group]
        return group

    def _read(self, row: int) -> dict[str, str]:
        return row_at(self._files[self._range[row]], int(self._places[row]))
