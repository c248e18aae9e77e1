"""Intervals: against SciPy, against resampling spelled out, and against what they promise."""

import numpy as np
import pytest
from deepcolor.evaluation import bootstrap, metrics
from deepcolor.evaluation.bootstrap import Bootstrap, Interval
from scipy import stats


def skewed(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(1, 0.8, rows)


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def one(values: np.ndarray, groups: object = None, strata: object = None) -> Interval:
    """The interval of one column; by default each image is a group, and all are one stratum."""
    names = np.arange(len(values)) if groups is None else groups
    of = ["d"] * len(values) if strata is None else strata
    return Bootstrap(of, names).intervals(np.reshape(values, (-1, 1)))[0]  # type: ignore[arg-type]


def of_scipy(values: np.ndarray, statistic: object = np.mean, seed: int = 1) -> tuple[float, float]:
    found = stats.bootstrap(
        (values,), statistic, n_resamples=50_000, method="BCa", rng=np.random.default_rng(seed)
    )
    return found.confidence_interval


@pytest.mark.parametrize("rows", [10, 40, 300])
def test_intervals_are_those_of_scipy(rows: int) -> None:
    for values in (skewed(rows), -skewed(rows, 1), np.random.default_rng(2).normal(20, 3, rows)):
        interval = one(values)
        low, high = ends(interval)
        assert interval.value == pytest.approx(values.mean())
        assert ends(interval) == pytest.approx(of_scipy(values), abs=0.03 * (high - low))
        # Not those of plain percentiles: BCa leans to the side of the long tail.
        assert low < interval.value < high


def test_intervals_lean_to_the_long_tail() -> None:
    interval = one(skewed(40))
    assert interval.high - interval.value > 1.15 * (interval.value - interval.low)
    mirrored = one(-skewed(40))
    assert -mirrored.high == pytest.approx(interval.low, abs=1e-9)
    assert -mirrored.low == pytest.approx(interval.high, abs=1e-9)


def test_interval_of_a_transformed_mean() -> None:
    errors = np.random.default_rng(3).lognormal(-5, 1, 60)
    bootstrap = Bootstrap(["d"] * 60, [str(number) for number in range(60)])
    (plain,) = bootstrap.intervals(errors[:, None])
    (decibels,) = bootstrap.intervals(errors[:, None], metrics.psnr_of_mse)
    assert decibels.value == pytest.approx(float(metrics.psnr_of_mse(errors.mean())))
    # Falling: the ends change places. BCa hardly minds a change of scale.
    width = decibels.high - decibels.low
    expected = [float(metrics.psnr_of_mse(end)) for end in (plain.high, plain.low)]
    assert ends(decibels) == pytest.approx(expected, abs=0.06 * width)
    theirs = of_scipy(errors, lambda x, axis: metrics.psnr_of_mse(x.mean(axis=axis)))
    assert ends(decibels) == pytest.approx(theirs, abs=0.03 * width)


def clustered(groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of groups of one to eight, alike within a group: values and the number of the group."""
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(groups), random.integers(1, 9, groups))
    return random.lognormal(1, 0.6, groups)[of] + random.normal(0, 0.2, len(of)), of


def test_groups_are_resampled_whole() -> None:
    values, of = clustered(30, 4)
    shuffled = np.random.default_rng(5).permutation(len(values))
    interval = one(values[shuffled], of[shuffled])
    width = interval.high - interval.low
    # Spelled out: the images of 30 groups, drawn with replacement.
    random = np.random.default_rng(6)
    members = [values[of == group] for group in range(30)]
    means = np.array(
        [
            np.concatenate([members[group] for group in random.integers(0, 30, 30)]).mean()
            for _ in range(5000)
        ]
    )
    ours = Bootstrap(["d"] * len(values), list(of.astype(str))).means(values[:, None])[:, 0]
    assert ours.mean() == pytest.approx(means.mean(), abs=0.05 * means.std())
    assert ours.std() == pytest.approx(means.std(), rel=0.05)
    assert np.quantile(ours, [0.025, 0.975]) == pytest.approx(
        np.quantile(means, [0.025, 0.975]), abs=0.05 * width
    )
    # As if images were independent, intervals would be much too narrow.
    alone = one(values)
    assert width > 1.5 * (alone.high - alone.low)


def test_groups_without_order_or_with_equal_sizes() -> None:
    values = skewed(20)
    # A group's images all the same: those of the groups alone.
    interval, repeated = one(values), one(np.repeat(values, 5), np.repeat(np.arange(20), 5))
    assert ends(repeated) == pytest.approx(ends(interval), rel=1e-9)
    assert repeated.value == pytest.approx(interval.value)


def test_strata_keep_their_sizes() -> None:
    # Two data sets of very different means: of their mean nothing is uncertain but what is within.
    random = np.random.default_rng(7)
    strata = np.repeat(["easy", "hard"], [30, 10])
    values = np.concatenate([random.normal(100, 1, 30), random.normal(0, 1, 10)])
    bootstrap = Bootstrap(strata, [str(number) for number in range(40)])  # type: ignore[arg-type]
    resampled = bootstrap.means(values[:, None])[:, 0]
    spread = np.sqrt((0.75**2) * values[:30].var() / 30 + (0.25**2) * values[30:].var() / 10)
    assert resampled.mean() == pytest.approx(values.mean(), abs=4 * spread / 100)
    assert resampled.std() == pytest.approx(spread, rel=0.04)
    interval = one(values, strata=strata)
    assert ends(interval) == pytest.approx(values.mean() + spread * np.array([-1.96, 1.96]), abs=0.1)
    # Mixed up they are the same images, and the interval is the same but for the draw.
    order = random.permutation(40)
    mixed = one(values[order], strata=strata[order])
    assert ends(mixed) == pytest.approx(ends(interval), abs=0.05)


def test_equal_names_in_two_data_sets_are_two_groups() -> None:
    bootstrap = Bootstrap(["a", "a", "b", "b"], ["1", "2", "1", "2"])
    assert (bootstrap.groups, bootstrap.images, bootstrap.has_intervals) == (4, 4, True)


def test_with_a_data_set_of_one_photograph_there_is_no_interval() -> None:
    # Resampled, it would pass for certain.
    strata, groups = ["a"] * 20 + ["b"] * 5, [*map(str, range(20)), *["x"] * 5]
    values = np.concatenate([skewed(20), [9, 8, 7, 8, 8]])
    together = one(values, groups, strata)
    assert together.value == pytest.approx(values.mean())
    assert np.isnan(together.low) and np.isnan(together.high)


@pytest.mark.parametrize("strata", [["a"] * 4, ["a", "a", "b", "b"]])
def test_one_photograph_each_has_no_interval(strata: list[str]) -> None:
    bootstrap = Bootstrap(strata, ["x"] * 4)
    assert not bootstrap.has_intervals
    columns = np.arange(8.0).reshape(4, 2)
    for interval, mean in zip(bootstrap.intervals(columns), (3, 4), strict=True):
        assert interval.value == mean and np.isnan(interval.low) and np.isnan(interval.high)
    (interval, _) = bootstrap.intervals(columns + 1, metrics.psnr_of_mse)
    assert interval.value == pytest.approx(-10 * np.log10(4)) and np.isnan(interval.low)


@pytest.mark.parametrize("value", [0, 0.1, 100, -3.3e-9])
def test_constant_columns_have_an_interval_of_nothing(value: float) -> None:
    values = np.full(37, value)
    _, of = clustered(9, 8)
    for interval in (one(values), one(np.full(len(of), value), of)):
        for end in ends(interval):
            assert end == pytest.approx(value, rel=1e-12, abs=1e-15)


def test_few_groups_have_an_interval_that_leans_to_no_side() -> None:
    # Half of the resamples of two are the two themselves, whose mean is rounded this way or that.
    for seed in range(20):
        values = np.random.default_rng(seed).normal(20, 3, 2)
        below = one(values)
        assert ends(below) == pytest.approx(sorted(values))
        groups = np.repeat(["a", "b"], [3, 3])
        resampled = Bootstrap(["d"] * 6, groups).means(np.repeat(values, 3)[:, None])[:, 0]  # type: ignore[arg-type]
        noisy = resampled + np.random.default_rng(seed).choice([-4e-15, 4e-15], len(resampled))
        for shift in (-4e-15, 0, 4e-15):
            interval = bootstrap.bca(values.mean() + shift, noisy + shift, np.array([1.0, -1.0]))
            assert ends(interval) == pytest.approx(ends(below), abs=1e-9)


def test_bias_is_not_read_from_rounding() -> None:
    # Of three values a good part of the resamples has exactly their mean, up to rounding.
    values = np.array([0.1, 0.2, 0.3])
    resampled = Bootstrap(["d"] * 3, ["a", "b", "c"]).means(values[:, None])[:, 0]
    assert 0.2 < np.mean(np.abs(resampled - 0.2) < 1e-9) < 0.3
    up, down = (
        bootstrap.bca(0.2 + shift, resampled, np.array([-0.05, 0, 0.05])) for shift in (1e-15, -1e-15)
    )
    assert ends(up) == pytest.approx(ends(down), abs=1e-9)


def test_the_same_images_give_the_same_resamples() -> None:
    values, of = clustered(12, 9)
    other = np.random.default_rng(10).normal(0, 1, len(values))
    strata, groups = ["d"] * len(values), list(of.astype(str))
    both = Bootstrap(strata, groups).means(np.stack([values, other], axis=1))
    assert both.shape == (bootstrap.RESAMPLES, 2)
    assert np.allclose(Bootstrap(strata, groups).means(values[:, None])[:, 0], both[:, 0], rtol=1e-12)
    # Differences of resampled means are the resampled means of differences: comparisons are paired.
    paired = Bootstrap(strata, groups).means((values - other)[:, None])[:, 0]
    assert np.allclose(both[:, 0] - both[:, 1], paired, rtol=0, atol=1e-12)
    again = Bootstrap(strata, groups).intervals(np.stack([values, other], axis=1))
    assert again == Bootstrap(strata, groups).intervals(np.stack([values, other], axis=1))


def test_memory_has_no_say_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    values, of = clustered(25, 11)
    strata = np.where(of < 10, "a", "b")
    resampled = Bootstrap(list(strata), list(of.astype(str)))
    whole = resampled.means(values[:, None])
    for size in (8 * 15 * 1000, 8 * 7 * 15, 1):
        monkeypatch.setattr(bootstrap, "CHUNK_BYTES", size)
        if size > 1:
            assert np.allclose(resampled.means(values[:, None]), whole, rtol=1e-13, atol=0)
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)  # One at a time is slow.
    assert np.allclose(resampled.means(values[:, None]), whole[:50], rtol=1e-13, atol=0)


def test_influence_is_that_of_leaving_out(monkeypatch: pytest.MonkeyPatch) -> None:
    values, of = clustered(8, 12)
    found = Bootstrap(["d"] * len(values), list(of.astype(str))).influence(values[:, None])[:, 0]
    left = np.array([values[of != group].mean() for group in range(8)])
    assert found == pytest.approx(left - left.mean())
    # In a stratum of a quarter of the images, a quarter.
    strata = ["d"] * len(values) + ["e"] * (3 * len(values))
    groups = [*of.astype(str), *(str(number) for number in range(3 * len(values)))]
    columns = np.concatenate([values, np.zeros(3 * len(values))])[:, None]
    assert Bootstrap(strata, groups).influence(columns)[:8, 0] == pytest.approx(found / 4)


@pytest.mark.parametrize("transform", [None, np.log])
def test_intervals_hold_the_true_mean_as_often_as_they_say(
    transform: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    true, held, trials = 1.0, 0, 400
    for trial in range(trials):
        random = np.random.default_rng([trial, 13])
        # Groups of four images in two data sets, skewed, alike within a group.
        values = np.repeat(random.gamma(2, 0.5, 50), 4) * random.gamma(10, 0.1, 200)
        strata, groups = ["a"] * 120 + ["b"] * 80, list(np.repeat(np.arange(50), 4).astype(str))
        (interval,) = Bootstrap(strata, groups).intervals(values[:, None], transform)  # type: ignore[arg-type]
        expected = true if transform is None else 0.0
        held += interval.low <= expected <= interval.high
    assert 0.90 <= held / trials <= 0.98
