"""Findings of the report: sentences computed from the tables, which claim no more than the intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS
from deepcolor.report.formatting import MAX_LISTED, counted, decimal, listed
from deepcolor.report.pairs import Pairs, pairs_by_key
from deepcolor.report.results import photographs_colorfulness
from deepcolor.report.training_findings import (
    change_findings,
    collapse_findings,
    epoch_findings,
    seed_findings,
    seed_spread_findings,
    single_training_findings,
    trained_once,
)
from deepcolor.report.verdicts import describe_difference, describe_pair

# PSNR gain in dB by the input's luminance that is not mere rounding.
MIN_GAIN_DB = 0.05


def repeated_seeds(seeds: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models with several seeds, over all data sets.

    Args:
        seeds: Table of `comparison_tables.tabulate_seeds`.
    """
    return seeds[(seeds["seeds"] > 1) & (seeds["data_set"] == "all")]


def findings(
    results: list[dict[str, Any]],
    comparisons: pd.DataFrame,
    split: str,
    ablations: pd.DataFrame,
    seeds: pd.DataFrame,
) -> list[str]:
    """Return the findings, a sentence or more each.

    Args:
        results: Rows of `results.result_rows`.
        comparisons: Table of `comparisons.compare_all`.
        split: Split that was scored, "validation" or "test".
        ablations: Table of `comparison_tables.tabulate_ablations`.
        seeds: Rows of `repeated_seeds`.
    """
    trained = [row["trained"] for row in results if row["trained"]]
    # Results of collapsed trainings are no findings; that they collapsed is one.
    failed = {row["run"] for row in trained if row["collapse"]}
    uneven = {row["model"] for row in trained if row["collapse"]}
    pairs = {
        key: pair
        for key, pair in pairs_by_key(comparisons).items()
        if key[0] != "seeds" or not uneven & {*key[1:]}
    }
    sound = [row for row in results if row["kind"] in ("run", "pictures") and not _is_collapsed(row)]
    longest = [row for row in _longest_runs(results) if row in sound]
    longest.sort(key=lambda row: row["predicted"]["ciede2000"]["value"])
    named = _without_variants(longest, set(ablations["model"]))
    changes = ablations[~ablations["run"].isin(failed) & ~ablations["varied_run"].isin(failed)]
    return [
        _baselines(results, split),
        *collapse_findings(trained),
        *_against_all_baselines(named, pairs),
        *_best_and_others(longest, pairs),
        *single_training_findings(trained_once(results, seeds), seeds),
        *_luminance(named, pairs),
        *_colorfulness(named),
        *epoch_findings(named[:MAX_LISTED], [row for row in sound if row["trained"]], pairs),
        *change_findings(changes, pairs),
        *seed_spread_findings(seeds[~seeds["model"].isin(uneven)]),
        *seed_findings(pairs),
    ]


def _longest_runs(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of every network's longest run with its first seed, and external predictions."""
    first = [row for row in results if row["trained"] and row["first"]]
    longest = {row["trained"]["model"]: row for row in first}
    return [*longest.values(), *(row for row in results if row["kind"] == "pictures")]


def _without_variants(longest: Sequence[dict[str, Any]], variants: set[str]) -> list[dict[str, Any]]:
    """Return rows without variants, which are compared with what they vary; the best one stays."""
    return [
        row
        for row in longest
        if row is longest[0] or not row["trained"] or row["trained"]["model"] not in variants
    ]


def _is_collapsed(row: Mapping[str, Any]) -> bool:
    """Return whether the training of a row of results collapsed."""
    return bool(row["trained"] and row["trained"]["collapse"])


def _baselines(results: Sequence[dict[str, Any]], split: str) -> str:
    """Return the results of the baselines, and on how many photographs they rest."""
    rows = {row["run"]: row for row in results}
    copy, mean = rows["grayscale-copy"], rows["mean-chroma"]
    count = copy["photographs"]
    text = (
        f"What a network has to beat, on {counted(copy['n'], f'{split} image')} of "
        f"{counted(count, 'photograph')}: the input returned unchanged has {_measured(copy)}; the "
        f"training set's mean color everywhere has {_measured(mean)}. The photographs' own colorfulness "
        f"is {decimal(photographs_colorfulness(results), 1)}."
    )
    if count < MIN_PHOTOGRAPHS:
        text += (
            f" With images of only {counted(count, 'photograph')} nothing is tested here, nothing "
            "called better, and intervals are too narrow: the figures describe these images alone."
        )
    return text


def _measured(row: Mapping[str, Any], luminance: str = "predicted") -> str:
    """Return PSNR, CIEDE2000 and colorfulness of a row in words: the first two alone reward gray."""
    measures = row[luminance]
    return (
        f"{measures['psnr']['value']:.2f} dB, CIEDE2000 {measures['ciede2000']['value']:.2f} and "
        f"colorfulness {decimal(measures['colorfulness']['value'], 1)}"
    )


def _against_all_baselines(named: Sequence[Mapping[str, Any]], pairs: Pairs) -> list[str]:
    """Return a sentence per run on its results; of many runs, of the first ones."""
    sentences = [_against_baselines(row, pairs) for row in named[:MAX_LISTED]]
    if len(named) > MAX_LISTED:
        sentences.append(
            f"{len(named) - MAX_LISTED} more with a larger color difference are in the tables of "
            "results."
        )
    return sentences


def _against_baselines(row: Mapping[str, Any], pairs: Pairs) -> str:
    """Return the results of a run, and its differences from the baselines."""
    sentences = [f"{row['label']}: {_measured(row)}."]
    for baseline, words in {
        "grayscale-copy": "grayscale copy",
        "mean-chroma": "mean chroma",
    }.items():
        sentences.append(
            f"Against the {words}: {describe_pair(pairs['baseline', row['run'], baseline])}."
        )
    if row["chosen"]:
        sentences.append("Its epoch was chosen by these very images, which flatters it a little.")
    return " ".join(sentences)


def _best_and_others(compared: Sequence[dict[str, Any]], pairs: Pairs) -> list[str]:
    """Return from which runs the best one does not differ significantly."""
    if len(compared) < 2:
        return []
    first, *others = compared
    unsure = []
    for row in others:
        pair = (
            pairs.get(("network", first["run"], row["run"]))
            or pairs["network", row["run"], first["run"]]
        )
        if pair["ciede2000"]["better"] != first["run"]:
            unsure.append(row["label"])
        elif _seeds_disagree(first, row, pairs):
            unsure.append(f"{row['label']} (over several trainings of both)")
    start = (
        f"The smallest color difference (CIEDE2000) of the {len(compared)} is that of {first['label']}"
    )
    if first["photographs"] < MIN_PHOTOGRAPHS:
        return [f"{start}, on these images."]
    if not unsure:
        return [f"{start}, and it is told apart from all others."]
    return [f"{start}. From these it is not told apart: {listed(unsure)}."]


def _seeds_disagree(first: Mapping[str, Any], other: Mapping[str, Any], pairs: Pairs) -> bool:
    """Return whether several trainings of both networks do not confirm that the first is better."""
    if not first["trained"] or not other["trained"]:
        return False
    model, against = first["trained"]["model"], other["trained"]["model"]
    pair = pairs.get(("seeds", model, against))
    return pair is not None and pair["ciede2000"]["better"] != model


def _luminance(named: Sequence[Mapping[str, Any]], pairs: Pairs) -> list[str]:
    """Return which predictions are closer to the photographs with the luminance of the input."""
    gains = []
    for row in named:
        pair = pairs["luminance", row["run"], row["run"]]
        is_shown = pair["photographs"] < MIN_PHOTOGRAPHS or pair["psnr"]["better"]
        if is_shown and pair["psnr"]["difference"] > MIN_GAIN_DB:
            gain = describe_difference(pair["psnr"], "psnr")
            gains.append(f"{row['label']} {gain}, to {_measured(row, 'kept')}")
    if not gains:
        return []
    return [f"With the luminance of the input, which is given, in place of their own: {listed(gains)}."]


def _colorfulness(named: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which predictions are duller, or more colorful, than the photographs."""
    dull, vivid = [], []
    for row in named:
        difference = row["predicted"]["colorfulness_difference"]
        if row["photographs"] >= MIN_PHOTOGRAPHS and difference["high"] < 0:
            dull.append(f"{row['label']} by {decimal(-difference['value'], 1)}")
        if row["photographs"] >= MIN_PHOTOGRAPHS and difference["low"] > 0:
            vivid.append(f"{row['label']} by {decimal(difference['value'], 1)}")
    return [
        f"{words} than the photographs by colorfulness: {listed(names)}."
        for words, names in {"Duller": dull, "More colorful": vivid}.items()
        if names
    ]
