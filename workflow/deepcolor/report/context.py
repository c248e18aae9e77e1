"""What the report shows, row by row, from the tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.evaluation.comparisons import LEAST_PHOTOGRAPHS
from deepcolor.evaluation.measures import MEASURES, OF_MEANS
from deepcolor.labels import BASELINES, TOLD, label
from deepcolor.report.tables import LUMINANCE, as_predicted, said

PUBLISHED = Path(__file__).parent / "published.csv"


def results(
    metrics: pd.DataFrame, training: pd.DataFrame, as_published: Sequence[str], split: str
) -> list[dict[str, Any]]:
    """A row per baseline, run and other program's pictures, over all images.

    Args:
        metrics: Of `tables.tabulate_metrics`.
        training: Of `tables.tabulate_training`.
        as_published: Names of the runs whose networks are the published ones.
        split: The images that the figures were taken on, "validation" or "test".

    Returns:
        Per row: run, label, kind ("baseline", "told": a baseline that is told something of the
        photograph, "run", or "pictures"), n, photographs, predicted and kept (of every measure: value,
        low, high), trained (its row of `training`, None if there is none), first (whether it has its
        model's first seed), chosen (whether its epoch was chosen by the very images that it is scored
        on), and published (mse, psnr; None where there is nothing).
    """
    trained = {row["run"]: row for row in training.to_dict("records")}
    first_seeds = {row["model"]: row["seed"] for row in reversed(trained.values())}
    published = {
        (row["architecture"], row["epochs"]): row for row in pd.read_csv(PUBLISHED).to_dict("records")
    }
    rows = []
    of_all = metrics[metrics["data_set"] == "all"]
    for run, figures in of_all.groupby("run", sort=False):
        run = str(run)
        facts = trained.get(run)
        kind = (
            "told" if run in TOLD else "baseline" if run in BASELINES else "run" if facts else "pictures"
        )
        by_luminance = {row["luminance"]: row for row in figures.to_dict("records")}
        row = {
            "run": run,
            "label": label(run),
            "kind": kind,
            **{key: by_luminance["predicted"][key] for key in ("n", "photographs")},
            **{key: intervals(by_luminance[key]) for key in LUMINANCE},
            "trained": facts,
            "first": facts is not None and facts["seed"] == first_seeds[facts["model"]],
            "chosen": facts is not None and facts["best_epoch"] != "" and split == "validation",
            "published": None,
        }
        if facts and run in as_published:
            row["published"] = published.get((facts["architecture"], facts["epochs"]))
        rows.append(row)
    return rows


def intervals(row: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The measures of a row of `tables.tabulate_metrics`: value, low and high, nan for none."""
    return {
        name: {
            "value": float(row[name]),
            "low": _number(row[f"{name}_low"]),
            "high": _number(row[f"{name}_high"]),
        }
        for name in [*MEASURES, *OF_MEANS]
    }


def _number(cell: Any) -> float:
    return float("nan") if cell == "" else float(cell)


def by_data_set(
    metrics: pd.DataFrame, transfer: pd.DataFrame, compared: Sequence[str]
) -> dict[str, Any] | None:
    """Figures by data set, of the baselines and what is compared.

    Args:
        metrics: Of `tables.tabulate_metrics`.
        transfer: Of `tables.tabulate_transfer`.
        compared: Names of the runs.

    Returns:
        data_sets: their names; few: those of fewer than LEAST_PHOTOGRAPHS; rows: run, label, train_on
        and cells (of each data set: n, seen, and measures, see `intervals`). None where there is one
        data set only.
    """
    figures = as_predicted(metrics)
    data_sets = [name for name in dict.fromkeys(figures["data_set"]) if name != "all"]
    if len(data_sets) < 2:
        return None
    cells = {(row["run"], row["data_set"]): row for row in figures.to_dict("records")}
    seen = {(row["run"], row["data_set"]): row for row in transfer.to_dict("records")}
    rows = []
    for run in [*(name for name in BASELINES), *compared]:
        known = seen.get((run, data_sets[0]))
        rows.append(
            {
                "run": run,
                "label": label(run),
                "train_on": known["train_on"].replace(" ", ", ") if known else "",
                "cells": [
                    {
                        "seen": known is None or bool(seen[run, name]["seen"]),
                        "n": cells[run, name]["n"],
                        **intervals(cells[run, name]),
                    }
                    for name in data_sets
                ],
            }
        )
    few = [
        name for name in data_sets if cells["grayscale-copy", name]["photographs"] < LEAST_PHOTOGRAPHS
    ]
    return {"data_sets": data_sets, "few": few, "rows": rows}


def comparisons(table: pd.DataFrame, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Pairs of runs, a row each, with what every measure says of them.

    Args:
        table: Of `comparisons.compare_all`.
        kinds: Which kinds of pairs, all but "luminance".

    Returns:
        Per pair: kind, run, other, photographs, seeds, other_seeds, and by measure: difference, low,
        high, p_holm, effect, share_better, better; all that again under "kept", of the predictions with
        the luminance of the input.
    """
    kept = _pairs(table, kinds, "kept")
    return [
        {**row, "kept": other}
        for row, other in zip(_pairs(table, kinds, "predicted"), kept, strict=True)
    ]


def luminance_changes(table: pd.DataFrame) -> list[dict[str, Any]]:
    """What the input's luminance in place of its own changes of each run; see `comparisons`."""
    return _pairs(table, ["luminance"], "kept")


def _pairs(table: pd.DataFrame, kinds: Sequence[str], luminance: str) -> list[dict[str, Any]]:
    """Pairs with what is said of them with one luminance, in the order of the table."""
    chosen = table[table["kind"].isin(kinds) & (table["luminance"] == luminance)]
    rows = []
    for (kind, run, other), pair in chosen.groupby(["kind", "run", "other"], sort=False):
        by_measure = {}
        for row in pair.to_dict("records"):
            numbers = ("difference", "low", "high", "p_holm", "effect", "share_better")
            by_measure[row["measure"]] = {key: _number(row[key]) for key in numbers}
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


def encoder_weights(training: pd.DataFrame) -> str:
    """What the networks' encoders started from, in words, from `tables.tabulate_training`."""
    words = {
        "none": "random weights",
        "imagenet": "ImageNet weights",
        "no encoder": "no pre-trained encoder",
    }
    models = training.drop_duplicates("model").groupby("weights", sort=False)["model"]
    return ", ".join(
        f"{words.get(str(weights), f'weights from {weights}')} ({', '.join(names)})"
        for weights, names in models
    )


def settings(training: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """How the models were trained: what is the same for all, and what is not.

    Args:
        training: Of `tables.tabulate_training`.
        keys: Of `training` in the configuration, in its order.

    Returns:
        shared: by key, its value for all models; differing: the other keys; models: a row per model,
        with all columns of `training`. Values are text.
    """
    left_out = {"epochs", "seeds", "tensorboard"}
    columns = ["train_on", *(key for key in keys if key not in left_out)]
    models = training.drop_duplicates("model").copy()
    for key in columns:
        models[key] = [said(value) or "none" for value in models[key].tolist()]
    differing = [key for key in columns if models[key].nunique() > 1]
    first = models.iloc[0]
    return {
        "shared": {key: first[key] for key in columns if key not in differing},
        "differing": differing,
        "models": models.to_dict("records"),
    }


def benchmarks(folder: Path) -> list[dict[str, Any]]:
    """Time and memory of the jobs by rule, from Snakemake's benchmark files that are there.

    They are no declared input of the report: a file lost there must not train a network again.

    Returns:
        Per rule: rule, jobs, seconds (in all), longest (seconds), memory (MiB, of the largest job; nan
        where it was too short to be measured).
    """
    rows = []
    # A folder without a script is that of a rule that is no more.
    scripts = Path(__file__).parents[2] / "scripts"
    folders = sorted(folder.iterdir()) if folder.is_dir() else []
    for rule in (each for each in folders if (scripts / f"{each.name}.py").exists()):
        tables = [pd.read_csv(file, sep="\t", na_values="-") for file in sorted(rule.glob("**/*.tsv"))]
        if not tables:
            continue
        jobs = pd.concat(tables)
        rows.append(
            {
                "rule": rule.name,
                "jobs": len(jobs),
                "seconds": float(jobs["s"].sum()),
                "longest": float(jobs["s"].max()),
                "memory": float(jobs["max_rss"].astype(float).max()),
            }
        )
    return sorted(rows, key=lambda row: -row["seconds"])
