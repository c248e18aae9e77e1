"""Snakemake's own files in `.snakemake`, checked before Snakemake reads them.

Snakemake ends in a traceback over a damaged record, and takes the output of one that is cut short
for up to date, whatever has changed since. Here either ends in one line. Standard library only.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError, first_line

STATE = Path(".snakemake")
CUT_SHORT = "cut short, or no JSON"

Reader = Callable[[os.DirEntry[str]], object]


def check(validate: Callable[[Any], Any], state: Path = STATE) -> None:
    """Make sure that Snakemake can read its records, its marks of incomplete files and its locks.

    Args:
        validate: Snakemake's model of a record: returns it as an object with attributes `params`
            and `input_checksums`; raises a ValueError if the content has another form.
        state: Snakemake's folder.

    Raises:
        DeepColorError: A file is damaged; the line names the first one and counts the others.
    """
    for folder in (state, *(state / name for name in ("metadata", "incomplete", "locks"))):
        if os.path.lexists(folder) and not folder.is_dir():
            raise DeepColorError(f"{folder} should be a folder; delete it")
    faults = [*_damaged_records(validate, state), *_damaged_marks(state), *_damaged_locks(state)]
    if faults:
        more = f" ({len(faults) - 1} more like it)" if len(faults) > 1 else ""
        raise DeepColorError(f"{faults[0]}{more}")


def _damaged_records(validate: Callable[[Any], Any], state: Path) -> Iterator[str]:
    """Yield a line for each record of how a file was made that Snakemake cannot read."""

    def read(entry: os.DirEntry[str]) -> None:
        record = validate(json.loads(_text(entry)) or None)
        # Snakemake puts them into sets and sentences.
        texts = [*(record.params or []), *filter(None, (record.input_checksums or {}).values())]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError

    for entry in _files(state / "metadata"):
        fault = _fault(entry, read)
        # Being written, or left by a killed run: a mark is deleted after its record is whole.
        if fault == CUT_SHORT:
            mark = state / "incomplete" / Path(entry.path).relative_to(state / "metadata")
            fault = None if mark.exists() else _fault(entry, read)
        if fault and (output := _output(entry, state / "metadata")):
            remedy = "delete it"
            if os.path.lexists(output):
                remedy = f"delete both to make {output} again, or the record alone to keep it"
            yield f"{entry.path} is damaged ({fault}): how {output} was made is unknown; {remedy}"


def _damaged_marks(state: Path) -> Iterator[str]:
    """Yield a line for each mark of an incomplete file that Snakemake cannot read."""

    def read(entry: os.DirEntry[str]) -> None:
        content = json.loads(_text(entry))
        if not isinstance(content, dict) or isinstance(content.get("external_jobid"), dict | list):
            raise TypeError

    for entry in _files(state / "incomplete"):
        fault = _fault(entry, read)
        # One that is cut short serves, too.
        damaged = fault not in (None, CUT_SHORT)
        if damaged and (output := _output(entry, state / "incomplete")):
            yield (
                f"{entry.path} is damaged ({fault}): {output} may be incomplete; delete both to "
                f"make {output} again"
            )


def _damaged_locks(state: Path) -> Iterator[str]:
    """Yield a line for each lock that Snakemake cannot read."""
    for entry in _files(state / "locks"):
        if not entry.is_dir() and (fault := _fault(entry, _text)):
            yield (
                f"{entry.path} is damaged ({fault}); if no other run is at work in this folder, "
                "delete it"
            )


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what a folder of Snakemake's holds, and the parts of it that begin with "@"."""
    if not folder.is_dir():
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith("@") and entry.is_dir():
            yield from _files(Path(entry.path))
        else:
            yield entry


def _output(entry: os.DirEntry[str], folder: Path) -> str | None:
    """Return the output that a file is about, None if it is about none and never read.

    The file's name is the output's in base64. A long one is in parts: all but the last are folders,
    and begin with "@".
    """
    parts = Path(entry.path).relative_to(folder).parts
    name = os.fsencode("".join(part.removeprefix("@") for part in parts))
    try:
        output = urlsafe_b64decode(name)
        return output.decode() if urlsafe_b64encode(output) == name else None
    except ValueError:
        return None


def _fault(entry: os.DirEntry[str], read: Reader) -> str | None:
    """Return what keeps a file from being read, None if nothing does."""
    try:
        read(entry)
    except FileNotFoundError:  # Another run has deleted it meanwhile.
        return None
    except json.JSONDecodeError:
        return CUT_SHORT
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except OSError as error:
        return error.strerror or first_line(error)
    except (ValueError, TypeError, RecursionError):
        return "not of the form that Snakemake writes"
    return None


def _text(entry: os.DirEntry[str]) -> str:
    if not entry.is_file() and os.path.exists(entry):  # A pipe would be waited for.
        raise OSError("not a file")
    with open(entry, "rb") as file:
        return file.read().decode()
