"""Photographs that were taken before, to find duplicates and near-duplicates of them."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepcolor.data.manifest import parsed, row_at
from deepcolor.data.near_duplicates import HashIndex


class Taken(NamedTuple):
    """A photograph that was taken."""

    split: str
    id: str
    group: str


class Seen:
    """The photographs that were taken, in this range and in other data sets.

    Those of other data sets take some 50 bytes each; their names are read when needed.

    Attributes:
        compares: Whether near-duplicates are looked for.
    """

    def __init__(self, others: Sequence[Path], distance: int) -> None:
        """Read the photographs of other data sets.

        Args:
            others: Manifests of other data sets.
            distance: Number of bits in which hashes of near-duplicates differ at most; 0 not to look
                for them.
        """
        self.compares = distance > 0
        self._others = others
        self._index = HashIndex(distance)
        sums, places, hashes, hashed = array("Q"), array("q"), array("Q"), array("q")
        for number, manifest in enumerate(others):
            for offset, row in parsed(manifest):
                place = number << 48 | offset
                sums.append(int(row["sha256"][:16], 16))
                places.append(place)
                if self.compares and row["phash"]:
                    hashes.append(int(row["phash"], 16))
                    hashed.append(place)
        self._index.add(np.frombuffer(hashes, np.uint64))
        self._hashed = hashed
        order = np.argsort(np.frombuffer(sums, np.uint64))
        self._sums = np.frombuffer(sums, np.uint64)[order]
        self._places = np.frombuffer(places, np.int64)[order]
        self._first_with: dict[str, str] = {}
        self._own: list[Taken] = []

    def add(self, checksum: str, hash: int | None, taken: Taken) -> None:
        """Add a photograph.

        Args:
            checksum: SHA-256 checksum of the file, in hexadecimal.
            hash: Perceptual hash; None where there is none.
            taken: Split, id and group of the photograph.
        """
        self._first_with[checksum] = taken.id
        if self.compares and hash is not None:
            self._index.add(hash)
            self._own.append(taken)

    def duplicate_of(self, checksum: str) -> str | None:
        """Return the id of a photograph with this checksum, None if there is none."""
        if checksum in self._first_with:
            return self._first_with[checksum]
        value = np.uint64(int(checksum[:16], 16))
        first, last = (np.searchsorted(self._sums, value, side) for side in ("left", "right"))
        for place in sorted(int(place) for place in self._places[first:last]):
            row, name = self._read(place)
            if row["sha256"] == checksum:
                return name
        return None

    def near_duplicates_of(self, hash: int) -> list[Taken]:
        """Return the near-duplicates of a photograph, the nearest first."""
        if not self.compares:
            return []
        return [self._taken(int(number)) for number in self._index.find(hash)]

    def _taken(self, number: int) -> Taken:
        if number >= len(self._hashed):
            return self._own[number - len(self._hashed)]
        row, name = self._read(self._hashed[number])
        return Taken(row["split"], name, name)

    def _read(self, place: int) -> tuple[dict[str, str], str]:
        """Return a row of another data set, and its id after the name of the data set."""
        manifest = self._others[place >> 48]
        row = row_at(manifest, place & 2**48 - 1)
        return row, f"{manifest.parent.name}/{row['id']}"
