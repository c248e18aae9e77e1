"""The devices that networks compute on: which there are, what they are called, and their memory.

Keras and the backends are imported inside the functions: they are set up first.
"""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

from deepcolor.errors import DeepColorError, first_line

# By backend: its name for people, and how it comes by what a GPU needs.
BACKENDS = {
    "tensorflow": ("TensorFlow", "`make report GPU=1` installs CUDA's libraries"),
    "jax": ("JAX", '`pip install "jax[cuda12]"` installs CUDA\'s libraries'),
    "torch": ("PyTorch", "install a PyTorch that is built with CUDA"),
}

# Instructions with which a CPU computes bfloat16 faster than float32, as Linux lists them.
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}
# Compute capability of NVIDIA's first GPUs that do (Ampere).
BFLOAT16_CAPABILITY = (8, 0)
CPUINFO = Path("/proc/cpuinfo")


def check_accelerator(accelerator: str, *, warn: bool = True) -> None:
    """Make sure that there is a GPU where one is asked for.

    Args:
        accelerator: "auto", "cpu" or "cuda", as for `backend.prepare_keras`.
        warn: Whether to name a GPU that the backend cannot use in one line on stderr (with "auto").

    Raises:
        DeepColorError: There is none.
    """
    import keras

    if accelerator == "cpu" or usable_gpus():
        return
    name, remedy = BACKENDS[keras.backend.backend()]
    seen = visible_gpus()
    if accelerator == "cuda":
        raise DeepColorError(
            f"'accelerator' is cuda, but {name} can use no GPU (there is "
            f"{', '.join(seen) or 'none on this machine'}); {remedy}, `nvidia-smi` tells whether "
            "the driver works; or set 'accelerator' in config.yaml to auto or cpu"
        )
    if seen and warn:
        print(
            f"{Path(sys.argv[0]).stem}: warning: {name} cannot use {', '.join(seen)}, and computes "
            f"on the CPU; {remedy}; 'accelerator: cpu' in config.yaml says that this is meant",
            file=sys.stderr,
            flush=True,
        )


def visible_gpus() -> list[str]:
    """Return the names of this machine's NVIDIA GPUs, whether a backend can use them or not."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return []
    try:
        listing = _nvidia_smi("--list-gpus")
        return re.findall(r"^GPU \d+: (.*?)(?: \(UUID.*)?$", listing, flags=re.MULTILINE)
    except (OSError, subprocess.SubprocessError):
        pass
    silent = len(list(Path("/proc/driver/nvidia/gpus").glob("*"))) or Path("/dev/nvidia0").exists()
    return ["an NVIDIA GPU, whose driver does not answer"] if silent else []


def device_name() -> str:
    """Return the kind of device that Keras computes on: "CPU" or "GPU"."""
    return "GPU" if usable_gpus() else "CPU"


def usable_gpus() -> int:
    """Return the number of GPUs that the backend can use."""
    import keras

    if keras.backend.backend() == "torch":  # Of its devices Keras gives no list.
        import torch

        return 0 if os.environ.get("KERAS_TORCH_DEVICE") == "cpu" else torch.cuda.device_count()
    return sum("gpu" in device.lower() for device in keras.distribution.list_devices())


def prefers_bfloat16() -> bool:
    """Return whether the device that Keras computes on is faster in bfloat16 than in float32.

    A CPU is under TensorFlow alone: under other backends none was measured.
    """
    import keras

    if device_name() == "GPU":
        return _compute_capability() >= BFLOAT16_CAPABILITY
    return keras.backend.backend() == "tensorflow" and not BFLOAT16_FLAGS.isdisjoint(cpu_flags())


def cpu_flags() -> set[str]:
    """Return the features of this machine's processor, as Linux lists them; none elsewhere."""
    if not CPUINFO.exists():
        return set()
    listed = re.search(r"^flags\s*:(.*)$", CPUINFO.read_text(), flags=re.MULTILINE)
    return set(listed[1].split()) if listed else set()


def _compute_capability() -> tuple[int, ...]:
    """Return the compute capability of the first GPU that the backend uses, such as (8, 0)."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpu = tf.config.get_visible_devices("GPU")[0]
        return tf.config.experimental.get_device_details(gpu)["compute_capability"]
    if keras.backend.backend() == "jax":
        import jax

        return tuple(map(int, jax.local_devices()[0].compute_capability.split(".")))
    import torch

    return torch.cuda.get_device_capability()


def peak_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_memory() -> int:
    """Return the memory of the device that Keras computes on, in bytes.

    Returns:
        Memory of the first GPU, or of the machine without one.

    Raises:
        DeepColorError: nvidia-smi does not say how much memory the GPU has.
    """
    if device_name() == "GPU":
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0] or "0"
        query = (f"--id={first}", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
        try:
            return int(_nvidia_smi(*query).split()[0]) * 2**20
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            raise DeepColorError(
                f"nvidia-smi does not say how much memory the GPU has ({first_line(error)}); "
                "install it, or look at the CPU with 'accelerator: cpu'"
            ) from error
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def peak_device_memory() -> int | None:
    """Return the most memory that the backend has held on the first GPU, in bytes, or None."""
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


def _nvidia_smi(*arguments: str) -> str:
    """Return what nvidia-smi prints."""
    command = ["nvidia-smi", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
