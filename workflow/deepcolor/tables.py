"""The tables, from what the jobs wrote down."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from deepcolor.files import read_json, replacing
from deepcolor.manifest import read_manifest

SPLITS = ("training", "validation", "test")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def tabulate_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """A row per run and data set, and one per run over all (data_set "all").

    Args:
        files: The metrics.json of runs and baselines; the folder names the run.

    Returns:
        Columns run, data_set, n, mse, psnr (dB), psnr_of_mean_mse (dB).
    """
    rows = []
    for file in files:
        content = read_json(file)
        for data_set, means in {"all": content["all"], **content["data_sets"]}.items():
            rows.append({"run": file.parent.name, "data_set": data_set, **means})
    return pd.DataFrame(rows)


def tabulate_training(files: Sequence[Path]) -> pd.DataFrame:
    """A row per run: what was trained, how, on what, and what it cost.

    Args:
        files: The training.json of runs.
    """
    rows = []
    for file in files:
        record = read_json(file)
        settings = record["settings"]
        rows.append(
            {
                "run": record["run"],
                "model": record["run"].rsplit("_", 1)[0],
                "architecture": settings["architecture"].split(":")[1],
                "epochs": record["epochs"],
                "continued_from": record["continued_from"] or "",
                "weights": settings["options"].get("weights", "no encoder"),
                "parameters": record["parameters"],
                "optimizer": settings["optimizer"],
                "learning_rate": settings["learning_rate"],
                "loss": settings["loss"],
                "batch_size": settings["batch_size"],
                "augmentation": " ".join(settings["augmentation"]),
                "training_images": record["images"]["training"],
                "validation_images": record["images"]["validation"],
                "seconds": round(record["seconds"], 1),
                "images_per_second": round(record["images_per_second"], 1),
                "peak_memory_mib": record["peak_memory_bytes"] // 2**20,
                "device": record["device"],
            }
        )
    return pd.DataFrame(rows)


def tabulate_data(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """A row per data set: counts, photographs, rejections, what it is and is good for.

    Args:
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
    """
    rows = []
    for facts, manifest in zip(about, manifests, strict=True):
        content, images = read_json(facts), read_manifest(manifest)
        rejected = content["rejected"]
        rows.append(
            {
                "data_set": content["name"],
                **{split: content["delivered"].get(split, 0) for split in SPLITS},
                "asked": sum(content["asked"].values()),
                "delivered": sum(content["delivered"].values()),
                "photographs": images["group"].nunique(),
                "rejected": sum(rejected.values()),
                "reasons": "; ".join(f"{reason}: {n}" for reason, n in rejected.items()),
                "licenses": "; ".join(sorted(set(images["license"]) - {""})) or "not stated",
                "near_duplicates": content["near_duplicates"],
                "revision": content["revision"],
                "terms": content["terms"],
                "about": content["about"],
                "good_for": content["good_for"],
            }
        )
    return pd.DataFrame(rows)


def tabulate_credits(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """A row per photograph: where it comes from, its license, whom to credit, images taken from it."""
    parts = []
    for facts, manifest in zip(about, manifests, strict=True):
        keys = ["group", "source", "license", "credit"]
        counted = read_manifest(manifest).groupby(keys, as_index=False).size()
        counted.insert(0, "data_set", read_json(facts)["name"])
        parts.append(counted.rename(columns={"group": "photograph", "size": "images"}))
    return pd.concat(parts, ignore_index=True)
