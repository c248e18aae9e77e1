"""Fetching of a range of a data set from its source; `deepcolor.data.merge` merges the ranges."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.data.examination import Examined, examine, in_one_line
from deepcolor.data.manifest import write_manifest
from deepcolor.data.quality import Checks
from deepcolor.data.ranges import Range, facts_checksum
from deepcolor.data.seen import Seen, Taken
from deepcolor.data.sources.base import Candidate, Rejection, Source
from deepcolor.files import sha256, write_json
from deepcolor.frames import write_frame
from deepcolor.progress import Progress, ahead


def fetch_range(
    part: Range,
    source: Source,
    *,
    checks: Checks | None = None,
    others: Sequence[Path] = (),
    threads: int = 1,
) -> str:
    """Take photographs from a source until every split has its share, or the source has no more.

    Splits are filled in the order of `part.counts`. A rejected photograph is replaced by the next one
    of the source. Near-duplicates are never in different splits; within a split each joins the group
    of the nearest.

    Writes `part.files`, and `images/` into the folder of the data set where the source has no files
    of its own. The photographs taken depend on the source's order, the range, `checks` and `others`,
    not on `threads`.

    Args:
        part: Range to fetch.
        source: Source of the photographs.
        checks: Quality checks of photographs; None for a curated source.
        others: Manifests of other data sets that are searched for near-duplicates, too.
        threads: Number of photographs read at a time.

    Returns:
        A summary in a few words.
    """
    choice = _Choice(part, Seen(others, checks.near_duplicates if checks else 0))
    examine_one = partial(examine, images=part.folder / "images", checks=checks)
    label = f"fetch_photographs {part.data_set}" + (f" {part.number}" if part.total > 1 else "")
    with (
        Progress(label, choice.missing, "images") as progress,
        closing(
            # No more are in hand than are missing: the source downloads nothing in vain.
            ahead(examine_one, _needed(source, choice.lacking), threads, lambda: choice.missing)
        ) as candidates,
    ):
        for candidate in candidates:
            if not choice.missing:
                break
            if choice.take(candidate):
                progress.add()
    choice.delete_unused_crops()
    return _write(part, source, choice)


class _Choice:
    """The photographs of a range that are taken, and those that are rejected.

    Attributes:
        rows: Rows of the manifest, those of the reserve with the split "".
        rejected: Rejected photographs.
        lacking: Number of photographs that are missing, by split.
        near_duplicates: Number of near-duplicates taken, without the reserve; None if not looked for.
    """

    def __init__(self, part: Range, seen: Seen) -> None:
        self.rows: list[dict[str, Any]] = []
        self.rejected: list[Rejection] = []
        self.lacking = part.share
        self.near_duplicates = 0 if seen.compares else None
        self._seen = seen
        self._crops: set[str] = set()

    @property
    def missing(self) -> int:
        """Return the number of photographs that are missing."""
        return sum(self.lacking.values())

    def take(self, candidate: Examined | Rejection) -> bool:
        """Take or reject a candidate; return whether it was taken."""
        if isinstance(candidate, Rejection):
            self.rejected.append(candidate)
            return False
        row = candidate.row
        if candidate.candidate.crop:
            self._crops.add(row["path"])
        split = candidate.candidate.split or next(each for each in self.lacking if self.lacking[each])
        if not self.lacking[split]:
            return False
        near: list[Taken] = []
        if first := self._seen.duplicate_of(row["sha256"]):
            reason: str | None = f"duplicate of {first}"
        elif not (reason := candidate.defect) and candidate.hash is not None:
            near = self._seen.near_duplicates_of(candidate.hash)
            reason = _apart(near, split)
        if reason:
            self.rejected.append(Rejection(row["id"], reason))
            return False
        if near:
            if split and self.near_duplicates is not None:
                self.near_duplicates += 1
            row["group"] = near[0].group
        self._seen.add(row["sha256"], candidate.hash, Taken(split, row["id"], row["group"]))
        self.rows.append({**row, "split": split})
        self.lacking[split] -= 1
        return True

    def delete_unused_crops(self) -> None:
        """Delete crops that were saved and then not taken."""
        for unused in self._crops - {row["path"] for row in self.rows}:
            Path(unused).unlink()


def _apart(near: Sequence[Taken], split: str) -> str | None:
    """Return the reason not to take a photograph that has a near-duplicate in another split."""
    other = next((taken for taken in near if taken.split != split), None)
    if other is None:
        return None
    where = f"is in {other.split}" if other.split else "is kept in reserve"
    return f"near-duplicate of {other.id}, which {where}"


def _needed(source: Source, lacking: Mapping[str, int]) -> Iterator[Candidate | Rejection]:
    """Yield a source's candidates, without those for splits that are full."""
    for candidate in source.candidates():
        if not any(lacking.values()):
            return
        if isinstance(candidate, Rejection) or candidate.split is None or lacking[candidate.split]:
            yield candidate


def _write(part: Range, source: Source, choice: _Choice) -> str:
    """Write the files of a range, and return a summary in a few words."""
    files, rows, rejected = part.files, choice.rows, choice.rejected
    listed = [(rejection.id, in_one_line(rejection.reason)) for rejection in rejected]
    write_frame(files.rejected, pd.DataFrame(listed, columns=["id", "reason"]))
    write_manifest(files.rows, rows, part.order)
    facts = {
        "revision": source.revision,
        "about": source.about,
        "good_for": source.good_for,
        "terms": source.terms,
        "rows": len(rows),
        "near_duplicates": choice.near_duplicates,
    }
    checksums = [sha256(files.rows), sha256(files.rejected), facts_checksum(facts)]
    write_json(files.facts, {**facts, "sha256": checksums})
    groups, reserve = len({row["group"] for row in rows}), sum(row["split"] == "" for row in rows)
    share = part.share
    done, due = len(rows) - reserve, sum(share.values()) - share.get("", 0)
    short = f" of {due:,}" if done < due else ""
    kept = f" and {reserve:,} in reserve" if part.total > 1 else ""
    return f"{done:,}{short} images{kept} from {groups:,} photographs, {len(rejected):,} rejected"
