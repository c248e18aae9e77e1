"""Compared pairs of runs, a row each, from the table of comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from deepcolor.report.tables import cell_number

Pairs = Mapping[tuple[str, str, str], dict[str, Any]]


def compared_pairs(comparisons: pd.DataFrame, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return pairs of runs with the statistics of every measure.

    Args:
        comparisons: Table of `comparisons.compare_all`.
        kinds: Kinds of pairs, any but "luminance".

    Returns:
        Per pair: kind, run, other, photographs, seeds, other_seeds, and by measure: difference, low,
        high, p_holm, effect, share_better, better; all that again under "kept", of the predictions with
        the luminance of the input.
    """
    kept = _pairs(comparisons, kinds, "kept")
    return [
        {**row, "kept": other}
        for row, other in zip(_pairs(comparisons, kinds, "predicted"), kept, strict=True)
    ]


def luminance_pairs(comparisons: pd.DataFrame) -> list[dict[str, Any]]:
    """Return, for each run, what the luminance of the input changes; see `compared_pairs`."""
    return _pairs(comparisons, ["luminance"], "kept")


def pairs_by_key(comparisons: pd.DataFrame) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return all pairs by kind, run and other run; those of several seeds in both directions."""
    kinds = ["baseline", "network", "epochs", "change", "seeds"]
    pairs = {_key(row): row for row in compared_pairs(comparisons, kinds)}
    for (kind, run, other), pair in list(pairs.items()):
        if kind == "seeds":
            pairs[kind, other, run] = {**_reversed(pair), "kept": _reversed(pair["kept"])}
    return pairs | {_key(row): row for row in luminance_pairs(comparisons)}


def _pairs(comparisons: pd.DataFrame, kinds: Sequence[str], luminance: str) -> list[dict[str, Any]]:
    """Return pairs with their statistics for one luminance, in the order of the table."""
    chosen = comparisons[comparisons["kind"].isin(kinds) & (comparisons["luminance"] == luminance)]
    rows = []
    for (kind, run, other), pair in chosen.groupby(["kind", "run", "other"], sort=False):
        by_measure = {}
        for row in pair.to_dict("records"):
            numbers = ("difference", "low", "high", "p_holm", "effect", "share_better")
            by_measure[row["measure"]] = {key: cell_number(row[key]) for key in numbers}
            by_measure[row["measure"]]["better"] = row["better"]
        first = pair.iloc[0]
        rows.append(
            {
                "kind": kind,
                "run": run,
                "other": other,
                "photographs": int(first["photographs"]),
                "seeds": int(first["seeds"]),
                "other_seeds": int(first["other_seeds"]),
                **by_measure,
            }
        )
    return rows


def _reversed(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair with run and other run exchanged."""
    statistics = {
        name: {
            **pair[name],
            "difference": -pair[name]["difference"],
            "low": -pair[name]["high"],
            "high": -pair[name]["low"],
        }
        for name in ("psnr", "ciede2000")
    }
    return {**pair, "run": pair["other"], "other": pair["run"], **statistics}


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["kind"], row["run"], row["other"]
