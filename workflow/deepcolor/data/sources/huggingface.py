"""Image data sets of the Hugging Face hub, of which only what is needed is downloaded."""

import itertools
import math
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from deepcolor.data.sources.base import Candidate, Needs, Rejection, Request, Source
from deepcolor.data.sources.hub import HubSplit, MissingImage
from deepcolor.data.sources.hub_cache import Draw, fetch_part
from deepcolor.errors import DeepColorError
from deepcolor.files import alone_in
from deepcolor.progress import Progress

DOWNLOADS = 4  # Parts at a time.
RESERVE = 1.05  # Photographs fetched for one asked for, as some are rejected.


def huggingface(
    request: Request,
    *,
    id: str,
    revision: str,
    split: str = "train",
    column: str = "image",
    subset: str = "",
    images_per_part: int = 25,
    license: str = "",
    terms: str = "",
) -> Source:
    """Photographs of a data set of the Hugging Face hub, drawn over the whole of a split.

    A part is what can be read without reading more: a row group of a Parquet file, or a whole tar file
    (WebDataset). Loose image files are refused: the hub has a Parquet conversion of most data sets.
    Parts are drawn evenly over the split, and of each part some photographs are drawn: data sorted by
    class give many classes, and the download is a few times the photographs' own weight (four times
    with 25 of a usual row group of 100). What was taken from a part stays in the cache with its
    checksum, so that an interrupted fetch goes on, and a finished one needs no network.

    Args:
        request: What is asked for.
        id: Of the data set, as "owner/name".
        revision: A commit of its repository, so that the same photographs come tomorrow.
        split: Of the data set.
        column: With the images.
        subset: Name of the data set's configuration, where it has several.
        images_per_part: Photographs taken from one part, at most; fewer spread wider and download more.
        license: Of the photographs; by default what the data set's card says.
        terms: Of their use, one sentence.

    Raises:
        DeepColorError: The client is not installed, the hub cannot be reached or has no such data.
    """
    names = [
        id.replace("/", "--"),
        revision.replace("/", "--"),
        f"{subset or 'default'}-{split}-{column}",
    ]
    source = HubSplit(id, revision, split, column, subset, request.cache.joinpath("huggingface", *names))
    with alone_in(source.cache):
        facts = source.facts()
    if request.ranges > facts["parts"]:
        raise DeepColorError(
            f"{id} has {facts['parts']:,} parts, and {request.ranges:,} ranges would share them; raise "
            "'images_per_range' in config.yaml"
        )
    return Source(
        candidates=lambda: _candidates(source, facts, request, images_per_part, license),
        revision=f"huggingface.co/datasets/{id} at {facts['commit']}",
        about=f"Photographs of {id} on the Hugging Face hub, drawn over the whole split '{split}'.",
        good_for="The figures speak for photographs like those of this data set.",
        terms=terms,
        needs=partial(_needs, source, facts, request, images_per_part),
    )


def _needs(source: HubSplit, facts: dict[str, Any], request: Request, images_per_part: int) -> Needs:
    if facts["rows"] is not None and facts["rows"] < request.count:
        raise DeepColorError(
            f"{source.id} has {facts['rows']:,} photographs in '{source.split}', and "
            f"{request.count:,} are asked for; ask for fewer under 'data_sets' in config.yaml"
        )
    wanted = min(facts["parts"], math.ceil(RESERVE * request.count / images_per_part))
    missing = wanted - len(list(source.cache.glob("[0-9]*.json")))
    commit = facts["commit"]
    note = "" if source.revision == commit else f"; revision '{source.revision}' is {commit} today"
    return Needs(
        max(0, missing) * facts["bytes"] // facts["parts"],
        (f"{wanted:,} of {facts['parts']:,} parts{note}",),
    )


def _candidates(
    source: HubSplit, facts: dict[str, Any], request: Request, images_per_part: int, license: str
) -> Iterator[Candidate | Rejection]:
    needed = math.ceil(RESERVE * request.count)
    each = max(images_per_part, math.ceil(needed / facts["parts"]))
    batches = draw_parts(facts["parts"], math.ceil(needed / each), request)
    place = request.place_in(source.cache)
    for turn in itertools.count():  # Beyond the first turn only if all parts do not suffice.
        draw = Draw(request.seed, turn * each, (turn + 1) * each)
        left = False
        for number, batch in enumerate(batches):
            images = _fetch(source, batch, draw, facts["commit"], place)
            left = left or bool(images)
            random.Random(f"{request.seed}/{turn}/{number}").shuffle(images)
            for part, row, file in images:
                id = f"{part:06}-{row:06}"
                if isinstance(file, MissingImage):
                    yield Rejection(id, file.reason)
                    continue
                yield Candidate(
                    id=id,
                    path=file,
                    source=f"{source.id}, {source.split}, part {part}, row {row}",
                    license=license or facts["license"],
                )
        if not left:
            return


def _fetch(
    source: HubSplit, parts: list[int], draw: Draw, commit: str, place: Path
) -> list[tuple[int, int, Path | MissingImage]]:
    """Return part, row, and file, or why there is none, of the photographs drawn from some parts."""
    images = []
    with (
        alone_in(place),
        Progress(f"fetch_photographs {source.id}", len(parts), "parts") as progress,
        ThreadPoolExecutor(DOWNLOADS) as pool,
    ):
        jobs = [pool.submit(fetch_part, source, part, draw, commit) for part in parts]
        try:
            for part, job in zip(parts, jobs, strict=True):
                images += [(part, row, file) for row, file in job.result()]
                progress.add()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return images


def draw_parts(parts: int, wanted: int, request: Request) -> list[list[int]]:
    """Draw parts in batches: first one from each of `wanted` equal stretches, then all others.

    The parts drawn are dealt to the ranges in turn.

    Args:
        parts: Number of parts.
        wanted: Number of parts needed by all ranges.
        request: Seed, range and number of ranges.
    """
    generator = random.Random(f"{request.seed}")
    wanted = min(parts, wanted)
    first = [
        generator.randrange(parts * number // wanted, parts * (number + 1) // wanted)
        for number in range(wanted)
    ]
    rest = sorted(set(range(parts)) - set(first))
    generator.shuffle(rest)
    first, rest = (each[request.range :: request.ranges] for each in (first, rest))
    size = max(1, len(first) // 10)
    return [first] + [rest[start : start + size] for start in range(0, len(rest), size)]
