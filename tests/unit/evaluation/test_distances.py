"""FID, KID and LPIPS: against other formulas, hand-computed cases, and what is refused."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import convert_lpips
import keras
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
import yaml
from conftest import PROJECT
from deepcolor.config import configuration
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import distances, features, predict
from deepcolor.evaluation.distances import FEATURES, SIDE
from deepcolor.evaluation.inception import inception_file, inception_network
from deepcolor.evaluation.lpips import NETWORKS, SCALE, SHIFT, lpips_network
from deepcolor.models import pretrained
from PIL import Image

SHIPPED = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))


def random_features(seed: int, count: int, size: int = 12) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.gamma(2, size=(count, size)) @ generator.normal(size=(size, size)) + 1


def moments_of(features: np.ndarray, batch: int = 7) -> distances.Moments:
    found = None
    for start in range(0, len(features), batch):
        found = distances.add_moments(found, features[start : start + batch])
    assert found is not None
    return found


def test_moments_of_a_stream_are_those_of_the_whole() -> None:
    features = random_features(0, 40) + 1e4
    found = moments_of(features)
    assert found.count == 40
    assert np.allclose(found.mean, features.mean(axis=0), rtol=1e-12)
    assert np.allclose(found.scatter / 39, np.cov(features, rowvar=False), rtol=1e-8)


@pytest.mark.parametrize("count", [40, 8])  # 8: covariances of rank 7 of 12.
def test_fid_is_the_frechet_distance(count: int) -> None:
    first, second = random_features(0, count), random_features(1, count)
    covariances = [np.cov(each, rowvar=False) for each in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    expected = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    expected += np.trace(covariances[0] + covariances[1] - 2 * root.real)
    assert distances.fid(moments_of(first), moments_of(second)) == pytest.approx(expected, rel=1e-6)


def test_fid_of_what_is_shifted_is_the_squared_shift() -> None:
    features = random_features(0, 40)
    shifted = features + np.arange(12)
    assert distances.fid(moments_of(features), moments_of(shifted)) == pytest.approx(506)
    assert distances.fid(moments_of(features), moments_of(features)) == pytest.approx(0, abs=1e-9)
    constant = moments_of(np.ones((9, 12)))
    assert distances.fid(constant, moments_of(np.zeros((9, 12)))) == pytest.approx(12)


def test_mmd_is_the_sum_over_pairs_of_different_images() -> None:
    first, second = random_features(0, 6), random_features(1, 6)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((np.dot(x, y) / 12 + 1) ** 3)

    terms = [
        kernel(first[i], first[j])
        + kernel(second[i], second[j])
        - kernel(first[i], second[j])
        - kernel(first[j], second[i])
        for i in range(6)
        for j in range(6)
        if i != j
    ]
    assert distances.squared_mmd(first, second) == pytest.approx(np.mean(terms))
    assert distances.squared_mmd(first, first) == 0


def test_mmd_is_unbiased_for_predictions_that_go_with_photographs() -> None:
    """Of one distribution, and correlated row by row: the mean over many draws is 0."""
    generator = np.random.default_rng(0)
    values, naive = [], []
    for _ in range(2000):
        common, first, second = generator.normal(size=(3, 10, 4))
        values.append(distances.squared_mmd(common + first, common + second))
        cross = ((common + first) @ (common + second).T / 4 + 1) ** 3
        without_own = (cross.sum() - np.trace(cross)) / 90
        naive.append(values[-1] + 2 * (without_own - cross.mean()))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(2000)
    # With the pairs of a row with its own it would not be.
    assert np.mean(naive) < -10 * np.std(naive) / np.sqrt(2000)


def test_kid_is_drawn_by_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = random_features(0, 40), random_features(1, 40)
    whole = distances.kid(first, second, seed=0)
    assert whole == {
        "value": distances.squared_mmd(first, second), "sd": None, "subset_size": 40, "subsets": 1,
    }  # fmt: skip
    monkeypatch.setattr(distances, "SUBSET", 20)
    found = distances.kid(first, second, seed=0)
    assert (found["subset_size"], found["subsets"]) == (20, 100)
    assert found == distances.kid(first, second, seed=0) != distances.kid(first, second, seed=1)
    assert found["value"] == pytest.approx(whole["value"], abs=found["sd"])


def lpips_arrays(network: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights, as `convert_lpips` writes them."""
    generator = np.random.default_rng(seed)
    arrays, before, number, channels = {}, 3, 0, []
    for _, convolutions in NETWORKS[network]:
        for filters, side, _, _ in convolutions:
            number += 1
            shape = (side, side, before, filters)
            scale = np.sqrt(2 / (side * side * before))
            arrays[f"conv{number}.kernel"] = generator.normal(0, scale, shape).astype(np.float32)
            arrays[f"conv{number}.bias"] = generator.normal(0, 0.1, filters).astype(np.float32)
            before = filters
        channels.append(before)
    for number, count in enumerate(channels, start=1):
        arrays[f"lin{number}.weight"] = generator.random(count).astype(np.float32)
    return arrays


def saved(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def alex(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("lpips") / "alex.npz", lpips_arrays("alex"))


# What the package lpips 0.1.4 gives for these weights and pictures.
LPIPS = {
    "alex": [0.8619514107704163, 0.8714850544929504, 0.8763980269432068],
    "vgg": [0.7712716460227966, 0.7747490406036377, 0.7818612456321716],
}


@pytest.mark.parametrize("network", LPIPS)
def test_lpips_is_that_of_its_authors(network: str, tmp_path: Path) -> None:
    built = lpips_network(saved(tmp_path / "weights.npz", lpips_arrays(network)), 64)
    assert built.name == network
    pictures = np.random.default_rng(1).integers(0, 256, (2, 3, 64, 64, 3)).astype(np.float32)
    assert np.allclose(built.predict_on_batch(list(pictures)), LPIPS[network], rtol=0, atol=1e-5)
    assert np.array_equal(built.predict_on_batch([pictures[0], pictures[0]]), np.zeros(3))


def test_lpips_of_plain_pictures_is_as_computed_by_hand(tmp_path: Path) -> None:
    arrays = {name: np.zeros_like(array) for name, array in lpips_arrays("alex").items()}
    # The first two features are red and green themselves; all others are 0.
    arrays["conv1.kernel"][5, 5, 0, 0] = arrays["conv1.kernel"][5, 5, 1, 1] = 1
    arrays["lin1.weight"][:2] = 2, 3
    colors = np.array([[255, 204, 0], [204, 255, 0]], np.float32)
    pictures = [np.broadcast_to(color, (1, 64, 64, 3)) for color in colors]
    red_green = [(color / 127.5 - 1 - np.array(SHIFT))[:2] / np.array(SCALE)[:2] for color in colors]
    first, second = (each / np.hypot(*each) for each in red_green)
    expected = 2 * (first[0] - second[0]) ** 2 + 3 * (first[1] - second[1]) ** 2
    network = lpips_network(saved(tmp_path / "weights.npz", arrays), 64)
    assert network.predict_on_batch(pictures) == pytest.approx([expected], rel=1e-4)


def without(name: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in lpips_arrays("alex").items() if key != name}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (without("lin3.weight"), "there is no 'lin3.weight'"),
        (without("conv2.bias"), "there is no 'conv2.bias'"),
        (without("conv5.kernel"), "4 convolutions, where AlexNet has 5 and VGG16 13"),
        ({**without(""), "lin1.weight": np.ones(63, "f")}, r"'lin1.weight' is not \(64,\) of finite"),
        ({**without(""), "lin1.weight": np.full(64, np.nan, "f")}, "'lin1.weight' is not"),
        ({**without(""), "lin1.weight": np.array(["a"] * 64)}, "'lin1.weight' is not"),
        ({**without(""), "lin1.weight": np.array([None] * 64)}, "allow_pickle"),
    ],
)
def test_other_lpips_weights_are_refused(
    arrays: dict[str, np.ndarray], said: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "weights.npz", arrays)
    with pytest.raises(DeepColorError, match=rf"^evaluation.lpips_weights: {path} [^\n]*{said}[^\n]*\Z"):
        lpips_network(path, 64)


@pytest.mark.parametrize("kept", [0, 100, 5_000_000])
def test_broken_lpips_weights_are_refused(kept: int, alex: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(alex.read_bytes()[:kept])
    with pytest.raises(DeepColorError, match=r"no file of LPIPS weights \(.+\); workflow/scripts/conv"):
        lpips_network(path, 64)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(DeepColorError, match="is no file of LPIPS weights"):
        lpips_network(path.with_suffix(".npy"), 64)


def test_conversion_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(DeepColorError, match=r"needs PyTorch[^\n]*install cyclopts lpips torchvision\Z"):
        convert_lpips.main(weights=tmp_path / "weights.npz")
    with pytest.raises(DeepColorError, match="weights.pth is written as .npz; call it so"):
        convert_lpips.main(weights=Path("weights.pth"))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_inception_sees_what_pillow_would_resize(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    network = inception_network(None, 64)
    encoder = network.layers[-1]
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    resized = np.empty((2, SIDE, SIDE, 3), np.float32)
    for picture, result in zip(pictures, resized, strict=True):
        for channel in range(3):
            band = Image.fromarray(picture[..., channel])
            result[..., channel] = np.asarray(band.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    scaled = keras.applications.inception_v3.preprocess_input(resized.clip(0, 255))
    expected = encoder.predict_on_batch(scaled)
    found = network.predict_on_batch(pictures)
    assert found.shape == (2, FEATURES)
    assert np.allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    assert not np.allclose(found[0], found[1], rtol=0, atol=1e-2 * np.abs(expected).max())
    path = tmp_path / "inception.weights.h5"
    encoder.save_weights(path)
    loaded = inception_network(path, 64).get_weights()
    assert all(map(np.array_equal, loaded, network.get_weights()))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DeepColorError, match=r"^evaluation.inception_weights: [^\n]*without its top"):
        inception_network(path, 64)


def test_inceptions_weights_are_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(pretrained, "ORIGIN", "http://127.0.0.1:9")
    with pytest.raises(
        DeepColorError,
        match=r"^evaluation.inception_weights: there is no [^\n]*MD5 bcbd6486424b2319ff4ef7d526e38f63 "
        r"[^\n]*set it to a weights file or to null\Z",
    ):
        inception_file("imagenet")
    assert inception_file("a/file.h5") == Path("a/file.h5")


class Pictures:
    """Shards of random pictures."""

    size = 32

    def __init__(self, count: int) -> None:
        self.images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)

    def count(self, split: str) -> int:
        return len(self.images)

    def evaluation_batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(self.images).batch(batch_size)


def measured(count: int, path: Path, **networks: keras.Model) -> dict[str, Any]:
    """The distances between random pictures and the same at half their contrast."""
    shards: Any = Pictures(count)
    np.save(path, shards.images // 2)
    extracted = path.with_name("features.npy")
    pictures = predict.prediction_batches(shards, "validation", path)
    features.extract_features(pictures, count, extracted, **networks)
    name = networks["lpips"].name if "lpips" in networks else None
    facts = {"size": shards.size, "lpips": name, "weights_sha256": {}}
    return distances.measure_distances(np.load(extracted, mmap_mode="r"), facts, seed=0)


@pytest.fixture
def inception() -> keras.Model:
    """In place of InceptionV3, a small network of fewer features."""
    keras.utils.set_random_seed(0)
    pictures = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3, 8)(pictures))
    return keras.Model(pictures, keras.layers.Dense(256)(x))


def test_distances_of_a_stream_are_those_of_the_whole(
    inception: keras.Model, alex: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lpips = lpips_network(alex, 32)
    path = tmp_path / "predictions.npy"
    found = measured(70, path, inception=inception, lpips=lpips)
    json.dumps(found, allow_nan=False)
    assert set(found) == {"fid", "kid", "lpips", "definitions", "weights_sha256"}
    assert set(found["definitions"]) == {"fid", "kid", "lpips"}
    pictures = [Pictures(70).images, np.load(path)]
    seen = [inception.predict_on_batch(each.astype(np.float32)) for each in pictures]
    expected = distances.fid(*(moments_of(each, 70) for each in seen))
    assert found["fid"]["value"] == pytest.approx(expected, rel=1e-4) and expected > 0
    assert found["kid"]["value"] == pytest.approx(distances.squared_mmd(*seen), rel=1e-4)
    values = lpips.predict_on_batch([each.astype(np.float32) for each in pictures])
    assert found["lpips"]["value"] == pytest.approx(values.mean())
    assert found["lpips"]["sd"] == pytest.approx(values.std(ddof=1), rel=1e-4)
    assert {found[name]["n"] for name in ("fid", "kid", "lpips")} == {70}
    assert "without full rank" in found["fid"]["note"] and "one subset" in found["kid"]["note"]
    assert found["lpips"]["network"] == "alex" and "32x32" in found["lpips"]["note"]
    said = distances.summarize_distances(found)
    assert said.startswith("FID ") and said.endswith(f"LPIPS {values.mean():.3f} (alex)")
    # Features are kept of a part of the images.
    monkeypatch.setattr(distances, "KEPT", 60)
    monkeypatch.setattr(distances, "BATCH_SIZE", 16)
    part = measured(70, path, inception=inception)
    rows = np.sort(np.random.default_rng(0).permutation(70)[:60])
    assert part["kid"]["n"] == 60 and part["kid"]["note"].startswith("60 of 70 images")
    expected = distances.squared_mmd(*(each[rows] for each in seen))
    assert part["kid"]["value"] == pytest.approx(expected, rel=1e-4)
    assert part["fid"]["value"] == pytest.approx(found["fid"]["value"], rel=1e-6)
    assert set(part["definitions"]) == {"fid", "kid"}


def test_too_few_images_give_no_fid_and_no_kid(inception: keras.Model, tmp_path: Path) -> None:
    found = measured(49, tmp_path / "predictions.npy", inception=inception)
    assert found["fid"]["value"] is found["kid"]["value"] is None
    assert found["fid"]["note"] == found["kid"]["note"]
    assert "49 images are too few" in found["kid"]["note"]
    assert distances.summarize_distances(found) == "FID of too few images, KID of too few images"


def test_weights_that_give_no_numbers_are_refused(inception: keras.Model, tmp_path: Path) -> None:
    inception.layers[-1].bias.assign(np.full(256, np.nan))
    with pytest.raises(DeepColorError, match="evaluation.inception_weights: .* infinite or no numbers"):
        measured(3, tmp_path / "predictions.npy", inception=inception)
    assert not (tmp_path / "features.npy").exists()


def test_predictions_of_other_images_are_refused(tmp_path: Path) -> None:
    shards: Any = Pictures(4)
    path = tmp_path / "predictions.npy"
    for wrong in (shards.images[:3], shards.images[:, :16], shards.images / 255):
        np.save(path, wrong)
        with pytest.raises(
            DeepColorError, match=r"predictions.npy is \w+ \(.*, not uint8 \(4, 32, 32, 3"
        ):
            list(predict.prediction_batches(shards, "validation", path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DeepColorError, match="predictions.npy is broken"):
        list(predict.prediction_batches(shards, "validation", path))


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    there = tmp_path / "weights.npz"
    there.touch()
    for key in ("inception_weights", "lpips_weights"):
        assert configuration.complete(SHIPPED)["evaluation"][key] is None
        config = {**SHIPPED, "evaluation": {key: str(there)}}
        assert configuration.complete(config)["evaluation"][key] == str(there)
        with pytest.raises(DeepColorError, match=f"^evaluation.{key}: no file no/such.h5; name a file"):
            configuration.complete({**SHIPPED, "evaluation": {key: "no/such.h5"}})
    evaluation = {"inception_weights": "imagenet"}
    assert configuration.complete({**SHIPPED, "evaluation": evaluation})
    with pytest.raises(DeepColorError, match="^evaluation.lpips_weights: no file imagenet; .* or null"):
        configuration.complete({**SHIPPED, "evaluation": {"lpips_weights": "imagenet"}})


def test_what_was_measured_names_its_weights(alex: Path, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64, 3)).astype(np.uint8)
    path = tmp_path / "features.npy"
    facts = features.extract_with({"lpips": alex}, [tuple(pictures)], 3, path, size=64)
    content = distances.measure_distances(np.load(path), facts, seed=0)
    assert content["weights_sha256"] == {"lpips": hashlib.sha256(alex.read_bytes()).hexdigest()}
    expected = lpips_network(alex, 64).predict(list(pictures.astype(np.float32)), verbose=0).mean()
    assert content["lpips"]["value"] == pytest.approx(expected, rel=1e-5)
    assert content["lpips"]["network"] == "alex" and "64x64" in content["lpips"]["note"]
