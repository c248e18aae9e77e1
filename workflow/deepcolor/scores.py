"""Scores of images, written down: each image in per_image.csv, means with intervals in metrics.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcolor import metrics
from deepcolor.definitions import KEPT, MEASURES, OF_MEANS
from deepcolor.errors import DeepColorError
from deepcolor.files import write_json
from deepcolor.frames import write_frame
from deepcolor.manifest import chunks
from deepcolor.statistics import METHOD, Bootstrap, Interval


def with_groups(scores: pd.DataFrame, manifests: Mapping[str, Path]) -> pd.DataFrame:
    """Scores with a third column, `group`: what belongs together, such as crops of one photograph.

    Args:
        scores: Of `evaluate_network`.
        manifests: manifest.csv by data set.

    Raises:
        DeepColorError: A manifest does not know an image.
    """
    images = list(zip(scores["data_set"], scores["id"], strict=True))
    groups: dict[tuple[str, str], str] = {}
    for data_set, path in manifests.items():
        scored = scores.loc[scores["data_set"] == data_set, "id"]
        for rows in chunks(path, ["id", "group"]):
            found = rows[rows["id"].isin(scored)]
            groups |= {
                (data_set, id): group for id, group in zip(found["id"], found["group"], strict=True)
            }
    if unknown := [image for image in images if image not in groups]:
        raise DeepColorError(
            f"{manifests[unknown[0][0]]} has no '{unknown[0][1]}'; delete the data set's shards and run "
            "the same command again"
        )
    scores.insert(2, "group", [groups[image] for image in images])
    return scores


def summarize(scores: pd.DataFrame) -> dict[str, Any]:
    """The content of metrics.json: means with intervals over all images and over each data set.

    Args:
        scores: Columns data_set, id, group and those of `metrics.per_image`, a row per image.
    """
    definitions = {
        name: {"definition": each.definition, "unit": each.unit or "1", "better": each.better or None}
        for name, each in {**MEASURES, **OF_MEANS}.items()
    }
    return {
        "measures": definitions,
        "mean": "Mean over images of the value of each.",
        "interval": METHOD,
        "as_predicted": "The prediction as it is.",
        "luminance_kept": "The prediction's chroma on the luminance of the input.",
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
    of_means = dict(zip(("", KEPT), bootstrap.intervals(errors, metrics.decibels), strict=True))
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
        scores: Of `with_groups`.
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
