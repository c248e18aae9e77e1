"""Findings on trainings: collapses, epochs, variants and seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from deepcolor.labels import run_label
from deepcolor.report.formatting import listed
from deepcolor.report.pairs import Pairs
from deepcolor.report.verdicts import describe_pair


def epoch_findings(
    named: Sequence[Mapping[str, Any]],
    trained: Sequence[Mapping[str, Any]],
    pairs: Pairs,
) -> list[str]:
    """Return what longer trainings change."""
    sentences = []
    for row in named:
        longer = row["trained"]
        # Early stopping keeps an epoch of its own choice, however long a training may be.
        if not longer or longer["best_epoch"] != "":
            continue
        same = [
            each for each in trained if each["first"] and each["trained"]["model"] == longer["model"]
        ]
        shorter = same[-2] if len(same) > 1 else None
        # None where the next shorter one has collapsed.
        pair = pairs.get(("epochs", row["run"], shorter["run"])) if shorter else None
        if shorter and pair:
            sentences.append(
                f"{longer['model']} after {longer['epochs']} epochs instead of "
                f"{shorter['trained']['epochs']}: {describe_pair(pair)}."
            )
    return sentences


def collapse_findings(trained: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which trainings ended collapsed, and which recovered from a collapse."""
    sentences = []
    for collapse in sorted({row["collapse"] for row in trained if row["collapse"]}):
        runs = [row["run"] for row in trained if row["collapse"] == collapse]
        sentences.append(
            f"The pictures of {', '.join(runs)} are {collapse} at the end of training: "
            f"{'its figures are those' if len(runs) == 1 else 'their figures are those'} of a "
            "training that collapsed."
        )
    # The history of a run that goes on from a shorter one holds that one's.
    continued = {row["continued_from"] for row in trained}
    last = [row for row in trained if row["run"] not in continued]
    passing = [
        f"{row['run']} ({row['collapses']})" for row in last if row["collapses"] and not row["collapse"]
    ]
    if passing:
        sentences.append(
            f"Trainings that collapsed on the way, after the epochs named, and recovered: "
            f"{'; '.join(passing)}."
        )
    return sentences


def change_findings(ablations: pd.DataFrame, pairs: Pairs) -> list[str]:
    """Return the variants that change CIEDE2000 most, after the longest training with the first seed."""
    firsts = ablations.drop_duplicates(["model", "epochs"])
    last = firsts.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    changes = [(pairs["change", row["run"], row["varied_run"]], row) for row in last.to_dict("records")]
    changes.sort(key=lambda change: change[0]["ciede2000"]["difference"])
    if not changes:
        return []
    described = [_change(pair, row, pairs) for pair, row in (changes[0], changes[-1])]
    if len(changes) == 1:
        return [f"A change to a network: {described[0]}."]
    return [
        f"Of {len(changes)} changes to networks the one that lowers CIEDE2000 most, or raises it least: "
        f"{described[0]}. The one at the other end: {described[1]}."
    ]


def _change(pair: Mapping[str, Any], row: Mapping[str, Any], pairs: Pairs) -> str:
    """Return what a change makes, over several trainings if both networks have them."""
    text = f"{run_label(row['run'])}, beside {run_label(row['varied_run'])} ({row['differs']}): "
    model, varied = row["model"], row["varies"]
    if ("seeds", model, varied) in pairs:
        return f"{text}{describe_pair(pairs['seeds', model, varied])}, over several trainings of both"
    return text + describe_pair(pair)


def seed_findings(pairs: Pairs) -> list[str]:
    """Return the differences of networks over several trainings, of the first pairs."""
    models = [key[1:] for key in pairs if key[0] == "seeds"]
    described = [
        f"{run} against {other} {describe_pair(pairs['seeds', run, other])}"
        for number, (run, other) in enumerate(models)
        if (other, run) not in models[:number]
    ]
    return [f"Over several trainings of each network: {listed(described)}."] if described else []


def trained_once(results: Sequence[Mapping[str, Any]], seeds: pd.DataFrame) -> list[str]:
    """Return the networks whose rank among the others a single training carries.

    Args:
        results: Rows of `results.result_rows`.
        seeds: Rows of `findings.repeated_seeds`.

    Returns:
        Names of models with one seed; none where no two results are ranked.
    """
    ranked = [row for row in results if row["kind"] in ("run", "pictures")]
    models = list(dict.fromkeys(row["trained"]["model"] for row in ranked if row["trained"]))
    others = [row for row in ranked if not row["trained"]]
    repeated = set(seeds["model"])
    return [model for model in models if model not in repeated] if len(models) + len(others) > 1 else []


def single_training_findings(once: Sequence[str], seeds: pd.DataFrame) -> list[str]:
    """Return which ranks a single training carries, see `trained_once`."""
    if not once:
        return []
    if seeds.empty:
        return [
            "Every network was trained once: a single training carries each rank, and another seed may "
            "change the order."
        ]
    return [
        "A single training carries the rank of these networks, and another seed may change it: "
        f"{listed(once)}."
    ]


def seed_spread_findings(seeds: pd.DataFrame) -> list[str]:
    """Return the spread over seeds, after the longest training of every model that has several."""
    last = seeds.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    ranges = [
        f"{row['seeds']} of {row['model']} for {row['epochs']} epoch{'' if row['epochs'] == 1 else 's'} "
        f"reach {row['psnr_min']:.2f} to {row['psnr_max']:.2f} dB"
        for row in last.to_dict("records")
    ]
    if not ranges:
        return []
    return [
        "Trainings that differ in nothing but the seed differ, too, and intervals over images know "
        f"nothing of that: {listed(ranges)}. Other sentences are of the first seed, where they do not "
        "say otherwise."
    ]
