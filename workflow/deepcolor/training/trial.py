"""A trial: whether a network can be built and trained here, and how fast."""

import time
from typing import Any

import numpy as np

from deepcolor.compute import devices
from deepcolor.compute.distribution import Distribution
from deepcolor.errors import DeepColorError, is_out_of_memory
from deepcolor.training.settings import Settings, build_network
from deepcolor.training.trainer import compile_trainer

# Images in the steps. After two sizes the graph serves every size; what memory the last takes
# beyond the one before, a larger batch takes in proportion.
STEPS = (1, 2, 4, 12, 12)


def try_model(name: str, settings: Settings, distribution: Distribution) -> dict[str, Any]:
    """Try whether a model can be trained: a few steps on random images.

    Args:
        name: Name of the model.
        settings: Architecture, and how it is trained.
        distribution: Devices, from `backend.prepare_keras`.

    Returns:
        name, batch_size and problem: a line, or None. Without a problem also parameters,
        images_per_second, memory (bytes of a full batch, on each device), device (its kind) and
        device_memory (bytes).
    """
    findings = {"name": name, "problem": None, "batch_size": settings.training["batch_size"]}
    try:
        return {**findings, **_train_some_steps(settings, distribution)}
    except DeepColorError as error:
        return {**findings, "problem": str(error)}
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        problem = (
            f"{STEPS[-1]} images at a time do not fit the memory; lower 'image_size' in config.yaml"
        )
        return {**findings, "problem": problem}


def _train_some_steps(settings: Settings, distribution: Distribution) -> dict[str, Any]:
    """Train for some steps; extrapolate the memory of a full batch."""
    distribution.check_batches(settings.training, {})
    with distribution.scope():
        network = build_network(settings)
        model = compile_trainer(network, settings.training)
    size, count = settings.image_size, distribution.count
    shape = (STEPS[-1] * count, size, size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    memory, seconds = {}, 0.0
    for step in STEPS:
        began = time.perf_counter()
        batch_size = step * count
        model.fit(images[:batch_size], batch_size=batch_size, shuffle=False, verbose=0)
        seconds = time.perf_counter() - began
        memory[step] = devices.peak_device_memory() or devices.peak_memory()
    small, large = STEPS[-3], STEPS[-1]
    per_image = max(0, memory[large] - memory[small]) / (large - small)
    batch = settings.training["batch_size"] / count
    return {
        "parameters": network.count_params(),
        "images_per_second": large * count / seconds,
        "memory": int(memory[large] + per_image * max(0, batch - large)),
        "device": devices.device_name(),
        "device_memory": devices.device_memory(),
    }
