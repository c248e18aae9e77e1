"""Numbers, counts and texts as reports, cards and sentences show them."""

import html
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
# Items of a list in a sentence; of more, the number of the others is given.
MAX_LISTED = 6


def signed(value: float, digits: int = 2) -> str:
    """Return a difference with its sign, a true minus, and none for what rounds to zero."""
    text = f"{value:+z.{digits}f}".replace("-", MINUS)
    return text[1:] if float(text[1:]) == 0 else text


def decimal(value: float, digits: int = 2) -> str:
    """Return a number with `digits` decimals, a true minus, and none for what rounds to zero."""
    return f"{value:z.{digits}f}".replace("-", MINUS)


def interval(low: float, high: float, digits: int = 2) -> str:
    """Return the ends of an interval: "1.20 to 3.40"."""
    return f"{decimal(low, digits)} to {decimal(high, digits)}"


def short(value: float) -> str:
    """Return a number in three significant digits, or all that it has before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Return seconds as "12 s", "3.4 min" or "5.6 h"."""
    if seconds >= 7200:
        return f"{short(seconds / 3600)} h"
    return f"{short(seconds / 60)} min" if seconds >= 120 else f"{short(seconds)} s"


def p_value(p: float) -> str:
    """Return a p-value in two digits, or "< 0.001"; a dash for nan, where nothing was tested."""
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 photograph", "1,200 images".

    Args:
        number: Number of things.
        noun: Noun in the singular.
        plural: Noun in the plural, by default the singular with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Sequence[str]) -> str:
    """Return a list in a sentence, shortened to MAX_LISTED items."""
    more = f"; and {len(items) - MAX_LISTED} more" if len(items) > MAX_LISTED else ""
    return "; ".join(items[:MAX_LISTED]) + more


def oneline(text: str) -> str:
    """Return a text for Markdown on one line, without markup or the end of a table's cell."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")
