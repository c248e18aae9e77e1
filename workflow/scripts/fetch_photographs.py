import pkgutil
from pathlib import Path

from deepcolor import script
from deepcolor.data.fetch import fetch_range
from deepcolor.data.quality import Checks
from deepcolor.data.ranges import Range
from deepcolor.data.sources.base import Request


def main(
    *,
    data_set: str,
    source: str,
    images: script.Json[dict[str, int]],
    seed: int,
    cache: Path,
    folder: Path,
    options: script.Json[dict | None] = None,
    checks: script.Json[dict | None] = None,
    others: script.AnyNumber[Path] = (),
    number: int = 0,
    of: int = 1,
    threads: int = 1,
) -> None:
    """Fetch a range of a data set's photographs.

    Args:
        data_set: Name of the data set.
        source: "module:function" that lists the photographs.
        images: Number of photographs of the data set by split.
        seed: Random seed of the subset, the split and the order.
        cache: Folder for downloads.
        folder: Folder of the data set, to write to.
        options: Keyword arguments of the source.
        checks: Requirements that photographs must meet; null for none.
        others: Manifests of the data sets that are searched for near-duplicates.
        number: Number of the range, from 0.
        of: Number of ranges of the data set.
        threads: Photographs read at a time.
    """
    request = Request(seed, sum(images.values()), cache, number, of)
    done = fetch_range(
        Range(data_set, images, folder, seed, number, of),
        pkgutil.resolve_name(source)(request, **(options or {})),
        checks=Checks(**checks) if checks else None,
        others=others,
        threads=threads,
    )
    print(f"fetch_photographs {data_set}: {done}", flush=True)


if __name__ == "__main__":
    script.run(main)
