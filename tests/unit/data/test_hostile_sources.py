"""Data sets that name files which are none of theirs, or no photographs."""

import contextlib
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deepcolor import regular_files
from deepcolor.data.manifest import parsed
from deepcolor.data.sources import fiftyone
from deepcolor.data.sources.base import Candidate, Rejection, Request, Source
from deepcolor.data.sources.folder import folder
from deepcolor.data.sources.hub import HubSplit, MissingImage
from deepcolor.errors import DeepColorError
from deepcolor.imaging import decoding
from support import fake_hub as hub
from support import range_helpers
from support.fetched import HUB, fetch
from support.sample_images import jpeg

ROOT = f"hf://datasets/me/hostile@{hub.COMMIT}"
GOOD = 12  # Photographs among the rows.


def write_part(path: Path, cells: list[Any]) -> None:
    """Write a Parquet file whose metadata calls the column one of images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}}}})}
    table = pa.Table.from_pylist([{"image": cell} for cell in cells])
    pq.write_table(table.replace_schema_metadata(meta), path)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[hub.Server]:
    with hub.serving(hub.Server(tmp_path / "hub")) as server:
        yield server


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Path]:
    """A FIFO into which a photograph is written whenever it is read."""
    path = tmp_path / "fifo.jpg"
    os.mkfifo(path)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            with contextlib.suppress(BrokenPipeError):
                path.write_bytes(jpeg(998))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield path
    done.set()
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer.join()
    os.close(descriptor)


def test_a_hub_reads_nothing_but_its_pinned_repository(
    tmp_path: Path, served: hub.Server, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    private = tmp_path / "private.jpg"
    private.write_bytes(jpeg(999))
    with zipfile.ZipFile(tmp_path / "private.zip", "w") as archive:
        archive.write(private, "private.jpg")
    datasets = tmp_path / "hub" / "datasets" / "me"
    for place in (datasets / "hostile" / "extra", datasets / "other"):
        place.mkdir(parents=True)
        (place / "a.jpg").write_bytes(jpeg(500))
    outside = [
        str(private), "private.jpg", "../private.jpg", "~/private.jpg", f"file://{private}", str(fifo),
        "/dev/fd/0", f"zip://private.jpg::{tmp_path}/private.zip", f"{served.url}/secret.jpg",
        f"hf://datasets/me/other@{hub.COMMIT}/a.jpg", "hf://datasets/me/hostile@main/extra/a.jpg",
        "hf://datasets/me/hostile/extra/a.jpg", f"{ROOT}/../other/a.jpg", f"{ROOT}/extra",
        f"{ROOT}/gone.jpg", f"zip://private.jpg::{ROOT}/gone.zip", f"{'a' * 200_000}\n\x1b[31m.jpg",
    ]  # fmt: skip
    cells: list[Any] = [{"bytes": jpeg(number), "path": "/etc/x"} for number in range(GOOD - 1)]
    cells += [{"bytes": None, "path": path} for path in [*outside, f"{ROOT}/extra/a.jpg"]]
    cells += [None, {"bytes": None, "path": None}, {"bytes": b"text", "path": "a.jpg"}]
    parts = datasets / "hostile" / "data"
    write_part(parts / "train-00000.parquet", cells)
    write_part(parts / "train-00001.parquet", [{"bytes": 17, "path": "a.jpg"}])
    write_part(parts / "train-00002.parquet", [{"data": jpeg(600), "name": "a.jpg"}])
    # One more than there are, so that every row is looked at.
    asked = {"--images": json.dumps({"training": GOOD - 1, "validation": 2})}
    options = {"id": "me/hostile", "images_per_part": 100}
    result = fetch(tmp_path, HUB, served, arguments=asked, **options)
    assert "has too few usable photographs: 11 of 11 for training, 1 of 2" in result.stderr
    rows = pd.read_csv(tmp_path / "d" / "ranges" / "00000-of-00001.csv")
    pictures = {jpeg(number) for number in [*range(GOOD - 1), 500]}
    assert {Path(path).read_bytes() for path in rows["path"]} == pictures
    asked_for = "\n".join(served.seen)
    assert not any(part in asked_for for part in ("secret", "other", "main", "private"))
    rejected = pd.read_csv(tmp_path / "d" / "rejected.csv")
    kinds = rejected["reason"].str.split(":").str[0].value_counts().to_dict()
    assert kinds == {
        "no file of the data set's repository": len(outside),
        "no image in its row": 3,  # Nothing, a struct with nothing, and one with other keys.
        "cannot be read with the rest of its part": 1,  # Bytes that are a number.
        "cannot be read": 1,
    }
    assert rejected["reason"].str.len().max() < 300 and all(map(str.isprintable, rejected["reason"]))


def test_a_hubs_card_names_no_data_files_of_another_revision(tmp_path: Path, served: hub.Server) -> None:
    repository = tmp_path / "hub" / "datasets" / "me" / "hostile"
    write_part(repository / "data" / "train.parquet", [{"bytes": jpeg(0), "path": "a.jpg"}])
    files = "{split: train, path: 'hf://datasets/me/hostile@main/data/train.parquet'}"
    card = f"---\nconfigs:\n- config_name: default\n  data_files: [{files}]\n---\n"
    (repository / "README.md").write_text(card)
    result = fetch(tmp_path, HUB, served, id="me/hostile")
    assert result.returncode == 1
    assert "me/hostile names a data file outside its repository" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_image_of_a_hubs_row_is_not_too_large(tmp_path: Path) -> None:
    source = HubSplit("me/hostile", hub.COMMIT, "train", "image", "", tmp_path)
    most = regular_files.MAX_IMAGE_FILE_MB * 2**20
    assert source.content({"bytes": bytes(most), "path": None}, hub.COMMIT) == bytes(most)
    larger = source.content({"bytes": bytes(most + 1), "path": None}, hub.COMMIT)
    assert larger == MissingImage(f"larger than {regular_files.MAX_IMAGE_FILE_MB} MB")


@pytest.mark.parametrize("listed", [True, False])
def test_a_folder_gives_regular_files_and_links_to_them_alone(
    tmp_path: Path, fifo: Path, listed: bool
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "elsewhere.jpg").write_bytes(jpeg(0))
    (mine / "linked.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (mine / "own.jpg").write_bytes(jpeg(1))
    (mine / "folder.jpg").mkdir()
    (mine / "fifo.jpg").symlink_to(fifo)
    (mine / "device.jpg").symlink_to("/dev/null")
    (mine / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    (mine / "endless.jpg").symlink_to("/proc/self/maps")
    with open(mine / "large.jpg", "wb") as large:
        large.truncate((regular_files.MAX_IMAGE_FILE_MB + 1) * 2**20)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(mine / "socket.jpg"))
    options = {"folder": str(mine)}
    if listed:
        options["list"] = str(tmp_path / "list.txt")
        (tmp_path / "list.txt").write_text("\n".join(os.listdir(mine)))
    source = folder(Request(0, 2, tmp_path / "cache"), **options)
    counts = {"training": 1, "validation": 1, "test": 1}
    with pytest.raises(DeepColorError, match="0 of 1 for test"):
        range_helpers.fetch("d", source, counts, tmp_path / "d")
    rejected = pd.read_csv(tmp_path / "d" / "rejected.csv", index_col="id")["reason"].to_dict()
    assert rejected["large.jpg"] == f"cannot be read: larger than {regular_files.MAX_IMAGE_FILE_MB} MB"
    assert "changed while it was read" in rejected["endless.jpg"]
    odd = {f"{name}.jpg" for name in ("folder", "fifo", "device", "socket")} if listed else set()
    assert {name for name, why in rejected.items() if why.endswith(regular_files.NOT_REGULAR)} == odd


def test_a_file_that_is_replaced_by_a_fifo_is_not_read(
    tmp_path: Path, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(0))
    before = os.stat(tmp_path / "a.jpg")
    monkeypatch.setattr(regular_files.os, "stat", lambda path: before)
    with pytest.raises(ValueError, match="not a regular file"):
        regular_files.open_regular(fifo)


@pytest.mark.parametrize("read", [decoding.open_rgb, lambda path: decoding.read_square(path, 32)])
def test_no_picture_is_read_from_a_fifo_or_a_device(fifo: Path, read: Any) -> None:
    for path in (fifo, Path("/dev/null")):
        with pytest.raises(ValueError, match="not a regular file"):
            read(path)


def test_texts_of_a_source_fit_into_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(0))
    odd = 'a "b"\r\n\x00\x1b[31m\u2028\ud800,'
    candidate = Candidate(
        "a", tmp_path / "a.jpg", source=odd, license=odd + "x" * 10_000_000, credit=odd * 2
    )
    source = Source(lambda: iter([candidate, Rejection("b", odd + "y" * 200_000)]), "1", "a", "b")
    range_helpers.fetch("d", source, {"training": 1}, tmp_path / "d")
    ((_, row),) = parsed(tmp_path / "d" / "manifest.csv")
    clean = 'a "b"    [31m  ,'
    assert row["source"] == clean and row["license"].startswith(f"{clean}xxx")
    assert len(row["license"]) == 1000
    assert len((tmp_path / "d" / "manifest.csv").read_text().splitlines()) == 2


def test_a_list_of_the_zoo_names_no_files_elsewhere(tmp_path: Path) -> None:
    place = tmp_path / "fiftyone" / "coco-2017"
    (place / "train" / "data").mkdir(parents=True)
    names = [f"{number:012}.jpg" for number in range(3)]
    for name in names:
        (place / "train" / "data" / name).write_bytes(jpeg(int(name[:-4])))
    (place / "train" / "secret.jpg").write_bytes(jpeg(9))
    images: list[Any] = [
        {"id": number, "file_name": name, "coco_url": f"{fiftyone.ADDRESS}train2017/{name}"}
        for number, name in enumerate(names)
    ]
    odd = {
        "file_name": "../secret.jpg", "id": "7", "coco_url": "http://169.254.169.254/a.jpg",
    }  # fmt: skip
    hostile = [{**images[0], key: value} for key, value in odd.items()]
    listing = {"licenses": [], "images": [*images, *hostile, None, images[1]]}
    (place / "images_train2017.json").write_text(json.dumps(listing))
    found = list(fiftyone.fiftyone(Request(0, 3, tmp_path)).candidates())
    taken = [each for each in found if isinstance(each, Candidate)]
    assert sorted(str(each.path) for each in taken) == [
        str(place / "train" / "data" / name) for name in names
    ]
    assert len(found) - len(taken) == len(hostile) + 1


def test_an_archive_of_the_zoo_with_a_huge_list_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "fiftyone" / "coco-2017" / "annotations_trainval2017.zip"
    place.parent.mkdir(parents=True)
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("annotations/instances_train2017.json", '{"licenses": [], "images": []}')
    monkeypatch.setattr(fiftyone, "MAX_LISTING_MB", 0)
    with pytest.raises(DeepColorError, match=r"trainval2017.zip is broken .*larger than 0 MB"):
        fiftyone.fiftyone(Request(0, 3, tmp_path))
