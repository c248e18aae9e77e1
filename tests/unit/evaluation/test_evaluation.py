"""Predictions, other programs' pictures and baselines: what is stored, and what is scored."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import mounted
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import baselines, external, metrics, predict, samples, score
from deepcolor.evaluation.bootstrap import Bootstrap
from deepcolor.evaluation.measures import AGGREGATE_MEASURES, KEPT, MEASURES
from deepcolor.imaging import color, lab
from deepcolor.labels import BASELINES
from PIL import Image
from skimage import data


def crops(count: int, size: int = 16) -> np.ndarray:
    """Crops of a photograph, `(count, size, size, 3)` uint8."""
    picture = data.astronaut()
    corners = np.random.default_rng(0).integers(0, 512 - 2 * size, (count, 2))
    return np.stack([picture[y : y + 2 * size : 2, x : x + 2 * size : 2] for y, x in corners])


class Kept:
    """Shards whose images are in memory."""

    def __init__(self, images: np.ndarray, names: list[tuple[str, str]] | None = None) -> None:
        self.pixels, self.size = images, images.shape[1]
        self._names = names or [("d", str(number)) for number in range(len(images))]

    def images(self, split: str) -> pd.DataFrame:
        rows = [(data_set, name, f"group of {name}") for data_set, name in self._names]
        return pd.DataFrame(rows, columns=["data_set", "id", "group"])

    def count(self, split: str) -> int:
        return len(self._names)

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        # For training there are the first two alone.
        images = self.pixels[:2] if split == "training" else self.pixels
        return tf.data.Dataset.from_tensor_slices(images).batch(batch_size)


@pytest.fixture
def shards() -> Any:
    return Kept(crops(5))


def gray_network(size: int) -> keras.Model:
    luminance = keras.Input((size, size, 1))
    return keras.Model(luminance, keras.layers.Concatenate()([luminance] * 3))


def evaluate(predictor: predict.Predictor, shards: Any, path: Path, threads: int = 1) -> pd.DataFrame:
    """Store predictions and score them."""
    predict.predict_images(shards, "validation", predictor, path)
    return score.score_predictions(shards, "validation", path, threads)


def evaluate_baseline(baseline: str, shards: Any, folder: Path, threads: int = 1) -> pd.DataFrame:
    predictor = baselines.baseline_predictor(baseline, shards)
    return evaluate(predictor, shards, folder / "baseline.npy", threads)


def save(folder: Path, pictures: dict[str, np.ndarray]) -> None:
    for name, picture in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / name)


# Networks.


def test_grayscale_is_rec_601_luma() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    for ours, rgb in zip(lab.grayscale(noise), noise, strict=True):
        pillow = np.asarray(Image.fromarray(rgb).convert("L")).astype(int)
        assert np.abs(ours.astype(int) - pillow[..., None]).max() <= 1


def test_grayscale_of_gray_is_the_same() -> None:
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=-1)
    assert np.array_equal(lab.grayscale(gray), gray)


def test_predictions_are_stored_as_they_are_scored(shards: Any, tmp_path: Path) -> None:
    path = tmp_path / "predictions.npy"
    found = evaluate(predict.network_predictor(gray_network(16)), shards, path)
    stored = np.load(path, mmap_mode="r")
    assert np.array_equal(stored, lab.grayscale(shards.pixels))
    assert list(found.columns[:3]) == ["data_set", "id", "group"]
    again = metrics.per_image(shards.pixels, stored)
    pd.testing.assert_frame_equal(found[list(again.columns)], again)
    pd.testing.assert_frame_equal(
        found,
        evaluate(
            baselines.baseline_predictor("grayscale-copy", shards),
            shards,
            tmp_path / "baseline.npy",
            threads=2,
        ),
    )


def test_many_batches_keep_their_order(tmp_path: Path) -> None:
    many: Any = Kept(crops(2 * predict.BATCH_SIZE + 3))
    path = tmp_path / "predictions.npy"
    found = evaluate(predict.network_predictor(gray_network(16)), many, path, threads=2)
    assert np.array_equal(np.load(path), lab.grayscale(many.pixels))
    assert list(found["id"]) == [str(number) for number in range(len(many.pixels))]
    for row in (0, predict.BATCH_SIZE, len(found) - 1):
        gray = lab.grayscale(many.pixels[row : row + 1])[0]
        assert found["mse"][row] == metrics.mse(many.pixels[row], gray)


def test_predictions_on_a_full_disk_are_an_error(tmp_path: Path) -> None:
    many: Any = Kept(np.zeros((40, 64, 64, 3), np.uint8))
    with mounted(tmp_path / "small", "size=64k"):
        with pytest.raises(OSError, match="No space left"):
            path = tmp_path / "small" / "predictions.npy"
            evaluate(predict.network_predictor(gray_network(64)), many, path)
        assert list((tmp_path / "small").iterdir()) == []


# Baselines.


def test_every_baseline_scores_every_image(shards: Any, tmp_path: Path) -> None:
    found = {name: evaluate_baseline(name, shards, tmp_path) for name in BASELINES}
    for table in found.values():
        assert len(table) == 5 and np.isfinite(table[list(MEASURES)].to_numpy()).all()
    # The more is known of the photograph, the closer: no chroma comes nearer than its mean.
    errors = {name: table["chroma_rmse"] for name, table in found.items()}
    assert (errors["true-chroma"] < errors["mean-chroma-oracle"]).all()
    assert (errors["mean-chroma-oracle"] < errors["grayscale-copy"]).all()
    assert errors["mean-chroma-oracle"].mean() < errors["mean-chroma"].mean()


def test_gray_has_no_color(shards: Any, tmp_path: Path) -> None:
    found = evaluate_baseline("grayscale-copy", shards, tmp_path)
    assert (found["colorfulness"] == 0).all()
    chroma = metrics.chroma_of(np.moveaxis(lab.to_lab(shards.pixels), 1, 0)).mean(axis=(1, 2))
    assert found["chroma_deficit"].to_numpy() == pytest.approx(chroma, abs=0.02)
    # Its luminance is the input's.
    ours, kept = (found[[f"{kind}psnr", f"{kind}ssim"]].to_numpy() for kind in ("", KEPT))
    assert kept == pytest.approx(ours, abs=1e-9)


def test_true_chroma_is_the_ceiling_of_the_luminance(shards: Any, tmp_path: Path) -> None:
    found = evaluate_baseline("true-chroma", shards, tmp_path)
    expected = metrics.per_image(shards.pixels, lab.with_luminance(shards.pixels, shards.pixels))
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected)
    assert (found["psnr"] > 25).all()


def test_mean_chroma_is_that_of_the_training_images(shards: Any, tmp_path: Path) -> None:
    from skimage.color import rgb2lab

    expected = rgb2lab(shards.pixels[:2])[..., 1:].mean(axis=(0, 1, 2))
    average = baselines.training_chroma(shards)
    assert average.shape == (2, 1, 1) and average.ravel() == pytest.approx(expected, abs=1e-3)
    gray = color.to_luminance(shards.pixels)
    chroma = np.broadcast_to(expected / color.CHROMA_SCALE, (*gray.shape[:3], 2))
    colored = keras.ops.convert_to_numpy(color.add_chroma(gray, chroma))
    predicted = baselines.constant_chroma(shards.pixels, average)
    assert np.abs(predicted / 255 - colored).max() < 0.51 / 255
    found = evaluate_baseline("mean-chroma", shards, tmp_path)
    again = metrics.per_image(shards.pixels, predicted)
    pd.testing.assert_frame_equal(found[list(again.columns)], again)
    # The oracle has each image's own.
    own = rgb2lab(shards.pixels)[..., 1:].mean(axis=(1, 2))
    assert baselines.mean_chroma(shards.pixels)[..., 0, 0] == pytest.approx(own, abs=1e-3)


# Other programs' pictures.


@pytest.mark.parametrize(
    "pattern", ["{data_set}/{id}.png", "{id}.png", "{id}.jpeg", "{data_set}/{id}.WEBP"]
)
def test_pictures_are_found_by_their_names(pattern: str, tmp_path: Path) -> None:
    names = [("d", "1"), ("d", "a.b.c"), ("e", "sub/2"), ("e", "v1.0")]
    expected = {each: tmp_path / pattern.format(data_set=each[0], id=each[1]) for each in names}
    for path in expected.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "more.png").touch()
    assert external.find_predictions(tmp_path, iter(names), "theirs") == expected


def test_missing_pictures_are_counted(tmp_path: Path) -> None:
    save(tmp_path, {"0.png": crops(1)[0]})
    with pytest.raises(DeepColorError) as caught:
        external.find_predictions(tmp_path, [("d", "0"), ("d", "1"), ("d", "2")], "theirs")
    assert str(caught.value) == (
        f"models.theirs.predictions: of 2 images there is no picture in {tmp_path}, such as d/1.png; "
        "what to make them from: snakemake --cores 1 results/inputs"
    )


@pytest.mark.parametrize("second", ["0.jpg", "d/0.png"])
def test_two_pictures_of_an_image_are_refused(second: str, tmp_path: Path) -> None:
    save(tmp_path, {"0.png": crops(1)[0], second: crops(1)[0]})
    with pytest.raises(DeepColorError, match="are both a picture of '0'; keep one of them"):
        external.find_predictions(tmp_path, [("d", "0")], "theirs")


def test_one_picture_of_two_images_is_refused(tmp_path: Path) -> None:
    save(tmp_path, {"0.png": crops(1)[0]})
    with pytest.raises(DeepColorError, match="0.png would be the picture of two images; .*, d or e$"):
        external.find_predictions(tmp_path, [("d", "0"), ("e", "0")], "theirs")


def test_pictures_are_scored_like_predictions(shards: Any, tmp_path: Path) -> None:
    colored = shards.pixels[:, ::-1]
    save(tmp_path, {f"{number}.png": picture for number, picture in enumerate(colored)})
    files = external.find_predictions(tmp_path, shards._names, "theirs")
    path = tmp_path / "predictions.npy"
    found = evaluate(external.external_predictor(files, shards.size), shards, path, threads=2)
    # Of the right size they are taken as they are, to the pixel.
    assert np.array_equal(np.load(path), colored)
    again = metrics.per_image(shards.pixels, colored)
    pd.testing.assert_frame_equal(found[list(again.columns)], again)


@pytest.mark.parametrize("size", [(8, 8), (16, 20), (40, 24), (100, 200)])
def test_pictures_of_another_size_are_resized(
    size: tuple[int, int], shards: Any, tmp_path: Path
) -> None:
    whole = data.astronaut()
    shards.pixels = np.stack([np.asarray(Image.fromarray(whole).resize((16, 16), Image.Resampling.BOX))])
    shards._names = [("d", "0")]
    resized = np.asarray(Image.fromarray(whole).resize(size, Image.Resampling.BOX))
    save(tmp_path, {"0.png": resized})
    path = tmp_path / "predictions.npy"
    found = evaluate(
        external.external_predictor({("d", "0"): tmp_path / "0.png"}, shards.size), shards, path
    )
    assert np.load(path).shape == (1, 16, 16, 3)
    assert found["psnr"][0] > (18 if size == (8, 8) else 22)


def test_grayscale_and_transparent_pictures_are_read(shards: Any, tmp_path: Path) -> None:
    gray = lab.grayscale(shards.pixels)
    shards.pixels, shards._names = shards.pixels[:2], shards._names[:2]
    opaque = np.concatenate([gray[1], np.full((16, 16, 1), 255, np.uint8)], axis=-1)
    save(tmp_path, {"0.png": gray[0, ..., 0], "1.png": opaque})
    files = external.find_predictions(tmp_path, shards._names, "theirs")
    evaluate(external.external_predictor(files, shards.size), shards, tmp_path / "predictions.npy")
    assert np.array_equal(np.load(tmp_path / "predictions.npy"), gray[:2])


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut"])
def test_broken_picture_is_named(content: bytes, shards: Any, tmp_path: Path) -> None:
    save(tmp_path, {f"{number}.png": picture for number, picture in enumerate(shards.pixels)})
    (tmp_path / "3.png").write_bytes(content)
    files = external.find_predictions(tmp_path, shards._names, "theirs")
    with pytest.raises(DeepColorError, match=r"3.png cannot be read \(.*\); make it anew$") as caught:
        evaluate(external.external_predictor(files, shards.size), shards, tmp_path / "predictions.npy")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "predictions.npy").exists()


# What is written down.


def scored(count: int = 12) -> pd.DataFrame:
    """Scores of images of two data sets, three images of a photograph, two photographs of the second."""
    truth = crops(count, 12)
    table = metrics.per_image(truth, np.roll(truth, 1, axis=2))
    table.insert(0, "data_set", np.repeat(["one", "two"], [count - count // 2, count // 2]))
    table.insert(1, "id", [f"{number:02}" for number in range(count)])
    table.insert(2, "group", np.repeat([f"p{number}" for number in range(count // 3)], 3))
    return table


def test_summary_has_means_and_intervals_of_all_and_of_each_data_set() -> None:
    table = scored()
    lone = score.summarize(table.assign(data_set=["one"] * 9 + ["two"] * 3))
    for content in (lone["all"], lone["data_sets"]["two"]):  # A data set of one photograph.
        figure = content["as_predicted"]["psnr"]
        assert figure["value"] > 0 and figure["low"] is None and figure["high"] is None
    assert lone["data_sets"]["one"]["as_predicted"]["psnr"]["low"] is not None
    summary = score.summarize(table)
    assert list(summary["data_sets"]) == ["one", "two"]
    parts = {"all": table, **dict(list(table.groupby("data_set")))}
    for name, rows in parts.items():
        content = summary["all"] if name == "all" else summary["data_sets"][name]
        assert content["n"] == len(rows)
        assert content["photographs"] == rows["group"].nunique()
        bootstrap = Bootstrap(rows["data_set"], rows["group"])
        for key, kept in {"as_predicted": "", "luminance_kept": KEPT}.items():
            assert list(content[key]) == [*MEASURES, "psnr_of_mean_mse"]
            for measure in MEASURES:
                figure = content[key][measure]
                assert figure["value"] == pytest.approx(rows[kept + measure].mean())
                (interval,) = bootstrap.intervals(rows[[kept + measure]].to_numpy())
                assert (figure["low"], figure["high"]) == pytest.approx((interval.low, interval.high))
                assert figure["low"] <= figure["high"]
    json.dumps(summary, allow_nan=False)


def test_mean_of_decibels_and_decibels_of_the_mean_are_kept_apart() -> None:
    table = scored()
    found = score.summarize(table)["all"]["as_predicted"]
    assert found["psnr"]["value"] == pytest.approx(table["psnr"].mean())
    figure = found["psnr_of_mean_mse"]
    assert (
        figure["value"] == pytest.approx(-10 * np.log10(table["mse"].mean())) != found["psnr"]["value"]
    )
    # Its interval is that of the mean MSE, on another scale and so upside down.
    width = figure["high"] - figure["low"]
    ends = [-10 * np.log10(found["mse"][end]) for end in ("high", "low")]
    assert [figure["low"], figure["high"]] == pytest.approx(ends, abs=0.15 * width)


def test_every_figure_has_a_definition() -> None:
    summary = score.summarize(scored())
    assert (
        set(summary["measures"])
        == {*MEASURES, *AGGREGATE_MEASURES}
        == set(summary["all"]["as_predicted"])
    )
    for each in summary["measures"].values():
        assert each["definition"].endswith(".") and each["unit"]
        assert each["better"] in ("higher", "lower", None)
    assert "BCa" in summary["interval"] and "9,999" in summary["interval"]


def test_scores_are_written_the_same_each_time(tmp_path: Path) -> None:
    table = scored()
    for name in ("a", "b"):
        said = score.write_scores(table, tmp_path / name / "per_image.csv", tmp_path / name / "m.json")
    psnr, difference = table["psnr"].mean(), table["ciede2000"].mean()
    assert said == f"PSNR {psnr:.2f} dB, CIEDE2000 {difference:.2f} on 12 images"
    for file in ("per_image.csv", "m.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    again = pd.read_csv(tmp_path / "a" / "per_image.csv", dtype={"id": str})
    pd.testing.assert_frame_equal(again, table, check_exact=False, rtol=1e-12)
    assert json.loads((tmp_path / "a" / "m.json").read_text()) == score.summarize(table)


# Which images figures show.


def test_samples_are_drawn_by_the_seed_alone(tmp_path: Path) -> None:
    many: Any = Kept(crops(40), [("d", f"{number:02}") for number in range(40)])
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        assert samples.draw_samples(many, "validation", 6, seed, tmp_path / f"{name}.npz") == 6
    a, b, c = (np.load(tmp_path / f"{name}.npz") for name in "abc")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert a["row"].tolist() == sorted(set(a["row"])) != c["row"].tolist()
    assert a["id"].tolist() == [f"{row:02}" for row in a["row"]] and set(a["data_set"]) == {"d"}
    assert np.array_equal(a["truth"], many.pixels[a["row"]])
    assert np.array_equal(a["grayscale"], lab.grayscale(a["truth"]))
    assert np.array_equal(a["id"], b["id"])


@pytest.mark.parametrize("count", [5, 9, 0])
def test_no_more_samples_than_images(count: int, shards: Any, tmp_path: Path) -> None:
    assert samples.draw_samples(shards, "validation", count, 0, tmp_path / "s.npz") == min(count, 5)
    drawn = np.load(tmp_path / "s.npz")
    assert drawn["row"].tolist() == list(range(min(count, 5)))
    assert drawn["truth"].shape == drawn["grayscale"].shape == (min(count, 5), 16, 16, 3)


def extremes(folder: Path, shards: Any, figures: dict[str, list[float]], count: int) -> Any:
    for run, values in figures.items():
        pd.DataFrame({"ciede2000": values}).to_csv(folder / f"{run}.csv", index=False)
    files = {run: folder / f"{run}.csv" for run in figures}
    samples.draw_extremes(shards, "validation", files, count, folder / "e.npz")
    return np.load(folder / "e.npz")


def test_extremes_are_the_least_and_the_greatest_differences(shards: Any, tmp_path: Path) -> None:
    found = extremes(tmp_path, shards, {"a_1": [3, 1, 9, 2, 5], "b_1": [1, 1, 1, 1, 8]}, 2)
    assert found["best_a_1"].tolist() == [1, 3] and found["worst_a_1"].tolist() == [2, 4]
    assert found["best_b_1"].tolist() == [0, 1] and found["worst_b_1"].tolist() == [4, 3]
    assert found["row"].tolist() == [0, 1, 2, 3, 4]
    few = extremes(tmp_path, shards, {"a_1": [3, 1, 9, 2, 5]}, 1)
    assert few["row"].tolist() == [1, 2]
    assert np.array_equal(few["truth"], shards.pixels[[1, 2]])
    assert np.array_equal(few["grayscale"], lab.grayscale(few["truth"]))


def test_no_image_is_both_best_and_worst(shards: Any, tmp_path: Path) -> None:
    found = extremes(tmp_path, shards, {"a_1": [3, 1, 9, 2, 5]}, 4)
    assert found["best_a_1"].tolist() == [1, 3] and found["worst_a_1"].tolist() == [2, 4]
    one: Any = Kept(shards.pixels[:1])
    found = extremes(tmp_path, one, {"a_1": [3]}, 4)
    assert found["best_a_1"].tolist() == [] and found["worst_a_1"].tolist() == [0]
    assert found["truth"].shape == (1, 16, 16, 3)


def test_inputs_are_what_networks_see(tmp_path: Path) -> None:
    names = [("d", "1"), ("d", "a.b"), ("e", "1"), ("e", "sub/2")]
    four: Any = Kept(crops(4), names)
    assert samples.export_inputs(four, "validation", tmp_path / "inputs") == 4
    for (data_set, name), gray in zip(names, lab.grayscale(four.pixels), strict=True):
        with Image.open(tmp_path / "inputs" / data_set / f"{name}.png") as picture:
            assert picture.mode == "L" and np.array_equal(np.asarray(picture), gray[..., 0])
    # Given back as they are, they are found, and score as the grayscale copy.
    files = external.find_predictions(tmp_path / "inputs", names, "theirs")
    found = evaluate(external.external_predictor(files, four.size), four, tmp_path / "p.npy")
    copy = evaluate_baseline("grayscale-copy", four, tmp_path)
    pd.testing.assert_frame_equal(found, copy)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.jpg.png", "d/photo.jpg"])
def test_an_id_may_be_the_name_of_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    (tmp_path / "photo.json").touch()  # No picture.
    found = external.find_predictions(tmp_path, [("d", "photo.jpg")], "theirs")
    assert found == {("d", "photo.jpg"): tmp_path / name}
