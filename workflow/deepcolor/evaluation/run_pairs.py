"""Runs and the pairs of them that are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from deepcolor.evaluation.variants import varied_run
from deepcolor.files import read_json
from deepcolor.labels import BASELINES, ORACLES


@dataclass(frozen=True)
class TrainedRun:
    """A trained run, as far as it decides which runs it is compared with.

    Attributes:
        run: Name of the run.
        model: Name of the model.
        epochs: Number of epochs.
        seed: Random seed of the training.
        varies: Name of the model that this one is a variant of, "" for none.
    """

    run: str
    model: str
    epochs: int
    seed: int
    varies: str


def read_trained_runs(files: Sequence[Path], varies: Mapping[str, str]) -> list[TrainedRun]:
    """Return the runs that training.json files describe, in their order.

    Args:
        files: The training.json of runs, a model's first seed before the others.
        varies: The model that a variant varies, by run.
    """
    records = [read_json(file) for file in files]
    return [
        TrainedRun(
            record["run"],
            record["model"],
            record["epochs"],
            record["seed"],
            varies.get(record["run"], ""),
        )
        for record in records
    ]


def pairs_to_compare(
    trained: Sequence[TrainedRun], external: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Return the pairs of runs that are compared: of each its kind, the run, and the other run.

    Kinds are "baseline" (every run and the grayscale copy or the training-set mean chroma), "network"
    (the longest runs and external predictions among themselves), "epochs" (a longer training and the
    next shorter one) and "change" (a variant and what it varies, with as many epochs).

    Args:
        trained: All trained runs.
        external: Names of the external predictions.
    """
    first = first_seed_runs(trained)
    longest = [*{run.model: run.run for run in first}.values(), *external]
    pairs = [
        ("baseline", run, baseline)
        for run in [*(each.run for each in trained), *external]
        for baseline in BASELINES
        if baseline not in ORACLES
    ]
    pairs += [("network", run, other) for run, other in combinations(longest, 2)]
    for model in dict.fromkeys(run.model for run in first):
        runs = [run.run for run in first if run.model == model]
        pairs += [("epochs", longer, shorter) for shorter, longer in pairwise(runs)]
    for run in trained:
        if other := varied_run(vars(run), [vars(each) for each in trained], run.varies):
            pairs.append(("change", run.run, other["run"]))
    return pairs


def first_seed_runs(trained: Sequence[TrainedRun]) -> list[TrainedRun]:
    """Return the runs of each model with its first seed, the shortest first."""
    seeds: dict[str, int] = {}
    for run in trained:
        seeds.setdefault(run.model, run.seed)
    return sorted(
        (run for run in trained if run.seed == seeds[run.model]),
        key=lambda run: (list(seeds).index(run.model), run.epochs),
    )
