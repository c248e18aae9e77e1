"""Tables as CSV files, their texts guarded as `cells` has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.cells import guarded, unguarded
from deepcolor.files import replacing


def write_frame(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    texts = {name: frame[name].map(guarded) for name in _text_columns(frame)}
    with replacing(path) as temporary:
        frame.assign(**texts).to_csv(temporary, index=False, lineterminator="\n")


def read_frame(path: str | Path, dtype: Mapping[str, Any]) -> pd.DataFrame:
    """Read a table that `write_frame` has written.

    Args:
        path: CSV file.
        dtype: Types by column; others are guessed. Names are `str`, be they "007" or "NA".

    Returns:
        The table; empty cells of texts are "".
    """
    return unguarded_frame(pd.read_csv(path, dtype=dict(dtype), keep_default_na=False))


def unguarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before its texts were guarded."""
    texts = {
        name: frame[name].map(_unguarded_value)
        for name in _text_columns(frame)
        if frame[name].astype(str).str.contains("'", regex=False).any()
    }
    return frame.assign(**texts) if texts else frame


def _unguarded_value(value: object) -> object:
    return unguarded(value) if isinstance(value, str) else value


def _text_columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
