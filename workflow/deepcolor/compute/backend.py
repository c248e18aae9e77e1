"""Set-up of Keras and its backend, before anything computes.

Keras and the backends are imported inside the functions: variables must be set before they are.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from deepcolor.compute import keras_settings, kernels
from deepcolor.compute.devices import BACKENDS, prefers_bfloat16, usable_gpus
from deepcolor.compute.distribution import Distribution, make_distribution
from deepcolor.compute.startup import UNUSED, keep_freed_memory, unimportable, without_messages
from deepcolor.errors import DeepColorError

Accelerator = Literal["auto", "cpu", "cuda"]


def prepare_keras(
    threads: int,
    *,
    accelerator: str = "auto",
    devices: int = 1,
    deterministic: bool = True,
    precision: str = "float32",
    tf32: bool = False,
) -> Distribution:
    """Import Keras quietly and set up its backend; call before any module that imports it.

    Args:
        threads: CPU threads that the backend may use.
        accelerator: "cpu" hides the GPUs, "cuda" insists on one, "auto" takes one if it can be
            used.
        devices: Number of them that a training is spread over.
        deterministic: Whether TensorFlow's operations give the same bits every time.
        precision: "float32"; with "bfloat16" and "float16" layers compute in these, and keep their
            weights in float32; "auto" takes bfloat16 where the device is faster in it.
        tf32: Whether GPUs may round the factors of float32 products to TF32's 10 bits.

    Returns:
        The devices that a training is spread over; what does not train needs none of it.

    Raises:
        DeepColorError: There is no such GPU, or there are too few.
    """
    keep_freed_memory()
    _set_environment(accelerator, threads)
    with without_messages():
        with unimportable(name for name in UNUSED if name != os.environ["KERAS_BACKEND"]):
            keras_settings.load()
            import keras

        notice = _kernels_notice()
    if notice:
        print(f"{Path(sys.argv[0]).stem}: {notice}", file=sys.stderr, flush=True)
    with without_messages():
        _configure(accelerator, devices, threads, deterministic)
        _set_tf32(tf32)
        if precision == "auto":
            precision = "bfloat16" if prefers_bfloat16() else "float32"
        keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    return make_distribution(accelerator, devices)


def _set_environment(accelerator: str, threads: int) -> None:
    """Set the variables that the backends read when they are imported.

    Args:
        accelerator: "auto", "cpu" or "cuda"; "cpu" hides the GPUs from every backend.
        threads: CPU threads that a backend may use.
    """
    keras_settings.set_environment()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for variable in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "NPROC"):  # NPROC: JAX.
        os.environ[variable] = str(threads)
    # As TensorFlow's memory growth.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if accelerator == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = os.environ["KERAS_TORCH_DEVICE"] = "cpu"


def _kernels_notice() -> str:
    """Return a line if TensorFlow's kernels are about to be compiled, otherwise ""."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        return ""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capabilities = [each["compute_capability"] for each in details if "compute_capability" in each]
    compiled = tf.sysconfig.get_build_info().get("cuda_compute_capabilities", [])
    return kernels.compilation_notice(capabilities, compiled)


def _configure(accelerator: str, count: int, threads: int, deterministic: bool) -> None:
    """Set up the backend, before it computes anything.

    Args:
        accelerator: See `_set_environment`.
        count: Devices to spread a training over; with the accelerator "cpu", parts of the CPU.
        threads: See `_set_environment`.
        deterministic: Whether TensorFlow's operations give the same bits every time, on a GPU too.

    Raises:
        DeepColorError: Keras has been given a backend that cannot train.
    """
    import keras

    keras_settings.apply()
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise DeepColorError(
            f"Keras's backend is {backend}; set KERAS_BACKEND to {' or '.join(BACKENDS)}"
        )
    if find_spec("tensorflow"):
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if backend != "tensorflow":
            tf.config.set_visible_devices([], "GPU")  # It only reads the shards.
            gpus = []
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        if backend == "tensorflow":
            if accelerator == "cpu" and count > 1:
                (cpu,) = tf.config.list_physical_devices("CPU")
                parts = [tf.config.LogicalDeviceConfiguration()] * count
                tf.config.set_logical_device_configuration(cpu, parts)
            if deterministic:
                tf.config.experimental.enable_op_determinism()
            # On a CPU Grappler's meta-optimizer costs more start-up than it gains on these networks
            # (DenseNet121 on two cores: first epoch 35 s with it, 27 s without, later ones alike).
            # On a GPU it chooses the layout of convolutions, and fuses what follows them.
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not gpus})
    if backend == "jax" and accelerator == "cpu" and count > 1:
        import jax

        jax.config.update("jax_num_cpu_devices", count)
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    usable_gpus()  # Starts the devices while what that prints is held back.


def _set_tf32(allowed: bool) -> None:
    """Say whether products and convolutions of float32 may use TF32, as the backends do by default.

    Args:
        allowed: Whether GPUs that have it (NVIDIA's since Ampere) round factors to 10 bits.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(allowed)
    elif backend == "jax":
        import jax

        precision = "tensorfloat32" if allowed else "float32"
        jax.config.update("jax_default_matmul_precision", precision)
    else:
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
