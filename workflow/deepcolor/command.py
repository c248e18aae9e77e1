"""What the scripts of the rules share: quiet start-up, and errors in one line."""

import ctypes
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcolor.errors import DeepColorError, first_line

# Errors of the machine rather than of the program, and what helps.
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the folder is read-only; set 'results', 'data', 'cache' in config.yaml to others",
    errno.EACCES: "permission denied; set 'results', 'data', 'cache' in config.yaml to folders of yours",
}


def run(main: Callable[[], None]) -> None:
    """Run a script's `main`. What a user can mend ends in one line on stderr and exit code 1."""
    script = Path(sys.argv[0]).stem
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = _explain(error)
        if message is None:
            raise
        sys.exit(f"{script}: error: {message}")


def _explain(error: Exception) -> str | None:
    """The one line for an error that a user can mend, None for any other."""
    if isinstance(error, DeepColorError):
        return str(error)
    code = getattr(error, "errno", None)
    if code is None and "No space left on device" in str(error):  # h5py and TensorFlow wrap it.
        code = errno.ENOSPC
    if code not in REMEDIES:
        return None
    where = getattr(error, "filename", None) or first_line(error)
    return f"{where}: {REMEDIES[code]}"


def prepare_keras(threads: int) -> None:
    """Import Keras quietly and make it deterministic; call before any module that imports it.

    Args:
        threads: CPU threads that TensorFlow may use.
    """
    _keep_freed_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
    with _without_startup_messages():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
            tf.config.experimental.enable_op_determinism()
            # Grappler's meta-optimizer costs more start-up than it gains on these networks
            # (DenseNet121 on two cores: first epoch 35 s with it, 27 s without, later ones alike).
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def _keep_freed_memory() -> None:
    """Let glibc keep memory that is freed, up to pieces of 32 MiB, instead of returning it at once.

    Pictures of 256×256 pixels are just large enough to be returned one by one: getting the pages back
    can halve the speed at which shards are read (1,500 instead of 3,000 images a second).
    """
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # The names' values in glibc's malloc.h.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(mmap_threshold, 32 * 2**20)
        libc.mallopt(trim_threshold, 2**30)
        libc.mallopt(arena_max, 1)


@contextmanager
def _without_startup_messages() -> Iterator[None]:
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
