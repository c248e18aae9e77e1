"""One run: from shards to the network, its history, its record and its state."""

import hashlib
import json
import math
import platform
import shutil
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from deepcolor.compute import devices
from deepcolor.compute.distribution import Distribution
from deepcolor.config.bundled import BUNDLED_WEIGHTS
from deepcolor.constants import DECODING
from deepcolor.data.shards import Shards
from deepcolor.files import replacing, sha256, write_json
from deepcolor.models import heads, macs
from deepcolor.training import class_statistics, loop, phases
from deepcolor.training.collapse import MEASURES, collapsed_epochs
from deepcolor.training.history import History, best_epoch
from deepcolor.training.reporting import PRINTED, Report
from deepcolor.training.settings import Settings, build_network, decided
from deepcolor.training.trainer import Trainer, compile_trainer

# Keys of `training` that do not change what the network becomes.
UNIMPORTANT = {"tensorboard"}


@dataclass(frozen=True)
class Run:
    """A network to be trained up to a number of epochs.

    Attributes:
        name: Name of the run, such as unet_30.
        model: Name of the model in the configuration.
        settings: Architecture, and how it is trained.
        train_on: Names of the data sets.
        indexes: Indexes of their shards.
        epochs: Number of epochs after which to stop.
        seed: Random seed of the initial weights, the order of the images and dropout.
        start: State of a shorter run to resume from, if there is one.
        restart_reason: Reason not to resume from a shorter run, were there one; "" without one.
        code: Digest of the code, part of the backup's name: what an edit makes run again must not
            resume from what the old code has made.
    """

    name: str
    model: str
    settings: Settings
    train_on: Sequence[str]
    indexes: Sequence[Path]
    epochs: int
    seed: int
    start: Path | None = None
    restart_reason: str = ""
    code: str = ""


@dataclass(frozen=True)
class Outputs:
    """Files that a run writes.

    Attributes:
        model: Network, `.keras`.
        history: A row per epoch, CSV.
        record: What was trained, how, and what it cost, JSON.
        state: State from which a longer run resumes, `.safetensors`; backups lie in its folder.
    """

    model: Path
    history: Path
    record: Path
    state: Path


def train_run(
    run: Run,
    outputs: Outputs,
    distribution: Distribution,
    *,
    threads: int,
    scratch: Path | None = None,
    report: Report = PRINTED,
) -> None:
    """Train a network, from the backup of an interrupted training of the same if there is one.

    Args:
        run: What to train.
        outputs: Files to write; no other process may train into their folder.
        distribution: Devices, from `backend.prepare_keras`.
        threads: Number of CPU threads that the backend uses, for the record.
        scratch: Empty folder into which shards are copied; None reads them where they are.
        report: Where the training reports how far it is.

    Raises:
        DeepColorError: The network cannot be trained, or not on these devices.
    """
    keras.utils.set_random_seed(run.seed)
    shards = Shards(run.indexes, scratch)
    distribution.check_batches(run.settings.training, _images(shards))
    with distribution.scope():
        network = build_network(run.settings)
    run = replace(run, settings=decided(run.settings, network, distribution))
    settings = run.settings.training
    shares = _class_shares(run, network, shards)
    plan = _plan(run, outputs.state, _identity(run, distribution, network, shards))

    def compiled(phase: phases.Phase) -> Trainer:
        phase.freeze(network)
        with distribution.scope():
            return compile_trainer(
                network,
                {**settings, "learning_rate": phase.learning_rate},
                epochs=len(phase.epochs),
                steps=shards.steps(settings["batch_size"]),
                class_shares=shares,
            )

    data = _data(run, shards, distribution)
    listed = phases.phases_of(network, settings, run.epochs)
    shortest = min(len(phase.epochs) for phase in listed) * data.steps
    loop.check_accumulation(settings["gradient_accumulation_steps"], shortest)
    model = phases.PhasedModel(listed, compiled)
    history = loop.train(model.at, data, settings, plan, distribution, report)
    decoding = None
    if shares is not None:
        batches, images = data.validation, data.images["validation"]
        decoding = class_statistics.choose_decoding(network, batches, images, shares)
    _save(network, history, outputs, decoding)
    record = {
        **_what(run, network),
        "model_bytes": outputs.model.stat().st_size,
        **_learned_from(run, shards),
        **_cost(history, distribution, threads),
        **_outcome(run, history),
        **_decoding(decoding),
    }
    write_json(outputs.record, record)
    with replacing(outputs.state) as temporary:
        shutil.copyfile(plan.backup, temporary)
    for leftover in outputs.state.parent.glob("*backup-*.safetensors"):
        leftover.unlink()


def _images(shards: Shards) -> dict[str, int]:
    """Return the number of images in an epoch and in the validation."""
    return {split: shards.count(split) for split in ("training", "validation")}


def _training_batches(run: Run, shards: Shards, epochs: range) -> Iterable:
    """Return the batches of some epochs, with the data sets as they are to be sampled."""
    settings = run.settings.training
    return shards.training_batches(
        settings["batch_size"], seed=run.seed, epochs=epochs, sampling=settings["sampling"]
    )


def _data(run: Run, shards: Shards, distribution: Distribution) -> loop.Data:
    """Return what a run is trained and validated on."""
    batch_size = run.settings.training["batch_size"]
    images = _images(shards)
    several = distribution.count > 1
    return loop.Data(
        lambda epochs: _training_batches(run, shards, epochs),
        shards.evaluation_batches("validation", batch_size),
        images,
        shards.steps(batch_size),
        math.ceil(images["validation"] / batch_size) if several else None,
    )


def _plan(run: Run, state: Path, identity: str) -> loop.Plan:
    """Return how far to train, with the backups in the folder of the state."""
    tensorboard = state.with_name("tensorboard") if run.settings.training["tensorboard"] else None
    backup = state.with_name(f"backup-{identity}.safetensors")
    return loop.Plan(run.epochs, run.seed, backup, run.start, tensorboard)


def _identity(run: Run, distribution: Distribution, network: keras.Model, shards: Shards) -> str:
    """Return a digest of all that decides what a training becomes."""
    settings = asdict(run.settings)
    training = {key: value for key, value in settings["training"].items() if key not in UNIMPORTANT}
    weights = settings["options"].get("weights", "")
    file = BUNDLED_WEIGHTS if weights == "bundled" else Path(weights)
    backend = keras.backend.backend()
    parts = [
        {**settings, "training": training},
        run.epochs,
        run.seed,
        distribution.count,
        network.to_json(),
        shards.checksums(),
        run.start and sha256(run.start),
        sha256(file) if file.is_file() else weights,
        [version("keras"), backend, version(backend)],
        run.code,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _class_shares(run: Run, network: keras.Model, shards: Shards) -> np.ndarray | None:
    """Return the shares of the color classes in the training images; None for other targets."""
    if heads.target_of(network) != "classes":
        return None
    return class_statistics.count_classes(_training_batches(run, shards, range(1)))


def _save(
    network: keras.Model, history: History, outputs: Outputs, decoding: heads.ClassDecoding | None
) -> None:
    """Write the network as it is used, and the history."""
    finished = heads.with_rgb_output(heads.in_float32(network), decoding)
    with replacing(outputs.model) as temporary:
        finished.save(temporary)
    with replacing(outputs.history) as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")


def _decoding(decoding: heads.ClassDecoding | None) -> dict[str, Any]:
    """Return what the record says of the decoding of classes."""
    if decoding is None:
        return {}
    settings = {"exact": decoding.exact, "vivid": decoding.vivid}
    named = {name: dict(zip(DECODING, values, strict=True)) for name, values in settings.items()}
    return {"class_decoding": named}


def _what(run: Run, network: keras.Model) -> dict[str, Any]:
    """Return what the record says of the run and its network."""
    return {
        "run": run.name,
        "model": run.model,
        "epochs": run.epochs,
        "seed": run.seed,
        "train_on": run.train_on,
        "continued_from": run.start and run.start.parent.name,
        "restart_reason": run.restart_reason,
        "settings": asdict(run.settings),
        "parameters": network.count_params(),
        "trainable_parameters": sum(
            math.prod(variable.shape) for variable in network.trainable_variables
        ),
        "multiply_adds": macs.multiply_adds(network),
    }


def _learned_from(run: Run, shards: Shards) -> dict[str, Any]:
    """Return what the record says of images and batches."""
    settings = run.settings.training
    return {
        "images": _images(shards),
        "shards": shards.checksums(),
        "steps_per_epoch": shards.steps(settings["batch_size"]),
        "effective_batch_size": settings["batch_size"] * settings["gradient_accumulation_steps"],
    }


def _cost(history: History, distribution: Distribution, threads: int) -> dict[str, Any]:
    """Return what the record says of time, memory and devices."""

    def median(column: str) -> float:
        return statistics.median(row[column] for row in history)

    return {
        "seconds": sum(row["seconds"] for row in history),
        "seconds_per_epoch": median("seconds"),
        "images_per_second": median("images_per_second"),
        "inference_images_per_second": median("val_images_per_second"),
        "peak_memory_bytes": devices.peak_memory(),
        "peak_device_memory_bytes": devices.peak_device_memory(),
        "device": devices.device_name(),
        "devices": distribution.count,
        "threads": threads,
        "backend": keras.backend.backend(),
    }


def _outcome(run: Run, history: History) -> dict[str, Any]:
    """Return what the record says of the epoch that is kept, and of collapses."""
    best = best_epoch(history) if run.settings.training["early_stopping"] else None
    return {
        "stopped_after": len(history),
        "best_epoch": best,
        "collapses": collapsed_epochs(history),
        "outputs": {name: history[(best or 0) - 1][f"val_{name}"] for name in MEASURES},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("keras", "numpy", keras.backend.backend())},
        },
    }
