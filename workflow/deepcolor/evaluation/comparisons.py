"""Runs against runs on the same images: differences with intervals, and tests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.bootstrap import CONFIDENCE, Bootstrap, bca
from deepcolor.evaluation.measures import KEPT, MEASURES
from deepcolor.evaluation.variants import varied_run
from deepcolor.files import read_json
from deepcolor.frames import read_frame
from deepcolor.labels import BASELINES, TOLD

# What is compared, of each prediction as it is and with the luminance of the input.
COMPARED = ("psnr", "ssim", "ciede2000")
# With fewer photographs bootstrap intervals are much too narrow, and no rank test can tell much.
LEAST_PHOTOGRAPHS = 8

COLUMNS = [
    "kind", "run", "other", "measure", "luminance", "photographs", "mean", "other_mean", "difference",
    "low", "high", "p", "p_holm", "effect", "share_better", "seeds", "other_seeds", "better",
]  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A run, as far as it decides what it is set beside.

    Attributes:
        run: Its name.
        model: Of the configuration.
        epochs: Of training.
        seed: Of the training.
        varies: The model that its model is a variant of, "" if it is none.
    """

    run: str
    model: str
    epochs: int
    seed: int
    varies: str


def read_trained(files: Sequence[Path], varies: Mapping[str, str]) -> list[Trained]:
    """The runs that training.json files tell of, in their order.

    Args:
        files: The training.json of runs, a model's first seed before the others.
        varies: By run of a variant, the model that it varies.
    """
    records = [read_json(file) for file in files]
    return [
        Trained(each["run"], each["model"], each["epochs"], each["seed"], varies.get(each["run"], ""))
        for each in records
    ]


def pairs(trained: Sequence[Trained], pictures: Sequence[str]) -> list[tuple[str, str, str]]:
    """What is set beside what: of each pair its kind, the run, and the other run.

    Kinds are "baseline" (every run against the grayscale copy and the training-set mean chroma),
    "network" (the longest runs and other programs' pictures among themselves), "epochs" (a longer
    training against the next shorter one) and "change" (a variant against what it varies, with as many
    epochs).

    Args:
        trained: All runs.
        pictures: The runs that are other programs' pictures.
    """
    first = _first_seeds(trained)
    longest = [*{run.model: run.run for run in first}.values(), *pictures]
    found = [
        ("baseline", run, baseline)
        for run in [*(each.run for each in trained), *pictures]
        for baseline in BASELINES
        if baseline not in TOLD
    ]
    found += [("network", run, other) for run, other in combinations(longest, 2)]
    for model in dict.fromkeys(run.model for run in first):
        runs = [run.run for run in first if run.model == model]
        found += [("epochs", longer, shorter) for shorter, longer in pairwise(runs)]
    for run in trained:
        if other := varied_run(vars(run), [vars(each) for each in trained], run.varies):
            found.append(("change", run.run, other["run"]))
    return found


def _first_seeds(trained: Sequence[Trained]) -> list[Trained]:
    """The runs of each model with its first seed, the shortest first."""
    seeds: dict[str, int] = {}
    for run in trained:
        seeds.setdefault(run.model, run.seed)
    return sorted(
        (run for run in trained if run.seed == seeds[run.model]),
        key=lambda run: (list(seeds).index(run.model), run.epochs),
    )


@dataclass
class Scores:
    """The scores of all runs on the same images, and their resampled means.

    Attributes:
        runs: Their names, in the order of columns.
        columns: Names of the measures, such as psnr and kept_psnr.
        values: `(images, runs, columns)`.
        groups: Number of the photograph of each image.
        bootstrap: Of these images.
    """

    runs: list[str]
    columns: list[str]
    values: np.ndarray
    groups: np.ndarray
    bootstrap: Bootstrap
    means: np.ndarray = field(init=False)
    influence: np.ndarray = field(init=False)
    photographs: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Resample once for all: differences of means are then those of the same resamples."""
        shape = (len(self.runs), len(self.columns))
        flat = self.values.reshape(len(self.values), -1)
        self.means = self.bootstrap.means(flat).reshape(-1, *shape)
        self.influence = self.bootstrap.influence(flat).reshape(-1, *shape)
        sums = np.zeros((self.groups.max() + 1, flat.shape[1]))
        np.add.at(sums, self.groups, flat)
        self.photographs = (sums / np.bincount(self.groups)[:, None]).reshape(-1, *shape)


def read_scores(files: Mapping[str, Path]) -> Scores:
    """Read the scores of runs.

    Args:
        files: per_image.csv by run.

    Raises:
        DeepColorError: Two are not of the same images.
    """
    columns = [f"{kept}{name}" for kept in ("", KEPT) for name in COMPARED]
    names = dict.fromkeys(["data_set", "id", "group"], str)
    tables = {run: read_frame(file, names) for run, file in files.items()}
    run, first = next(iter(tables.items()))
    for other, table in tables.items():
        if not table["id"].equals(first["id"]) or not table["data_set"].equals(first["data_set"]):
            raise DeepColorError(
                f"{files[other]} and {files[run]} are not of the same images; delete one and run the "
                "same command again"
            )
    keys = first["data_set"] + "/" + first["group"]
    return Scores(
        runs=list(tables),
        columns=columns,
        values=np.stack([table[columns].to_numpy() for table in tables.values()], axis=1),
        groups=pd.factorize(keys)[0],
        bootstrap=Bootstrap(first["data_set"], first["group"]),
    )


def compare_all(scores: Scores, trained: Sequence[Trained], pictures: Sequence[str]) -> pd.DataFrame:
    """All comparisons: `compare` of `pairs`, `compare_seeds` and `compare_luminance`.

    Args:
        scores: Of all runs, pictures and baselines.
        trained: All runs.
        pictures: The runs that are other programs' pictures.
    """
    runs = [*(run.run for run in trained), *pictures]
    tables = [
        compare(scores, pairs(trained, pictures)),
        compare_seeds(scores, trained),
        compare_luminance(scores, runs),
    ]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def compare(scores: Scores, asked: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """Compare pairs of runs, image by image.

    Tested are photographs, the means over their images, as images of one are not independent:
    Wilcoxon's signed-rank test, its p adjusted by Holm within a kind of pairs and a measure. With fewer
    than LEAST_PHOTOGRAPHS there is no test, and nothing is called better.

    Args:
        scores: Of all runs that are asked for.
        asked: Of `pairs`.

    Returns:
        COLUMNS: `difference` is the run's mean less the other's, with its interval; `effect` the
        rank-biserial correlation (1: the run's figure is higher on all photographs); `share_better` the
        share of photographs on which the run is closer to the photograph; `better` the name of the one
        for which both the interval and the test speak, "" where they do not.
    """
    return _judged(row for kind, run, other in asked for row in _rows(scores, kind, run, other))


def _judged(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows with what follows from them: p adjusted, and which run is better."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, family in table.groupby(["kind", "measure", "luminance"], sort=False):
        table.loc[family.index, "p_holm"] = holm(family["p"].to_numpy(dtype=float))
    return table.assign(better=_verdicts(table))


def _rows(scores: Scores, kind: str, run: str, other: str) -> Iterator[dict[str, object]]:
    """A pair's row for every measure."""
    this, that = scores.runs.index(run), scores.runs.index(other)
    for number, column in enumerate(scores.columns):
        yield _row(kind, (run, other), column, _paired(scores, (this, number), (that, number)))


def _paired(scores: Scores, this: tuple[int, int], that: tuple[int, int]) -> dict[str, object]:
    """What is said of the difference of two columns, each given by its run's and its own place."""
    (first, second), resampled, influence, photographs = (
        [each[:, run, column] for run, column in (this, that)]
        for each in (scores.values, scores.means, scores.influence, scores.photographs)
    )
    difference = float(first.mean() - second.mean())
    interval = bca(difference, resampled[0] - resampled[1], influence[0] - influence[1])
    known = scores.bootstrap.known
    return {
        "mean": float(first.mean()),
        "other_mean": float(second.mean()),
        "difference": difference,
        "low": interval.low if known else np.nan,
        "high": interval.high if known else np.nan,
        "p": _wilcoxon(photographs[0] - photographs[1]),
        "photographs": photographs[0] - photographs[1],
    }


def _row(
    kind: str,
    runs: tuple[str, str],
    column: str,
    figures: Mapping[str, Any],
    seeds: tuple[int, int] = (1, 1),
) -> dict[str, object]:
    """A row of the table, from `_paired`; its photographs are their differences."""
    differences = figures["photographs"]
    measure = column.removeprefix(KEPT)
    sign = 1 if MEASURES[measure].better == "higher" else -1
    return {
        "kind": kind,
        "run": runs[0],
        "other": runs[1],
        "measure": measure,
        "luminance": "kept" if column.startswith(KEPT) else "predicted",
        **figures,
        "photographs": len(differences),
        "effect": rank_biserial(differences),
        "share_better": float(np.mean(sign * differences > 0)),
        "seeds": seeds[0],
        "other_seeds": seeds[1],
    }


def _verdicts(table: pd.DataFrame) -> list[str]:
    """Which run of each row is better, "" where interval and test do not say the same."""
    beyond = (table["low"] > 0) | (table["high"] < 0)
    # Ranks may point the other way than the mean: many a little worse, few much better.
    agree = np.sign(table["effect"].astype(float)) == np.sign(table["difference"].astype(float))
    sure = beyond & agree & (table["p_holm"].astype(float) < 1 - CONFIDENCE)
    higher = table["measure"].map(lambda name: MEASURES[name].better == "higher")
    ahead = (table["difference"] > 0) == higher
    return list(np.where(sure, np.where(ahead, table["run"], table["other"]), ""))


def _wilcoxon(differences: np.ndarray) -> float:
    """The p of Wilcoxon's signed-rank test, nan for too few photographs."""
    if len(differences) < LEAST_PHOTOGRAPHS:
        return np.nan
    return float(stats.wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def rank_biserial(differences: np.ndarray) -> float:
    """The matched-pairs rank-biserial correlation (Kerby 2014), in [-1, 1]; 0 where nothing differs."""
    nonzero = differences[differences != 0]
    ranks = stats.rankdata(np.abs(nonzero))
    return float(np.sum(np.sign(nonzero) * ranks) / ranks.sum()) if len(nonzero) else 0.0


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number (Holm 1979); nan stays nan and does not count."""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def compare_seeds(scores: Scores, trained: Sequence[Trained]) -> pd.DataFrame:
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
    longest = {run.model: run.epochs for run in _first_seeds(trained)}
    runs: dict[str, list[int]] = {}
    for run in trained:
        if run.epochs == longest[run.model]:
            runs.setdefault(run.model, []).append(scores.runs.index(run.run))
    repeated = {model: numbers for model, numbers in runs.items() if len(numbers) > 1}
    return _judged(
        _seeds_row(scores, column, {this: repeated[this], that: repeated[that]})
        for this, that in combinations(repeated, 2)
        for column in scores.columns
    )


def _seeds_row(scores: Scores, column: str, models: Mapping[str, Sequence[int]]) -> dict[str, object]:
    """The row of two models and a measure, from the places of their runs."""
    number = scores.columns.index(column)
    (run, these), (other, those) = models.items()
    trainings = [scores.values[:, list(places), number].mean(axis=0) for places in (these, those)]
    difference = float(trainings[0].mean() - trainings[1].mean())
    photographs, resampled = (
        each[:, list(these), number].mean(axis=1) - each[:, list(those), number].mean(axis=1)
        for each in (scores.photographs, scores.means)
    )
    enough = scores.bootstrap.known and len(photographs) >= LEAST_PHOTOGRAPHS
    parts = [float(each.var(ddof=1)) / len(each) for each in trainings] + [float(resampled.var())]
    freedoms = [len(each) - 1 for each in trainings] + [len(photographs) - 1]
    error = float(np.sqrt(sum(parts)))
    low = high = p = np.nan
    if scores.bootstrap.known and error > 0:
        freedom = sum(parts) ** 2 / sum(
            part**2 / each for part, each in zip(parts, freedoms, strict=True)
        )
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
        low, high = difference - reach, difference + reach
        p = 2 * float(stats.t.sf(abs(difference) / error, freedom)) if enough else np.nan
    figures = {
        "mean": float(trainings[0].mean()),
        "other_mean": float(trainings[1].mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "p": p,
        "photographs": photographs,
    }
    return _row("seeds", (run, other), column, figures, (len(these), len(those)))


def compare_luminance(scores: Scores, runs: Sequence[str]) -> pd.DataFrame:
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
        for measure in COMPARED:
            kept, predicted = (scores.columns.index(f"{which}{measure}") for which in (KEPT, ""))
            figures = _paired(scores, (place, kept), (place, predicted))
            rows.append(_row("luminance", (run, run), f"{KEPT}{measure}", figures))
    table = _judged(rows)
    helps = (table["difference"] > 0) == table["measure"].map(
        lambda name: MEASURES[name].better == "higher"
    )
    return table.assign(better=np.where(helps, table["better"], ""))
