"""The networks: as published, and as every part of the project expects them."""

import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.registry import ARCHITECTURES

PUBLISHED = {"unet": 3_478_083, "densenet": 9_787_139, "mobilenet": 9_516_035}


def build(architecture: str, size: int = 64, **options: Any) -> keras.Model:
    if architecture != "unet":
        options.setdefault("weights", "none")
    return pkgutil.resolve_name(ARCHITECTURES[architecture])(size, **options)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_contract(architecture: str) -> None:
    model = build(architecture)
    assert model.input_shape == (None, 64, 64, 1)
    assert model.output_shape == (None, 64, 64, 3)
    luminance = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    rgb = model.predict_on_batch(luminance)
    assert rgb.dtype == np.float32
    assert rgb.min() >= 0 and rgb.max() <= 1
    if architecture in PUBLISHED:
        assert model.count_params() == PUBLISHED[architecture]
    # Names that Keras makes up end in a number that depends on what was built before; it does so
    # for the padding in its own DenseNet121 alone.
    names, again = (
        [layer.name for layer in each.layers if not layer.name.startswith("zero_padding2d")]
        for each in (model, build(architecture))
    )
    assert names == again


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_batch_norm_momentum_reaches_every_layer(architecture: str) -> None:
    cases: list[tuple[dict[str, Any], float]] = [({}, 0.99), ({"batch_norm_momentum": 0.9}, 0.9)]
    for given, expected in cases:
        norms = [
            layer
            for layer in build(architecture, **given).layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        assert norms and {layer.momentum for layer in norms} == {expected}


def test_unet_is_as_published() -> None:
    model = build("unet", 256)
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert [shapes[f"encoder{n}_relu"] for n in (1, 2, 3, 4)] == [
        (128, 128, 64), (64, 64, 128), (32, 32, 256), (16, 16, 512),
    ]  # fmt: skip
    assert [shapes[f"decoder{n}_skip"] for n in (3, 2, 1)] == [
        (32, 32, 512), (64, 64, 256), (128, 128, 128),
    ]  # fmt: skip
    assert shapes["rgb"] == (256, 256, 3)
    order = [layer.name for layer in model.layers if layer.name.startswith("decoder2")]
    assert order == [f"decoder2_{part}" for part in ("conv", "skip", "norm", "dropout", "relu")]
    assert model.get_layer("decoder1_dropout").rate == 0.5
    assert model.get_layer("encoder1_relu").negative_slope == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("architecture", "filters", "said"),
    [
        ("unet", [4] * 7, "image_size must be a multiple of 128, not 64"),
        ("densenet", [4] * 3, "'filters' needs 4 numbers"),
        ("mobilenet", [4] * 6, "'filters' needs 5 numbers"),
    ],
)
def test_filters_that_cannot_be_are_refused(architecture: str, filters: list[int], said: str) -> None:
    with pytest.raises(DeepColorError, match=said):
        build(architecture, filters=filters)


def test_unet_without_skip_connections_is_smaller() -> None:
    model = build("unet", skip_connections=False)
    assert model.output_shape == (None, 64, 64, 3)
    assert model.count_params() < PUBLISHED["unet"]


@pytest.mark.parametrize(
    ("architecture", "preprocess"),
    [
        ("mobilenet", keras.applications.mobilenet.preprocess_input),
        ("densenet", keras.applications.densenet.preprocess_input),
    ],
)
def test_encoder_sees_the_range_of_its_weights(
    architecture: str, preprocess: Callable[[np.ndarray], np.ndarray]
) -> None:
    model = build(architecture)
    seen = keras.Model(model.input, model.get_layer("encoder_rescaling").output)
    luminance = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    expected = preprocess(np.repeat(luminance, 3, axis=-1) * 255)
    assert np.allclose(seen.predict_on_batch(luminance), expected, atol=1e-5)


def test_weights_of_a_file_reach_the_encoder(tmp_path: Path) -> None:
    whole = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.25
    )
    whole.save_weights(tmp_path / "encoder.weights.h5")
    model = build("mobilenet", alpha=0.25, weights=str(tmp_path / "encoder.weights.h5"))
    for layer in whole.layers:
        for ours, theirs in (
            zip(model.get_layer(layer.name).weights, layer.weights, strict=True) if layer.weights else ()
        ):
            assert np.array_equal(ours, theirs)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.weights.h5"
    path.write_text("no weights")
    with pytest.raises(DeepColorError, match=r"MobileNet cannot load 'weights: .*broken.weights.h5'"):
        build("mobilenet", weights=str(path))


def test_frozen_encoder_is_not_trained(tmp_path: Path) -> None:
    whole = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(64, 64, 3))
    whole.save_weights(tmp_path / "encoder.weights.h5")
    model = build("mobilenet", weights=str(tmp_path / "encoder.weights.h5"), freeze_encoder=True)
    assert {v.path.split("/")[0].split("_")[0] for v in model.trainable_variables} == {
        "decoder1", "decoder2", "decoder3", "decoder4", "decoder5", "rgb",
    }  # fmt: skip
    with pytest.raises(DeepColorError, match="would freeze random weights"):
        build("mobilenet", weights="none", freeze_encoder=True)
