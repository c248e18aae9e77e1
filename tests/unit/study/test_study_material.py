"""The user study's material: what is drawn, what is exported, and what its names give away."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import metrics
from deepcolor.study import design, material
from PIL import Image
from skimage import data

SETTINGS: dict[str, Any] = {
    "title": "T",
    "protocol": "yes-no",
    "consent": "C",
    "contact": "",
    "images": 6,
    "real_share": 0.5,
    "practice": 2,
    "catch_trials": 2,
    "seconds": None,
    "picture_size": 64,
    "rest_every": 0,
    "most_people": 10,
    "exclude": {"catch_share": 0.2, "fastest": 0.3, "color_vision": True},
}
RUNS = ["unet_30", "other-program"]


class Kept:
    """Shards of two data sets whose images are in memory."""

    size = 32

    def __init__(self, count: int = 16) -> None:
        picture = data.astronaut()
        corners = np.random.default_rng(0).integers(0, 480, (count, 2))
        self.pixels = np.stack([picture[y : y + 32, x : x + 32] for y, x in corners])

    def images(self, split: str) -> pd.DataFrame:
        count = len(self.pixels)
        rows = [(("d", "e")[2 * row // count], f"i{row}", f"i{row}") for row in range(count)]
        return pd.DataFrame(rows, columns=["data_set", "id", "group"])

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(self.pixels).batch(batch_size)


def drawn(folder: Path, seed: int = 0, **settings: Any) -> tuple[dict[str, Any], Kept]:
    """A study of 16 images; a run's picture is the photograph upside down, or mirrored."""
    shards: Any = Kept()
    folder.mkdir(parents=True, exist_ok=True)
    predictions = {}
    for run, pictures in zip(RUNS, (shards.pixels[:, ::-1], shards.pixels[:, :, ::-1]), strict=True):
        predictions[run] = folder / f"{run}.npy"
        np.save(predictions[run], pictures)
    study = material.draw_study(
        shards,
        "validation",
        predictions,
        {**SETTINGS, **settings},
        seed,
        folder / "study.json",
        folder / "pictures",
    )
    return study, shards


def shown(folder: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(folder / "pictures" / f"{name}.png"))


@pytest.mark.parametrize("protocol", design.PROTOCOLS)
def test_pictures_are_those_of_the_photograph_and_the_condition(protocol: str, tmp_path: Path) -> None:
    study, shards = drawn(tmp_path, protocol=protocol)
    trials = [*sum(study["lists"], []), *study["practice"], *study["catch"]]
    for trial in trials:
        image = study["images"][trial["image"]]
        row = int(image["id"][1:])
        assert image["role"] == trial["kind"]
        truth = shards.pixels[row]
        conditions = {
            "real": truth,
            RUNS[0]: truth[::-1],
            RUNS[1]: truth[:, ::-1],
            "catch": material.vivid(truth),
        }
        expected = material.resized(conditions[trial["condition"]], 64)
        assert np.array_equal(shown(tmp_path, trial["picture"]), expected)
        if protocol == "pairs":
            assert np.array_equal(shown(tmp_path, trial["real"]), material.resized(truth, 64))
            assert trial["condition"] != "real"
        else:
            assert trial["real"] is None
    assert json.loads((tmp_path / "study.json").read_text()) == study
    assert study["study"] == design.checksum(study)


def test_every_picture_is_asked_for_and_every_asked_one_is_there(tmp_path: Path) -> None:
    study, _ = drawn(tmp_path, protocol="pairs")
    trials = [*sum(study["lists"], []), *study["practice"], *study["catch"]]
    asked = {trial[key] for trial in trials for key in ("picture", "real")}
    files = {file.stem for file in (tmp_path / "pictures").iterdir()}
    assert asked == files == study["pictures"].keys()


def test_no_photograph_serves_twice_and_data_sets_are_balanced(tmp_path: Path) -> None:
    study, _ = drawn(tmp_path)
    names = [(image["data_set"], image["id"]) for image in study["images"]]
    assert len(set(names)) == len(names) == 10
    for role, count in {"test": 3, "practice": 1, "catch": 1}.items():
        sets = Counter(image["data_set"] for image in study["images"] if image["role"] == role)
        assert sets == {"d": count, "e": count}


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    one, _ = drawn(tmp_path / "one")
    again, _ = drawn(tmp_path / "again")
    other, _ = drawn(tmp_path / "other", seed=1)
    assert one == again
    assert [each["id"] for each in one["images"]] != [each["id"] for each in other["images"]]
    for name in one["pictures"]:
        left, right = (tmp_path / each / "pictures" / f"{name}.png" for each in ("one", "again"))
        assert left.read_bytes() == right.read_bytes()


def test_names_and_files_give_nothing_away(tmp_path: Path) -> None:
    study, _ = drawn(tmp_path)
    assert all(len(name) == 24 and set(name) <= set("0123456789abcdef") for name in study["pictures"])
    # Neither are pictures in the order of their conditions by name.
    conditions = [study["pictures"][name]["condition"] for name in sorted(study["pictures"])]
    assert sum(left != right for left, right in zip(conditions, conditions[1:], strict=False)) > 5
    for file in (tmp_path / "pictures").iterdir():
        with Image.open(file) as image:
            assert image.info == {} and image.size == (64, 64) and image.mode == "RGB"


def test_old_pictures_are_cleared_away(tmp_path: Path) -> None:
    drawn(tmp_path, seed=1)
    study, _ = drawn(tmp_path)
    assert {file.stem for file in (tmp_path / "pictures").iterdir()} == study["pictures"].keys()


def test_catch_pictures_are_more_colorful_than_any_photograph() -> None:
    truth = Kept().pixels
    wrong = np.stack([material.vivid(image) for image in truth])
    colorful = metrics.per_image(truth, wrong)["colorfulness"]
    assert colorful.min() > 100 > metrics.per_image(truth, truth)["colorfulness"].max()


def test_catch_pictures_show_what_is_on_them() -> None:
    photograph = material.resized(data.astronaut(), 256)
    pictures = [Image.fromarray(each).convert("L") for each in (photograph, material.vivid(photograph))]
    gray = np.stack([np.asarray(each, float).ravel() for each in pictures])
    assert np.corrcoef(gray)[0, 1] > 0.7


def test_a_picture_of_the_size_is_left_as_it_is() -> None:
    picture = Kept().pixels[0]
    assert np.array_equal(material.resized(picture, 32), picture)


def test_too_few_images_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        DeepColorError, match=r"13 \+ 2 \+ 2 images are asked for .* there are 16 valida"
    ):
        drawn(tmp_path, images=13)
    with pytest.raises(DeepColorError, match=r"study.images: 3 images cannot go through 4 conditions"):
        drawn(tmp_path, images=3)


def test_power_is_foretold_for_the_answers_that_a_person_gives(tmp_path: Path) -> None:
    study, _ = drawn(tmp_path)
    power = study["power"]
    # Six photographs in four conditions, two of which are runs: 1.5 answers per person and run.
    published = next(row for row in power["rows"] if row["to"] == 0.53)
    assert published["judgments"] == 771
    assert power["assumed"] and published["people"] == -(-771 * power["design_effect"] // 1.5)
