"""Intervals of user studies hold what they promise; `tests/soak/coverage.py` tries more of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.evaluation.bootstrap import Interval
from deepcolor.study.analysis import resampling, signal_detection
from deepcolor.study.analysis.intervals import TwoWay, wilson
from scipy.stats import binomtest
from soak.coverage import SPARSE, Design, answers, coverage

STUDIES = 300
# Three standard errors of a coverage at the ends of what is asked for, 92 to 98 %.
LEAST, MOST = 0.92 - 3 * math.sqrt(0.92 * 0.08 / STUDIES), 0.98 + 3 * math.sqrt(0.98 * 0.02 / STUDIES)
SMALL = Design(30, 40, SPARSE, (1.0, 1.0), 0.5)


def study(design: Design = SMALL, seed: int = 0) -> tuple[np.ndarray, ...]:
    return answers(design, np.random.default_rng(seed))


def ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.value, interval.high


@pytest.fixture(scope="module")
def found() -> dict[Design, dict[str, float]]:
    designs = [
        Design(30, 40, SPARSE, spread, rate)
        for spread, rate in (((0.3, 0.3), 0.3), ((1.0, 1.0), 0.1), ((1.0, 1.0), 0.5), ((0.3, 1.0), 0.9))
    ]
    designs += [Design(30, 40, ("one",), (1.0, 1.0), rate) for rate in (0.1, 0.5)]
    return {design: coverage(design, STUDIES) for design in designs}


@pytest.mark.slow
def test_intervals_cover_the_truth(found: dict[Design, dict[str, float]]) -> None:
    for design, shares in found.items():
        for name, share in shares.items():
            assert name == "Wilson" or LEAST <= share <= MOST, (design, name, share)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_the_mean(found: dict[Design, dict[str, float]]) -> None:
    for name in ("share", "real", "difference", "d′", "criterion"):
        shares = [each[name] for each in found.values() if name in each]
        assert 0.935 <= np.mean(shares) <= 0.97, (name, shares)


@pytest.mark.slow
def test_answers_taken_as_independent_look_surer_than_they_are(
    found: dict[Design, dict[str, float]],
) -> None:
    of_one = [each for design, each in found.items() if design.spread == (1.0, 1.0)]
    assert len(of_one) == 4
    assert all(each["Wilson"] < 0.92 for each in of_one), of_one
    assert min(each["Wilson"] for each in of_one) < 0.5


def test_share_is_the_share_of_answers() -> None:
    people, images, conditions, accepted = study()
    table = TwoWay(people, images, conditions, accepted)
    mine = accepted[conditions == "one"]
    assert table.conditions == ("one", "real", "three", "two")
    assert table.counts("one") == (mine.sum(), len(mine))
    interval = table.share("one")
    assert interval.value == mine.mean()
    assert 0 < interval.low < interval.value < interval.high < 1


def test_order_of_answers_and_names_change_nothing() -> None:
    columns = study()
    table = TwoWay(*columns)
    order = np.random.default_rng(3).permutation(len(columns[0]))
    shuffled = TwoWay(*[column[order] for column in columns])
    for measure in ("share", "pairs_sensitivity"):
        assert getattr(table, measure)("one") == getattr(shuffled, measure)("one")
    for measure in ("difference", "ratio", "superiority"):
        assert getattr(table, measure)("one", "real") == getattr(shuffled, measure)("one", "real")
    assert table.design_effect("one") == shuffled.design_effect("one")


def test_a_condition_more_leaves_the_others_alone() -> None:
    people, images, conditions, accepted = study()
    kept = conditions <= "real"  # "one" and "real", the first two.
    fewer = TwoWay(people[kept], images[kept], conditions[kept], accepted[kept])
    all_of_them = TwoWay(people, images, conditions, accepted)
    assert fewer.difference("one", "real") == all_of_them.difference("one", "real")


def test_variance_by_hand() -> None:
    # Two people on two images, all answers on one run: yes, yes, yes, no.
    table = TwoWay([0, 0, 1, 1], [0, 1, 0, 1], ["run"] * 4, [1, 1, 1, 0])
    # Errors 1/4, 1/4, 1/4, -3/4: each person's and each image's sums are 1/2 and -1/2, so twice
    # (2 of 2 - 1 degrees of freedom) 1/2, less 3/4 times 4/3: nothing in common.
    assert table.design_effect("run") == pytest.approx(1)
    # People who always answer the same: sums 1 and -1, 2 · 2 - 1 · 4/3 = 8/3 of people, none of images;
    # over 16 for the variance of the share, and 1/4 / 4 of independent answers.
    table = TwoWay([0, 0, 1, 1], [0, 1, 0, 1], ["run"] * 4, [1, 1, 0, 0])
    assert table.design_effect("run") == pytest.approx(1 + 8 / 3 / 16 / (1 / 4 / 4))


def test_independent_answers_have_the_interval_of_independent_answers() -> None:
    # As many people as answers, and as many images: nothing in common can be seen.
    accepted = np.arange(400) % 5 < 2
    table = TwoWay(np.arange(400), np.arange(400), ["run"] * 400, accepted)
    assert table.design_effect("run") == pytest.approx(1)
    share, reference = table.share("run"), wilson(160, 400)
    assert share.low == pytest.approx(reference.low, abs=0.004)
    assert share.high == pytest.approx(reference.high, abs=0.004)


def test_ends_follow_the_variance() -> None:
    table = TwoWay(*study(Design(200, 40, SPARSE, (1.0, 1.0), 0.5)))
    share = table.share("one")
    _, number = table.counts("one")
    deviation = math.sqrt(table.design_effect("one") * share.value * (1 - share.value) / number)
    # A little over 1.96, as 40 images tell their variance poorly.
    assert 1.9 * deviation < (share.high - share.low) / 2 < 2.2 * deviation


def test_more_in_common_makes_intervals_wider() -> None:
    widths, effects = [], []
    for spread in (0.0, 0.7, 1.4):
        table = TwoWay(*study(replace(SMALL, spread=(spread, spread), square=("one",))))
        share = table.share("one")
        widths.append(share.high - share.low)
        effects.append(table.design_effect("one"))
    assert widths == sorted(widths)
    assert effects == sorted(effects)
    assert effects[0] < 2 < 5 < effects[2]


def test_more_people_and_images_make_intervals_narrower() -> None:
    widths = []
    for people, images in ((15, 20), (60, 80), (240, 320)):
        share = TwoWay(*study(Design(people, images, SPARSE, (0.5, 0.5), 0.5))).share("one")
        widths.append(share.high - share.low)
    assert widths[0] > 1.5 * widths[1] > 1.5**2 * widths[2]


def test_swapped_conditions_turn_a_difference_around() -> None:
    table = TwoWay(*study())
    forth, back = table.difference("one", "two"), table.difference("two", "one")
    assert back.value == -forth.value
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-9)


def test_pairing_makes_differences_surer() -> None:
    # What people and images have in common is in both shares, and leaves their difference.
    table = TwoWay(*study(Design(200, 40, SPARSE, (1.0, 1.0), 0.5)))
    assert table.design_effect("one", "two") < 0.8 * table.design_effect("one")


@pytest.mark.parametrize("accepted", [0, 1])
def test_shares_of_0_and_1_have_one_sided_intervals(accepted: int) -> None:
    people, images, conditions, values = study()
    values[conditions == "one"] = accepted
    table = TwoWay(people, images, conditions, values)
    low, value, high = ends(table.share("one"))
    reference = wilson(*table.counts("one"))
    assert value == accepted
    # No surer than independent answers are.
    assert (low, high) == ((0, high) if accepted == 0 else (low, 1))
    assert reference.high - reference.low < high - low < 0.1
    low, value, high = ends(table.difference("one", "real"))
    assert -1 <= low < value < high <= 1
    assert all(map(math.isfinite, ends(table.sensitivity("real", "one"))))


def test_all_answers_alike() -> None:
    people, images, conditions, values = study()
    table = TwoWay(people, images, conditions, values * 0)
    low, value, high = ends(table.difference("one", "two"))
    assert value == 0
    assert -0.1 < low < 0 < high < 0.1
    nothing = table.ratio("one", "real")
    assert all(map(math.isnan, ends(nothing)))
    low, value, high = ends(table.superiority("one", "real"))
    assert low < 0.5 == value < high


@pytest.mark.parametrize("alone", ["person", "image"])
def test_one_person_or_one_image_tells_nothing_of_others(alone: str) -> None:
    people, images, conditions, values = study()
    (people if alone == "person" else images)[:] = 0
    table = TwoWay(people, images, conditions, values)
    measured = (
        table.share("one"), table.difference("one", "real"), table.sensitivity("real", "one"),
        table.superiority("one", "real"),
    )  # fmt: skip
    for each in measured:
        assert math.isfinite(each.value)
        assert math.isnan(each.low) and math.isnan(each.high)
    assert math.isnan(table.design_effect("one"))


def test_one_condition_seen_by_one_person_leaves_the_others_known() -> None:
    people, images, conditions, values = study()
    kept = (conditions != "one") | (people == 0)
    table = TwoWay(people[kept], images[kept], conditions[kept], values[kept])
    assert math.isnan(table.share("one").low)
    assert math.isnan(table.difference("one", "two").low)
    assert math.isfinite(table.share("two").low)


def test_ratio_is_that_of_shares() -> None:
    table = TwoWay(*study())
    ratio = table.ratio("one", "real")
    assert ratio.value == table.share("one").value / table.share("real").value
    assert 0 < ratio.low < ratio.value < ratio.high


def test_sensitivity_by_hand() -> None:
    people, images = np.divmod(np.arange(100), 10)
    conditions = np.where((people + images) % 2, "real", "run")
    values = np.zeros(100, dtype=int)
    values[np.flatnonzero(conditions == "real")[:40]] = 1
    values[np.flatnonzero(conditions == "run")[:15]] = 1
    table = TwoWay(people, images, conditions, values)
    # H = 40.5 / 51 = 0.7941 and F = 15.5 / 51 = 0.3039; z from a table: 0.821 and -0.513.
    assert table.sensitivity("real", "run").value == pytest.approx(0.821 + 0.513, abs=2e-3)
    assert table.criterion("real", "run").value == pytest.approx(-(0.821 - 0.513) / 2, abs=2e-3)
    # 35 of 50 pairs told rightly: √2 · z(35.5 / 51).
    assert table.pairs_sensitivity("run").value == pytest.approx(math.sqrt(2) * 0.513, abs=2e-3)


def test_detection() -> None:
    # Textbook figures: z(0.8413) = 1, z(0.1587) = -1, z(0.6915) = 0.5.
    assert signal_detection.sensitivity(np.array(0.8413), np.array(0.1587)) == pytest.approx(2, abs=1e-3)
    assert signal_detection.criterion(np.array(0.8413), np.array(0.1587)) == pytest.approx(0, abs=1e-9)
    assert signal_detection.criterion(np.array(0.8413), np.array(0.6915)) == pytest.approx(
        -0.75, abs=1e-3
    )
    assert signal_detection.pairs_sensitivity(np.array(0.5)) == 0
    assert signal_detection.pairs_sensitivity(np.array(0.8413)) == pytest.approx(math.sqrt(2), abs=1e-3)
    assert signal_detection.log_linear(0, 9) == 0.05
    assert signal_detection.log_linear(9, 9) == 0.95


def test_superiority_by_hand() -> None:
    people, images = [0, 1, 0, 1, 2], [0, 1, 1, 0, 2]
    conditions, grades = ["run", "run", "real", "real", "real"], [4, 2, 3, 2, 5]
    table = TwoWay(people, images, conditions, grades)
    # Of six pairs of grades 4 is above 3 and above 2, and 2 ties with 2.
    assert table.superiority("run", "real").value == pytest.approx((1 + 1 + 0.5) / 6)
    assert table.superiority("real", "run").value == pytest.approx(1 - (1 + 1 + 0.5) / 6)


def test_superiority_of_0_and_1_is_a_difference_of_shares() -> None:
    # P(above) + P(tie) / 2 of answers of 0 and 1 is ½ plus half of the difference.
    table = TwoWay(*study())
    above, difference = table.superiority("one", "real"), table.difference("one", "real")
    assert above.value == pytest.approx(0.5 + difference.value / 2)
    assert above.low == pytest.approx(0.5 + difference.low / 2, abs=0.015)
    assert above.high == pytest.approx(0.5 + difference.high / 2, abs=0.015)


def test_superiority_covers_the_truth() -> None:
    # Two conditions whose grades are drawn alike: neither is better, whatever people and images do.
    random, held = np.random.default_rng(5), 0
    people, images = (each.ravel() for each in np.indices((30, 40)))
    conditions = np.where((people + images) % 2, "real", "run")
    before, resampling.RESAMPLES = resampling.RESAMPLES, 999
    try:
        for _ in range(STUDIES):
            latent = random.normal(size=30)[people] + random.normal(size=40)[images]
            grades = np.digitize(latent + random.normal(size=1200), [-2, -0.7, 0.7, 2])
            interval = TwoWay(people, images, conditions, grades).superiority("run", "real")
            held += interval.low <= 0.5 <= interval.high
    finally:
        resampling.RESAMPLES = before
    assert LEAST <= held / STUDIES <= MOST, held / STUDIES


def test_better_grades_are_superior() -> None:
    people, images, conditions, values = study()
    grades = values + 2 * (conditions == "real") + 1
    interval = TwoWay(people, images, conditions, grades).superiority("one", "real")
    assert ends(interval)[:2] == (0, 0)
    assert 0 < interval.high < 0.1


def test_unusable_answers_are_refused() -> None:
    with pytest.raises(DeepColorError, match="none may be missing"):
        TwoWay([], [], [], [])
    with pytest.raises(DeepColorError, match="none may be missing"):
        TwoWay([0], [0], ["run"], [math.nan])
    table = TwoWay([0, 1], [0, 1], ["run", "run"], [1, 4])
    with pytest.raises(DeepColorError, match="'run' are no shares"):
        table.share("run")
    with pytest.raises(DeepColorError, match="no answers on 'other'. There are some on: run"):
        table.share("other")


@pytest.mark.parametrize("count, number", [(0, 10), (1, 10), (5, 10), (27, 41), (41, 41), (459, 1000)])
def test_wilson(count: int, number: int) -> None:
    expected = binomtest(count, number).proportion_ci(method="wilson")
    interval = wilson(count, number)
    assert interval.value == count / number
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("count, number", [(0, 0), (-1, 5), (6, 5)])
def test_wilson_of_no_share(count: int, number: int) -> None:
    with pytest.raises(DeepColorError, match="is no share"):
        wilson(count, number)
