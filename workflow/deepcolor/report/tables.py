"""The tables as they are read: names as text, settings and missing numbers in cells."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.frames import read_frame

# Luminance of a prediction, and its key in metrics.json.
LUMINANCE = {"predicted": "as_predicted", "kept": "luminance_kept"}
# Columns that hold names.
NAMES = [
    "run", "other", "better", "model", "varies", "varied_run", "data_set", "train_on", "photograph",
]  # fmt: skip


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; names stay text, even "007", and empty cells are ""."""
    return read_frame(path, dict.fromkeys(NAMES, str))


def as_predicted(metrics: pd.DataFrame, data_set: str | None = None) -> pd.DataFrame:
    """Return the rows of the metrics with predictions as they are.

    Args:
        metrics: Table of `metrics_table.tabulate_metrics`.
        data_set: Name of the only data set, None for all.
    """
    rows = metrics[metrics["luminance"] == "predicted"]
    return rows if data_set is None else rows[rows["data_set"] == data_set]


def cell_number(cell: Any) -> float:
    """Return the number in a cell, nan for an empty one."""
    return float("nan") if cell == "" else float(cell)


def format_setting(value: Any) -> str:
    """Return a setting as config.yaml has it: true, imagenet, [64, 128], [flip, rotate: 15]."""
    if isinstance(value, list):
        return f"[{list_settings(value)}]"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {format_setting(part)}" for key, part in value.items())
    return value if isinstance(value, str) else json.dumps(value)


def list_settings(values: Sequence[Any]) -> str:
    """Return the settings in a list, with commas between: "flip, rotate: 15"."""
    return ", ".join(format_setting(value) for value in values)
