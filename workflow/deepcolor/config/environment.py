"""The environment of the pipeline's jobs: writable folders, the interpreter, variables.

Standard library only.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from deepcolor.errors import DeepColorError

# Variables with which Python or Matplotlib would fail, wait for input or print something else.
UNSET = (
    "MPLBACKEND",
    "PYTHONDEVMODE",
    "PYTHONINSPECT",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONVERBOSE",
    "PYTHONWARNINGS",
)


def check_writable(folders: Iterable[str]) -> None:
    """Make sure that files can be written into folders, or the folders be made.

    Args:
        folders: Configured folders. The project's, where Snakemake keeps its notes, is checked before.

    Raises:
        DeepColorError: A folder is read-only.
    """
    if not os.access(".snakemake" if Path(".snakemake").exists() else ".", os.W_OK | os.X_OK):
        raise DeepColorError(
            f"{Path.cwd()} is read-only; make it writable, or copy the project elsewhere"
        )
    for folder in folders:
        there = Path(folder).absolute()
        while not there.exists():
            if there.is_symlink():
                raise DeepColorError(
                    f"{there} is a link to no folder; make the folder, or delete the link"
                )
            there = there.parent
        if not there.is_dir():
            raise DeepColorError(f"{there} is a file, and '{folder}' should be a folder; rename it")
        if not os.access(there, os.W_OK | os.X_OK):
            raise DeepColorError(
                f"{there} is read-only; make it writable, or set 'results' and 'data' in "
                "config.yaml to other folders"
            )


def use_this_python() -> None:
    """Let jobs find the interpreter that runs Snakemake first, be its environment active or not.

    A conda environment, which a job activates later, still goes before it.
    """
    here = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def isolate_jobs() -> None:
    """Let jobs give the same results whatever a user has set for Python and Matplotlib elsewhere.

    A job that is run by hand is not isolated from variables that Python itself reads.
    """
    for name in UNSET:
        os.environ.pop(name, None)
    # Text in UTF-8 in any locale, and no matplotlibrc of the home folder.
    os.environ |= {"PYTHONUTF8": "1", "MATPLOTLIBRC": os.devnull}


def keep_kernels(cache: str) -> None:
    """Let the driver of a GPU keep the kernels that it compiles, for all jobs.

    Its own place, `~/.nv`, may be read-only on the nodes of a cluster, and 1 GiB. A user's choice holds.

    Args:
        cache: Folder for downloads, which outlives runs.
    """
    os.environ.setdefault("CUDA_CACHE_PATH", str(Path(cache, "cuda").absolute()))
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(4 * 2**30))
