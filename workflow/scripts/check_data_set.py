import pkgutil
from dataclasses import asdict
from pathlib import Path

from deepcolor import script
from deepcolor.data.sources.base import Request
from deepcolor.errors import DeepColorError
from deepcolor.files import write_json


def main(
    *,
    data_set: str,
    source: str,
    options: script.Json[dict],
    images: script.Json[dict[str, int]],
    seed: int,
    cache: Path,
    findings: Path,
) -> None:
    """Check whether a data set can be fetched, and estimate what that takes.

    Args:
        data_set: Name of the data set.
        source: "module:function" that lists the photographs.
        options: Keyword arguments of the source.
        images: Number of photographs by split.
        seed: Random seed of the subset and the split.
        cache: Folder for downloads.
        findings: JSON file to write.
    """
    request = Request(seed, sum(images.values()), cache)
    found = {"name": data_set, "images": request.count, "problem": None}
    try:
        listed = pkgutil.resolve_name(source)(request, **options)
        found.update(asdict(listed.needs()), revision=listed.revision)
    except DeepColorError as error:
        found["problem"] = str(error)
    write_json(findings, found)


if __name__ == "__main__":
    script.run(main)
