"""How many answers and people a study needs."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.study import power


@pytest.mark.parametrize(
    "first, second, expected", [(0.53, 0.4587, 771), (0.5, 0.45, 1565), (0.5, 0.4, 387)]
)
def test_judgments(first: float, second: float, expected: int) -> None:
    assert power.judgments(first, second) == power.judgments(second, first) == expected
    assert power.judgments(1 - first, 1 - second) == expected


def test_judgments_hold_their_power() -> None:
    number, random = power.judgments(0.5, 0.4), np.random.default_rng(0)
    counts = random.binomial(number, [[0.5], [0.4]], (2, 20000))
    mean = counts.sum(axis=0) / (2 * number)
    z = (counts[0] - counts[1]) / number / np.sqrt(2 * mean * (1 - mean) / number)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(power.POWER, abs=0.015)


def test_power_table() -> None:
    known = power.assumed(20 / 3)
    assert set(known) >= {"design_effect", "assumed", "confidence", "power", "rows"}
    assert (known["design_effect"], known["assumed"]) == (2, True)
    first = known["rows"][0]
    assert first == {"from": 0.4587, "to": 0.53, "judgments": 771, "people": math.ceil(771 * 2 * 3 / 20)}
    assert [round(row["to"] - row["from"], 2) for row in known["rows"][1:]] == [0.03, 0.05, 0.1, 0.15]
    people = [row["people"] for row in known["rows"][1:]]
    assert people == sorted(people, reverse=True)
    measured = power.table(20 / 3, 4.0, assumed=False)
    assert measured["assumed"] is False
    for row, other in zip(known["rows"], measured["rows"], strict=True):
        assert row["judgments"] == other["judgments"]
        assert other["people"] == pytest.approx(2 * row["people"], abs=1)


@pytest.mark.parametrize("arguments", [(0, 2), (5, 0), (math.nan, 2), (5, math.inf)])
def test_power_of_nothing(arguments: tuple[float, float]) -> None:
    with pytest.raises(DeepColorError, match="above 0"):
        power.table(*arguments, assumed=False)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_no_power(shares: tuple[float, float]) -> None:
    with pytest.raises(DeepColorError, match="two different shares"):
        power.judgments(*shares)


def test_power_needs_the_standard_library_alone() -> None:
    workflow = Path(power.__file__).parents[2]
    script = (
        f"import sys; sys.path.insert(0, {str(workflow)!r}); from deepcolor.study import power; "
        "power.assumed(5); assert not {'numpy', 'scipy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
