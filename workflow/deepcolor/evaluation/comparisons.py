"""Runs against runs on the same images: differences with intervals, and tests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from deepcolor.evaluation.bootstrap import CONFIDENCE, bca
from deepcolor.evaluation.measures import KEPT, MEASURES
from deepcolor.evaluation.paired_scores import COMPARED_MEASURES, PairedScores
from deepcolor.evaluation.run_pairs import TrainedRun, first_seed_runs, pairs_to_compare
from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS, holm, rank_biserial, wilcoxon_p

COLUMNS = [
    "kind", "run", "other", "measure", "luminance", "photographs", "mean", "other_mean", "difference",
    "low", "high", "p", "p_holm", "effect", "share_better", "seeds", "other_seeds", "better",
]  # fmt: skip


def compare_all(
    scores: PairedScores, trained: Sequence[TrainedRun], external: Sequence[str]
) -> pd.DataFrame:
    """Compare pairs of runs, models with several seeds, and the two luminances of each run.

    Args:
        scores: Scores of all runs, external predictions and baselines.
        trained: All trained runs.
        external: Names of the external predictions.
    """
    runs = [*(run.run for run in trained), *external]
    tables = [
        compare_pairs(scores, pairs_to_compare(trained, external)),
        compare_seeds(scores, trained),
        compare_luminance(scores, runs),
    ]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def compare_pairs(scores: PairedScores, pairs: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """Compare pairs of runs, image by image.

    Tested are photographs, the means over their images, as images of one are not independent:
    Wilcoxon's signed-rank test, its p adjusted by Holm within a kind of pairs and a measure. With fewer
    than MIN_PHOTOGRAPHS there is no test, and nothing is called better.

    Args:
        scores: Scores of all runs in the pairs.
        pairs: Kind, run and other run of each pair, see `pairs_to_compare`.

    Returns:
        COLUMNS: `difference` is the run's mean less the other's, with its interval; `effect` the
        rank-biserial correlation (1: the run's figure is higher on all photographs); `share_better` the
        share of photographs on which the run is closer to the photograph; `better` the name of the one
        for which both the interval and the test speak, "" where they do not.
    """
    return _with_verdicts(row for kind, run, other in pairs for row in _rows(scores, kind, run, other))


def _with_verdicts(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return rows as a table, with adjusted p-values and the better run of each."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, family in table.groupby(["kind", "measure", "luminance"], sort=False):
        table.loc[family.index, "p_holm"] = holm(family["p"].to_numpy(dtype=float))
    return table.assign(better=_verdicts(table))


def _rows(scores: PairedScores, kind: str, run: str, other: str) -> Iterator[dict[str, object]]:
    """Yield the row of a pair for every measure."""
    this, that = scores.runs.index(run), scores.runs.index(other)
    for number, column in enumerate(scores.columns):
        yield _row(kind, (run, other), column, _paired(scores, (this, number), (that, number)))


def _paired(scores: PairedScores, this: tuple[int, int], that: tuple[int, int]) -> dict[str, object]:
    """Return the statistics of the difference of two columns, each given by its run and column."""
    (first, second), resampled, influence, photographs = (
        [each[:, run, column] for run, column in (this, that)]
        for each in (scores.values, scores.means, scores.influence, scores.photographs)
    )
    difference = float(first.mean() - second.mean())
    interval = bca(difference, resampled[0] - resampled[1], influence[0] - influence[1])
    has_intervals = scores.bootstrap.has_intervals
    return {
        "mean": float(first.mean()),
        "other_mean": float(second.mean()),
        "difference": difference,
        "low": interval.low if has_intervals else np.nan,
        "high": interval.high if has_intervals else np.nan,
        "p": wilcoxon_p(photographs[0] - photographs[1]),
        "photographs": photographs[0] - photographs[1],
    }


def _row(
    kind: str,
    runs: tuple[str, str],
    column: str,
    statistics: Mapping[str, Any],
    seeds: tuple[int, int] = (1, 1),
) -> dict[str, object]:
    """Return a row of the table.

    Args:
        kind: Kind of the pair.
        runs: Names of the run and the other run.
        column: Name of the measure, with its luminance.
        statistics: Result of `_paired`; its photographs are their differences.
        seeds: Numbers of trainings of the run and the other run.
    """
    differences = statistics["photographs"]
    measure = column.removeprefix(KEPT)
    sign = 1 if MEASURES[measure].better == "higher" else -1
    return {
        "kind": kind,
        "run": runs[0],
        "other": runs[1],
        "measure": measure,
        "luminance": "kept" if column.startswith(KEPT) else "predicted",
        **statistics,
        "photographs": len(differences),
        "effect": rank_biserial(differences),
        "share_better": float(np.mean(sign * differences > 0)),
        "seeds": seeds[0],
        "other_seeds": seeds[1],
    }


def _verdicts(table: pd.DataFrame) -> list[str]:
    """Return the better run of each row, "" where interval and test do not agree."""
    beyond = (table["low"] > 0) | (table["high"] < 0)
    # Ranks may point the other way than the mean: many a little worse, few much better.
    agree = np.sign(table["effect"].astype(float)) == np.sign(table["difference"].astype(float))
    sure = beyond & agree & (table["p_holm"].astype(float) < 1 - CONFIDENCE)
    higher = table["measure"].map(lambda name: MEASURES[name].better == "higher")
    ahead = (table["difference"] > 0) == higher
    return list(np.where(sure, np.where(ahead, table["run"], table["other"]), ""))


def compare_seeds(scores: PairedScores, trained: Sequence[TrainedRun]) -> pd.DataFrame:
    """Compare models of which both were trained with several seeds, after their longest training.

    Two things vary: the trainings of each model (the variance of their means over the images) and the
    photographs (the bootstrap variance of the difference of the models' means). Interval and p are of
    Welch's t with the degrees of freedom of Satterthwaite, which are few for few trainings.

    Args:
        scores: Of all runs.
        trained: All runs.

    Returns:
        COLUMNS, of kind "seeds"; `run` and `other` are models, `seeds` and `other_seeds` the numbers of
        their trainings.
    """
    longest = {run.model: run.epochs for run in first_seed_runs(trained)}
    runs: dict[str, list[int]] = {}
    for run in trained:
        if run.epochs == longest[run.model]:
            runs.setdefault(run.model, []).append(scores.runs.index(run.run))
    repeated = {model: numbers for model, numbers in runs.items() if len(numbers) > 1}
    return _with_verdicts(
        _seeds_row(scores, column, {this: repeated[this], that: repeated[that]})
        for this, that in combinations(repeated, 2)
        for column in scores.columns
    )


def _seeds_row(
    scores: PairedScores, column: str, models: Mapping[str, Sequence[int]]
) -> dict[str, object]:
    """The row of two models and a measure, from the places of their runs."""
    number = scores.columns.index(column)
    (run, these), (other, those) = models.items()
    trainings = [scores.values[:, list(places), number].mean(axis=0) for places in (these, those)]
    difference = float(trainings[0].mean() - trainings[1].mean())
    photographs, resampled = (
        each[:, list(these), number].mean(axis=1) - each[:, list(those), number].mean(axis=1)
        for each in (scores.photographs, scores.means)
    )
    enough = scores.bootstrap.has_intervals and len(photographs) >= MIN_PHOTOGRAPHS
    parts = [float(each.var(ddof=1)) / len(each) for each in trainings] + [float(resampled.var())]
    freedoms = [len(each) - 1 for each in trainings] + [len(photographs) - 1]
    error = float(np.sqrt(sum(parts)))
    low = high = p = np.nan
    if scores.bootstrap.has_intervals and error > 0:
        freedom = sum(parts) ** 2 / sum(
            part**2 / each for part, each in zip(parts, freedoms, strict=True)
        )
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
        low, high = difference - reach, difference + reach
        p = 2 * float(stats.t.sf(abs(difference) / error, freedom)) if enough else np.nan
    statistics = {
        "mean": float(trainings[0].mean()),
        "other_mean": float(trainings[1].mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "p": p,
        "photographs": photographs,
    }
    return _row("seeds", (run, other), column, statistics, (len(these), len(those)))


def compare_luminance(scores: PairedScores, runs: Sequence[str]) -> pd.DataFrame:
    """Compare predictions as they are with themselves on the luminance of the input.

    Args:
        scores: Of all runs.
        runs: Which.

    Returns:
        COLUMNS, of kind "luminance" (kept less predicted): `run` and `other` are the same, and so is
        `better`, where the input's luminance helps; "" where it does not, or nothing can be said.
    """
    rows = []
    for run in runs:
        place = scores.runs.index(run)
        for measure in COMPARED_MEASURES:
            kept, predicted = (scores.columns.index(f"{which}{measure}") for which in (KEPT, ""))
            statistics = _paired(scores, (place, kept), (place, predicted))
            rows.append(_row("luminance", (run, run), f"{KEPT}{measure}", statistics))
    table = _with_verdicts(rows)
    helps = (table["difference"] > 0) == table["measure"].map(
        lambda name: MEASURES[name].better == "higher"
    )
    return table.assign(better=np.where(helps, table["better"], ""))
