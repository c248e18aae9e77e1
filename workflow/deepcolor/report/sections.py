"""Data of single sections of the report: data sets, settings, costs, and what fits into the page."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS
from deepcolor.labels import BASELINES, run_label
from deepcolor.report.pairs import compared_pairs
from deepcolor.report.results import measure_intervals
from deepcolor.report.tables import as_predicted, format_setting

# Pairs of runs in the page's table; of more, those with the best network are shown.
MAX_PAIRS = 45
# Bytes of the page for figures; those that do not fit are named with their file.
FIGURES_BUDGET = 2_500_000


def results_by_data_set(
    metrics: pd.DataFrame, transfer: pd.DataFrame, compared: Sequence[str]
) -> dict[str, Any] | None:
    """Return results by data set, of the baselines and the compared runs.

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        transfer: Table of `comparison_tables.tabulate_transfer`.
        compared: Names of the compared runs.

    Returns:
        data_sets: their names; few: those of fewer than MIN_PHOTOGRAPHS; rows: run, label, train_on
        and cells (of each data set: n, seen, and measures, see `results.measure_intervals`). None for
        a single data set.
    """
    predicted = as_predicted(metrics)
    data_sets = [name for name in dict.fromkeys(predicted["data_set"]) if name != "all"]
    if len(data_sets) < 2:
        return None
    cells = {(row["run"], row["data_set"]): row for row in predicted.to_dict("records")}
    seen = {(row["run"], row["data_set"]): row for row in transfer.to_dict("records")}
    rows = []
    for run in [*BASELINES, *compared]:
        known = seen.get((run, data_sets[0]))
        rows.append(
            {
                "run": run,
                "label": run_label(run),
                "train_on": known["train_on"].replace(" ", ", ") if known else "",
                "cells": [
                    {
                        "seen": known is None or bool(seen[run, name]["seen"]),
                        "n": cells[run, name]["n"],
                        **measure_intervals(cells[run, name]),
                    }
                    for name in data_sets
                ],
            }
        )
    few = [name for name in data_sets if cells["grayscale-copy", name]["photographs"] < MIN_PHOTOGRAPHS]
    return {"data_sets": data_sets, "few": few, "rows": rows}


def shown_pairs(comparisons: pd.DataFrame, best: str) -> dict[str, Any]:
    """Return the pairs of networks in the page: all, or those with the best one of many.

    Args:
        comparisons: Table of `comparisons.compare_all`.
        best: Name of the best run.

    Returns:
        rows: pairs, see `compared_pairs`; all: their number in the table.
    """
    rows = compared_pairs(comparisons, ["network"])
    with_best = [row for row in rows if best in (row["run"], row["other"])]
    return {"rows": rows if len(rows) <= MAX_PAIRS else with_best, "all": len(rows)}


def shown_figures(figures: Sequence[Path]) -> set[str]:
    """Return the names of the figures that fit into the page, curves last, without image grids."""
    shown, total = set(), 0
    # There may be curves of forty networks, and one graph of the workflow.
    for file in sorted(figures, key=lambda file: file.name.startswith("curves-")):
        if file.suffix == ".svg" or file.name.startswith("preprocessing-"):
            size = file.stat().st_size * 4 // 3
            if total + size <= FIGURES_BUDGET:
                total += size
                shown.add(file.name)
    return shown


def encoder_weights(training: pd.DataFrame) -> str:
    """Return the initial weights of the networks' encoders in words, from the table of trainings."""
    words = {
        "none": "random weights",
        "imagenet": "ImageNet weights",
        "bundled": "the weights of the bundled network",
        "no encoder": "no pre-trained encoder",
    }
    models = training.drop_duplicates("model").groupby("weights", sort=False)["model"]
    return ", ".join(
        f"{words.get(str(weights), f'weights from {weights}')} ({', '.join(names)})"
        for weights, names in models
    )


def training_settings(training: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """Return the training settings of the models: shared by all, and differing.

    Args:
        training: Table of `training_table.tabulate_training`.
        keys: Keys under `training` in the configuration, in its order.

    Returns:
        shared: by key, its value for all models; differing: the other keys; models: a row per model,
        with all columns of `training`. Values are text.
    """
    left_out = {"epochs", "seeds", "tensorboard"}
    columns = ["train_on", *(key for key in keys if key not in left_out)]
    models = training.drop_duplicates("model").copy()
    for key in columns:
        models[key] = [format_setting(value) or "none" for value in models[key].tolist()]
    differing = [key for key in columns if models[key].nunique() > 1]
    first = models.iloc[0]
    return {
        "shared": {key: first[key] for key in columns if key not in differing},
        "differing": differing,
        "models": models.to_dict("records"),
    }


def job_costs(folder: Path, rules: Collection[str]) -> list[dict[str, Any]]:
    """Return time and memory of the jobs by rule, from the benchmark files that exist.

    They are no declared input of the report: a benchmark file lost must not retrain a network.

    Args:
        folder: Folder of Snakemake's benchmark files, a folder per rule.
        rules: Names of the rules of the workflow; folders of former rules are left out.

    Returns:
        Per rule: rule, jobs, seconds (in all), longest (seconds), memory (MiB, of the largest job; nan
        where it was too short to be measured).
    """
    rows = []
    folders = sorted(folder.iterdir()) if folder.is_dir() else []
    for rule in (each for each in folders if each.name in rules):
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
