"""What a run will cost, added up before a night is spent on it."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATE_BYTES = 20  # For each parameter: the weight, Adam's two moments, an average, a sum of gradients.
MODEL_BYTES = 4  # The weights alone.


@dataclass
class Costs:
    """What a run will cost.

    Attributes:
        data_sets: What was found out about each; see check_data_set.py.
        models: What was found out about each; see check_training.py, and `seconds`.
        disk: Bytes by purpose.
        free: Bytes that are free where they will go, the least of the folders.
        problems: What is missing or too small, a line each.
    """

    data_sets: Sequence[Mapping[str, Any]]
    models: Sequence[Mapping[str, Any]]
    disk: dict[str, int] = field(default_factory=dict)
    free: int = 0
    problems: list[str] = field(default_factory=list)


def add_up(
    data_sets: Sequence[Mapping[str, Any]],
    models: Sequence[Mapping[str, Any]],
    *,
    images: Mapping[str, int],
    runs: Sequence[Mapping[str, Any]],
    evaluated: str,
    image_size: int,
    folders: Sequence[Path],
) -> Costs:
    """Add up what was found out about data sets and models.

    Args:
        data_sets: Of check_data_set.py.
        models: Of check_training.py.
        images: Of all data sets together, by split.
        runs: Of each: model, epochs that it adds to the run that it goes on from, and the images that it
            is trained and validated on (training, validation).
        evaluated: The split of which predictions are kept.
        image_size: Side of the pictures in pixels.
        folders: Where files will be written.
    """
    picture = image_size * image_size * 3
    costs = Costs(data_sets, [])
    parameters = 0
    for data_set in data_sets:
        if data_set["problem"]:
            costs.problems.append(f"data set {data_set['name']}: {data_set['problem']}")
    timed = []
    for model in models:
        if model["problem"]:
            costs.problems.append(f"model {model['name']}: {model['problem']}")
            continue
        own = [run for run in runs if run["model"] == model["name"]]
        parameters += model["parameters"] * len(own)
        # An epoch also predicts the validation images, which is taken for a third of the work of
        # training with as many (the forward pass without the two of the gradients).
        pictures = sum(run["epochs"] * (run["training"] + run["validation"] / 3) for run in own)
        timed.append({**model, "seconds": pictures / model["images_per_second"]})
        if model["memory"] > model["device_memory"]:
            # Some memory is taken whatever the batch: left out here, the advice is on the safe side.
            fits = max(1, int(model["batch_size"] * 0.9 * model["device_memory"] / model["memory"]))
            costs.problems.append(
                f"model {model['name']}: a batch of {model['batch_size']} needs about "
                f"{size(model['memory'])} of memory, and the {model['device']} has "
                f"{size(model['device_memory'])}; set training.batch_size to {fits} or less, and "
                "training.gradient_accumulation_steps to make up for it"
            )
    costs.models = timed
    costs.disk = {
        "downloads": sum(data_set.get("download", 0) for data_set in data_sets),
        "shards": sum(images.values()) * picture,
        "predictions": len(runs) * images[evaluated] * picture,
        "networks and states": parameters * (STATE_BYTES + MODEL_BYTES),
    }
    costs.free = min(shutil.disk_usage(existing(folder)).free for folder in folders)
    if sum(costs.disk.values()) > costs.free:
        costs.problems.append(
            f"disk: {size(sum(costs.disk.values()))} are needed, {size(costs.free)} are free; free "
            "some, or set 'results', 'data' and 'cache' in config.yaml to folders on another disk"
        )
    return costs


def describe(costs: Costs) -> Iterator[str]:
    """The costs in lines to be printed."""
    for each in costs.data_sets:
        if not each["problem"]:
            notes = "; ".join(each["notes"])
            yield (
                f"data set {each['name']}: {each['images']:,} images, {size(each['download'])} to "
                f"download{'; ' if notes else ''}{notes}"
            )
    for each in costs.models:
        yield (
            f"model {each['name']}: {each['parameters']:,} parameters, "
            f"{each['images_per_second']:.3g} images/s on the {each['device']}, about "
            f"{duration(each['seconds'])}; {size(each['memory'])} of "
            f"{size(each['device_memory'])} memory for batches of {each['batch_size']}"
        )
    parts = ", ".join(f"{name} {size(amount)}" for name, amount in costs.disk.items())
    yield f"disk: {size(sum(costs.disk.values()))} ({parts}); {size(costs.free)} are free"
    yield f"training: about {duration(sum(each['seconds'] for each in costs.models))} in all"
    for problem in costs.problems:
        yield f"missing: {problem}"
    if not costs.problems:
        yield "All is there."


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    folder = Path(os.path.abspath(folder))
    while not folder.exists():
        folder = folder.parent
    return folder


def size(amount: float) -> str:
    """Bytes, in GB or MB."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds, in hours and minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes >= 60 else f"{max(1, minutes)} min"
