"""What the scripts of the rules share: quiet start-up, and errors in one line."""

import argparse
import errno
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from deepcolor import files, integrity
from deepcolor.errors import DeepColorError, first_line, is_out_of_memory, shown

# A notebook's variable names a backend of its own environment; where that is not installed, Matplotlib
# cannot be imported.
_backend = os.environ.get("MPLBACKEND", "").partition("module://")[2].partition(".")[0]
if _backend and not find_spec(_backend):
    del os.environ["MPLBACKEND"]

# Bytes for what Snakemake writes beside a job's files: its log and benchmark.
ROOM = 64 * 2**10

# Errors of the machine rather than of the program, and what helps.
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), or 'images_per_range'",
    errno.EROFS: "the folder is read-only; set 'results', 'data', 'cache' in config.yaml to others",
    errno.EACCES: "permission denied; set 'results', 'data', 'cache' in config.yaml to folders of yours",
}


def run(main: Callable[[], None], *, noted: bool = True) -> None:
    """Run a script's `main`. What a user can mend ends in one line on stderr and exit code 1.

    Args:
        main: Of the script.
        noted: Whether it is a rule's: what it writes is noted, and files on its command line must be
            as rules have written them.
    """
    script = Path(sys.argv[0]).stem
    try:
        if noted:
            integrity.check(sys.argv[1:])
        main()
        if noted:
            integrity.note(sys.argv[1:], files.written)
            _leave_room(files.written)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = _explain(error)
        if message is None:
            raise
        sys.exit(f"{script}: error: {shown(message)}")


def _leave_room(written: Iterable[Path]) -> None:
    """Say that a disk is full before Snakemake's notes of the job do not fit, which nothing says.

    Raises:
        OSError: There is next to no space where files have been written.
    """
    for folder in {path.parent for path in written if path.exists()}:
        if shutil.disk_usage(folder).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def add_scratch(parser: argparse.ArgumentParser) -> None:
    """Add the option `--scratch`; see `scratch`."""
    parser.add_argument(
        "--scratch", choices=["yes", "no"], default="no", help="shards go through TMPDIR"
    )


@contextmanager
def scratch(args: argparse.Namespace) -> Iterator[Path | None]:
    """An empty folder below TMPDIR for the time of a block, where `--scratch` asks for it, else None.

    Raises:
        DeepColorError: It cannot be made.
    """
    if args.scratch == "no":
        yield None
        return
    # A cluster ends jobs by SIGTERM: nothing is left on its node then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    place = os.environ.get("TMPDIR")  # Itself: Python would take another folder where it is of no use.
    try:
        folder = tempfile.TemporaryDirectory(prefix="deepcolor-", dir=place)
    except OSError as error:
        raise DeepColorError(
            f"{place or tempfile.gettempdir()}: no scratch folder can be made there "
            f"({first_line(error)}); set TMPDIR to another folder, or 'scratch' in config.yaml to false"
        ) from None
    with folder:
        yield Path(folder.name)


def _explain(error: Exception) -> str | None:
    """The one line for an error that a user can mend, None for any other."""
    if isinstance(error, DeepColorError):
        return str(error)
    if is_out_of_memory(error):
        return (
            f"the memory is used up ({first_line(error)}); see whether another program holds it "
            "(nvidia-smi, top), or lower 'batch_size' or 'image_size' in config.yaml"
        )
    code = getattr(error, "errno", None)
    if code is None and "No space left on device" in str(error):  # h5py and TensorFlow wrap it.
        code = errno.ENOSPC
    if code not in REMEDIES:
        return None
    # Of a copy, the second name is what could not be written.
    where = getattr(error, "filename2", None) or getattr(error, "filename", None) or first_line(error)
    if code in (errno.EROFS, errno.EACCES) and Path(where).name.startswith(files.PARTIAL):
        return f"{Path(where).parent} is read-only; make it writable and run the same command again"
    return f"{where}: {REMEDIES[code]}"
