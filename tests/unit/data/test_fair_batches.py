"""Batches are random samples, however the source is sorted and however many data sets there are."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deepcolor.data import passes, shards
from deepcolor.data.manifest import read_manifest
from deepcolor.data.order import Order
from deepcolor.data.shard_index import write_index
from deepcolor.data.shard_writer import ShardFiles, write_shard
from deepcolor.data.shards import Shards
from deepcolor.data.sources.base import Candidate, Rejection, Request, Source
from deepcolor.data.sources.folder import folder
from PIL import Image
from support.range_helpers import fetch

SIZE = 32
CLASSES = 20
PER_CLASS = 60
BATCH = 50
SHARD = 128


def write_photographs(place: Path, count: int, classes: int, label: int) -> list[str]:
    """Photographs in a folder per class, each of one color: red is the class, from a label on."""
    names = []
    for number in range(count):
        name = f"class{number * classes // count:03}/{number:05}.png"
        color = (label + number * classes // count, number % 256, number // 256)
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIZE, SIZE), color).save(place / name)
        names.append(name)
    return names


def write_shards(name: str, rows: pd.DataFrame, place: Path) -> Path:
    """Shards of the rows in their order, and their index."""
    contents: dict[str, list[Path]] = {"training": [], "validation": []}
    for split, part in rows.groupby("split"):
        for start in range(0, len(part), SHARD):
            shard = place / f"{split}-{start}.tfrecord"
            contents[str(split)].append(shard.with_suffix(".json"))
            write_shard(
                ShardFiles(shard, shard.with_suffix(".json")),
                part[start : start + SHARD],
                data_set=name,
                size=SIZE,
                manifest=place,
            )
    write_index(place / "index.json", contents, data_set=name, size=SIZE)
    return place / "index.json"


def data_set(
    name: str, place: Path, *, count: int, classes: int = 1, label: int = 0, as_folder: bool = True
) -> Path:
    """The index of a data set whose source lists its photographs by class."""
    names = write_photographs(place / "photographs", count, classes, label)
    request = Request(0, count, place)
    counts = {"training": count - 2, "validation": 2}

    def sorted_candidates() -> Iterator[Candidate | Rejection]:
        return (Candidate(id=each, path=place / "photographs" / each, source=each) for each in names)

    source = (
        folder(request, folder=str(place / "photographs"))
        if as_folder
        else Source(sorted_candidates, "1", "about", "good for")
    )
    fetch(name, source, counts, place)
    return write_shards(name, read_manifest(place / "manifest.csv"), place / "shards")


def shares(batches: list[np.ndarray]) -> dict[int, np.ndarray]:
    """The share of each class in every whole batch."""
    labels = [batch[:, 0, 0, 0] for batch in batches if len(batch) == BATCH]
    return {int(label): np.array([np.mean(each == label) for each in labels]) for label in labels[0]}


def spread(parts: Mapping[int, np.ndarray]) -> float:
    """Standard deviation of shares in batches, by that of independent draws; the mean over classes."""
    ratios = []
    for values in parts.values():
        mean = values.mean()
        ratios.append(values.std() / math.sqrt(mean * (1 - mean) / BATCH))
    return float(np.mean(ratios))


@pytest.mark.parametrize("as_folder", [True, False])
def test_batches_are_samples_of_classes_though_the_source_is_sorted_by_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_folder: bool
) -> None:
    index = data_set("d", tmp_path, count=CLASSES * PER_CLASS, classes=CLASSES, as_folder=as_folder)
    # A buffer of two batches: the shards themselves must be mixed.
    monkeypatch.setattr(shards, "SHUFFLE_BUFFER_BYTES", 2 * BATCH * SIZE * SIZE * 3)
    opened = Shards([index])
    batches = [each.numpy() for each in opened.training_batches(BATCH, seed=0, epochs=range(4))]
    assert 0.5 < spread(shares(batches)) < 1.3
    # Nor are the last batches of an epoch of few classes.
    last = np.concatenate(batches[len(batches) // 4 - 4 : len(batches) // 4])
    assert len(np.unique(last[:, 0, 0, 0])) > 0.9 * CLASSES


def test_batches_are_samples_of_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"many": 900, "some": 300, "few": 100}
    indexes = [
        data_set(name, tmp_path / name, count=count, label=number)
        for number, (name, count) in enumerate(counts.items())
    ]
    monkeypatch.setattr(shards, "SHUFFLE_BUFFER_BYTES", 2 * BATCH * SIZE * SIZE * 3)
    monkeypatch.setattr(passes, "TURNS_PER_BLOCK", 500)  # Several in an epoch.
    opened = Shards(indexes)
    batches = [each.numpy() for each in opened.training_batches(BATCH, seed=0, epochs=range(4))]
    assert 0.5 < spread(shares(batches)) < 1.3
    labels = np.concatenate(batches)[:, 0, 0, 0]
    assert [np.sum(labels == number) for number in range(3)] == [4 * (n - 2) for n in counts.values()]


def test_the_order_of_several_data_sets_depends_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    indexes = [
        data_set(name, tmp_path / name, count=count) for name, count in {"a": 90, "b": 40}.items()
    ]

    def images(seed: int, epochs: range) -> list[bytes]:
        batches = Shards(indexes).training_batches(16, seed=seed, epochs=epochs)
        return [image.tobytes() for batch in batches.as_numpy_iterator() for image in batch]

    straight, per_epoch = images(5, range(3)), 126
    assert images(5, range(2, 3)) == straight[2 * per_epoch :]
    first, second = straight[:per_epoch], straight[per_epoch : 2 * per_epoch]
    assert first != second and sorted(first) == sorted(second)
    assert images(6, range(1)) != first


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Indexes of two data sets: 600 images whose red is 0, and 60 whose red is 1."""
    place = tmp_path_factory.mktemp("two")
    counts = {"many": 602, "few": 62}
    return [
        data_set(name, place / name, count=count, label=number)
        for number, (name, count) in enumerate(counts.items())
    ]


def sampled(indexes: list[Path], sampling: Mapping[str, float], epochs: range) -> list[np.ndarray]:
    """The batches of some epochs."""
    batches = Shards(indexes).training_batches(BATCH, seed=2, epochs=epochs, sampling=sampling)
    return list(batches.as_numpy_iterator())


def shown(batches: list[np.ndarray], label: int, epochs: int) -> list[Counter]:
    """How often the images of a data set are shown, by epoch."""
    each = np.array_split(np.concatenate(batches)[:, 0, 0], epochs)
    return [Counter(bytes(color) for color in colors if color[0] == label) for colors in each]


@pytest.mark.parametrize(
    ("sampling", "counts"),
    [
        ({"few": 5}, (440, 220)),
        ({"many": 0.1, "few": 3}, (165, 495)),
        ({"max_share": 0.75}, (495, 165)),
        ({"many": 0.3, "max_share": 0.5}, (330, 330)),
    ],
)
def test_batches_are_samples_of_weighted_data_sets(
    two: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    sampling: dict[str, float],
    counts: tuple[int, int],
) -> None:
    monkeypatch.setattr(shards, "SHUFFLE_BUFFER_BYTES", 2 * BATCH * SIZE * SIZE * 3)
    monkeypatch.setattr(passes, "TURNS_PER_BLOCK", 300)
    batches = sampled(two, sampling, range(4))
    assert 0.5 < spread(shares(batches)) < 1.3
    for label, count in enumerate(counts):
        assert [each.total() for each in shown(batches, label, 4)] == [count] * 4


def test_a_data_set_of_a_low_weight_shows_another_part_in_each_epoch(two: list[Path]) -> None:
    # 150 and 510 of 660: of 600, four epochs are one pass.
    low = shown(sampled(two, {"few": 34}, range(8)), 0, 8)
    assert all(len(epoch) == epoch.total() == 150 for epoch in low)
    for first in (0, 4):
        once = sum(low[first : first + 4], Counter())
        assert len(once) == 600 and set(once.values()) == {1}
    assert set(low[0]) != set(low[4])


def test_a_data_set_of_a_high_weight_repeats_all_images_equally_often(two: list[Path]) -> None:
    batches = sampled(two, {"few": 34}, range(2))
    for epoch in shown(batches, 1, 2):
        assert len(epoch) == 60 and set(epoch.values()) <= {8, 9}  # 510 of 60 images.
    colors = np.concatenate(batches)[:, 0, 0]
    order = colors[colors[:, 0] == 1]
    first, second = (order[start : start + 60].tolist() for start in (0, 60))
    assert first != second and sorted(first) == sorted(second)


@pytest.mark.parametrize("sampling", [{"many": 0.37}, {"few": 7.3, "max_share": 0.6}])
def test_weighted_epochs_depend_on_seed_and_epoch_alone(
    two: list[Path], sampling: dict[str, float]
) -> None:
    straight = np.concatenate(sampled(two, sampling, range(4)))
    assert len(straight) == 4 * 660
    for start in (1, 3):
        resumed = np.concatenate(sampled(two, sampling, range(start, 4)))
        assert np.array_equal(resumed, straight[start * 660 :])


def test_equal_weights_are_no_weights(two: list[Path]) -> None:
    alike = sampled(two, {"many": 2.5, "few": 2.5, "max_share": 0.95}, range(2))
    assert np.array_equal(np.concatenate(alike), np.concatenate(sampled(two, {}, range(2))))


def test_a_row_moves_neither_with_its_content_nor_with_other_rows() -> None:
    rows = [{"split": "training", "id": str(number)} for number in range(50)]
    order = Order(3, "d")
    before = [row["id"] for row in sorted(rows, key=order.key)]
    fewer = [row["id"] for row in sorted(rows[::2], key=order.key)]
    assert fewer == [id for id in before if int(id) % 2 == 0]
    assert before != [row["id"] for row in sorted(rows, key=Order(4, "d").key)]
    assert before != [row["id"] for row in sorted(rows, key=Order(3, "e").key)]
