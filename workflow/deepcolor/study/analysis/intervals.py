"""How sure a share of answers is, where people judge images and both are samples.

Answers of one person are alike, and so are answers on one image: taken as independent, as Wilson's
interval takes them, they look surer than they are.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.bootstrap import CONFIDENCE, RESAMPLES, Interval
from deepcolor.study.analysis import signal_detection
from deepcolor.study.analysis.resampling import NORMAL, Effects

METHOD = (
    f"{CONFIDENCE:.0%} two-way bootstrap interval ({RESAMPLES:,} resamples of people and of images, "
    "their effects scaled to variances by the method of moments, on the logit scale)"
)


class TwoWay:
    """Resampled answers of people on images, each in one condition.

    Equal answers in any order give equal intervals. Whatever is computed from several conditions is
    paired, as the same resampled people and images are in all of them.

    Attributes:
        conditions: Names of the conditions, sorted.
    """

    def __init__(
        self,
        people: ArrayLike,
        images: ArrayLike,
        conditions: ArrayLike,
        values: ArrayLike,
    ) -> None:
        """Prepare for answers, one per row.

        Args:
            people: Who answered.
            images: On which image.
            conditions: In which condition it was shown: "real", or the name of a run.
            values: 1 where it was taken for real, otherwise 0; or a grade, for `superiority`.

        Raises:
            DeepColorError: There are no answers, or one has no value.
        """
        numbers = np.asarray(values, dtype=float)
        if not len(numbers) or not np.isfinite(numbers).all():
            raise DeepColorError("Intervals need answers, each with a value: none may be missing")
        codes: list[np.ndarray] = []
        names = np.array([])
        for column in (people, images, conditions):
            code, names = pd.factorize(np.asarray(column).astype(str).astype(object), sort=True)
            codes.append(code)
        order = np.lexsort([numbers, *reversed(codes)])
        self.conditions = tuple(str(name) for name in names)
        # Of people and of images, the number of each row's.
        self._codes = [code[order] for code in codes[:2]]
        self._values = numbers[order]
        self._shown = codes[2][order][:, None] == np.arange(len(names))

    def counts(self, condition: str) -> tuple[int, int]:
        """How many answers took pictures of a condition for real, and how many answers there are."""
        values = self._values[self._shown[:, self._place(condition)]]
        if not np.isin(values, (0, 1)).all():
            raise DeepColorError(
                f"Answers on {condition!r} are no shares: their values are not all 0 or 1"
            )
        return int(values.sum()), len(values)

    def share(self, condition: str) -> Interval:
        """The share of a condition's answers that took it for real, 0 to 1."""
        return self.statistic(lambda share: share, condition)

    def difference(self, first: str, second: str) -> Interval:
        """The share of one condition less that of another, −1 to 1, paired."""
        return self.statistic(np.subtract, first, second)

    def ratio(self, first: str, second: str) -> Interval:
        """The share of one condition over that of another, paired; infinite or nan over a share of 0."""
        return self.statistic(_ratio, first, second)

    def sensitivity(self, real: str, run: str) -> Interval:
        """d′ of yes-no answers, from log-linear shares; see `signal_detection.sensitivity`."""
        return self.statistic(signal_detection.sensitivity, real, run, corrected=True)

    def criterion(self, real: str, run: str) -> Interval:
        """The leaning c of yes-no answers, from log-linear shares; see `signal_detection.criterion`."""
        return self.statistic(signal_detection.criterion, real, run, corrected=True)

    def pairs_sensitivity(self, run: str) -> Interval:
        """d′ of pairs, from the log-linear share; see `signal_detection.pairs_sensitivity`.

        The right answer is the one that did not take the colorized picture for real.
        """
        return self.statistic(
            lambda share: signal_detection.pairs_sensitivity(1 - share), run, corrected=True
        )

    def statistic(
        self, function: Callable[..., np.ndarray], *conditions: str, corrected: bool = False
    ) -> Interval:
        """What a function makes of shares of conditions, with its interval.

        Args:
            function: Of as many arrays as there are conditions, shares of 0 to 1 in any shape.
            conditions: Names.
            corrected: Whether the value comes from log-linear shares, for a function that is infinite
                at 0 and 1; those of resamples are between them anyway.

        Returns:
            The value; the interval is nan where a condition has but one person or one image.

        Raises:
            DeepColorError: A condition has no answers, or they are not all 0 or 1.
        """
        counts = [self.counts(name) for name in conditions]
        shares = [
            signal_detection.log_linear(*each) if corrected else each[0] / each[1] for each in counts
        ]
        value = float(function(*[np.asarray(share) for share in shares]))
        places = [self._place(name) for name in conditions]
        if not all(self._known[place] for place in places):
            return Interval(value, np.nan, np.nan)
        return _interval(value, function(*self._shares.draws(places).T))

    def superiority(self, first: str, second: str) -> Interval:
        """The probability that a grade of one condition is above one of another, plus half of the ties.

        Of grades on two images by two people, each drawn by chance (the probabilistic index of
        Mann & Whitney 1947; variance from placements as by DeLong et al. 1988).

        Args:
            first: Name of a condition.
            second: Name of another condition.

        Returns:
            0 to 1, ½ where neither is better; interval as of `statistic`.
        """
        shown = self._shown[:, [self._place(first), self._place(second)]]
        one, two = (self._values[shown[:, place]] for place in range(2))
        placements = np.zeros(len(self._values))
        placements[shown[:, 0]] = _below(one, two)
        placements[shown[:, 1]] = 1 - _below(two, one)
        value = float(placements[shown[:, 0]].mean())
        if not (self._known[self._place(first)] and self._known[self._place(second)]):
            return Interval(value, np.nan, np.nan)
        fewest = min(len(one), len(two))
        center = signal_detection.log_linear(value * fewest, fewest)
        errors, rest = np.zeros((len(placements), 1)), 0.0
        for mask, number in zip(shown.T, map(len, (one, two)), strict=True):
            errors[mask, 0] = (placements[mask] - value) / number / (center * (1 - center))
            rest += float((errors[mask] ** 2).sum()) * number / max(number - 1, 1)
        # Where nothing varies, the largest variance that there can be (Birnbaum & Klose 1957).
        least = rest if rest > 0 else 1 / (fewest * center * (1 - center))
        effects = Effects(
            self._codes,
            shown.any(axis=1, keepdims=True),
            errors,
            centers=np.array([center]),
            rest=np.array([rest]),
            independent=np.array([least]),
        )
        return _interval(value, effects.draws([0])[:, 0])

    def design_effect(self, *conditions: str) -> float:
        """How many times the variance of independent answers a share, or a difference of two, has.

        It is that of a study of this size: what images have in common weighs the more, the more people
        have judged the same images.

        Args:
            conditions: One, for its share, or two, for their difference.

        Returns:
            At least 1; nan where a condition has but one person or one image.
        """
        for name in conditions:
            self.counts(name)
        places = [self._place(name) for name in conditions]
        if not all(self._known[place] for place in places):
            return float("nan")
        signs = np.array([1.0, -1.0])[: len(places)]
        center = self._shares.centers[places]
        slopes = signs * center * (1 - center)
        common, rest = self._shares.variance(places)
        return float((slopes @ common @ slopes) / (slopes**2 @ rest)) + 1

    @cached_property
    def _known(self) -> np.ndarray:
        """Of each condition, whether it has several people and several images."""
        return np.array(
            [all(len(np.unique(each[mask])) > 1 for each in self._codes) for mask in self._shown.T]
        )

    @cached_property
    def _shares(self) -> Effects:
        counts = np.array([self.counts(name) for name in self.conditions], dtype=float)
        answers, shares = counts[:, 1], counts[:, 0] / counts[:, 1]
        centers = (counts[:, 0] + 0.5) / (answers + 1)
        slope = centers * (1 - centers)
        errors = np.where(self._shown, (self._values[:, None] - shares) / (answers * slope), 0)
        rest = (errors**2).sum(axis=0) * answers / np.maximum(answers - 1, 1)
        return Effects(
            self._codes,
            self._shown,
            errors,
            centers=centers,
            rest=rest,
            independent=1 / (answers * slope),
        )

    def _place(self, condition: str) -> int:
        if condition not in self.conditions:
            known = ", ".join(self.conditions)
            raise DeepColorError(f"There are no answers on {condition!r}. There are some on: {known}")
        return self.conditions.index(condition)


def wilson(count: int, answers: int) -> Interval:
    """Wilson's (1927) interval of a share, which takes answers as independent.

    Args:
        count: Answers of the kind, 0 to `answers`.
        answers: All answers, at least 1.

    Raises:
        DeepColorError: There are no answers, or more of the kind than all.
    """
    if not 0 <= count <= answers or answers < 1:
        raise DeepColorError(
            f"{count} of {answers} is no share of answers: give 0 to all of at least one"
        )
    share, square = count / answers, NORMAL**2
    center = (share + square / (2 * answers)) / (1 + square / answers)
    half = NORMAL * np.sqrt(share * (1 - share) / answers + square / (4 * answers**2))
    half /= 1 + square / answers
    # At 0 and 1 the near end is the share itself but for rounding.
    low = 0.0 if count == 0 else float(center - half)
    return Interval(share, low, 1.0 if count == answers else float(center + half))


def _interval(value: float, draws: np.ndarray) -> Interval:
    """The middle of draws, one-sided where the value is beyond them, as a share of 0 is."""
    if not np.isfinite(value):
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))


def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(first / second)


def _below(grades: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each grade, the share of other grades below it plus half the share of equal ones."""
    ordered = np.sort(others)
    sides = [np.searchsorted(ordered, grades, side) for side in ("left", "right")]
    return (sides[0] + sides[1]) / 2 / len(ordered)
