"""A trial: whether a network can be built and trained here, and how fast."""

import statistics
import time
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from deepcolor import messages
from deepcolor.compute import devices
from deepcolor.compute.distribution import Distribution
from deepcolor.errors import DeepColorError, is_out_of_memory
from deepcolor.training.phases import phases_of
from deepcolor.training.settings import Settings, build_network, decided
from deepcolor.training.trainer import Trainer, compile_trainer

# Images in steps that show what memory they take; what the last takes beyond the one before, a larger
# batch takes in proportion. TensorFlow's graph serves every size after two; XLA compiles each.
SIZES = (1, 2, 4, 12)
COMPILED_SIZES = (4, 12)

# Steps that are timed, after one that is not: no fewer, and no more when they have taken this long.
MIN_STEPS, MAX_STEPS, TIMED_SECONDS = 3, 100, 3.0

# Share of a GPU's memory that a batch may need by extrapolation to be tried as a whole.
FITS = 0.9


def try_model(name: str, settings: Settings, distribution: Distribution, began: float) -> dict[str, Any]:
    """Try whether a model can be trained: some steps on random images.

    Args:
        name: Name of the model.
        settings: Architecture, and how it is trained.
        distribution: Devices, from `backend.prepare_keras`.
        began: Time at which the process began, by `time.perf_counter`.

    Returns:
        name, batch_size and problem: a line, or None. Without a problem also parameters,
        startup_seconds (until the first step is done: imports, building, compiling),
        images_per_second (of later steps), memory (bytes of a full batch, on each device), device
        (its kind) and device_memory (bytes).
    """
    findings = {"name": name, "problem": None, "batch_size": settings.training["batch_size"]}
    try:
        return {**findings, **_train_some_steps(settings, distribution, began)}
    except Exception as error:
        problem = messages.explain(error)
        if problem is None:
            raise
        return {**findings, "problem": problem}


def _train_some_steps(settings: Settings, distribution: Distribution, began: float) -> dict[str, Any]:
    """Train for some steps: small ones for the memory, then those that are timed."""
    distribution.check_batches(settings.training, {})
    with distribution.scope():
        network = build_network(settings)
        training = decided(settings, network, distribution).training
        phases_of(network, training, epochs=1)  # An unknown layer is an error.
        model = compile_trainer(network, training)
    batch = training["batch_size"] // distribution.count
    sizes = COMPILED_SIZES if model.jit_compile else SIZES

    def images(count: int) -> np.ndarray:
        # Not of the whole batch before it is known whether that fits the memory.
        shape = (count * distribution.count, *network.input_shape[1:3], 3)
        return np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    memory, startup = {}, 0.0
    for size in sizes:
        _fit(model, images(size), distribution, steps=1)
        startup = startup or time.perf_counter() - began
        memory[size] = _peak_memory()
    small, large = sizes[-2:]
    per_image = max(0, memory[large] - memory[small]) / (large - small)
    needed = memory[large] + per_image * max(0, batch - large)
    # On a CPU a step takes as long as its images; on a GPU a small one wastes most of it.
    whole = devices.device_name() == "GPU" and needed < FITS * devices.device_memory()
    timed = batch if whole else min(batch, large)
    times = _fit(model, images(timed), distribution, steps=MAX_STEPS)
    return {
        "parameters": network.count_params(),
        "startup_seconds": startup,
        "images_per_second": timed * distribution.count / statistics.median(times),
        "memory": _peak_memory() if whole else int(needed),
        "device": devices.device_name(),
        "device_memory": devices.device_memory(),
    }


def _peak_memory() -> int:
    """Return the most memory that has been held on the device, in bytes."""
    return devices.peak_device_memory() or devices.peak_memory()


class StepTimes(keras.callbacks.Callback):
    """Notes when steps end, each when its loss is known, until enough are timed."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Wait for the device, and look at the clock."""
        float(keras.ops.convert_to_numpy(logs["loss"]))
        self.ends.append(time.perf_counter())
        enough = len(self.ends) > MIN_STEPS and self.ends[-1] - self.ends[0] > TIMED_SECONDS
        self.model.stop_training = self.model.stop_training or enough


def _fit(model: Trainer, images: np.ndarray, distribution: Distribution, *, steps: int) -> list[float]:
    """Train on one batch for up to so many steps; return the seconds of each but the first.

    Raises:
        DeepColorError: The images do not fit the memory.
    """
    import tensorflow as tf

    times = StepTimes()
    batches = tf.data.Dataset.from_tensors(images).repeat().prefetch(2)
    try:
        model.fit(
            distribution.share_out(batches),
            steps_per_epoch=steps,
            callbacks=[times],
            shuffle=False,
            verbose=0,
        )
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        key = "image_size" if len(images) <= SIZES[-1] * distribution.count else "batch_size"
        raise DeepColorError(
            f"{len(images)} images at a time do not fit the memory; lower '{key}' in config.yaml"
        ) from error
    return [after - before for before, after in pairwise(times.ends)]
