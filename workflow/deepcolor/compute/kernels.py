"""TensorFlow's kernels on GPUs for which its package holds none that are compiled.

Such kernels are compiled by the driver when they are first used, and kept in a folder.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder in which the driver keeps kernels that it has compiled."""
    return Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache")


def compilation_notice(gpus: Sequence[tuple[int, int]], compiled: Sequence[str]) -> str:
    """Return a line for people who wait for kernels to be compiled, or "" if none are.

    The folder in which they are kept is made, as the driver might not.

    Args:
        gpus: Compute capability of each GPU, such as (9, 0).
        compiled: What the package's kernels are compiled for, such as "sm_80"; "compute_90" is source
            code for later ones.
    """
    if all(any(_runs_on(kernels, gpu) for kernels in compiled) for gpu in gpus):
        return ""
    folder = cache_folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        return (
            "warning: kernels are compiled for the GPU at every start, which can take minutes: "
            f"{folder} cannot be written; set CUDA_CACHE_PATH to a folder that can"
        )
    if any(folder.iterdir()):
        return ""
    return (
        "kernels are compiled for the GPU at its first start, which can take minutes; "
        f"they are kept in {folder}"
    )


def _runs_on(kernels: str, gpu: tuple[int, int]) -> bool:
    """Whether compiled kernels run on a GPU: one of their generation, not older than they are."""
    kind, _, version = kernels.partition("_")
    major, minor = divmod(int("".join(filter(str.isdigit, version))), 10)
    return kind == "sm" and major == gpu[0] and minor <= gpu[1]
