"""The clients of data sources that are too heavy for everybody, and the network behind them."""

import importlib
import time
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.messages import REMEDIES

ATTEMPTS = 6

Result = TypeVar("Result")


def load(module: str, source: str) -> ModuleType:
    """Import a module of a source's client.

    Raises:
        DeepColorError: The client is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == module.split(".")[0]:
            raise DeepColorError(
                f"the source '{source}' needs the package '{module.split('.')[0]}'; install it: "
                f"python -m pip install --require-hashes -r envs/{source}.txt (make does so by itself)"
            ) from error
        raise


def is_local(error: Exception) -> bool:
    """Return whether an error is of this machine, such as a full disk, not of the network."""
    return getattr(error, "errno", None) in REMEDIES


def retry(
    function: Callable[[], Result],
    what: str,
    is_transient: Callable[[Exception], bool],
    attempts: int = ATTEMPTS,
) -> Result:
    """Call a function that needs the network, with retries after twice as long a pause each time.

    Args:
        function: Function to call.
        what: What the function gets, for the line printed after a failure.
        is_transient: Function that returns whether a retry may help after an error.
        attempts: Maximum number of calls.

    Raises:
        Exception: The last error.
    """
    for attempt in range(1, attempts + 1):
        try:
            return function()
        except Exception as error:
            if attempt == attempts or not is_transient(error):
                raise
            pause = 2.0 ** (attempt - 1)
            print(
                f"{printable(what)}: {first_line(error)[:200]}; again in {pause:.0f} s "
                f"({attempts - attempt} more attempts)",
                flush=True,
            )
            time.sleep(pause)
    raise AssertionError
