"""From sources to shards: which pictures are taken, and what becomes of them."""

import random
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from deepcolor.data import arrays, shard_index, shard_writer, shards
from deepcolor.data.manifest import read_manifest
from deepcolor.data.sources import embedded
from deepcolor.data.sources.base import Request
from deepcolor.data.sources.embedded import photographs
from deepcolor.data.sources.folder import folder
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, sha256, write_json
from deepcolor.imaging import decoding
from PIL import Image
from support.range_helpers import fetch

COUNTS = {"training": 104, "validation": 26}
REQUEST = Request(seed=0, count=130, cache=Path())


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs")
    fetch("photographs", photographs(REQUEST), COUNTS, path)
    return path


def test_embedded_counts_are_delivered(fetched: Path) -> None:
    manifest = read_manifest(fetched / "manifest.csv")
    assert manifest["split"].value_counts().to_dict() == COUNTS
    assert (manifest[["width", "height"]] == 128).all(axis=None)
    assert all(manifest["license"]) and all(manifest["credit"])
    assert all(sha256(path) == checksum for path, checksum in manifest[["path", "sha256"]].values)


def test_no_pixel_is_in_both_splits_and_every_photograph_is(fetched: Path) -> None:
    manifest = read_manifest(fetched / "manifest.csv")
    for _, rows in manifest.groupby("group"):
        seen = np.zeros((2, 2048, 2048), bool)
        for row in rows.itertuples():
            x, y = (int(part) for part in str(row.id).rsplit("-", 2)[1:])
            seen[int(row.split == "training"), y : y + 128, x : x + 128] = True
        assert seen[0].any() and seen[1].any()
        assert not (seen[0] & seen[1]).any()


def test_crops_are_the_photographs_pixels(fetched: Path) -> None:
    row = read_manifest(fetched / "manifest.csv").iloc[0]
    name, x, y = row["id"].rsplit("-", 2)
    photograph = next(each for each in embedded.PHOTOGRAPHS if each.name == name)
    package = Path(str(resources.files(photograph.package)))
    whole = np.asarray(Image.open(package / photograph.file).convert("RGB"))
    crop = np.asarray(Image.open(row["path"]))
    assert np.array_equal(crop, whole[int(y) : int(y) + 128, int(x) : int(x) + 128])


def test_manifest_is_a_function_of_the_seed(fetched: Path, tmp_path: Path) -> None:
    for name, seed in {"same": 0, "other": 1}.items():
        fetch("photographs", photographs(Request(seed, 130, Path())), COUNTS, tmp_path / name)
    ids = {
        name: list(read_manifest(path / "manifest.csv")["id"])
        for name, path in {"": fetched, "same": tmp_path / "same", "other": tmp_path / "other"}.items()
    }
    assert ids[""] == ids["same"] != ids["other"]


def test_broken_photograph_is_replaced_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = embedded.Photograph("skimage", "data/gone.png", "", "")
    monkeypatch.setattr(embedded, "PHOTOGRAPHS", [gone, *embedded.PHOTOGRAPHS[1:]])
    fetch("photographs", photographs(REQUEST), COUNTS, tmp_path)
    assert len(read_manifest(tmp_path / "manifest.csv")) == 130
    assert list(pd.read_csv(tmp_path / "rejected.csv")["id"]) == ["gone"]
    assert read_json(tmp_path / "data_set.json")["rejected"] == {"cannot be read": 1}


def make_pictures(path: Path, count: int) -> None:
    generator = np.random.default_rng(0)
    for number in range(count):
        pixels = generator.integers(0, 256, (40, 60, 3), np.uint8)
        (path / f"sub{number % 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / f"sub{number % 2}" / f"{number}.png")


def test_folder_rejects_by_name_and_takes_the_next(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    make_pictures(source, 8)
    (source / "broken.jpg").write_text("no image")
    whole = (source / "sub0" / "0.png").read_bytes()
    (source / "short.png").write_bytes(whole[: len(whole) // 2])
    (source / "again.png").write_bytes(whole)
    (source / ".hidden").write_text("passed over")
    fetch("mine", folder(REQUEST, folder=str(source)), {"training": 5, "validation": 3}, tmp_path)
    manifest = read_manifest(tmp_path / "manifest.csv")
    assert manifest["split"].value_counts().to_dict() == {"training": 5, "validation": 3}
    assert not set(manifest["id"]) & {"broken.jpg", "short.png"}
    rejected = pd.read_csv(tmp_path / "rejected.csv")
    assert set(rejected["id"]) <= {"broken.jpg", "short.png", "again.png", "sub0/0.png"}
    assert not set(manifest["id"]) & set(rejected["id"])


def test_too_few_photographs_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    (source / "a.jpg").write_text("no image")
    with pytest.raises(DeepColorError) as caught:
        fetch("mine", folder(REQUEST, folder=str(source)), {"training": 5, "validation": 3}, tmp_path)
    said = str(caught.value)
    assert "0 of 5 for training, 0 of 3 for validation" in said
    assert "1 rejected" in said and "a.jpg" in said
    assert list(pd.read_csv(tmp_path / "rejected.csv")["id"]) == ["a.jpg"]


def test_names_that_no_table_can_hold_are_rejected(tmp_path: Path) -> None:
    make_pictures(tmp_path / "mine", 4)
    (tmp_path / "mine" / "line\rbreak.png").write_bytes(b"")
    (tmp_path / "mine" / "caf\udce9.png").write_bytes(b"")
    counts = {"training": 3, "validation": 2}
    with pytest.raises(DeepColorError, match="1 of 2 for validation; 2 rejected"):
        fetch("mine", folder(REQUEST, folder=str(tmp_path / "mine")), counts, tmp_path)
    assert set(pd.read_csv(tmp_path / "rejected.csv")["reason"]) == {"unusable file name"}


def write(fetched: Path, path: Path, size: int = 32, scratch: Path | None = None) -> Path:
    """Shards of the fetched photographs, 30 images each, and their index."""
    manifest = read_manifest(fetched / "manifest.csv")
    facts: dict[str, list[Path]] = {"training": [], "validation": []}
    for split in facts:
        rows = manifest[manifest["split"] == split]
        for number in range(0, len(rows), 30):
            shard = path / f"{split}-{number}.tfrecord"
            facts[split].append(shard.with_suffix(".json"))
            part = rows[number : number + 30]
            files = shard_writer.ShardFiles(shard, facts[split][-1])
            shard_writer.write_shard(
                files, part, data_set="d", size=size, manifest=Path("m.csv"), scratch=scratch
            )
    shard_index.write_index(path / "index.json", facts, data_set="d", size=size)
    return path / "index.json"


@pytest.fixture(scope="module")
def index(fetched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(fetched, tmp_path_factory.mktemp("shards"))


def test_equal_photographs_give_equal_shards(fetched: Path, index: Path, tmp_path: Path) -> None:
    again = write(fetched, tmp_path)
    for shard in index.parent.iterdir():
        assert (again.parent / shard.name).read_bytes() == shard.read_bytes()


def test_shards_go_through_a_scratch_folder(fetched: Path, index: Path, tmp_path: Path) -> None:
    for name in ("written", "read", "shards"):
        (tmp_path / name).mkdir()
    again = write(fetched, tmp_path / "shards", scratch=tmp_path / "written")
    assert len(list((tmp_path / "written").iterdir())) == 5
    for shard in index.parent.glob("*.tfrecord"):
        assert (again.parent / shard.name).read_bytes() == shard.read_bytes()
    opened = shards.Shards([again], tmp_path / "read")
    batches = opened.evaluation_batches("validation", 8)
    for shard in again.parent.glob("validation*.tfrecord"):
        shard.unlink()  # It is not looked at any more.
    assert sum(len(batch) for batch in batches) == 26
    # Of what is altered, the shard is named and not the copy.
    shard = again.parent / "training-30.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(DeepColorError, match=f"^{re.escape(str(shard))} is not as it was written"):
        opened.training_batches(4, seed=0, epochs=range(1))


def test_shards_hold_the_resized_photographs_in_order(fetched: Path, index: Path) -> None:
    opened = shards.Shards([index])
    assert (opened.count("training"), opened.count("validation")) == (104, 26)
    rows = read_manifest(fetched / "manifest.csv").query("split == 'validation'")
    listed = opened.images("validation")
    assert set(listed["data_set"]) == {"d"}
    assert listed[["id", "group"]].to_numpy().tolist() == rows[["id", "group"]].to_numpy().tolist()
    images = np.concatenate([batch.numpy() for batch in opened.evaluation_batches("validation", 7)])
    for image, path in zip(images, rows["path"], strict=True):
        assert np.array_equal(image, decoding.read_square(path, 32)[0])


@pytest.mark.parametrize("kept", [None, (), ("sha256", "ids"), ("sha256", "groups"), ("ids", "groups")])
def test_a_list_of_images_of_another_shard_is_refused(
    fetched: Path, tmp_path: Path, kept: tuple[str, ...] | None
) -> None:
    opened = shards.Shards([write(fetched, tmp_path)])
    path = tmp_path / "training-30.json"
    content = read_json(path)
    write_json(path, [] if kept is None else {key: content[key] for key in kept})
    with pytest.raises(DeepColorError, match=r"training-30.json is not that of its shard; delete both"):
        opened.images("training")
    assert len(opened.images("validation")) == 26


def epochs(index: Path, which: range) -> list[list[bytes]]:
    opened = shards.Shards([index])
    batches = opened.training_batches(16, seed=3, epochs=which)
    found = [image.tobytes() for batch in batches for image in batch.numpy()]
    return [found[start : start + 104] for start in range(0, len(found), 104)]


def test_an_epoch_is_every_image_once_in_an_order_of_its_own(index: Path) -> None:
    first, second, third = epochs(index, range(3))
    assert sorted(first) == sorted(second) == sorted(third)
    assert len({tuple(each) for each in (first, second, third)}) == 3


def test_an_epoch_does_not_depend_on_where_training_starts(index: Path) -> None:
    tf.random.set_seed(1)
    straight = epochs(index, range(4))
    tf.random.set_seed(2)
    assert epochs(index, range(2, 4)) == straight[2:]


def test_a_small_shuffle_buffer_loses_nothing(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHUFFLE_BUFFER_BYTES", 20 * 32 * 32 * 3)
    small = epochs(index, range(1))[0]
    monkeypatch.undo()
    assert sorted(small) == sorted(epochs(index, range(1))[0])


def test_arrays_give_batches_in_the_same_way() -> None:
    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), np.uint8)

    def epochs(which: range) -> list[list[bytes]]:
        batches = [batch for (batch,) in arrays.training_batches(images, 4, seed=3, epochs=which)]
        assert [len(batch) for batch in batches] == [4, 4, 2] * len(which)
        found = [image.tobytes() for batch in batches for image in batch]
        return [found[start : start + 10] for start in range(0, len(found), 10)]

    first, second = epochs(range(2))
    assert first != second and sorted(first) == sorted(second) == sorted(i.tobytes() for i in images)
    assert epochs(range(1, 3))[0] == second


@pytest.mark.parametrize("fault", ["short", "altered", "gone"])
def test_a_shard_that_is_not_whole_is_refused(fetched: Path, tmp_path: Path, fault: str) -> None:
    index = write(fetched, tmp_path)
    shard = tmp_path / "training-30.tfrecord"
    content = shard.read_bytes()
    if fault == "short":
        shard.write_bytes(content[:-100])
    elif fault == "altered":
        shard.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    else:
        shard.unlink()
    opened = shards.Shards([index])
    with pytest.raises(DeepColorError, match=r"training-30.tfrecord .* delete it and run"):
        opened.training_batches(4, seed=0, epochs=range(1))
    # Of another split, which is not read, nothing is said.
    assert len(opened.images("validation")) == 26
    # Nor does an index hide it that is made anew.
    facts = {"training": sorted(tmp_path.glob("training-*.json"))}
    with pytest.raises(DeepColorError, match=r"training-30.tfrecord .* delete it and run"):
        shard_index.write_index(index, facts, data_set="d", size=32)


def test_a_photograph_that_changed_is_refused(fetched: Path, tmp_path: Path) -> None:
    rows = read_manifest(fetched / "manifest.csv").head(1).copy()
    changed = tmp_path / "changed.png"
    changed.write_bytes(Path(rows["path"].iloc[0]).read_bytes() + b"x")
    rows["path"] = str(changed)
    said = "changed.png has changed since it was fetched; delete m.csv and the folder ranges and run"
    with pytest.raises(DeepColorError, match=said):
        shard_writer.write_shard(
            shard_writer.ShardFiles(tmp_path / "a.tfrecord", tmp_path / "a.json"),
            rows,
            data_set="d",
            size=32,
            manifest=Path("m.csv"),
        )
    assert not list(tmp_path.glob("*.tfrecord"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_orders_do_not_depend_on_the_version_of_python() -> None:
    # What random.Random(str).shuffle gives since Python 3.2: the subset rests on it.
    numbers = list(range(8))
    random.Random("0/training/coffee").shuffle(numbers)
    assert numbers == [6, 7, 0, 4, 3, 2, 1, 5]
