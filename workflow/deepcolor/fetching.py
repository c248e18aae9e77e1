"""From a source's photographs to a data set: the counts asked for, or an error."""

from collections import Counter
from pathlib import Path

import pandas as pd
from PIL import Image

from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing, sha256, write_json
from deepcolor.manifest import write_manifest
from deepcolor.photograph import Candidate, Rejection, Source


def fetch(name: str, source: Source, counts: dict[str, int], folder: Path) -> str:
    """Take photographs from a source until every split has its count.

    Writes into `folder`: `manifest.csv`; `data_set.json` (what the report says of the data);
    `rejected.csv` (each photograph passed over, and why); `images/` where the source has no files
    of its own. A rejected photograph is replaced by the next one of the source.

    Args:
        name: Of the data set.
        source: Where the photographs come from.
        counts: Photographs asked for, by split ("training", "validation").
        folder: Where to write.

    Returns:
        What was done, in a few words.

    Raises:
        DeepColorError: The source has fewer usable photographs than asked for.
    """
    rows: list[dict[str, object]] = []
    rejected: list[Rejection] = []
    wanted = dict(counts)
    first_with: dict[str, str] = {}
    for candidate in source.candidates():
        if isinstance(candidate, Rejection):
            rejected.append(candidate)
            continue
        split = candidate.split or next((split for split in wanted if wanted[split]), None)
        if split is None:
            break
        if not wanted[split]:
            continue
        try:
            picture = candidate.load()
        except ValueError as error:
            rejected.append(Rejection(candidate.id, f"cannot be read: {first_line(error)}"))
            continue
        row = _take(candidate, picture, split, folder / "images")
        checksum = str(row["sha256"])
        if checksum in first_with:
            rejected.append(Rejection(candidate.id, f"duplicate of {first_with[checksum]}"))
            continue
        first_with[checksum] = candidate.id
        rows.append(row)
        wanted[split] -= 1

    with replacing(folder / "rejected.csv") as temporary:
        pd.DataFrame(rejected, columns=["id", "reason"]).to_csv(
            temporary, index=False, lineterminator="\n"
        )
    if any(wanted.values()):
        raise DeepColorError(_too_few(name, counts, wanted, rejected, folder))
    write_json(
        folder / "data_set.json",
        {
            "name": name,
            "revision": source.revision,
            "about": source.about,
            "good_for": source.good_for,
            "images": counts,
            "rejected": dict(sorted(Counter(_kind(each) for each in rejected).items())),
        },
    )
    write_manifest(folder / "manifest.csv", rows)
    groups = len({row["group"] for row in rows})
    return f"{len(rows)} images from {groups} photographs, {len(rejected)} rejected"


def _take(candidate: Candidate, picture: Image.Image, split: str, images: Path) -> dict[str, object]:
    """Save a candidate's picture where it has no file; describe it as a row of the manifest."""
    path = candidate.path
    if path is None:
        path = images / f"{candidate.id}.png"
        with replacing(path) as temporary:
            picture.save(temporary)
    return {
        "id": candidate.id,
        "path": path.as_posix(),
        "split": split,
        "width": picture.width,
        "height": picture.height,
        "sha256": sha256(path),
        "source": candidate.source,
        "license": candidate.license,
        "credit": candidate.credit,
        "group": candidate.group,
    }


def _kind(rejection: Rejection) -> str:
    """A rejection's reason without its details, to be counted."""
    return rejection.reason.split(":")[0].split(" of ")[0]


def _too_few(
    name: str,
    counts: dict[str, int],
    wanted: dict[str, int],
    rejected: list[Rejection],
    folder: Path,
) -> str:
    missing = ", ".join(
        f"{counts[split] - wanted[split]} of {counts[split]} for {split}" for split in counts
    )
    message = f"data set '{name}' has too few usable photographs: {missing}"
    if rejected:
        first = rejected[0]
        message += (
            f"; {len(rejected)} rejected, listed in {folder / 'rejected.csv'} "
            f"(first: {first.id}, {first.reason})"
        )
    return f"{message}. Ask for fewer under 'data_sets' in config.yaml, or add photographs"
