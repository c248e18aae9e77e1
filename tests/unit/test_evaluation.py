"""Metrics and grayscale conversion, against other implementations."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import mounted
from deepcolor import evaluation, metrics
from PIL import Image
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 256, (5, 16, 16, 3), np.uint8)
    noise = generator.integers(-20, 21, truth.shape)
    return truth, np.clip(truth + noise, 0, 255).astype(np.uint8)


def test_metrics_are_those_of_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    truth, prediction = pair
    scores = metrics.per_image(truth, prediction)
    for row, a, b in zip(scores.itertuples(), truth, prediction, strict=True):
        assert row.mse == pytest.approx(mean_squared_error(a / 255, b / 255))
        assert row.psnr == pytest.approx(peak_signal_noise_ratio(a, b))


def test_identical_pictures_have_a_finite_score(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert set(metrics.per_image(pair[0], pair[0])["psnr"]) == {metrics.MOST_DECIBELS}


def test_summary_keeps_mean_of_decibels_and_decibels_of_mean_apart() -> None:
    scores = pd.DataFrame({"data_set": ["a", "a", "b"], "mse": [0.01, 0.02, 0.001]})
    scores["psnr"] = metrics.decibels(scores["mse"].to_numpy())
    summary = metrics.summarize(scores)
    assert summary["all"]["n"] == 3
    assert summary["all"]["psnr"] == pytest.approx((20 + 16.9897 + 30) / 3, abs=1e-4)
    assert summary["all"]["psnr_of_mean_mse"] == pytest.approx(-10 * np.log10(0.031 / 3))
    assert summary["data_sets"]["b"] == {
        "n": 1, "mse": 0.001, "psnr": pytest.approx(30), "psnr_of_mean_mse": pytest.approx(30),
    }  # fmt: skip
    assert set(summary["all"]) - {"n"} == set(summary["metrics"])
    json.dumps(summary, allow_nan=False)


def test_grayscale_is_rec_601_luma(pair: tuple[np.ndarray, np.ndarray]) -> None:
    gray = evaluation.grayscale(pair[0])
    for ours, rgb in zip(gray, pair[0], strict=True):
        pillow = np.asarray(Image.fromarray(rgb).convert("L")).astype(int)
        assert np.abs(ours.astype(int) - pillow[..., None]).max() <= 1


class OneBatch:
    """Shards of one batch."""

    def __init__(self, images: np.ndarray) -> None:
        self.images, self.size = images, images.shape[1]

    def count(self, split: str) -> int:
        return len(self.images)

    def names(self, split: str) -> list[tuple[str, str]]:
        return [("d", str(number)) for number in range(len(self.images))]

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(self.images).batch(batch_size)


def gray_network(size: int) -> keras.Model:
    luminance = keras.Input((size, size, 1))
    return keras.Model(luminance, keras.layers.Concatenate()([luminance] * 3))


def test_predictions_are_stored_as_they_are_scored(
    pair: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    shards: Any = OneBatch(pair[0])
    path = tmp_path / "predictions.npy"
    scores = evaluation.evaluate_network(gray_network(16), shards, "validation", path)
    stored = np.load(path, mmap_mode="r")
    assert np.array_equal(stored, evaluation.grayscale(pair[0]))
    assert np.allclose(scores["mse"], metrics.per_image(pair[0], stored)["mse"])
    pd.testing.assert_frame_equal(scores, evaluation.evaluate_grayscale(shards, "validation"))


def test_predictions_on_a_full_disk_are_an_error(tmp_path: Path) -> None:
    shards: Any = OneBatch(np.zeros((40, 64, 64, 3), np.uint8))
    with mounted(tmp_path / "small", "size=64k"):
        with pytest.raises(OSError, match="No space left"):
            path = tmp_path / "small" / "predictions.npy"
            evaluation.evaluate_network(gray_network(64), shards, "validation", path)
        assert list((tmp_path / "small").iterdir()) == []


def test_grayscale_of_gray_is_the_same() -> None:
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=-1)
    assert np.array_equal(evaluation.grayscale(gray), gray)
