"""How sure a mean is: bootstrap intervals over photographs, and paired comparisons.

What is resampled are groups, the photographs that images come from: crops of one photograph are not
independent. Each data set is a stratum, resampled by itself, so that its share of the images stays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

RESAMPLES = 9999
CONFIDENCE = 0.95
# Bytes of the weights of resampled groups that are in memory at a time.
CHUNK_BYTES = 64 * 2**20
SEED = 0

METHOD = (
    f"{CONFIDENCE:.0%} bootstrap interval (BCa, {RESAMPLES:,} resamples of the photographs that the "
    "images come from, each data set by itself)"
)


@dataclass(frozen=True)
class Interval:
    """A mean and its interval; low and high are nan where a stratum has but one group."""

    value: float
    low: float
    high: float


class Bootstrap:
    """Resampled means of columns over images.

    The same images give the same resamples, whatever is measured on them: intervals of differences
    between runs, taken from one set of columns, are paired.

    Attributes:
        images: Number of images.
        groups: Number of groups.
    """

    def __init__(self, strata: Sequence[str], groups: Sequence[str]) -> None:
        """Prepare for images in this order.

        Args:
            strata: The data set of each image.
            groups: The group of each image; equal names in two strata are two groups.
        """
        stratum = pd.Series(strata).astype(str).reset_index(drop=True)
        codes = pd.Series(groups).astype(str).reset_index(drop=True)
        # Of each stratum the rows of its images and the numbers of their groups.
        self._strata = [
            (rows.to_numpy(), pd.factorize(codes[rows])[0])
            for rows in (stratum.index[stratum == name] for name in stratum.unique())
        ]
        self.images = len(stratum)
        self.groups = sum(int(numbers.max()) + 1 for _, numbers in self._strata)

    @property
    def has_intervals(self) -> bool:
        """Whether all strata have several groups; one of a single group would seem certain."""
        return all(numbers.max() > 0 for _, numbers in self._strata)

    def means(self, columns: np.ndarray) -> np.ndarray:
        """The means of columns over the images of every resample.

        Args:
            columns: `(images, columns)`.

        Returns:
            `(RESAMPLES, columns)`.
        """
        means = np.zeros((RESAMPLES, columns.shape[1]))
        for number, (rows, sums, counts) in enumerate(self._sums(columns)):
            random = np.random.default_rng([SEED, number])
            share = len(rows) / self.images
            for part in _parts(len(counts)):
                shape = (part.stop - part.start, len(counts))
                drawn = random.integers(0, shape[1], shape) + shape[1] * np.arange(shape[0])[:, None]
                weights = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(shape).astype(float)
                means[part] += share * (weights @ sums) / (weights @ counts)[:, None]
        return means

    def influence(self, columns: np.ndarray) -> np.ndarray:
        """What leaving one group out changes of its stratum's mean, for BCa's acceleration.

        Args:
            columns: `(images, columns)`.

        Returns:
            `(groups, columns)`: the mean without the group, less the mean of these over the stratum,
            times the stratum's share of the images. Of a stratum of one group, zero.
        """
        found = []
        for rows, sums, counts in self._sums(columns):
            if len(counts) < 2:
                found.append(np.zeros_like(sums))
                continue
            left = (sums.sum(axis=0) - sums) / (counts.sum() - counts)[:, None]
            found.append((left - left.mean(axis=0)) * (len(rows) / self.images))
        return np.concatenate(found)

    def intervals(
        self, columns: np.ndarray, transform: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> list[Interval]:
        """BCa intervals (Efron 1987) of the means of columns.

        Args:
            columns: `(images, columns)`.
            transform: Of the means, monotone, value by value: the interval is that of its result.

        Returns:
            For each column its mean and interval.
        """
        means, value = self.means(columns), columns.mean(axis=0)
        influence = self.influence(columns)
        if transform is not None:
            # What leaving out a group changes of the transformed mean.
            influence = transform(value + influence) - transform(value)
            means, value = transform(means), transform(value)
        return [
            bca(float(value[number]), means[:, number], influence[:, number])
            if self.has_intervals
            else Interval(float(value[number]), np.nan, np.nan)
            for number in range(columns.shape[1])
        ]

    def _sums(self, columns: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of each stratum: its rows, and the sums of columns and the number of images by group."""
        for rows, numbers in self._strata:
            sums = np.zeros((int(numbers.max()) + 1, columns.shape[1]))
            np.add.at(sums, numbers, columns[rows])
            yield rows, sums, np.bincount(numbers).astype("float64")


def _parts(groups: int) -> Iterator[slice]:
    """The resamples in parts whose weights fit into CHUNK_BYTES."""
    size = max(1, CHUNK_BYTES // (8 * groups))
    for start in range(0, RESAMPLES, size):
        yield slice(start, min(start + size, RESAMPLES))


def bca(value: float, resampled: np.ndarray, influence: np.ndarray) -> Interval:
    """A BCa interval (Efron 1987).

    Args:
        value: The mean, or what is made of it.
        resampled: `(RESAMPLES,)`, of `Bootstrap.means`.
        influence: `(groups,)`, of `Bootstrap.influence`.
    """
    spread = float(np.ptp(resampled))
    if spread == 0:
        return Interval(value, value, value)
    normal = NormalDist()
    # Resamples that are the images themselves in another order differ from the value by rounding.
    tie = 1e-9 * spread
    below = (np.mean(resampled < value - tie) + np.mean(resampled <= value + tie)) / 2
    bias = normal.inv_cdf(float(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES)))
    # Of what is left when a group is left out: the sign turns.
    squares = float(np.sum(influence**2))
    acceleration = -float(np.sum(influence**3)) / (6 * squares**1.5) if squares else 0.0
    ends = []
    for share in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2):
        shifted = bias + normal.inv_cdf(share)
        ends.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(resampled, ends)
    return Interval(value, float(low), float(high))
