"""Text from outside in Markdown."""

import html
import re

from deepcolor.errors import printable


def escape_markdown(text: object) -> str:
    """Return a text for Markdown on one line, without any markup."""
    escaped = html.escape(printable(" ".join(str(text).split())), quote=False)
    escaped = re.sub(r"([\\`*\[\]|~$#])", r"\\\1", escaped)
    escaped = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", escaped)  # Within a word it is none.
    # At the beginning of a line: lists, underlines of headings, front matter.
    return re.sub(r"^(\d*)(?=[-+.)](\s|$)|--|=)", r"\1\\", escaped)
