"""Where the report comes from: the state of the code, and checksums of what was trained and measured."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepcolor.files import read_json, sha256


def commit(folder: Path) -> str:
    """The commit that is checked out in a folder, in words; "not known …" where git does not say."""
    try:
        found = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "not known (git does not say)"
    return f"{found}{', with changes that are not committed' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    # Without GIT_DIR and its like, which would name another repository.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, check=True
    ).stdout.strip()


def checksums(records: Sequence[Path]) -> list[dict[str, Any]]:
    """The checksums of networks, and of the shards that they learned from and were validated on.

    Args:
        records: The training.json of runs; the network lies beside it.

    Returns:
        Per run: run, model (SHA-256 of model.keras), shards (SHA-256 of each).
    """
    return [
        {
            "run": file.parent.name,
            "model": sha256(file.parent / "model.keras"),
            "shards": read_json(file)["shards"],
        }
        for file in records
    ]
