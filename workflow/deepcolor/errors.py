"""The error that a user can mend, exhausted memory, and text from outside in messages."""

import difflib
import re
from collections.abc import Iterable
from unicodedata import category

# What backends say when memory is exhausted.
_MEMORY = re.compile(
    r"RESOURCE_EXHAUSTED|ResourceExhausted|OutOfMemory|OUT_OF_MEMORY|ALLOC_FAILED|out of memory|\bOOM\b"
)


class DeepColorError(Exception):
    """Bad input. The message is one line that names the file or key and the remedy."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word: a question if a known one is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else "."


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of TensorFlow, JAX or PyTorch means that memory is exhausted."""
    text = f"{type(error).__name__}: {error}"
    if "No space left on device" in text or "quota" in text.lower():
        return False  # TensorFlow calls a full disk an exhausted resource, too.
    return isinstance(error, MemoryError) or _MEMORY.search(text) is not None


def lacks_determinism(error: BaseException) -> bool:
    """Return whether TensorFlow refuses an operation that has no deterministic kernel."""
    return type(error).__name__ == "UnimplementedError" and "determinis" in str(error).lower()


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, `printable`; its class's name if it has none."""
    return printable((str(error).strip().splitlines() or [type(error).__name__])[0])


def printable(text: object) -> str:
    """Return a text from outside, such as a file's name, for a line of a terminal, a log or a page.

    What could forge or hide text is escaped: line breaks, escape sequences of terminals, NUL, marks that
    change the direction of writing, bytes that are no text. Spaces and joiners of all scripts stay.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(each if _is_shown(each) else each.encode("unicode_escape").decode() for each in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or category(character) == "Zs" or character in "\u200c\u200d"
