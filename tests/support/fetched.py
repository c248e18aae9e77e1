"""A data set fetched by the scripts of the rules, in processes of their own."""

import json
import os
import subprocess
import sys
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from conftest import PROJECT
from deepcolor.data.manifest import read_manifest

from support import fake_hub

CHECKS = {"min_side": 64, "min_chroma": 1.5, "toned": False, "near_duplicates": 6}
HUB = "deepcolor.data.sources.huggingface:huggingface"
ZOO = "deepcolor.data.sources.fiftyone:fiftyone"
FOLDER = "deepcolor.data.sources.folder:folder"


def fetch(
    place: Path,
    source: str,
    server: fake_hub.Server | None = None,
    *,
    seed: int = 0,
    arguments: dict[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run the scripts of the rules: clients of sources read the environment once."""
    environment = {
        "HF_HOME": str(place / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "FIFTYONE_DO_NOT_TRACK": "1",
    }
    if server:
        environment["HF_ENDPOINT"] = environment["http_proxy"] = environment["HTTP_PROXY"] = server.url
        environment["no_proxy"] = environment["NO_PROXY"] = "127.0.0.1" if source == HUB else ""
    if source == HUB:
        options = {"id": "me/places", "revision": fake_hub.COMMIT, "images_per_part": 8, **options}
    given = {
        "--data-set": "d", "--source": source, "--options": json.dumps(options), "--seed": str(seed),
        "--images": json.dumps({"training": 80, "validation": 20}), "--threads": "2",
        "--checks": json.dumps(CHECKS), "--cache": str(place / "cache"), "--folder": str(place / "d"),
        **(arguments or {}),
    }  # fmt: skip
    script = str(PROJECT / "workflow/scripts/fetch_photographs.py")
    run = partial(
        subprocess.run, env={**os.environ, **environment}, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    fetched = run([sys.executable, script, *chain.from_iterable(given.items())])
    if fetched.returncode:
        return fetched
    return run(
        [
            sys.executable, str(PROJECT / "workflow/scripts/write_manifest.py"), "--data-set", "d",
            "--seed", str(seed),
            "--images", given["--images"], "--ranges", "1", "--folder", str(place / "d"),
            "--near-duplicates", str(json.loads(given["--checks"])["near_duplicates"]),
        ]
    )  # fmt: skip


def rows_of(folder: Path) -> pd.DataFrame:
    """Return the manifest of the data set that was fetched into a folder."""
    return read_manifest(folder / "d" / "manifest.csv")
