"""Folders that the configuration names. Standard library only."""

import hashlib
import os
from collections.abc import Mapping
from itertools import pairwise, permutations
from pathlib import Path

from deepcolor.errors import DeepColorError
from deepcolor.files import walk

PROJECT = Path(__file__).parents[3]

# Folders of the project that are not for results.
CODE = {".ci", ".git", ".snakemake", ".venv", "docs", "envs", "rules", "tests", "workflow"}


def normalized_folders(folders: Mapping[str, str]) -> dict[str, str]:
    """Write the folders of the configuration as Snakemake compares paths: x/y, not ./x//y/.

    Args:
        folders: The keys `results`, `data` and `cache` with their folders, which need not exist.

    Returns:
        The same folders by key.

    Raises:
        DeepColorError: A folder is written in a way that programs read differently, holds the project
            or its code, or is inside another of them where they would mix.
    """
    project = PROJECT.resolve()
    plain: dict[str, str] = {}
    places: dict[str, Path] = {}
    for key, folder in folders.items():
        parts = Path(folder).parts
        if folder.startswith(("~", "-")):
            raise DeepColorError(f"{key}: '{folder}' begins with {folder[0]}; write the whole path")
        if any(name != ".." and after == ".." for name, after in pairwise(parts)):
            raise DeepColorError(f"{key}: '{folder}' has .. after a folder; write the path without it")
        plain[key] = ("/" if folder.startswith("/") else "") + str(Path(folder)).lstrip("/")
        places[key] = Path(os.path.realpath(folder))
        inside = places[key].relative_to(project).parts if project in places[key].parents else ()
        if project.is_relative_to(places[key]) or inside and inside[0] in CODE:
            raise DeepColorError(f"{key}: '{folder}' holds the project itself; name a folder of its own")
    for key, other in permutations(plain, 2):
        nested = places[key].is_relative_to(places[other]) and "cache" not in (key, other)
        if nested or places[key] == places[other]:
            where = "the folder of" if places[key] == places[other] else "inside the folder of"
            raise DeepColorError(
                f"{key}: '{folders[key]}' is {where} '{other}'; name a folder of its own"
            )
    return plain


def fingerprint(folder: str | None) -> str:
    """What changes when a folder's files change: a hash of their names, sizes and times; "" for None."""
    if folder is None:
        return ""
    digest = 0
    for name, entry in walk(folder):
        stat = entry.stat()
        found = f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}".encode(errors="surrogateescape")
        # A sum, as files come in no order.
        digest += int.from_bytes(hashlib.blake2b(found, digest_size=16).digest(), "big")
    return f"{digest % 2**48:012x}"
