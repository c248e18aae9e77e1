"""COCO 2017 from the FiftyOne zoo, of which only the drawn images are downloaded."""

import json
import math
import os
import random
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from deepcolor.data.sources import client
from deepcolor.data.sources.base import Candidate, Needs, Rejection, Request, Source
from deepcolor.data.sources.zoo import (
    SPLITS,
    YEAR,
    download_annotations,
    download_images,
    is_transient,
    is_whole,
)
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import alone_in, read_json, sha256, write_json
from deepcolor.progress import Progress
from deepcolor.regular_files import open_regular

BATCH = 128  # Images asked of FiftyOne at a time.
RESERVE = 1.05  # Photographs fetched for one asked for, as some are rejected.
BYTES_PER_IMAGE = 163_000  # Of train2017: 19.3 GB, 118,287 images.
MAX_LISTING_MB = 1000  # The largest file with annotations of an archive; that of train2017 has 448.
ADDRESS = "http://images.cocodataset.org/"


def fiftyone(request: Request, *, split: str = "train") -> Source:
    """Photographs of COCO 2017, drawn over the whole of a split by their ids.

    FiftyOne downloads the images; it needs no database for that. An image that is there and whole is
    not downloaded again.

    Args:
        request: What is asked for.
        split: Of COCO, "train" (118,287 images) or "validation" (5,000).

    Raises:
        DeepColorError: FiftyOne is not installed, or the list of images cannot be had.
    """
    if split not in SPLITS:
        raise DeepColorError(f"COCO has no split '{split}' with a list; it has: {', '.join(SPLITS)}")
    folder = request.cache / "fiftyone" / "coco-2017"
    with alone_in(folder):
        listing = _listing(folder, split)
    return Source(
        candidates=lambda: candidates(folder, listing, split, request),
        revision=f"COCO {YEAR}, {SPLITS[split]}, {len(listing['images']):,} images",
        about=f"Photographs of COCO {YEAR} (everyday scenes), drawn over the whole of {SPLITS[split]}.",
        good_for="The figures speak for everyday photographs of people, animals and things.",
        terms=(
            "The COCO Consortium does not own the images: their use follows the Flickr terms of use "
            "and each photograph's license. The annotations, of which the list of images is used, "
            "are under CC BY 4.0."
        ),
        needs=partial(_needs, folder / split / "data", len(listing["images"]), request.count),
    )


def _needs(data: Path, images: int, count: int) -> Needs:
    if images < count:
        raise DeepColorError(
            f"COCO has {images:,} images in this split, and {count:,} are asked for; ask for fewer "
            "under 'data_sets' in config.yaml"
        )
    there = len(list(data.glob("*.jpg")))
    missing = max(0, math.ceil(RESERVE * count) - there)
    return Needs(missing * BYTES_PER_IMAGE, (f"{there:,} images are in the cache",))


def _listing(folder: Path, split: str) -> dict[str, Any]:
    """COCO's licenses and images, without the annotations, which are a hundred times larger."""
    path = folder / f"images_{SPLITS[split]}.json"
    if not path.exists():
        name = f"instances_{SPLITS[split]}.json"
        archive = folder / f"annotations_trainval{YEAR}.zip"
        if not archive.exists():
            download_annotations(archive)
        try:
            with open_regular(archive) as file, zipfile.ZipFile(file) as opened:
                member = opened.getinfo(f"annotations/{name}")
                if member.file_size > MAX_LISTING_MB * 2**20:
                    raise ValueError(f"{member.filename} is larger than {MAX_LISTING_MB} MB")
                text = opened.read(member).decode()
            content = {"licenses": _member(text, "licenses"), "images": _member(text, "images")}
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise DeepColorError(
                f"{archive} is broken ({first_line(error)}); delete it and run the same command again"
            ) from error
        write_json(path, content)
    return read_json(path)


def _member(text: str, key: str) -> Any:
    """The value of a key of a large JSON object, without reading the rest of it."""
    start = text.index(f'"{key}":') + len(key) + 3
    start += len(text[start : start + 100]) - len(text[start : start + 100].lstrip())
    return json.JSONDecoder().raw_decode(text, start)[0]


def _is_usable(image: Any) -> bool:
    """Return whether an entry of the list names a file as COCO does: in no other folder or place."""
    if not isinstance(image, dict) or not isinstance(image.get("id"), int):
        return False
    return (
        0 <= image["id"] < 10**12
        and image.get("file_name") == f"{image['id']:012}.jpg"
        and str(image.get("coco_url")).startswith(ADDRESS)
    )


def candidates(
    folder: Path, listing: dict[str, Any], split: str, request: Request
) -> Iterator[Candidate | Rejection]:
    """Yield the images of a split in random order, downloaded in batches when they are needed.

    Args:
        folder: Folder of the downloads.
        listing: COCO's licenses and images.
        split: Name of the split, a key of SPLITS.
        request: Seed, number of photographs, and range.
    """
    licenses = {str(each["id"]): str(each.get("name", "")) for each in listing["licenses"]}
    images = sorted(
        {image["id"]: image for image in filter(_is_usable, listing["images"])}.values(),
        key=lambda image: image["id"],
    )
    for number, image in enumerate(listing["images"]):
        if number % request.ranges == request.range and not _is_usable(image):
            yield Rejection(f"entry {number}", "unusable entry of the list of images")
    random.Random(f"{request.seed}").shuffle(images)
    images = images[request.range :: request.ranges]
    first = math.ceil(RESERVE * request.count / request.ranges)
    step = max(1, first // 20)
    place = request.place_in(folder / split)
    starts = [0, *range(first, len(images), step)]
    for start, stop in zip(starts, [*starts[1:], len(images)], strict=True):
        drawn = images[start:stop]
        with alone_in(folder if request.ranges == 1 else place):
            _fetch_images(folder, place, listing, split, drawn)
        for image in drawn:
            yield Candidate(
                id=f"{int(image['id']):012}",
                path=folder / split / "data" / image["file_name"],
                source=image["coco_url"],
                license=licenses.get(str(image.get("license")), ""),
                credit=str(image.get("flickr_url", "")),
            )


def _fetch_images(
    folder: Path, place: Path, listing: dict[str, Any], split: str, images: list[dict[str, Any]]
) -> None:
    """Download the images that are not there; an image that is broken on the server is noted.

    Other files are written into `place`, the folder of the range.
    """
    data = folder / split / "data"
    noted = place / "broken.json"
    broken: dict[str, str] = {}
    for known in (folder / split / "broken.json", *(folder / split).glob("range-*/broken.json")):
        broken |= read_json(known) if known.exists() else {}
    files = [data / image["file_name"] for image in images]

    def settled(file: Path) -> bool:
        return is_whole(file) or (file.exists() and broken.get(file.name) == sha256(file))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        missing = [
            image for image, done in zip(images, pool.map(settled, files), strict=True) if not done
        ]
    if not missing:
        return
    with Progress("fetch_photographs COCO", len(missing), "downloads") as progress:
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            download = partial(download_images, data, place / "incoming", listing, split)
            try:
                client.retry(partial(download, batch), "COCO's images", is_transient)
                again = [image for image in batch if not is_whole(data / image["file_name"])]
                if again:
                    client.retry(partial(download, again), "COCO's images", is_transient)
            except DeepColorError:
                raise
            except Exception as error:
                if client.is_local(error):
                    raise
                there = sum(file.exists() for file in files)
                raise DeepColorError(
                    f"COCO's images cannot be had ({' '.join(str(error).split())[:160]}); {there} of "
                    f"{len(images)} are in {data}: run the same command again with a network, or place "
                    "the others there, by the names of the list"
                ) from error
            for image in again:  # Broken twice: so it is on the server.
                file = data / image["file_name"]
                if not is_whole(file):
                    broken[file.name] = sha256(file)
            write_json(noted, broken)
            progress.add(len(batch))
