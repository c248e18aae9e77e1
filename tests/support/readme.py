"""The commands and the code in the README."""

import re

from conftest import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def command(beginning: str) -> str:
    """Return the first command that begins so."""
    return next(line for line in COMMANDS if line.startswith(beginning))


def block(beginning: str) -> str:
    """Return the code block that begins so."""
    return next(text for _, text in BLOCKS if text.startswith(beginning))


def inline(pattern: str) -> str:
    """Return the inline code that a pattern matches, on one line."""
    match = re.search(f"`({pattern})`", README, flags=re.DOTALL)
    assert match, pattern
    return " ".join(match[1].split())
