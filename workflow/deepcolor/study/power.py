"""How many answers, and people, it takes to tell two runs apart. Standard library only."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from deepcolor.errors import DeepColorError

CONFIDENCE = 0.95
POWER = 0.8
# Answers of one person are alike, and so are answers on one photograph: as long as there are none to
# learn it from, each is taken to be worth half an independent one.
DESIGN_EFFECT = 2.0
# The published pair, and a share of one half against shares that many points below.
PAIRS = ((0.4587, 0.53), (0.47, 0.5), (0.45, 0.5), (0.4, 0.5), (0.35, 0.5))


def judgments(first: float, second: float) -> int:
    """Independent answers on each of two runs that tell their shares of acceptance apart.

    Two-sided test of two independent shares at `1 - CONFIDENCE`, with a power of `POWER`; normal
    approximation, the variance pooled where the shares are equal (Fleiss, Levin & Paik 2003, equation
    4.14), rounded.

    Args:
        first: A share, 0 to 1.
        second: Another share, 0 to 1.

    Raises:
        DeepColorError: The shares are equal, or one is no share.
    """
    if not (0 <= first <= 1 and 0 <= second <= 1) or first == second:
        raise DeepColorError(f"Nothing tells {first} from {second}: give two different shares, 0 to 1")
    mean = (first + second) / 2
    error = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(2 * mean * (1 - mean))
    miss = NormalDist().inv_cdf(POWER) * math.sqrt(first * (1 - first) + second * (1 - second))
    return round(((error + miss) / (first - second)) ** 2)


def table(
    answers_per_person_and_run: float,
    design_effect: float,
    *,
    assumed: bool,
    pairs: Sequence[tuple[float, float]] = PAIRS,
) -> dict[str, Any]:
    """The answers and people that a study needs, for pairs of shares.

    Args:
        answers_per_person_and_run: In the mean, above 0.
        design_effect: The variance of a run's share over that of as many independent answers, above 0.
        assumed: Whether the design effect is assumed; otherwise it comes from answers.
        pairs: Two shares of acceptance each, 0 to 1.

    Returns:
        `design_effect`, `assumed`, `confidence`, `power`, `answers_per_person_and_run`, and `rows`:
        `from` and `to` (shares), `judgments` (independent answers on each of the two runs) and `people`
        (who give the design effect times as many).

    Raises:
        DeepColorError: There are no answers per person, the design effect is not a number above 0, or
            two shares cannot be told apart.
    """
    for name, number in (
        ("answers per person and run", answers_per_person_and_run),
        ("design effect", design_effect),
    ):
        if not (math.isfinite(number) and number > 0):
            raise DeepColorError(f"The number of people needs {name} above 0, not {number}")
    rows = []
    for first, second in pairs:
        needed = judgments(first, second)
        people = math.ceil(needed * design_effect / answers_per_person_and_run)
        rows.append({"from": first, "to": second, "judgments": needed, "people": people})
    return {
        "design_effect": design_effect,
        "assumed": assumed,
        "confidence": CONFIDENCE,
        "power": POWER,
        "answers_per_person_and_run": answers_per_person_and_run,
        "rows": rows,
    }


def assumed(answers_per_person_and_run: float) -> dict[str, Any]:
    """`table` before there are answers, with a design effect of `DESIGN_EFFECT`."""
    return table(answers_per_person_and_run, DESIGN_EFFECT, assumed=True)
