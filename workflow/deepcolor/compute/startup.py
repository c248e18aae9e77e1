"""Quiet and quick start-up of Keras and TensorFlow."""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

# Packages that Keras and TensorFlow import where they find them, for what nothing here uses: with
# them importing takes 6.8 s on two cores, without 3.1 to 4.2 s.
UNUSED = ("jax", "matplotlib", "sklearn")


def import_tensorflow() -> ModuleType:
    """Import TensorFlow for reading and writing TFRecords on the CPU: quietly, and without GPUs."""
    keep_freed_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with without_messages(), unimportable(UNUSED):
        import tensorflow

        tensorflow.config.list_logical_devices()  # Starts them while what that prints is held back.
    return tensorflow


@contextmanager
def unimportable(names: Iterable[str]) -> Iterator[None]:
    """For the time of a block, let imports of these packages fail as if they were not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def keep_freed_memory() -> None:
    """Let glibc keep memory that is freed, up to pieces of 32 MiB, instead of returning it at once.

    Pictures of 256×256 pixels are just large enough to be returned one by one: getting the pages
    back can halve the speed at which shards are read (1,500 instead of 3,000 images a second).
    """
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # The names' values in glibc's malloc.h.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(mmap_threshold, 32 * 2**20)
        libc.mallopt(trim_threshold, 2**30)
        libc.mallopt(arena_max, 1)


@contextmanager
def without_messages() -> Iterator[None]:
    """Hold back what native code prints on stderr; show it if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
