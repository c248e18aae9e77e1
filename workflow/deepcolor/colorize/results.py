"""The manifest: what each picture was made of, and what could not be made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcolor.colorize.inputs import MANIFEST
from deepcolor.files import read_json, write_json

Entry = dict[str, Any]

# What an entry has at least.
NEEDED = {"input", "output", "output_sha256", "model", "colorfulness", "preview"}


@dataclass
class Summary:
    """What has become of the photographs that were named.

    Attributes:
        done: Entries of the manifest, colorized now.
        kept: Entries of the manifest, colorized before.
        failed: By file, why not.
        passed_over: Files in folders that are no pictures by their names.
    """

    done: list[Entry] = field(default_factory=list)
    kept: list[Entry] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    passed_over: int = 0


def read_results(manifest: Path) -> dict[str, Entry]:
    """Return what an earlier manifest says, by output; {} where there is none, or one of another form.

    Raises:
        DeepColorError: It is broken: what it lists would be lost.
    """
    try:
        listed = read_json(manifest)["photographs"]
        return {each["output"]: each for each in listed if each.keys() >= NEEDED}
    except (OSError, KeyError, TypeError, AttributeError):
        return {}


def write_results(
    output: Path, trained_on: Sequence[str], summary: Summary, known: Mapping[str, Entry]
) -> list[Entry]:
    """Write the manifest.

    Args:
        output: Folder of the pictures.
        trained_on: What there is to know of the network, a sentence each.
        summary: What has been done.
        known: Entries of an earlier manifest: those whose pictures are there stay.

    Returns:
        The entries, by name.
    """
    new = {each["output"]: each for each in [*summary.kept, *summary.done]}
    there = {name: entry for name, entry in known.items() if (output / name).exists()}
    entries = [entry for _, entry in sorted({**there, **new}.items())]
    failed = [{"input": name, "reason": why} for name, why in summary.failed.items()]
    listed = {"trained_on": list(trained_on), "photographs": entries, "failed": failed}
    write_json(output / MANIFEST, listed)
    return entries
