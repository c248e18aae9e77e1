"""Ranges: the parts in which a data set is fetched, their files, and their share of the counts."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.data.order import Order


@dataclass(frozen=True)
class RangeFiles:
    """The files of a range, next to the manifest.

    Attributes:
        rows: CSV file with the columns of a manifest, in the same order; rows of the reserve have
            no split.
        rejected: CSV file with the rejected photographs and the reasons.
        facts: JSON file with what the report says of the source, counts and checksums.
    """

    rows: Path
    rejected: Path
    facts: Path


@dataclass(frozen=True)
class Range:
    """A range of a data set.

    Attributes:
        data_set: Name of the data set.
        counts: Number of photographs asked for, by split ("training", "validation", "test"), of all
            ranges.
        folder: Folder of the data set.
        seed: Random seed of the order of the rows.
        number: Number of the range, from 0.
        total: Number of ranges.
    """

    data_set: str
    counts: Mapping[str, int]
    folder: Path
    seed: int
    number: int = 0
    total: int = 1

    @property
    def order(self) -> Order:
        """Return the order of the rows."""
        return Order(self.seed, self.data_set)

    @property
    def files(self) -> RangeFiles:
        """Return the files of the range."""
        stem = self.folder / "ranges" / f"{self.number:05}-of-{self.total:05}"
        ends = (".csv", ".rejected.csv", ".json")
        return RangeFiles(*(stem.with_name(f"{stem.name}{end}") for end in ends))

    @property
    def share(self) -> dict[str, int]:
        """Return the number of photographs of the range by split, and of its reserve, "".

        The reserve replaces photographs that turn out to be in two ranges, or that another range
        lacks: 2 %, and in small ranges three times the standard deviation of the number of
        photographs that pass the checks.
        """
        share = {
            split: count * (self.number + 1) // self.total - count * self.number // self.total
            for split, count in self.counts.items()
        }
        if self.total > 1:
            count = sum(share.values())
            share[""] = math.ceil(max(0.02 * count, 3 * math.sqrt(count)))
        return share


def facts_checksum(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 checksum, in hexadecimal, of a range's facts without its checksums."""
    content = {key: value for key, value in facts.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
