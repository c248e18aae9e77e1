"""The tables of ablations, seeds and data sets that were not trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.evaluation.variants import varied_run
from deepcolor.files import read_json
from deepcolor.report.tables import as_predicted, format_setting

ABLATION_COLUMNS = [
    "run", "model", "varies", "epochs", "seed", "varied_run", "differs", "psnr", "psnr_of_varied",
    "difference",
]  # fmt: skip


def tabulate_ablations(
    metrics: pd.DataFrame, files: Sequence[Path], varies: Mapping[str, str]
) -> pd.DataFrame:
    """Tabulate ablations, a row per run of a variant: what differs, and what that changes.

    A variant is compared with the run of the varied model after as many epochs: that with the same
    seed, or with the first one. A variant without such a run has no row.

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        files: The training.json of runs.
        varies: The model that a variant varies, by run.

    Returns:
        Columns ABLATION_COLUMNS: differs (in words), psnr and psnr_of_varied (dB, over all images, of
        RGB whatever the target), difference (dB). Without rows if there are no variants.
    """
    records = [read_json(file) for file in files]
    psnr = as_predicted(metrics, "all").set_index("run")["psnr"]
    rows = []
    for record in records:
        other = varied_run(record, records, varies.get(record["run"], ""))
        if other:
            rows.append(
                {
                    "run": record["run"],
                    "model": record["model"],
                    "varies": varies[record["run"]],
                    "epochs": record["epochs"],
                    "seed": record["seed"],
                    "varied_run": other["run"],
                    "differs": "; ".join(_changed_settings(record, other)) or "nothing",
                    "psnr": psnr[record["run"]],
                    "psnr_of_varied": psnr[other["run"]],
                    "difference": psnr[record["run"]] - psnr[other["run"]],
                }
            )
    return pd.DataFrame(rows, columns=ABLATION_COLUMNS)


def _changed_settings(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what differs in the training of a variant: "dropout: 0.3 instead of 0.5"."""

    def settings(of: Mapping[str, Any]) -> list[dict[str, Any]]:
        images = {"train_on": ", ".join(of["train_on"]), "seed": of["seed"]}
        return [of["settings"]["options"], of["settings"]["training"], images]

    return [
        f"{key}: {format_setting(these[key])} instead of {format_setting(those[key])}"
        for these, those in zip(settings(record), settings(other), strict=True)
        for key in these
        if these[key] != those[key]
    ]


def tabulate_seeds(metrics: pd.DataFrame, files: Sequence[Path]) -> pd.DataFrame:
    """Tabulate the spread over seeds, a row per model, epochs and data set.

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        files: The training.json of runs.

    Returns:
        Columns model, epochs, data_set (or "all"), seeds (their number), and mean, sd (standard
        deviation over n - 1, empty for one seed), min and max of psnr (dB), mse and ciede2000.
    """
    keys = ["model", "epochs", "data_set"]
    groups = _trained_runs(files).merge(as_predicted(metrics), on="run").groupby(keys, sort=False)
    table = groups.size().to_frame("seeds")
    for name in ("psnr", "mse", "ciede2000"):
        spread = groups[name].agg(["mean", "std", "min", "max"]).rename(columns={"std": "sd"})
        table = table.join(spread.add_prefix(f"{name}_"))
    return table.reset_index()


def tabulate_transfer(metrics: pd.DataFrame, files: Sequence[Path]) -> pd.DataFrame:
    """Tabulate results by data set, a row per run: was the data set trained on?

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        files: The training.json of runs.

    Returns:
        Columns run, model, epochs, seed, train_on (names with blanks between), data_set, seen (whether
        the data set was trained on: true or false), n, psnr (dB), mse.
    """
    of_data_sets = as_predicted(metrics)[lambda table: table["data_set"] != "all"]
    table = _trained_runs(files).merge(of_data_sets, on="run")
    seen = [row.data_set in row.train_on.split() for row in table.itertuples()]
    table["seen"] = ["true" if each else "false" for each in seen]
    return table[["run", "model", "epochs", "seed", "train_on", "data_set", "seen", "n", "psnr", "mse"]]


def _trained_runs(files: Sequence[Path]) -> pd.DataFrame:
    """Return run, model, epochs, seed and train_on of runs, from their training.json."""
    records = [read_json(file) for file in files]
    table = pd.DataFrame(records, columns=["run", "model", "epochs", "seed", "train_on"])
    return table.assign(train_on=table["train_on"].str.join(" "))
