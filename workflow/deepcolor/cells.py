"""Cells of CSV files that no spreadsheet takes for formulas. Standard library only.

A text that a spreadsheet would run (OWASP, "CSV Injection") is written with an apostrophe before it,
and so is a part of it after a semicolon, a tab or a line break, where a spreadsheet may begin a cell.
Numbers stay as they are. `unguarded` returns the original text.
"""

import re

# What begins a formula: also its full-width forms, and characters that spreadsheets skip.
_FORMULA = r"'*[^\S\t\r\n]*[=+\-@＝＋－＠\t\r\n]"  # noqa: RUF001
_BEGINNING = r"(?:^|(?<=[;\t\r\n]))"
_RISKY = re.compile(f"{_BEGINNING}(?={_FORMULA})")
_GUARDED = re.compile(f"{_BEGINNING}'(?={_FORMULA})")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HARMLESS = re.compile(r"[\w/#(][\w .,:/#%()-]*")  # Most texts, found fast.


def guarded(value: object) -> object:
    """Return a value for a cell of a CSV file: a text is guarded, anything else stays as it is."""
    if not isinstance(value, str) or _HARMLESS.fullmatch(value) or _NUMBER.fullmatch(value):
        return value
    return _RISKY.sub("'", value)


def unguarded(text: str) -> str:
    """Return the text that `guarded` has written."""
    return _GUARDED.sub("", text) if "'" in text else text
