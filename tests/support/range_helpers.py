"""A data set fetched in ranges and merged, as the rules do it one after the other."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from deepcolor.data.fetch import fetch_range
from deepcolor.data.merge import merge_ranges
from deepcolor.data.quality import Checks
from deepcolor.data.ranges import Range
from deepcolor.data.sources.base import Request, Source


def fetch(name: str, source: Source, counts: Mapping[str, int], folder: Path) -> None:
    """Fetch a data set in one range, without checks."""
    fetch_range(Range(name, counts, folder, 0), source)
    merge_ranges(name, counts, folder, 0, ranges=1, distance=0)


def fetch_ranges(
    source: Callable[..., Source],
    counts: Mapping[str, int],
    place: Path,
    of: int,
    *,
    checks: Checks,
    order: Iterable[int] | None = None,
    threads: int = 1,
    others: Iterable[Path] = (),
    **options: Any,
) -> None:
    """Fetch a data set in ranges, in any order, and merge them."""
    for number in order or range(of):
        request = Request(0, sum(counts.values()), place / "cache", number, of)
        part = Range(place.name, counts, place, 0, number, of)
        fetch_range(
            part, source(request, **options), checks=checks, others=list(others), threads=threads
        )
    merge_ranges(place.name, counts, place, 0, ranges=of, distance=checks.near_duplicates)
