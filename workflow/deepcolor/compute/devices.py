"""The devices that networks compute on: which there are, which are used, and their memory.

`backend.prepare_keras` calls `spread`; after it a model that may be trained on several devices is built
and compiled in `scope`. Keras and the backends are imported inside the functions: they are set up first.
"""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError, first_line

# By backend: its name for people, and how it comes by what a GPU needs.
BACKENDS = {
    "tensorflow": ("TensorFlow", "`make report GPU=1` installs CUDA's libraries"),
    "jax": ("JAX", '`pip install "jax[cuda12]"` installs CUDA\'s libraries'),
    "torch": ("PyTorch", "install a PyTorch that is built with CUDA"),
}

# What `spread` has been told: over how many devices; and how TensorFlow does it.
_count = 1
_strategy: Any = None


def spread(accelerator: str, count: int) -> None:
    """Make sure that the devices are there, and let models be trained on all of them.

    A GPU that is there, but that the backend cannot use, is named in one line on stderr.

    Args:
        accelerator: As for `backend.prepare_keras`.
        count: Devices to spread a training over.

    Raises:
        DeepColorError: There is no such GPU, or there are too few.
    """
    import keras

    global _count, _strategy
    backend = keras.backend.backend()
    name, remedy = BACKENDS[backend]
    gpus = usable_gpus()
    if not gpus and accelerator != "cpu":
        seen = visible_gpus()
        if accelerator == "cuda":
            raise DeepColorError(
                f"'accelerator' is cuda, but {name} can use no GPU (there is "
                f"{', '.join(seen) or 'none on this machine'}); {remedy}, `nvidia-smi` tells whether "
                "the driver works; or set 'accelerator' in config.yaml to auto or cpu"
            )
        if seen and count == 1:
            print(
                f"{Path(sys.argv[0]).stem}: warning: {name} cannot use {', '.join(seen)}, and computes "
                f"on the CPU; {remedy}; 'accelerator: cpu' in config.yaml says that this is meant",
                file=sys.stderr,
                flush=True,
            )
    if count > 1:
        if backend == "torch":
            raise DeepColorError(
                f"'devices' is {count}, and under PyTorch a training uses one; set it to 1, or use the "
                "backend tensorflow or jax"
            )
        if accelerator != "cpu" and count > gpus:
            raise DeepColorError(
                f"'devices' is {count}, but {name} can use {gpus or 'no'} GPU{'s' * (gpus != 1)}; set "
                f"'devices' in config.yaml to {max(1, gpus)}, or 'accelerator' to cpu, to try several "
                "out as parts of the CPU"
            )
        used = keras.distribution.list_devices()[:count]
        if backend == "jax":
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=used))
        else:
            import tensorflow as tf

            _strategy = tf.distribute.MirroredStrategy(used)
    _count = count


def check_batches(settings: Mapping[str, Any], images: Mapping[str, int]) -> None:
    """Make sure that a training can be spread as `spread` was told: every batch in equal parts.

    Args:
        settings: The keys of `training` in the configuration: batch_size,
            gradient_accumulation_steps and xla.
        images: In an epoch and in the validation, by "training" and "validation".

    Raises:
        DeepColorError: It cannot.
    """
    import keras

    if _count > 1 and keras.backend.backend() == "tensorflow":
        if settings["gradient_accumulation_steps"] > 1:
            raise DeepColorError(
                "under TensorFlow gradients cannot be accumulated on several devices; set "
                "'gradient_accumulation_steps' or 'devices' to 1"
            )
        if settings["xla"]:
            raise DeepColorError(
                "under TensorFlow XLA compiles for one device; set 'xla' to false, or 'devices' to 1"
            )
    shared = {
        "'batch_size'": settings["batch_size"],
        **{f"the number of {split} images": number for split, number in images.items()},
    }
    for what, number in shared.items():
        if number % _count:
            raise DeepColorError(
                f"each of {_count} devices takes an equal part of every batch: {what} must be a "
                f"multiple of {_count}, not {number}; change that, or set 'devices' to 1"
            )


def scope() -> AbstractContextManager:
    """Build and compile a model in this, and it is trained on as many devices as `spread` was told.

    Each takes an equal part of every batch. Under JAX nothing else differs. Under TensorFlow batch
    normalization takes the statistics of its part alone: after 9 steps of 8 images on 2 devices the loss
    of a small network differs from that on one by 4e-4 of itself, without batch normalization by 2e-7.
    """
    return _strategy.scope() if _strategy else nullcontext()


def share_out(batches: Any) -> Any:
    """Batches as a model built in `scope` is to be fitted to, or validated on: for each device its part.

    Left to itself, TensorFlow gives all of a short last batch to the first device and none to the
    others, whose operations then fail.

    Args:
        batches: A `tf.data.Dataset` of arrays, whose batches are multiples of the number of devices
            (`check_batches`).

    Returns:
        What Keras takes in its place: an endless data set, whose `steps_per_epoch` or
        `validation_steps` must be given; the batches themselves for a single device.
    """
    if not _strategy:
        return batches
    import tensorflow as tf

    def parts(batch: Any) -> Any:
        shape = tf.concat([[_count, -1], tf.shape(batch)[1:]], axis=0)
        return tf.data.Dataset.from_tensor_slices(tf.reshape(batch, shape))

    turns = batches.flat_map(parts).repeat()
    return _strategy.distribute_datasets_from_function(lambda context: turns)


def average_statistics(model: Any) -> None:
    """Give all devices the mean of their moving averages: before they validate, or are saved.

    Under TensorFlow batch normalization keeps averages of its own on each device, and only those of the
    first would be saved.

    Args:
        model: A `keras.Model` built in `scope`.
    """
    if _strategy:
        for variable in model.non_trainable_weights:
            each = [value.numpy() for value in _strategy.experimental_local_results(variable.value)]
            variable.assign(sum(each) / len(each))


def count() -> int:
    """Over how many devices a training is spread."""
    return _count


def visible_gpus() -> list[str]:
    """What the NVIDIA GPUs of this machine are called, whether a backend can use them or not."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return []
    try:
        told = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        return re.findall(r"^GPU \d+: (.*?)(?: \(UUID.*)?$", told, flags=re.MULTILINE)
    except (OSError, subprocess.SubprocessError):
        pass
    found = len(list(Path("/proc/driver/nvidia/gpus").glob("*"))) or Path("/dev/nvidia0").exists()
    return ["an NVIDIA GPU, whose driver does not answer"] if found else []


def device_name() -> str:
    """The kind of device that Keras computes on: "CPU" or "GPU"."""
    return "GPU" if usable_gpus() else "CPU"


def usable_gpus() -> int:
    """The number of GPUs that the backend can use."""
    import keras

    if keras.backend.backend() == "torch":  # Of its devices Keras gives no list.
        import torch

        return 0 if os.environ.get("KERAS_TORCH_DEVICE") == "cpu" else torch.cuda.device_count()
    return sum("gpu" in device.lower() for device in keras.distribution.list_devices())


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_memory() -> int:
    """The memory of the device that Keras computes on, in bytes: the first GPU's, or the machine's."""
    if device_name() == "GPU":
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0] or "0"
        query = ["--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        try:
            told = subprocess.run(
                ["nvidia-smi", f"--id={first}", *query],
                capture_output=True, text=True, check=True, timeout=30,
            ).stdout  # fmt: skip
            return int(told.split()[0]) * 2**20
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            raise DeepColorError(
                f"nvidia-smi does not say how much memory the GPU has ({first_line(error)}); install "
                "it, or look at the CPU with 'accelerator: cpu'"
            ) from error
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def peak_device_memory() -> int | None:
    """The most memory that the backend has held on the first GPU, in bytes; None without one."""
    import keras

    if device_name() == "CPU":
        return None
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    if keras.backend.backend() == "jax":
        import jax

        return int(jax.local_devices()[0].memory_stats()["peak_bytes_in_use"])
    import torch

    return int(torch.cuda.max_memory_allocated())
