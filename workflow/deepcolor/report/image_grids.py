"""Image grids of the report: drawn images, the best and the worst, and collapsed outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcolor.labels import run_label
from deepcolor.report.certainty_maps import certainty_maps
from deepcolor.report.data_uris import encode_pictures

# Bytes of a page for drawn images, those by epochs, best and worst ones, and collapsed ones.
BUDGETS = {"grid": 2_600_000, "epochs": 1_000_000, "extremes": 1_200_000, "collapsed": 200_000}
# Networks whose best and worst images, and collapsed runs of which some, are shown in the page.
MAX_EXTREME_RUNS, MAX_COLLAPSED_RUNS = 8, 12


def sample_grid(
    samples: Mapping[str, np.ndarray],
    predictions: Mapping[str, Path],
    scores: Mapping[str, pd.DataFrame],
    runs: Sequence[str],
    certainty: Mapping[str, Path],
) -> dict[str, Any]:
    """Return drawn images, a row each: the input, the predictions of runs, and the photograph.

    Next to a prediction made of color classes is its entropy map.

    Args:
        samples: Arrays of `samples.draw_samples`.
        predictions: The predictions.npy by run.
        scores: The per_image.csv by run, with that of the grayscale copy.
        runs: Names of the runs, in the order of columns.
        certainty: The certainty.json by run that predicts color classes.

    Returns:
        columns, rows and side as the macro `grid` takes them; how, in words, the pictures are encoded.
    """
    drawn = samples["row"]
    pictures = {"input": samples["grayscale"]}
    columns = [{"key": "input", "label": "Input", "kind": "input", "run": ""}]
    captions = {"input": _scores(scores["grayscale-copy"], drawn)}
    for run in runs:
        pictures[run] = _rows(predictions[run], drawn)
        columns.append({"key": run, "label": run_label(run), "kind": "run", "run": run})
        captions[run] = _scores(scores[run], drawn)
        if run in certainty:
            key, size = f"certainty of {run}", samples["truth"].shape[1]
            pictures[key], captions[key] = certainty_maps(certainty[run], drawn, size)
            columns.append(
                {"key": key, "label": f"How sure: {run_label(run)}", "kind": "certainty", "run": run}
            )
    pictures["photograph"] = samples["truth"]
    columns.append({"key": "photograph", "label": "Photograph", "kind": "photograph", "run": ""})
    captions["photograph"] = [""] * len(drawn)
    found, side, words = encode_pictures(pictures, BUDGETS["grid"])
    rows = []
    for place, (data_set, name) in enumerate(zip(samples["data_set"], samples["id"], strict=True)):
        cells = [
            {
                "src": found[column["key"]][place],
                "caption": captions[column["key"]][place],
                "alt": f"{column['label']} of {name}",
            }
            for column in columns
        ]
        rows.append({"id": str(name), "data_set": str(data_set), "cells": cells})
    return {"columns": columns, "rows": rows, "side": side, "how": words}


def _scores(scores: pd.DataFrame, rows: np.ndarray) -> list[str]:
    """Return PSNR and CIEDE2000 of some images, as captions."""
    return [
        f"{row['psnr']:.1f} dB, ΔE\N{NO-BREAK SPACE}{row['ciede2000']:.1f}"
        for row in scores.iloc[rows].to_dict("records")
    ]


def epoch_grids(
    samples: Mapping[str, np.ndarray], predictions: Mapping[str, Path], training: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return drawn images after each number of epochs, of every model with several runs.

    Args:
        samples: Arrays of `samples.draw_samples`.
        predictions: The predictions.npy by run.
        training: Table of `training_table.tabulate_training`.

    Returns:
        Of each model: model, side, ids of the pictures, and runs (label and pictures each).
    """
    firsts = training[training["seed"] == training.groupby("model")["seed"].transform("first")]
    models = {
        str(model): list(runs.sort_values("epochs")["run"])
        for model, runs in firsts.groupby("model", sort=False)
        if len(runs) > 1
    }
    if not models:
        return []
    shown = [run for runs in models.values() for run in runs]
    found, side, _ = encode_pictures(
        {run: _rows(predictions[run], samples["row"]) for run in shown}, BUDGETS["epochs"]
    )
    ids = [str(name) for name in samples["id"]]
    return [
        {
            "model": model,
            "side": side,
            "ids": ids,
            "runs": [{"run": run, "label": run_label(run), "pictures": found[run]} for run in runs],
        }
        for model, runs in models.items()
    ]


def extreme_images(
    drawn: Mapping[str, np.ndarray],
    predictions: Mapping[str, Path],
    scores: Mapping[str, pd.DataFrame],
    runs: Sequence[str],
) -> dict[str, Any]:
    """Return the images that runs color best and worst, by CIEDE2000.

    Args:
        drawn: Arrays of `samples.draw_extremes`.
        predictions: The predictions.npy by run.
        scores: The per_image.csv by run.
        runs: Names of the runs; those after the first MAX_EXTREME_RUNS are left out.

    Returns:
        side; left_out (a number); runs: of each run, label, and best and worst: of each image id,
        data_set, ciede2000, and three pictures: input, prediction and photograph.
    """
    places = {int(row): place for place, row in enumerate(drawn["row"])}
    shown = list(runs)[:MAX_EXTREME_RUNS]
    pictures = {}
    for run in shown:
        for kind in ("best", "worst"):
            rows = drawn[f"{kind}_{run}"]
            at = [places[int(row)] for row in rows]
            pictures[f"{kind}-{run}"] = np.concatenate(
                [drawn["grayscale"][at], _rows(predictions[run], rows), drawn["truth"][at]]
            )
    found, side, _ = encode_pictures(pictures, BUDGETS["extremes"])
    told = []
    for run in shown:
        entry: dict[str, Any] = {"run": run, "label": run_label(run)}
        for kind in ("best", "worst"):
            rows = drawn[f"{kind}_{run}"]
            uris = found[f"{kind}-{run}"]
            entry[kind] = [
                {
                    **scores[run].iloc[row][["id", "data_set", "ciede2000"]].to_dict(),
                    "pictures": uris[place :: len(rows)],
                }
                for place, row in enumerate(rows)
            ]
        told.append(entry)
    return {"side": side, "runs": told, "left_out": len(runs) - len(shown)}


def collapsed_images(
    samples: Mapping[str, np.ndarray], predictions: Mapping[str, Path], collapses: Mapping[str, str]
) -> dict[str, Any]:
    """Return some drawn images of the runs whose outputs collapsed.

    Args:
        samples: Arrays of `samples.draw_samples`.
        predictions: The predictions.npy by run.
        collapses: Kinds of collapse, by run that collapsed.

    Returns:
        side; left_out (a number); runs: of each run, label, collapse, ids and pictures.
    """
    shown = list(collapses)[:MAX_COLLAPSED_RUNS]
    if not shown:
        return {"side": 0, "runs": [], "left_out": 0}
    some = samples["row"][:6]
    found, side, _ = encode_pictures(
        {run: _rows(predictions[run], some) for run in shown}, BUDGETS["collapsed"]
    )
    ids = [str(name) for name in samples["id"][:6]]
    runs = [
        {
            "run": run,
            "label": run_label(run),
            "collapse": collapses[run],
            "ids": ids,
            "pictures": found[run],
        }
        for run in shown
    ]
    return {"side": side, "runs": runs, "left_out": len(collapses) - len(shown)}


def _rows(predictions: Path, rows: np.ndarray) -> np.ndarray:
    """Return some predictions of a run, `(n, size, size, 3)` uint8; the others stay on disk."""
    return np.load(predictions, mmap_mode="r")[rows]
