"""The data sources over the network: the real clients, against stand-ins of their servers."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROJECT, mounted
from PIL import Image
from support import fake_coco
from support import fake_hub as hub
from support.fetched import CHECKS, HUB, ZOO, fetch, rows_of
from support.sample_images import encoded, jpeg, picture

CLASSES, EACH, GROUP = 20, 20, 20  # Classes, photographs of each, rows of a row group.


def spoiled(number: int) -> bytes:
    """A photograph of the fixtures: now and then gray, broken, small, or a copy of another."""
    large = {"width": 480, "height": 360}
    if number % 40 == 3:
        return encoded(picture(number, **large).convert("L").convert("RGB"))
    if number % 40 == 9:
        return jpeg(number, **large)[:-500]
    if number % 40 == 21:
        return jpeg(number, width=50, height=40)
    if number % 40 == 33:
        return jpeg(number - 1, **large)
    return jpeg(number, **large)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with one data set: four Parquet files, sorted by class."""
    root = tmp_path_factory.mktemp("hub")
    folder = root / "datasets" / "me" / "places" / "data"
    folder.mkdir(parents=True)
    features = {
        "image": {"_type": "Image"}, "label": {"dtype": "int64", "_type": "Value"},
        "mask": {"_type": "Image"},
    }  # fmt: skip
    generator = np.random.default_rng(0)
    rows = [
        {
            "image": {"bytes": spoiled(number), "path": f"{number}.jpg"},
            "label": number // EACH,
            "mask": {"bytes": bytes(generator.bytes(20_000)), "path": "m"},
        }
        for number in range(CLASSES * EACH)
    ]
    for part in range(4):
        table = pa.Table.from_pylist(rows[part * len(rows) // 4 : (part + 1) * len(rows) // 4])
        meta = {"huggingface": json.dumps({"info": {"features": features}})}
        path = folder / f"train-{part:05}-of-00004.parquet"
        pq.write_table(table.replace_schema_metadata(meta), path, row_group_size=GROUP)
    return root


@pytest.fixture
def served(repository: Path) -> Iterator[hub.Server]:
    with hub.serving(hub.Server(repository)) as server:
        yield server


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    fake_coco.write_coco(root, {number * 7 + 1: spoiled(number) for number in range(400)})
    return root


@pytest.fixture
def mirrored(coco: Path) -> Iterator[hub.Server]:
    with hub.serving(hub.Server(coco, fake_coco.Mirror)) as server:
        yield server


@contextmanager
def mounted_read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only for the time of a block."""
    commands = [f"mount --bind {folder} {folder}", f"mount -o remount,ro,bind {folder}"]
    if any(
        subprocess.run(each.split(), capture_output=True, check=False).returncode for each in commands
    ):
        pytest.skip("mounting needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def classes(rows: pd.DataFrame) -> pd.Series:
    """The class of photographs of the hub's data set: a part is a row group is a class here."""
    return rows["id"].str[:6].astype(int) * GROUP // EACH


def test_hub_is_drawn_over_the_whole_split(tmp_path: Path, served: hub.Server) -> None:
    result = fetch(tmp_path, HUB, served)
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path)
    assert rows["split"].value_counts().to_dict() == {"training": 80, "validation": 20}
    # 14 of 20 classes are read, each drawn from its stretch; both splits see nearly all of them.
    assert classes(rows).nunique() >= 14
    assert classes(rows[rows["split"] == "validation"]).nunique() >= 9
    for row in rows.itertuples():
        part, row_in_part = str(row.id).split("-")
        assert Path(str(row.path)).read_bytes() == spoiled(int(part) * GROUP + int(row_in_part))
    assert set(rows["license"]) == {"cc-by-4.0"}
    about = json.loads((tmp_path / "d" / "data_set.json").read_text())
    assert about["revision"] == f"huggingface.co/datasets/me/places at {hub.COMMIT}"
    reasons = {"gray", "cannot be read", "too small"}
    assert set(about["rejected"]) >= reasons and about["delivered"] == about["asked"]
    rejected = pd.read_csv(tmp_path / "d" / "rejected.csv")
    assert not set(rejected["id"]) & set(rows["id"])


@pytest.mark.slow
def test_hub_sends_little_more_than_what_is_drawn_from(tmp_path: Path, served: hub.Server) -> None:
    assert fetch(tmp_path, HUB, served).returncode == 0
    parts = rows_of(tmp_path)["id"].str[:6].nunique()
    images = [len(spoiled(number)) for number in range(CLASSES * EACH)]
    # The masks beside the images, 8 MB of them, are not read; some 64 kB come with each opening.
    assert served.sent < 1.2 * sum(images) * parts / CLASSES + 4 * 65_536 * (parts + 4)
    assert 4 * 65_536 * (parts + 4) < sum(images)


def test_hub_is_the_same_with_every_seed_and_needed_once(tmp_path: Path, served: hub.Server) -> None:
    for name, seed in {"first": 0, "second": 0, "other": 1}.items():
        assert fetch(tmp_path / name, HUB, served, seed=seed).returncode == 0
    columns = ["id", "split", "sha256", "group"]
    first, second, other = (rows_of(tmp_path / name)[columns] for name in ("first", "second", "other"))
    assert first.equals(second)
    assert set(first["id"]) != set(other["id"])
    # From the cache, without a network, and not by name alone: a damaged file is noticed.
    again = fetch(tmp_path / "first", HUB)
    assert again.returncode == 0, again.stderr
    assert rows_of(tmp_path / "first")[columns].equals(first)
    path = Path(rows_of(tmp_path / "first")["path"].iloc[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    asked = len(served.seen)
    assert fetch(tmp_path / "first", HUB, served).returncode == 0
    assert path.read_bytes() == whole
    assert len(served.seen) - asked < 25


FAULTS = {
    "fails every third request": {"fail": set(range(1, 200, 3))},
    "cuts bodies short": {"short": {2, 9, 14}},
    "hangs": {"hang": {6}},
    "limits the rate": {"limit": {3, 4, 9}},
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(name, marks=[] if name == "cuts bodies short" else [pytest.mark.slow])
        for name in FAULTS
    ],
)
def test_hub_that_misbehaves_gives_the_same(tmp_path: Path, served: hub.Server, fault: str) -> None:
    served.faults = FAULTS[fault]
    result = fetch(tmp_path / "faulty", HUB, served)
    assert result.returncode == 0, result.stderr
    served.faults = {}
    assert fetch(tmp_path / "plain", HUB, served).returncode == 0
    columns = ["id", "split", "sha256"]
    assert rows_of(tmp_path / "faulty")[columns].equals(rows_of(tmp_path / "plain")[columns])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"revision": "nope"}, "Revision Not Found"),
        ({"id": "me/nothing"}, "huggingface.co/datasets/me/nothing: the list of files cannot be had"),
        ({"split": "test"}, "Bad split: test. Available splits: ['train']"),
        ({"column": "label"}, "has no column 'label' of images; it has: image, mask"),
        ({"subset": "x"}, "BuilderConfig 'x' not found"),
    ],
)
def test_hub_without_such_data_is_one_line(
    tmp_path: Path, served: hub.Server, options: dict[str, Any], said: str
) -> None:
    result = fetch(tmp_path, HUB, served, **options)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("fetch_photographs: error: ") and said in last
    assert "Traceback" not in result.stderr


def test_hub_without_enough_says_how_many_there_were(tmp_path: Path, served: hub.Server) -> None:
    asked = {"--images": json.dumps({"training": 380, "validation": 100})}
    result = fetch(tmp_path, HUB, served, arguments=asked)
    assert result.returncode == 1
    assert "has too few usable photographs: 360 of 380 for training, 0 of 100" in result.stderr
    # All of them have been looked at.
    assert len(pd.read_csv(tmp_path / "d" / "rejected.csv")) == 40


def test_hub_offline_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = fetch(tmp_path, HUB)
    assert result.returncode == 1
    assert "run the same command again with a network" in result.stderr
    assert "or copy" in result.stderr and "Traceback" not in result.stderr


def test_zoo_downloads_the_drawn_images_alone(tmp_path: Path, mirrored: hub.Server) -> None:
    result = fetch(tmp_path, ZOO, mirrored)
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path)
    assert rows["split"].value_counts().to_dict() == {"training": 80, "validation": 20}
    images = [path for path in mirrored.seen if "/train2017/" in path]
    assert 100 <= len(set(images)) <= 130
    for row in rows.itertuples():
        assert Path(str(row.path)).read_bytes() == spoiled((int(str(row.id)) - 1) // 7)
    assert set(rows["license"]) == {"Attribution License"}
    assert rows["credit"].str.startswith("http://farm1").all()
    # Again, and with one image cut short: that one is downloaded, nothing else.
    asked = len(mirrored.seen)
    path = Path(rows["path"].iloc[0])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert fetch(tmp_path, ZOO, mirrored).returncode == 0
    assert path.read_bytes() == whole
    assert rows_of(tmp_path)["id"].equals(rows["id"])
    # Those that are broken on the server are known to be.
    assert mirrored.seen[asked:] == [f"http://images.cocodataset.org/train2017/{path.name}"]


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "hangs"])
@pytest.mark.slow
def test_zoo_that_misbehaves_gives_the_same(tmp_path: Path, mirrored: hub.Server, fault: str) -> None:
    mirrored.faults = FAULTS[fault]
    result = fetch(tmp_path / "faulty", ZOO, mirrored)
    assert result.returncode == 0, result.stderr
    mirrored.faults = {}
    assert fetch(tmp_path / "plain", ZOO, mirrored).returncode == 0
    columns = ["id", "split", "sha256"]
    assert rows_of(tmp_path / "faulty")[columns].equals(rows_of(tmp_path / "plain")[columns])


@pytest.mark.slow
def test_zoo_that_hangs_is_asked_again(tmp_path: Path, mirrored: hub.Server) -> None:
    mirrored.faults = {"hang": {2, 40}}
    script = (
        "import itertools, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from deepcolor.data.sources.base import Request;"
        "from deepcolor.data.sources import fiftyone, zoo;"
        "zoo.TIMEOUT_SECONDS = 2;"
        "source = fiftyone.fiftyone(Request(0, 100, Path(sys.argv[2])));"
        "print(len(list(itertools.islice(source.candidates(), 105))))"
    )
    environment = {**os.environ, "http_proxy": mirrored.url, "HTTP_PROXY": mirrored.url, "no_proxy": ""}
    command = [sys.executable, "-c", script, str(PROJECT / "workflow"), str(tmp_path)]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout.strip().endswith("105"), result.stderr


@pytest.mark.slow
def test_zoo_without_a_network_says_where_to_place_files(tmp_path: Path, coco: Path) -> None:
    with hub.serving(hub.Server(tmp_path / "nothing", fake_coco.Mirror)) as server:
        result = fetch(tmp_path, ZOO, server)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert "annotations_trainval2017.zip cannot be had" in last and "or place the file at" in last
    place = tmp_path / "cache" / "fiftyone" / "coco-2017" / "annotations_trainval2017.zip"
    assert str(place) in last
    archive = coco / "images.cocodataset.org" / "annotations" / "annotations_trainval2017.zip"
    shutil.copy(archive, place)
    shutil.copytree(archive.parents[1] / "train2017", place.parent / "train" / "data")
    # Some of them are broken: that is known only once the server has sent them again.
    with hub.serving(hub.Server(coco, fake_coco.Mirror)) as server:
        assert fetch(tmp_path, ZOO, server).returncode == 0
        assert 0 < len(server.seen) < 20
    result = fetch(tmp_path, ZOO)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("source", "package"), [(HUB, "datasets"), (ZOO, "fiftyone")])
def test_missing_client_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, package: str
) -> None:
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {package!r}:\n"
        f"            raise ModuleNotFoundError('hidden', name={package!r})\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hide"))
    (tmp_path / "cache" / "fiftyone" / "coco-2017").mkdir(parents=True)
    result = fetch(tmp_path, source)
    assert result.returncode == 1
    assert f"needs the package '{package}'; install it: python -m pip install" in result.stderr
    assert "Traceback" not in result.stderr
    lock = PROJECT / "envs" / f"{source.split(':')[1]}.txt"
    assert lock.name in result.stderr and lock.exists()


def test_near_duplicates_are_kept_apart_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(60):
        picture(number).save(folder / f"{number}.png")
        picture(number).resize((100, 75)).save(folder / f"{number}-again.webp")
    result = fetch(
        tmp_path,
        "deepcolor.data.sources.folder:folder",
        folder=str(folder),
        arguments={"--images": json.dumps({"training": 40, "validation": 20, "test": 10})},
    )
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path)
    assert rows["split"].value_counts().to_dict() == {"training": 40, "validation": 20, "test": 10}
    splits = rows.assign(photograph=rows["id"].str.extract(r"^(\d+)")[0]).groupby("photograph")["split"]
    assert (splits.nunique() == 1).all()
    about = json.loads((tmp_path / "d" / "data_set.json").read_text())
    twins = int((splits.size() - 1).sum())
    assert about["near_duplicates"] == twins > 0
    assert rows["group"].nunique() == len(rows) - twins
    assert about["rejected"]["near-duplicate"] > 0


def test_near_duplicates_of_other_data_sets_are_found(tmp_path: Path) -> None:
    for name, shift in {"one": 0, "two": 80}.items():
        (tmp_path / name / "mine").mkdir(parents=True)
        for number in range(shift, shift + 100):
            with BytesIO(jpeg(number, quality=95 if shift else 60)) as content:
                Image.open(content).save(tmp_path / name / "mine" / f"{number}.jpg")
    asked = {"--images": json.dumps({"training": 60, "validation": 20})}
    folder = "deepcolor.data.sources.folder:folder"
    assert (
        fetch(tmp_path / "one", folder, folder=str(tmp_path / "one/mine"), arguments=asked).returncode
        == 0
    )
    asked["--others"] = str(tmp_path / "one" / "d" / "manifest.csv")
    result = fetch(tmp_path / "two", folder, folder=str(tmp_path / "two/mine"), arguments=asked)
    assert result.returncode == 0, result.stderr
    one, two = (rows_of(tmp_path / name).set_index("id")["split"] for name in ("one", "two"))
    both = one.index.intersection(two.index)
    assert len(both) > 3 and (one[both] == two[both]).all()
    rejected = pd.read_csv(tmp_path / "two" / "d" / "rejected.csv")
    assert rejected["reason"].str.contains(r"near-duplicate of d/\d+.jpg, which is in ").any()


@pytest.mark.slow
def test_hub_of_loose_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "datasets" / "me" / "loose" / "train"
    folder.mkdir(parents=True)
    for number in range(110):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    with hub.serving(hub.Server(tmp_path / "hub")) as server:
        result = fetch(tmp_path, HUB, server, id="me/loose")
    assert result.returncode == 1
    assert "me/loose holds loose image files" in result.stderr
    assert "'refs/convert/parquet'" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.slow
def test_hub_of_tar_files(tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "datasets" / "me" / "tars"
    folder.mkdir(parents=True)
    for part in range(4):
        with tarfile.open(folder / f"train-{part:05}.tar", "w") as archive:
            for number in range(part * 40, part * 40 + 40):
                entry = tarfile.TarInfo(f"{number:06}.jpg")
                entry.size = len(jpeg(number))
                archive.addfile(entry, BytesIO(jpeg(number)))
    with hub.serving(hub.Server(tmp_path / "hub")) as server:
        result = fetch(tmp_path, HUB, server, id="me/tars", column="jpg")
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path)
    originals = {jpeg(number) for number in range(160)}
    assert {Path(path).read_bytes() for path in rows["path"]} <= originals
    assert rows["id"].str[:6].nunique() == 4


def test_a_users_folder_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "d" / "images"  # Where crops would be written.
    folder.mkdir(parents=True)
    for number in range(120):
        picture(number).save(folder / f"{number}.png")
    source = "deepcolor.data.sources.folder:folder"
    assert fetch(tmp_path, source, folder=str(folder)).returncode == 0
    assert len(list(folder.iterdir())) == 120


@pytest.mark.slow
def test_copies_are_found_without_looking_for_near_duplicates(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(200):
        picture(number).save(folder / f"{number}.png")
    checks = {"--checks": json.dumps({**CHECKS, "near_duplicates": 0})}
    source = "deepcolor.data.sources.folder:folder"
    one = fetch(tmp_path / "one", source, folder=str(folder), arguments=checks)
    assert one.returncode == 0, one.stderr
    more = {**checks, "--others": str(tmp_path / "one" / "d" / "manifest.csv")}
    two = fetch(tmp_path / "two", source, folder=str(folder), arguments=more)
    assert two.returncode == 0, two.stderr
    assert not set(rows_of(tmp_path / "one")["sha256"]) & set(rows_of(tmp_path / "two")["sha256"])


@pytest.mark.slow
def test_a_whole_cache_is_enough_whatever_the_threads(tmp_path: Path, served: hub.Server) -> None:
    assert fetch(tmp_path, HUB, served, arguments={"--threads": "1"}).returncode == 0
    before = rows_of(tmp_path)
    with mounted_read_only(tmp_path / "cache"):
        result = fetch(tmp_path, HUB, arguments={"--threads": "8"})
    assert result.returncode == 0, result.stderr
    assert rows_of(tmp_path).equals(before)


def test_a_full_disk_is_not_taken_for_the_network(tmp_path: Path, served: hub.Server) -> None:
    (tmp_path / "cache").mkdir()
    with mounted(tmp_path / "cache", "size=300k"):
        result = fetch(tmp_path, HUB, served)
    assert result.returncode == 1
    assert "the disk is full; free some space" in result.stderr and "again in" not in result.stdout
