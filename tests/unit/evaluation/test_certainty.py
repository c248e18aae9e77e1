"""How sure networks of color classes are: against plain NumPy, and with known calibration."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from deepcolor.errors import DeepColorError
from deepcolor.evaluation.certainty import BINS, Reliability, class_predictor, measure_certainty
from deepcolor.evaluation.predict import BATCH_SIZE
from deepcolor.imaging.color_classes import CENTERS, COUNT, encode
from deepcolor.models.heads import CLASS_STEP, with_rgb_output
from skimage.color import rgb2lab

RANDOM = np.random.default_rng(11)
SIZE = 8
GRAY, RED = [128, 128, 128], [200, 30, 40]


def nearest(rgb: list[int]) -> int:
    """The number of the class nearest to a color."""
    chroma = rgb2lab(np.array([[rgb]]) / 255)[0, 0, 1:]
    return int(np.square(CENTERS - chroma).sum(axis=-1).argmin())


def photographs(shards: np.ndarray) -> Any:
    """What `measure_certainty` asks of shards."""
    return SimpleNamespace(
        size=SIZE,
        count=lambda split: len(shards),
        evaluation_batches=lambda split, size: tf.data.Dataset.from_tensor_slices(shards).batch(size),
    )


def network(bias: np.ndarray, kernel: np.ndarray | None = None) -> keras.Model:
    """A saved network whose logits are a bias, and a kernel times the mean luminance of a cell."""
    luminance = keras.Input((SIZE, SIZE, 1))
    cells = keras.layers.AveragePooling2D(CLASS_STEP)(luminance)
    logits = keras.layers.Dense(COUNT, name="logits")
    inner = keras.Model(luminance, logits(cells))
    logits.set_weights([np.zeros((1, COUNT)) if kernel is None else kernel[None], bias])
    return with_rgb_output(inner)


def drawn(logits: np.ndarray) -> np.ndarray:
    """True classes drawn from the distributions themselves, `(..., COUNT)`, one in each."""
    return np.eye(COUNT, dtype=np.float32)[(logits + RANDOM.gumbel(size=logits.shape)).argmax(axis=-1)]


def test_reliability_is_that_of_numpy() -> None:
    logits = RANDOM.normal(0, 3, (2, 5, 6, 7, COUNT)).astype(np.float32)
    encoded = RANDOM.dirichlet(np.full(COUNT, 0.1), (2, 5, 6, 7)).astype(np.float32)
    # Some are right.
    encoded[0, :3] = np.eye(COUNT)[logits[0, :3].argmax(axis=-1)]
    true = encoded.argmax(axis=-1)
    reliability = Reliability()
    entropies = [reliability.add(*each) for each in zip(logits, encoded, strict=True)]
    probabilities = np.exp(logits.astype(np.float64))
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    entropy = -(probabilities * np.log2(probabilities)).sum(axis=-1)
    np.testing.assert_allclose(entropies, entropy, atol=1e-4)
    confidence, right = probabilities.max(axis=-1), probabilities.argmax(axis=-1) == true
    shares = np.take_along_axis(encoded, probabilities.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    found = reliability.summary()
    error = of_encoded = 0.0
    for number, each in enumerate(found["bins"]):
        low, high = number / BINS, (number + 1) / BINS
        inside = (low < confidence) & (confidence <= high)
        assert (each["low"], each["high"], each["cells"]) == (low, high, inside.sum())
        if inside.any():
            assert each["confidence"] == pytest.approx(confidence[inside].mean(), abs=1e-5)
            assert each["accuracy"] == pytest.approx(right[inside].mean())
            assert each["encoded"] == pytest.approx(shares[inside].mean(), abs=1e-5)
            of_encoded += inside.sum() * abs(confidence[inside].mean() - shares[inside].mean())
            error += inside.sum() * abs(confidence[inside].mean() - right[inside].mean())
        else:
            assert each["confidence"] is each["accuracy"] is each["encoded"] is None
    of_true = np.take_along_axis(probabilities, true[..., None], axis=-1)
    assert found["cells"] == true.size
    assert found["expected_calibration_error"] == pytest.approx(error / true.size, abs=1e-5)
    assert found["encoded_calibration_error"] == pytest.approx(of_encoded / true.size, abs=1e-5)
    assert found["confidence"] == pytest.approx(confidence.mean(), abs=1e-5)
    assert found["accuracy"] == right.mean() > 0.2
    assert found["encoded"] == pytest.approx(shares.mean(), abs=1e-5)
    assert found["entropy"] == pytest.approx(entropy.mean(), abs=1e-4)
    assert found["negative_log_likelihood"] == pytest.approx(-np.log2(of_true).mean(), abs=1e-4)


def test_who_knows_the_soft_classes_is_right_and_as_sure_as_they_are() -> None:
    encoded = np.asarray(encode(RANDOM.uniform(-30, 30, (5000, 2)).astype(np.float32)))
    reliability = Reliability()
    reliability.add(np.log(encoded + 1e-30), encoded)
    found = reliability.summary()
    assert found["accuracy"] == 1 and 0.4 < found["confidence"] < 0.55
    assert found["encoded_calibration_error"] == pytest.approx(0, abs=1e-5)
    assert found["expected_calibration_error"] == pytest.approx(1 - found["confidence"])


@pytest.mark.parametrize("sharpness", [0.5, 1, 2])
def test_what_is_too_sure_or_not_sure_enough_is_not_calibrated(sharpness: float) -> None:
    logits = RANDOM.normal(0, 3, (30_000, COUNT)).astype(np.float32)
    reliability = Reliability()
    reliability.add(sharpness * logits, drawn(logits))
    found = reliability.summary()
    gap = found["confidence"] - found["accuracy"]
    if sharpness == 1:
        # Of what is drawn from the distributions, the deviations are those of chance.
        assert found["expected_calibration_error"] < 0.015
        assert found["negative_log_likelihood"] == pytest.approx(found["entropy"], rel=0.02)
    else:
        assert found["expected_calibration_error"] > 0.1
        surprise = found["negative_log_likelihood"] - found["entropy"]
        assert np.sign(gap) == np.sign(surprise) == np.sign(sharpness - 1)


def test_a_network_of_the_true_shares_is_calibrated(tmp_path: Path) -> None:
    pictures = np.full((6, SIZE, SIZE, 3), GRAY, np.uint8)
    pictures[:, :4, :4] = RED  # One cell of four.
    bias = np.full(COUNT, -50.0)
    bias[nearest(GRAY)], bias[nearest(RED)] = np.log(0.75), np.log(0.25)
    predictor = class_predictor(network(bias))
    found = measure_certainty(photographs(pictures), "test", predictor, tmp_path / "maps.npy")
    bits = -0.75 * np.log2(0.75) - 0.25 * np.log2(0.25)
    assert (found["n"], found["cells"], found["classes"]) == (6, 24, COUNT)
    assert found["confidence"] == pytest.approx(0.75) and found["accuracy"] == 0.75
    assert found["expected_calibration_error"] == pytest.approx(0, abs=1e-6)
    assert found["entropy"] == pytest.approx(bits, abs=1e-5)
    assert found["negative_log_likelihood"] == pytest.approx(bits, abs=1e-5)
    # Uniform cells, whose encodings spread over neighbors.
    assert 0.2 < found["encoded"] < found["accuracy"]
    maps = np.load(tmp_path / "maps.npy")
    assert maps.dtype == np.uint8 and maps.shape == (6, 2, 2)
    assert (maps == round(255 * bits / np.log2(COUNT))).all()
    assert set(found["definitions"]) < set(found)


def test_maps_are_those_of_their_images_from_equal_classes_to_one(tmp_path: Path) -> None:
    # The brighter a cell, the surer the network.
    count = BATCH_SIZE + 3
    levels = RANDOM.permutation(np.linspace(0, 255, count).astype(np.uint8))
    pictures = np.broadcast_to(levels[:, None, None, None], (count, SIZE, SIZE, 3)).copy()
    kernel = np.zeros(COUNT)
    kernel[nearest(GRAY)] = 40
    predictor = class_predictor(network(np.zeros(COUNT), kernel))
    found = measure_certainty(photographs(pictures), "test", predictor, tmp_path / "maps.npy")
    maps = np.load(tmp_path / "maps.npy", mmap_mode="r")
    assert maps.shape == (count, 2, 2) and (np.ptp(maps, axis=(1, 2)) == 0).all()
    assert (np.diff(maps[np.argsort(levels), 0, 0].astype(int)) <= 0).all()
    assert maps[levels == 0].min() == 255 and maps[levels == 255].max() == 0
    shares = maps.mean() / 255 * found["highest_entropy"]
    assert shares == pytest.approx(found["entropy"], abs=found["highest_entropy"] / 255)


def test_a_network_without_classes_is_refused() -> None:
    luminance = keras.Input((SIZE, SIZE, 1))
    plain = keras.Model(luminance, keras.layers.Concatenate()([luminance] * 3), name="plain")
    with pytest.raises(DeepColorError, match="plain predicts no color classes"):
        class_predictor(plain)
