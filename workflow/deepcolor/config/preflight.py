"""Preflight: estimate what a run takes, before it starts."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcolor.constants import VALIDATION_COST

# Bytes a parameter in a checkpoint (weight, Adam's two moments, average, sum of gradients) and in a
# network file.
CHECKPOINT_BYTES, NETWORK_BYTES = 20, 4


@dataclass(frozen=True)
class Plan:
    """What is going to run.

    Attributes:
        images: Number of images of all data sets, by split.
        runs: For each run its model, the epochs that it adds to the run that it resumes, and the
            number of training and validation images.
        predictions: Number of files of predictions: of runs, external predictions and baselines.
        evaluated: Split whose predictions are stored.
        image_size: Side of the images in pixels.
        folders: Folders to which files will be written.
    """

    images: Mapping[str, int]
    runs: Sequence[Mapping[str, Any]]
    predictions: int
    evaluated: str
    image_size: int
    folders: Sequence[Path]


@dataclass
class Costs:
    """Estimated costs of a run.

    Attributes:
        data_sets: Findings of check_data_set.py, one for each data set.
        models: Findings of check_training.py, one for each model, with `seconds` of training.
        disk: Bytes by purpose.
        free: Bytes free in the fullest of the folders.
        problems: What is missing or too small, a line each.
    """

    data_sets: Sequence[Mapping[str, Any]]
    models: Sequence[Mapping[str, Any]]
    disk: dict[str, int] = field(default_factory=dict)
    free: int = 0
    problems: list[str] = field(default_factory=list)


def estimate(
    data_sets: Sequence[Mapping[str, Any]], models: Sequence[Mapping[str, Any]], plan: Plan
) -> Costs:
    """Estimate the costs of a run.

    Args:
        data_sets: Findings of check_data_set.py, one for each data set.
        models: Findings of check_training.py, one for each model.
        plan: What is going to run.
    """
    costs = Costs(data_sets, [])
    for data_set in data_sets:
        if data_set["problem"]:
            costs.problems.append(f"data set {data_set['name']}: {data_set['problem']}")
    parameters = 0
    timed = []
    for model in models:
        if model["problem"]:
            costs.problems.append(f"model {model['name']}: {model['problem']}")
            continue
        own = [run for run in plan.runs if run["model"] == model["name"]]
        parameters += model["parameters"] * len(own)
        images = sum(
            run["epochs"] * (run["training"] + VALIDATION_COST * run["validation"]) for run in own
        )
        seconds = len(own) * model["startup_seconds"] + images / model["images_per_second"]
        timed.append({**model, "seconds": seconds})
        if model["memory"] > model["device_memory"]:
            costs.problems.append(_too_large(model))
    costs.models = timed
    image_bytes = plan.image_size * plan.image_size * 3
    costs.disk = {
        "downloads": sum(data_set.get("download", 0) for data_set in data_sets),
        "shards": sum(plan.images.values()) * image_bytes,
        "predictions": plan.predictions * plan.images[plan.evaluated] * image_bytes,
        "networks and states": parameters * (CHECKPOINT_BYTES + NETWORK_BYTES),
    }
    costs.free = min(shutil.disk_usage(nearest_existing(folder)).free for folder in plan.folders)
    needed = sum(costs.disk.values())
    if needed > costs.free:
        costs.problems.append(
            f"disk: {format_bytes(needed)} are needed, {format_bytes(costs.free)} are free; free "
            "some, or set 'results', 'data' and 'cache' in config.yaml to folders on another disk"
        )
    return costs


def _too_large(model: Mapping[str, Any]) -> str:
    """Return the problem of a batch that does not fit into the device's memory."""
    # Some memory is taken whatever the batch: left out here, the advice is on the safe side.
    fits = max(1, int(model["batch_size"] * 0.9 * model["device_memory"] / model["memory"]))
    return (
        f"model {model['name']}: a batch of {model['batch_size']} needs about "
        f"{format_bytes(model['memory'])} of memory, and the {model['device']} has "
        f"{format_bytes(model['device_memory'])}; set training.batch_size to {fits} or less, and "
        "training.gradient_accumulation_steps to make up for it"
    )


def describe(costs: Costs) -> Iterator[str]:
    """Yield the costs in lines to print."""
    for each in costs.data_sets:
        if not each["problem"]:
            notes = "; ".join(each["notes"])
            yield (
                f"data set {each['name']}: {each['images']:,} images, "
                f"{format_bytes(each['download'])} to download{'; ' if notes else ''}{notes}"
            )
    for each in costs.models:
        yield (
            f"model {each['name']}: {each['parameters']:,} parameters, "
            f"{each['startup_seconds']:.0f} s to start, "
            f"{_format_speed(each['images_per_second'])} images/s on the {each['device']}, about "
            f"{format_duration(each['seconds'])}; {format_bytes(each['memory'])} of "
            f"{format_bytes(each['device_memory'])} memory for batches of {each['batch_size']}"
        )
    parts = ", ".join(f"{name} {format_bytes(amount)}" for name, amount in costs.disk.items())
    needed, free = format_bytes(sum(costs.disk.values())), format_bytes(costs.free)
    yield f"disk: {needed} ({parts}); {free} are free"
    yield f"training: about {format_duration(sum(each['seconds'] for each in costs.models))} in all"
    for problem in costs.problems:
        yield f"missing: {problem}"
    if not costs.problems:
        yield "All is there."


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    folder = Path(os.path.abspath(folder))
    while not folder.exists():
        folder = folder.parent
    return folder


def format_bytes(amount: float) -> str:
    """Bytes, in GB or MB."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def format_duration(seconds: float) -> str:
    """Return a duration in hours and minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes >= 60 else f"{max(1, minutes)} min"


def _format_speed(speed: float) -> str:
    """Images a second, with three digits below a thousand."""
    return f"{speed:,.0f}" if speed >= 1000 else f"{speed:.3g}"
