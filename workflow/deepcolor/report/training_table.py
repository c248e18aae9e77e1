"""The table of trainings: settings, collapses and costs of all runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.files import read_json
from deepcolor.report.tables import format_setting, list_settings


def tabulate_training(files: Sequence[Path], varies: Mapping[str, str]) -> pd.DataFrame:
    """Tabulate trainings, a row per run: what was trained, how, on what, and what it cost.

    Args:
        files: The training.json of runs.
        varies: The model that a variant varies, by run.

    Returns:
        Among other columns `model`, `seed`, `options` (of the architecture), a column for each key of
        `training`, `stopped_after` (epochs really trained), `best_epoch` (if early stopping chose it),
        `collapses` (such as "black 1-3, gray 7": the epochs after which validation pictures had
        collapsed), `collapse` (that of the network that is kept), and what it cost. What there is not is
        empty.
    """
    records = [read_json(file) for file in files]
    rows = [{**_settings(record, varies), **_costs(record)} for record in records]
    return pd.DataFrame(rows)


def _settings(record: dict[str, Any], varies: Mapping[str, str]) -> dict[str, Any]:
    """Return the cells of what was trained, how, and on what."""
    settings = record["settings"]
    return {
        "run": record["run"],
        "model": record["model"],
        "architecture": settings["architecture"].split(":")[1],
        "options": ", ".join(f"{k} {format_setting(v)}" for k, v in settings["options"].items()),
        "varies": varies.get(record["run"], ""),
        "epochs": record["epochs"],
        "seed": record["seed"],
        "train_on": " ".join(record["train_on"]),
        "continued_from": record["continued_from"] or "",
        "restart_reason": record["restart_reason"],
        "stopped_after": record["stopped_after"],
        "best_epoch": record["best_epoch"] or "",
        "collapse": _collapse_at(record, record["best_epoch"] or record["stopped_after"]),
        "collapses": _epoch_ranges(record["collapses"]),
        "weights": settings["options"].get("weights", "no encoder"),
        **{key: _setting_cell(value) for key, value in settings["training"].items()},
    }


def _costs(record: dict[str, Any]) -> dict[str, Any]:
    """Return the cells of sizes and costs of a training."""
    device_memory = record["peak_device_memory_bytes"]
    return {
        "effective_batch_size": record["effective_batch_size"],
        "training_images": record["images"]["training"],
        "validation_images": record["images"]["validation"],
        "steps_per_epoch": record["steps_per_epoch"],
        "parameters": record["parameters"],
        "trainable_parameters": record["trainable_parameters"],
        "multiply_adds": record["multiply_adds"],
        "model_bytes": record["model_bytes"],
        "seconds": round(record["seconds"], 1),
        "seconds_per_epoch": round(record["seconds_per_epoch"], 2),
        "images_per_second": round(record["images_per_second"], 1),
        "inference_images_per_second": round(record["inference_images_per_second"], 1),
        "peak_memory_mib": record["peak_memory_bytes"] // 2**20,
        "peak_device_memory_mib": "" if device_memory is None else device_memory // 2**20,
        "device": record["device"],
        "devices": record["devices"],
        "threads": record["threads"],
        "backend": record["backend"],
    }


def _collapse_at(record: dict[str, Any], epoch: int) -> str:
    """Return the collapse of the validation pictures after an epoch, "" for none."""
    return next((each["collapse"] for each in record["collapses"] if each["epoch"] == epoch), "")


def _epoch_ranges(collapses: Sequence[dict[str, Any]]) -> str:
    """Return collapses by ranges of epochs: "black 1-3, gray 7"."""
    found: list[list[Any]] = []
    for each in collapses:
        if found and found[-1][0] == each["collapse"] and found[-1][2] == each["epoch"] - 1:
            found[-1][2] = each["epoch"]
        else:
            found.append([each["collapse"], each["epoch"], each["epoch"]])
    return ", ".join(
        f"{collapse} {first}" if first == last else f"{collapse} {first}-{last}"
        for collapse, first, last in found
    )


def _setting_cell(value: Any) -> Any:
    """Return a setting as a cell: lists and maps without brackets, a boolean as YAML has it."""
    if isinstance(value, list):
        return list_settings(value)
    return format_setting(value) if isinstance(value, bool | dict) else value
