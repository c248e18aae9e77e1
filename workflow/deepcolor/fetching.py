"""From a source's photographs to a data set: the counts asked for, or an error."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.checks import SIDE, Checks, Twins, fault, perceptual_hash
from deepcolor.decoding import read_square
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing, sha256, write_json
from deepcolor.manifest import read_manifest, write_manifest
from deepcolor.photograph import Candidate, Rejection, Source
from deepcolor.progress import Progress, ahead


@dataclass(frozen=True)
class Examined:
    """A candidate that could be read."""

    candidate: Candidate
    row: dict[str, Any]
    fault: str | None
    hash: int | None


def fetch(
    name: str,
    source: Source,
    counts: Mapping[str, int],
    folder: Path,
    *,
    checks: Checks | None = None,
    others: Sequence[Path] = (),
    threads: int = 1,
) -> str:
    """Take photographs from a source until every split has its count.

    Splits are filled in the order of `counts`. A photograph that is passed over is replaced by the
    next one of the source. Of near-duplicates none is in another split than its twin; within a
    split they share a group.

    Writes into `folder`: `manifest.csv`; `data_set.json` (what the report says of the data);
    `rejected.csv` (each photograph passed over, and why); `images/` where the source has no files
    of its own. The photographs taken depend on the source's order, `counts`, `checks` and `others`
    alone, not on `threads`.

    Args:
        name: Of the data set.
        source: Where the photographs come from.
        counts: Photographs asked for, by split ("training", "validation", "test").
        folder: Where to write.
        checks: What is asked of photographs; None where the source answers for them.
        others: Manifests of the data sets among which near-duplicates are looked for, too.
        threads: How many photographs are read at a time.

    Returns:
        What was done, in a few words.

    Raises:
        DeepColorError: The source has fewer usable photographs than asked for.
    """
    rows: list[dict[str, Any]] = []
    rejected: list[Rejection] = []
    wanted = dict(counts)
    first_with: dict[str, str] = {}
    twins = Twins(checks.near_duplicates) if checks and checks.near_duplicates else None
    for path in others:
        _remember(path, first_with, twins)
    crops: set[str] = set()
    kept = 0

    images = folder / "images"
    examine = partial(_examine, images=images, checks=checks)
    label = f"fetch_photographs {name}"
    with (
        Progress(label, sum(counts.values()), "images") as progress,
        closing(
            # No more are in hand than are wanted: the source is not asked, say for a download, in vain.
            ahead(examine, _needed(source, wanted), threads, lambda: sum(wanted.values()))
        ) as examined,
    ):
        for found in examined:
            if not any(wanted.values()):
                break
            if isinstance(found, Rejection):
                rejected.append(found)
                continue
            candidate, row = found.candidate, found.row
            if candidate.crop:
                crops.add(row["path"])
            split = candidate.split or next(split for split in wanted if wanted[split])
            if not wanted[split]:
                continue
            reason = found.fault
            if row["sha256"] in first_with:
                reason = f"duplicate of {first_with[row['sha256']]}"
            near = twins.of(found.hash) if twins and found.hash is not None and not reason else []
            apart = next((twin for twin in near if twin[0] != split), None)
            if apart:
                reason = f"near-duplicate of {apart[1]}, which is in {apart[0]}"
            if reason:
                rejected.append(Rejection(candidate.id, reason))
                continue
            if near:
                kept += 1
                row["group"] = near[0][2]
            first_with[row["sha256"]] = candidate.id
            if twins and found.hash is not None:
                twins.add(found.hash, split, candidate.id, row["group"])
            rows.append({**row, "split": split})
            wanted[split] -= 1
            progress.add()

    for unused in crops - {row["path"] for row in rows}:
        Path(unused).unlink()
    with replacing(folder / "rejected.csv") as temporary:
        pd.DataFrame(rejected, columns=["id", "reason"]).to_csv(
            temporary, index=False, lineterminator="\n"
        )
    if any(wanted.values()):
        raise DeepColorError(_too_few(name, counts, wanted, rejected, folder))
    reasons = Counter(kind(each) for each in rejected)
    write_json(
        folder / "data_set.json",
        {
            "name": name,
            "revision": source.revision,
            "about": source.about,
            "good_for": source.good_for,
            "terms": source.terms,
            "asked": dict(counts),
            "delivered": {split: sum(row["split"] == split for row in rows) for split in counts},
            "rejected": dict(sorted(reasons.items())),
            "near_duplicates": kept if twins else None,
        },
    )
    write_manifest(folder / "manifest.csv", rows)
    groups = len({row["group"] for row in rows})
    return f"{len(rows):,} images from {groups:,} photographs, {len(rejected):,} rejected"


def _needed(source: Source, wanted: Mapping[str, int]) -> Iterator[Candidate | Rejection]:
    """A source's candidates, without those for splits that are full."""
    for candidate in source.candidates():
        if not any(wanted.values()):
            return
        if isinstance(candidate, Rejection) or candidate.split is None or wanted[candidate.split]:
            yield candidate


def _examine(
    candidate: Candidate | Rejection, images: Path, checks: Checks | None
) -> Examined | Rejection:
    """Read a candidate, or save its crop, and see whether it is fit."""
    if isinstance(candidate, Rejection):
        return candidate
    path = candidate.path
    if path is None:
        assert candidate.crop
        path = images / f"{candidate.id}.png"
        with replacing(path) as temporary:
            candidate.crop().save(temporary)
    try:
        square, (width, height) = read_square(path, SIDE)
        checksum = sha256(path)
    except (ValueError, OSError) as error:
        return Rejection(candidate.id, f"cannot be read: {first_line(error)}")
    hash = perceptual_hash(square) if checks else None
    row = {
        "id": candidate.id,
        "path": path.as_posix(),
        "width": width,
        "height": height,
        "sha256": checksum,
        "source": candidate.source,
        "license": candidate.license,
        "credit": candidate.credit,
        "group": candidate.group or candidate.id,
        "phash": "" if hash is None else f"{hash:016x}",
    }
    return Examined(candidate, row, fault(square, width, height, checks) if checks else None, hash)


def _remember(manifest: Path, first_with: dict[str, str], twins: Twins | None) -> None:
    """Let the photographs of another data set count as taken."""
    for row in read_manifest(manifest).itertuples():
        name = f"{manifest.parent.name}/{row.id}"
        first_with[str(row.sha256)] = name
        if twins and row.phash:
            twins.add(int(str(row.phash), 16), str(row.split), name, name)


def kind(rejection: Rejection) -> str:
    """A rejection's reason without its details, to be counted."""
    return rejection.reason.split(":")[0].split(" of ")[0]


def _too_few(
    name: str,
    counts: Mapping[str, int],
    wanted: Mapping[str, int],
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
