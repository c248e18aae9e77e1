"""A bootstrap over people and images whose answers have the variance that the data have.

The variance of shares of answers has three parts: what answers of one person have in common, what
answers on one image have in common, and the rest. Resampling people and images by product weights counts
the rest up to three times (Owen 2007; Owen & Eckles 2012), which is much where a person sees few
images. So here the first two parts are estimated by moments, from products of *different* answers of
one person or on one image (the terms of the two-way variance of Cameron, Gelbach & Miller 2011), never
below 0; the effects of people and of images are scaled to these variances, resampled with replacement
and added to the noise of independent answers, all on the logit scale.
"""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

from deepcolor.evaluation.bootstrap import CHUNK_BYTES, CONFIDENCE, RESAMPLES, SEED

NORMAL = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Effects:
    """Resampled effects of people and of images on columns of contributions, on the logit scale."""

    def __init__(
        self,
        codes: Sequence[np.ndarray],
        shown: np.ndarray,
        errors: np.ndarray,
        *,
        centers: np.ndarray,
        rest: np.ndarray,
        independent: np.ndarray,
    ) -> None:
        """Resample people and images.

        Args:
            codes: Of people and of images, the number of each row's, `(rows,)`.
            shown: Whether a row's answer counts for a column, `(rows, columns)`.
            errors: What each answer adds to the logit of each column's share, `(rows, columns)`; the
                sum of a column is 0.
            centers: Shares, above 0 and below 1, `(columns,)`.
            rest: Sums of squared errors, `(columns,)`: the part of products of an answer with itself.
            independent: The variance that independent answers would have, `(columns,)`.
        """
        self.centers, self._rest, self._independent = centers, rest, independent
        self._sums: list[np.ndarray] = []
        self._drawn: list[np.ndarray] = []
        sizes = []
        for seed, numbers in enumerate(codes):
            sums = np.zeros((int(numbers.max()) + 1, errors.shape[1]))
            np.add.at(sums, numbers, errors)
            present = np.array([len(np.unique(numbers[mask])) for mask in shown.T])
            sizes.append(present)
            # The mean is taken from the same answers: one degree of freedom less.
            sums *= np.sqrt(present / np.maximum(present - 1, 1))
            self._sums.append(sums)
            self._drawn.append(np.concatenate(list(_resampled(sums, seed))))
        self._fewest = np.maximum(np.min(sizes, axis=0) - 1, 1)

    def variance(self, places: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The variance that people and images cause between columns, and that of independent answers.

        Returns:
            `(columns, columns)` and `(columns,)`, on the logit scale.
        """
        people, images = (self._part(sums, places) for sums in self._sums)
        return people + images, self._independent[places]

    def draws(self, places: Sequence[int]) -> np.ndarray:
        """Resampled shares of some columns, `(RESAMPLES, columns)`, above 0 and below 1."""
        common, independent = self.variance(places)
        draws = np.stack(
            [
                np.random.default_rng([SEED, 2, place]).normal(0, np.sqrt(variance), RESAMPLES)
                for place, variance in zip(places, independent, strict=True)
            ],
            axis=1,
        )
        for sums, drawn in zip(self._sums, self._drawn, strict=True):
            crossed = sums[:, places].T @ sums[:, places]
            draws += drawn[:, places] @ _root(crossed, inverse=True) @ _root(self._part(sums, places))
        # Few people or images tell their own variance poorly: Student's t for the part that they cause.
        causes = np.diag(common) / (np.diag(common) + independent)
        freedom = self._fewest[places] / np.maximum(causes, 1e-3) ** 2
        draws *= student.ppf((1 + CONFIDENCE) / 2, freedom) / NORMAL
        return expit(logit(self.centers[places]) + draws)

    def _part(self, sums: np.ndarray, places: Sequence[int]) -> np.ndarray:
        """The variance that people, or images, cause: products of different answers of each."""
        crossed = sums[:, places].T @ sums[:, places] - np.diag(self._rest[places])
        values, vectors = np.linalg.eigh(crossed)
        return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)


def _resampled(sums: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """What resampled people (or images) add to each column, `(some of RESAMPLES, columns)` at a time."""
    random, groups = np.random.default_rng([SEED, seed]), len(sums)
    size = max(1, CHUNK_BYTES // (8 * groups))
    for start in range(0, RESAMPLES, size):
        number = min(size, RESAMPLES - start)
        drawn = random.integers(0, groups, (number, groups)) + groups * np.arange(number)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        yield (weights - 1.0) @ sums


def _root(matrix: np.ndarray, inverse: bool = False) -> np.ndarray:
    """The symmetric root of a matrix without negative eigenvalues, or that of its pseudoinverse."""
    values, vectors = np.linalg.eigh(matrix)
    there = values > 1e-10 * max(values.max(), 1e-300)
    roots = np.sqrt(np.where(there, values, 1.0))
    return np.asarray((vectors * np.where(there, 1 / roots if inverse else roots, 0)) @ vectors.T)
