"""What the scripts of the rules share: a command line made from a signature, and errors in one line."""

import errno
import inspect
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from cyclopts import App, CycloptsError, Parameter

from deepcolor import files, integrity, messages
from deepcolor.errors import DeepColorError, first_line, printable

# A notebook's variable names a backend of its own environment; where that is not installed, Matplotlib
# cannot be imported.
_backend = os.environ.get("MPLBACKEND", "").partition("module://")[2].partition(".")[0]
if _backend and not find_spec(_backend):
    del os.environ["MPLBACKEND"]

T = TypeVar("T")


def _read_json(_: object, tokens: Sequence[Any]) -> Any:
    return json.loads(tokens[0].value)


# Types of options: a value written as JSON in one word (Json[Any] for a list, of which Cyclopts would
# take the first item); any number of words, also none, as Snakemake expands an empty list; one such
# word at most.
Json = Annotated[T, Parameter(converter=_read_json, accepts_keys=False, n_tokens=1, metavar="JSON")]
AnyNumber = Annotated[tuple[T, ...], Parameter(consume_multiple=True, show_default=False)]
AtMostOne = Annotated[tuple[T, ...], Parameter(consume_multiple=(0, 1), show_default=False)]
YesOrNo = Literal["yes", "no"]

# Bytes for what Snakemake writes beside a job's files: its log and benchmark.
ROOM = 64 * 2**10


def run(main: Callable[..., object], *, noted: bool = True) -> None:
    """Run a script's `main` with the options of the command line.

    An error that the user can mend ends in one line on stderr and exit code 1, or 2 for a mistake on the
    command line.

    Args:
        main: Function whose keyword arguments are the options of the script, and whose docstring is its
            help. One without arguments reads the command line itself.
        noted: Whether the script is a rule's: checksums of the files that it writes are noted, and files
            on its command line are checked against their notes.
    """
    script = Path(sys.argv[0]).stem
    try:
        call = bind(main, sys.argv[1:], script) if inspect.signature(main).parameters else main
        if noted:
            integrity.check(sys.argv[1:])
        call()
        if noted:
            integrity.note(sys.argv[1:], files.written)
            _leave_room(files.written)
    except KeyboardInterrupt:
        sys.exit(130)
    except CycloptsError as error:
        print(f"{script}: error: {printable(error)}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        message = messages.explain(error)
        if message is None:
            raise
        sys.exit(f"{script}: error: {printable(message)}")


def bind(main: Callable[..., object], words: Sequence[str], name: str) -> Callable[[], object]:
    """Return a function's call with the options of a command line; for `--help`, one that prints it.

    Args:
        main: Function whose keyword arguments are the options. Lists take one word or more.
        words: Command line without the program's name.
        name: Name of the program, for its help.

    Raises:
        CycloptsError: An option is unknown, missing, given twice or has no such value.
    """
    app = App(
        name=name,
        default_command=main,
        version_flags=(),
        help_format="plaintext",
        default_parameter=Parameter(allow_repeating=False, consume_multiple=1, negative=()),
    )
    app["--help"].group = app.group_parameters
    command, options, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    return partial(command, *options.args, **options.kwargs)


def _leave_room(written: Iterable[Path]) -> None:
    """Say that a disk is full before Snakemake's notes of the job do not fit, which nothing says.

    Raises:
        OSError: There is next to no space where files have been written.
    """
    for folder in {path.parent for path in written if path.exists()}:
        if shutil.disk_usage(folder).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


@contextmanager
def scratch_folder(scratch: YesOrNo) -> Iterator[Path | None]:
    """Make an empty folder below TMPDIR for the time of a block.

    Args:
        scratch: "no" for no folder; then the block gets None.

    Raises:
        DeepColorError: The folder cannot be made.
    """
    if scratch == "no":
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
