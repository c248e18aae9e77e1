"""From the ranges of a data set to its manifest: no photograph twice, and the counts asked for."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from deepcolor.cells import guarded, unguarded
from deepcolor.data.manifest import join_records
from deepcolor.data.order import Order
from deepcolor.data.ranges import Range, RangeFiles, facts_checksum
from deepcolor.data.selection import Selection
from deepcolor.data.sources.base import Rejection
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, sha256, write_json


def merge_ranges(
    name: str, counts: Mapping[str, int], folder: Path, seed: int, *, ranges: int, distance: int
) -> str:
    """Write the manifest of a data set from its ranges.

    Ranges are processed in order. A duplicate of a photograph of an earlier range, and a near-duplicate
    of one in another split, is rejected; the reserves of the ranges make up for it, and for what a
    range lacks. A near-duplicate in the same split joins the group of the nearest. The result does not
    depend on when and where the ranges were fetched.

    Writes into `folder`: `manifest.csv` and where its rows begin; `data_set.json` (what the report says
    of the data); `rejected.csv` (each rejected photograph, and the reason).

    Args:
        name: Name of the data set.
        counts: Number of photographs asked for, by split.
        folder: Folder of the data set, with the files of its ranges.
        seed: Random seed of the order of the rows.
        ranges: Number of ranges.
        distance: Number of bits in which hashes of near-duplicates differ at most; 0 not to look for
            them.

    Returns:
        A summary in a few words.

    Raises:
        DeepColorError: There are fewer usable photographs than asked for.
    """
    parts = [Range(name, counts, folder, seed, number, ranges) for number in range(ranges)]
    files = [part.files for part in parts]
    facts = [_checked_facts(each) for each in files]
    selection = Selection(files, sum(each["rows"] for each in facts), list(counts), Order(seed, name))
    if ranges > 1:
        selection.compare(name, distance)
    lacking = {split: count - selection.count(split) for split, count in counts.items()}
    if ranges > 1:
        selection.fill(lacking)
    reasons, first = write_rejected(folder / "rejected.csv", files, selection.rejected)
    if any(lacking.values()):
        # What a range lacks, or is rejected only here, a larger range would have made up for.
        remedy = "add photographs, or raise 'images_per_range'" if ranges > 1 else "or add photographs"
        delivered = ", ".join(f"{n - lacking[split]} of {n} for {split}" for split, n in counts.items())
        message = f"data set '{name}' has too few usable photographs: {delivered}"
        if first:
            message += (
                f"; {sum(reasons.values())} rejected, listed in {folder / 'rejected.csv'} "
                f"(first: {first.id}, {first.reason})"
            )
        raise DeepColorError(f"{message}. Ask for fewer under 'data_sets' in config.yaml, {remedy}")
    _write_data_set(name, counts, folder, facts, reasons, selection)
    total = join_records(folder / "manifest.csv", selection.rows())
    return f"{total:,} images of {ranges:,} ranges, {sum(reasons.values()):,} rejected"


def _checked_facts(files: RangeFiles) -> dict[str, Any]:
    """Return the facts of a range, after checking its files against their checksums.

    Raises:
        DeepColorError: A file has changed since it was written.
    """
    facts: dict[str, Any] = read_json(files.facts)
    checksums = {
        files.facts: facts_checksum(facts),
        files.rows: sha256(files.rows),
        files.rejected: sha256(files.rejected),
    }
    noted = facts.get("sha256")
    rows, rejected, own = noted if isinstance(noted, list) and len(noted) == 3 else ("",) * 3
    for path, checksum in ((files.facts, own), (files.rows, rows), (files.rejected, rejected)):
        if checksums[path] != checksum:
            raise DeepColorError(
                f"{path} is not as it was written (checksum); delete it and run the same command again"
            )
    return facts


def _write_data_set(
    name: str,
    counts: Mapping[str, int],
    folder: Path,
    facts: Sequence[Mapping[str, Any]],
    reasons: Mapping[str, int],
    selection: Selection,
) -> None:
    """Write data_set.json."""
    near = [each["near_duplicates"] for each in facts]
    write_json(
        folder / "data_set.json",
        {
            "name": name,
            **{key: facts[0][key] for key in ("revision", "about", "good_for", "terms")},
            "asked": dict(counts),
            "delivered": {split: selection.count(split) for split in counts},
            "rejected": dict(sorted(reasons.items())),
            "near_duplicates": None if None in near else sum(near) + selection.more_near_duplicates,
        },
    )


def kind(reason: str) -> str:
    """Return the reason of a rejection without its details, to be counted."""
    return reason.split(":")[0].split(" of ")[0]


def write_rejected(
    path: Path, ranges: Sequence[RangeFiles], more: Sequence[Rejection]
) -> tuple[Counter[str], Rejection | None]:
    """Write the rejections of all ranges and more; return their reasons, counted, and the first."""
    reasons: Counter[str] = Counter()
    first = None
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "reason"])
        for rejection in chain(*(read_rejections(files.rejected) for files in ranges), more):
            writer.writerow([guarded(rejection.id), guarded(rejection.reason)])
            reasons[kind(rejection.reason)] += 1
            first = first or rejection
    return reasons, first


def read_rejections(path: Path) -> Iterator[Rejection]:
    """Yield the rejections that a CSV file lists."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for id, reason in reader:
            yield Rejection(unguarded(id), unguarded(reason))
