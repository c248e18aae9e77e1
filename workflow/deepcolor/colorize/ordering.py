"""The order of names."""

import re


def natural(name: str) -> tuple[list[str | int], str]:
    """What names are sorted by: as people do, with 9 before 10, and a beside A."""
    parts: list[str | int] = list(re.split("([0-9]+)", name.casefold()))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, name
