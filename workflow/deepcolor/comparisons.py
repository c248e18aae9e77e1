"""Runs against runs on the same images: differences with intervals, and tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from deepcolor.definitions import KEPT, MEASURES
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json
from deepcolor.names import BASELINES, TOLD
from deepcolor.statistics import CONFIDENCE, RESAMPLES, SEED, Bootstrap, bca

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
        varied = [each for each in trained if (each.model, each.epochs) == (run.varies, run.epochs)]
        if varied:
            same = [each for each in varied if each.seed == run.seed]
            found.append(("change", run.run, [*same, *varied][0].run))
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
    # Names stay text, be they "007" or "NA".
    names = dict.fromkeys(["data_set", "id", "group"], str)
    tables = {run: pd.read_csv(file, dtype=names, keep_default_na=False) for run, file in files.items()}
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
    rows = [row for kind, run, other in asked for row in _rows(scores, kind, run, other)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, family in table.groupby(["kind", "measure", "luminance"], sort=False):
        table.loc[family.index, "p_holm"] = holm(family["p"].to_numpy())
    return table.assign(better=_verdicts(table))


def _rows(scores: Scores, kind: str, run: str, other: str) -> Iterator[dict[str, object]]:
    """A pair's row for every measure."""
    this, that = scores.runs.index(run), scores.runs.index(other)
    for number, column in enumerate(scores.columns):
        value = scores.values[:, this, number].mean() - scores.values[:, that, number].mean()
        resampled = scores.means[:, this, number] - scores.means[:, that, number]
        influence = scores.influence[:, this, number] - scores.influence[:, that, number]
        known = scores.bootstrap.known
        interval = bca(float(value), resampled, influence) if known else None
        differences = scores.photographs[:, this, number] - scores.photographs[:, that, number]
        measure = column.removeprefix(KEPT)
        sign = 1 if MEASURES[measure].better == "higher" else -1
        yield {
            "kind": kind,
            "run": run,
            "other": other,
            "measure": measure,
            "luminance": "kept" if column.startswith(KEPT) else "predicted",
            "photographs": len(differences),
            "mean": scores.values[:, this, number].mean(),
            "other_mean": scores.values[:, that, number].mean(),
            "difference": value,
            "low": interval.low if interval else np.nan,
            "high": interval.high if interval else np.nan,
            "p": _wilcoxon(differences),
            "effect": rank_biserial(differences),
            "share_better": float(np.mean(sign * differences > 0)),
            "seeds": 1,
            "other_seeds": 1,
        }


def _verdicts(table: pd.DataFrame) -> list[str]:
    """Which run of each row is better, "" where that cannot be said."""
    tested = np.where(
        table["kind"] == "seeds",
        table["photographs"] >= LEAST_PHOTOGRAPHS,
        table["p_holm"].astype(float) < 1 - CONFIDENCE,
    )
    sure = tested & ((table["low"] > 0) | (table["high"] < 0))
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

    The interval resamples photographs and, of each model, trainings (percentiles of the bootstrap; the
    variance of trainings is widened by n / (n - 1), as the few that there are lie closer to their own
    mean than to the true one).

    Args:
        scores: Of all runs.
        trained: All runs.

    Returns:
        COLUMNS, of kind "seeds", without p; `run` and `other` are models, `seeds` and `other_seeds` the
        numbers of their trainings.
    """
    longest = {run.model: run.epochs for run in _first_seeds(trained)}
    runs: dict[str, list[int]] = {}
    for run in trained:
        if run.epochs == longest[run.model]:
            runs.setdefault(run.model, []).append(scores.runs.index(run.run))
    repeated = {model: numbers for model, numbers in runs.items() if len(numbers) > 1}
    resampled = {
        model: _over_seeds(scores.means[:, numbers], number)
        for number, (model, numbers) in enumerate(repeated.items())
    }
    rows = []
    for this, that in combinations(repeated, 2):
        for number, column in enumerate(scores.columns):
            mean, other = (scores.values[:, repeated[model], number].mean() for model in (this, that))
            ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
            low, high = np.quantile(resampled[this][:, number] - resampled[that][:, number], ends)
            photographs = scores.photographs[:, repeated[this], number].mean(
                axis=1
            ) - scores.photographs[:, repeated[that], number].mean(axis=1)
            measure = column.removeprefix(KEPT)
            sign = 1 if MEASURES[measure].better == "higher" else -1
            rows.append(
                {
                    "kind": "seeds",
                    "run": this,
                    "other": that,
                    "measure": measure,
                    "luminance": "kept" if column.startswith(KEPT) else "predicted",
                    "photographs": len(photographs),
                    "mean": mean,
                    "other_mean": other,
                    "difference": mean - other,
                    "low": low if scores.bootstrap.known else np.nan,
                    "high": high if scores.bootstrap.known else np.nan,
                    "effect": rank_biserial(photographs),
                    "share_better": float(np.mean(sign * photographs > 0)),
                    "seeds": len(repeated[this]),
                    "other_seeds": len(repeated[that]),
                }
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(better=_verdicts(table))


def _over_seeds(means: np.ndarray, number: int) -> np.ndarray:
    """Resampled means over resampled seeds: `(resamples, seeds, columns)` to `(resamples, columns)`."""
    seeds = means.shape[1]
    random = np.random.default_rng([SEED, 1000 + number])
    drawn = random.integers(0, seeds, (RESAMPLES, seeds))
    picked = np.take_along_axis(means, drawn[:, :, None], axis=1).mean(axis=1)
    center = means.mean(axis=1)
    return center + (picked - center) * np.sqrt(seeds / (seeds - 1))
