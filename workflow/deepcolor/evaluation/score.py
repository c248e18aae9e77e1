"""Scores of predictions: each image in per_image.csv, means with intervals in metrics.json."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deepcolor.evaluation import metrics
from deepcolor.evaluation.bootstrap import METHOD, Bootstrap, Interval
from deepcolor.evaluation.measures import AGGREGATE_MEASURES, KEPT, MEASURES
from deepcolor.evaluation.predict import prediction_batches
from deepcolor.files import write_json
from deepcolor.frames import write_frame

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.data.shards import Shards


def score_predictions(shards: "Shards", split: str, predictions: Path, threads: int = 1) -> pd.DataFrame:
    """Compare the predictions of a split with the photographs. One batch is in memory at a time.

    Args:
        shards: Shards of the data sets.
        split: Name of the split.
        predictions: `.npy` file of `predict.predict_images`.
        threads: CPU threads that measure.

    Returns:
        A row per image: data_set, id, group, and the columns of `metrics.per_image`.

    Raises:
        DeepColorError: The predictions are broken, or of other images.
    """
    with ThreadPoolExecutor(threads) as workers:
        parts = [
            metrics.per_image(images, predicted, workers)
            for images, predicted in prediction_batches(shards, split, predictions)
        ]
    return pd.concat([shards.images(split), pd.concat(parts, ignore_index=True)], axis=1)


LUMINANCE_KEPT = "The prediction's chroma on the luminance of the input."


def summarize(scores: pd.DataFrame, luminance_kept: str = LUMINANCE_KEPT) -> dict[str, Any]:
    """The content of metrics.json: means with intervals over all images and over each data set.

    Args:
        scores: Columns data_set, id, group and those of `metrics.per_image`, a row per image.
        luminance_kept: Definition of the columns that keep a luminance.
    """
    definitions = {
        name: {"definition": each.definition, "unit": each.unit or "1", "better": each.better or None}
        for name, each in {**MEASURES, **AGGREGATE_MEASURES}.items()
    }
    return {
        "measures": definitions,
        "mean": "Mean over images of the value of each.",
        "interval": METHOD,
        "as_predicted": "The prediction as it is.",
        "luminance_kept": luminance_kept,
        "all": _summary(scores),
        "data_sets": {
            str(name): _summary(rows) for name, rows in scores.groupby("data_set", sort=False)
        },
    }


def _summary(scores: pd.DataFrame) -> dict[str, Any]:
    bootstrap = Bootstrap(scores["data_set"], scores["group"])
    columns = [f"{kept}{name}" for kept in ("", KEPT) for name in MEASURES]
    intervals = dict(zip(columns, bootstrap.intervals(scores[columns].to_numpy()), strict=True))
    errors = scores[["mse", f"{KEPT}mse"]].to_numpy()
    of_means = dict(zip(("", KEPT), bootstrap.intervals(errors, metrics.psnr_of_mse), strict=True))
    return {
        "n": bootstrap.images,
        "photographs": bootstrap.groups,
        **{
            key: {
                **{name: _plain(intervals[f"{kept}{name}"]) for name in MEASURES},
                "psnr_of_mean_mse": _plain(of_means[kept]),
            }
            for key, kept in {"as_predicted": "", "luminance_kept": KEPT}.items()
        },
    }


def _plain(interval: Interval) -> dict[str, float | None]:
    """An interval for JSON: no interval is null."""
    return {key: None if np.isnan(value) else value for key, value in vars(interval).items()}


def write_scores(scores: pd.DataFrame, per_image: Path, summary: Path) -> str:
    """Write per_image.csv and metrics.json; say the main figures in a few words.

    Args:
        scores: Of `score_predictions`.
        per_image: CSV file to write.
        summary: JSON file to write.
    """
    write_per_image(scores, per_image)
    content = summarize(scores)
    write_json(summary, content)
    means = content["all"]["as_predicted"]
    return (
        f"PSNR {means['psnr']['value']:.2f} dB, CIEDE2000 {means['ciede2000']['value']:.2f} "
        f"on {content['all']['n']} images"
    )


def write_per_image(scores: pd.DataFrame, path: Path) -> None:
    """Write scores as CSV, a row per image; see `summarize`."""
    write_frame(path, scores)
