"""Rows of results: the measures of every run and baseline, with what is known of its training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.evaluation.measures import AGGREGATE_MEASURES, MEASURES
from deepcolor.labels import BASELINES, ORACLES, run_label
from deepcolor.report.tables import LUMINANCE, cell_number

PUBLISHED = Path(__file__).parent / "published.csv"


def result_rows(
    metrics: pd.DataFrame, training: pd.DataFrame, as_published: Sequence[str], split: str
) -> list[dict[str, Any]]:
    """Return a row per baseline, run and external predictions, over all images.

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        training: Table of `training_table.tabulate_training`.
        as_published: Names of the runs whose networks are the published ones.
        split: Split that was scored, "validation" or "test".

    Returns:
        Per row: run, label, kind ("baseline", "told": an oracle baseline, "run", or "pictures":
        external predictions), n, photographs, predicted and kept (of every measure: value, low, high),
        trained (its row of `training`, None if there is none), first (whether it has its model's first
        seed), chosen (whether early stopping chose its epoch on the scored images), and published (mse,
        psnr; None where there is nothing).
    """
    trained = {row["run"]: row for row in training.to_dict("records")}
    first_seeds = {row["model"]: row["seed"] for row in reversed(trained.values())}
    published = {
        (row["architecture"], row["epochs"]): row for row in pd.read_csv(PUBLISHED).to_dict("records")
    }
    rows = []
    overall = metrics[metrics["data_set"] == "all"]
    for name, of_run in overall.groupby("run", sort=False):
        run = str(name)
        row = trained.get(run)
        by_luminance = {each["luminance"]: each for each in of_run.to_dict("records")}
        rows.append(
            {
                "run": run,
                "label": run_label(run),
                "kind": _kind(run, row is not None),
                **{key: by_luminance["predicted"][key] for key in ("n", "photographs")},
                **{key: measure_intervals(by_luminance[key]) for key in LUMINANCE},
                "trained": row,
                "first": row is not None and row["seed"] == first_seeds[row["model"]],
                "chosen": row is not None and row["best_epoch"] != "" and split == "validation",
                "published": published.get((row["architecture"], row["epochs"]))
                if row is not None and run in as_published
                else None,
            }
        )
    return rows


def photographs_colorfulness(results: Sequence[Mapping[str, Any]]) -> float:
    """Return the mean colorfulness of the scored photographs, from rows of `result_rows`."""
    measures = results[0]["predicted"]
    return measures["colorfulness"]["value"] - measures["colorfulness_difference"]["value"]


def _kind(run: str, is_trained: bool) -> str:
    """Return the kind of a row of results."""
    if run in ORACLES:
        return "told"
    if run in BASELINES:
        return "baseline"
    return "run" if is_trained else "pictures"


def measure_intervals(row: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return value, low and high of every measure in a row of metrics, nan for none."""
    return {
        name: {
            "value": float(row[name]),
            "low": cell_number(row[f"{name}_low"]),
            "high": cell_number(row[f"{name}_high"]),
        }
        for name in [*MEASURES, *AGGREGATE_MEASURES]
    }
