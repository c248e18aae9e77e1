"""The manifest: which photographs a data set holds, one row each."""

from pathlib import Path

import pandas as pd

from deepcolor.errors import DeepColorError
from deepcolor.files import replacing

# id: unique in the data set; path: of the image file; split: training, validation or test;
# width, height: in pixels; sha256: of the file; source: URL or name in the source;
# group: what belongs together, crops of one photograph or near-duplicates; phash: perceptual hash in
# hexadecimal, "" where none is taken.
COLUMNS = [
    "id", "path", "split", "width", "height", "sha256", "source", "license", "credit", "group", "phash",
]  # fmt: skip


def write_manifest(path: str | Path, rows: list[dict[str, object]]) -> None:
    """Write rows with the keys of COLUMNS, sorted by split and id."""
    frame = pd.DataFrame(rows, columns=COLUMNS).sort_values(["split", "id"])
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def unreadable(path: str, error: Exception, manifest: Path) -> DeepColorError:
    """The error for a photograph of a manifest that cannot be read any more."""
    return DeepColorError(
        f"{path} cannot be read ({error}); delete {manifest} and run the same command again, to fetch it"
    )


def read_manifest(path: str | Path) -> pd.DataFrame:
    """Read a manifest.

    Raises:
        DeepColorError: A column is missing.
    """
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := set(COLUMNS) - set(frame.columns):
        raise DeepColorError(
            f"{path} has no column {', '.join(sorted(missing))}; delete it to have it written again"
        )
    return frame.astype({"width": int, "height": int})
