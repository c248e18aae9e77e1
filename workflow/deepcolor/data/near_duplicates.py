"""Near-duplicates among many perceptual hashes, found without comparing each with each."""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

BANDS, WIDTH = 4, 16  # Of the 64 bits.
SCANNED = 16_384  # Hashes that are compared one by one as fast as others are looked up.
LOOKED_UP = 2**18  # At a time, in some 10 MB.
SCATTERED = 8  # Time to compare a hash that is looked up, by that for the next in a row.


class HashIndex:
    """Hashes of 64 bits, numbered as they come, to be searched for those that differ in few bits.

    Exact, by the pigeonhole principle: where two hashes differ in at most d bits, one of four bands of
    16 bits differs in at most d // 4. Hashes are looked up by each band with so many bits flipped
    (M. Norouzi, A. Punjani and D. J. Fleet, "Fast search in Hamming space with multi-index hashing",
    2012). The last ones to come are compared one by one until there are enough to be sorted in.

    24 bytes a hash, and 1 MiB; what is looked up at a time besides.
    """

    def __init__(self, distance: int) -> None:
        """Count hashes that differ in at most `distance` bits as near-duplicates."""
        self._distance = distance
        self._hashes = np.empty(1024, np.uint64)
        self._count = 0
        self._sorted = 0  # The number of hashes, from the first, that can be looked up.
        # By band: the hashes' numbers sorted by its value, and where each value starts among them.
        self._numbers = np.empty((BANDS, 0), np.int32)
        self._starts = np.zeros((BANDS, 2**WIDTH + 1), np.int32)
        flips = [bits for n in range(distance // BANDS + 1) for bits in combinations(range(WIDTH), n)]
        self._flips = np.array([sum(1 << bit for bit in bits) for bits in flips], np.int32)

    def add(self, hashes: int | np.ndarray) -> None:
        """Remember a hash, or an array of them."""
        new = np.atleast_1d(np.asarray(hashes, np.uint64))
        count = self._count + len(new)
        if count > len(self._hashes):
            room = np.empty(max(count, 2 * len(self._hashes)), np.uint64)
            room[: self._count] = self._hashes[: self._count]
            self._hashes = room
        self._hashes[self._count : count] = new
        self._count = count
        if count - self._sorted > SCANNED:
            self._sort()

    def _sort(self) -> None:
        self._sorted = self._count
        self._numbers = np.empty((BANDS, self._count), np.int32)
        for band in range(BANDS):
            values = (self._hashes[: self._count] >> np.uint64(WIDTH * band)).astype(np.uint16)
            self._numbers[band] = np.argsort(values, kind="stable")
            self._starts[band, 1:] = np.cumsum(np.bincount(values, minlength=2**WIDTH))

    def find(self, hash: int) -> np.ndarray:
        """Return the numbers of a hash's near-duplicates, by distance and then by number."""
        numbers = np.concatenate([self._candidates(hash), np.arange(self._sorted, self._count)])
        bits = np.bitwise_count(self._hashes[numbers] ^ np.uint64(hash))
        near = bits <= self._distance
        numbers, first = np.unique(numbers[near], return_index=True)
        return numbers[np.argsort(bits[near][first], kind="stable")]

    def unique(self) -> np.ndarray:
        """Return whether each hash is without a near-duplicate; faster than `find` for each."""
        self._sort()
        # Equal hashes, of which there may be very many, are not unique.
        _, inverse, counts = np.unique(
            self._hashes[: self._count], return_inverse=True, return_counts=True
        )
        found = counts[inverse] == 1
        step = max(1, LOOKED_UP // len(self._flips))
        for start in range(0, self._count, step):
            for band in range(BANDS):
                rows = start + np.flatnonzero(found[start : start + step])
                starts, counts = self._alike(band, self._hashes[rows])
                asking = rows.repeat(len(self._flips))
                for part in _parts(counts, LOOKED_UP):
                    these = asking[part].repeat(counts[part])
                    numbers = self._numbers[band, _runs(starts[part], counts[part])]
                    bits = np.bitwise_count(self._hashes[numbers] ^ self._hashes[these])
                    found[these[(bits <= self._distance) & (numbers != these)]] = False
        return found

    def _candidates(self, hash: int) -> np.ndarray:
        """The numbers of the sorted hashes that may be near, some of them several times."""
        found = []
        for band in range(BANDS):
            starts, counts = self._alike(band, np.array([hash], np.uint64))
            if SCATTERED * BANDS * counts.sum() >= self._sorted:
                return np.arange(self._sorted)
            found.append(self._numbers[band, _runs(starts, counts)])
        return np.concatenate(found)

    def _alike(self, band: int, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in a table those are that have a band like each hash's, by flip; and how many."""
        values = (hashes >> np.uint64(WIDTH * band)).astype(np.uint16).astype(np.int32)
        values = (values[:, None] ^ self._flips).ravel()
        starts = self._starts[band, values]
        return starts, self._starts[band, values + 1] - starts


def _parts(counts: np.ndarray, most: int) -> Iterator[slice]:
    """Parts of runs that together have about so many numbers each."""
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(most, ends[-1] if len(ends) else 0, most)) + 1
    for start, stop in pairwise([0, *np.unique(cuts).tolist(), len(counts)]):
        if start < stop:
            yield slice(start, stop)


def _runs(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The numbers of runs, one after the other: `counts` of them from each of `starts` on."""
    ends = np.cumsum(counts)
    return np.repeat(starts - ends + counts, counts) + np.arange(ends[-1])
