"""The networks: as published, and as every part of the project expects them."""

import hashlib
import inspect
import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.errors import DeepColorError
from deepcolor.models import heads, loading, pretrained
from deepcolor.models.mobilenet import IMAGENET
from keras import layers
from support import fake_coco, tiny_encoders
from support import fake_hub as hub

# What networks predict.
TARGETS = dict.fromkeys(ARCHITECTURES, ("rgb", "lab")) | {
    "unet": ("rgb", "lab", "classes"),
    "denseunet": ("rgb", "lab", "classes"),
    "lite": ("lab", "classes"),
}
EVERY = [(name, target) for name, targets in sorted(TARGETS.items()) for target in targets]

# All parameters; those of unet, densenet and mobilenet with RGB are the published ones.
PARAMETERS: list[Any] = [
    ("unet", {"target": "rgb"}, 3_478_083),
    ("unet", {"target": "lab"}, 3_476_930),
    ("unet", {"target": "classes"}, 3_700_002),
    ("lite", {"target": "classes"}, 1_140_146),
    ("lite", {"target": "lab"}, 1_129_746),
    ("densenet", {"target": "rgb"}, 9_787_139),
    pytest.param("densenet", {"target": "lab"}, 9_786_850, marks=pytest.mark.slow),
    ("mobilenet", {"target": "rgb"}, 9_516_035),
    ("mobilenet", {"target": "lab"}, 9_515_746),
    ("mobilenet", {"skip_connections": True}, 12_649_475),
    ("denseunet", {"target": "rgb"}, 12_906_051),
    pytest.param("denseunet", {"target": "lab"}, 12_905_906, marks=pytest.mark.slow),
    pytest.param("denseunet", {"target": "classes"}, 12_957_282, marks=pytest.mark.slow),
    pytest.param("denseunet", {"skip_connections": False}, 9_790_899, marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put small networks in the place of those that take seconds to build."""
    tiny_encoders.use_small(monkeypatch)


def build(architecture: str, size: int = 64, **options: Any) -> keras.Model:
    if architecture != "unet":
        options.setdefault("weights", "none")
    if architecture == "koalarization":
        options.setdefault("freeze_encoder", False)
    return pkgutil.resolve_name(ARCHITECTURES[architecture])(size, **options)


@cache
def built(architecture: str, target: str) -> keras.Model:
    return build(architecture, target=target)


def predict(model: keras.Model, luminance: np.ndarray) -> Any:
    """What comes out, without the many seconds that compiling a large network takes."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(luminance, training=False))


def shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    return {layer.name: layer.output.shape[1:] for layer in model.layers}


def trained(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


@pytest.mark.parametrize(("architecture", "target"), EVERY)
def test_contract(architecture: str, target: str) -> None:
    model = built(architecture, target)
    name, channels, _ = heads.HEADS[target]
    side = 16 if target == "classes" else 64
    assert model.input_shape == (None, 64, 64, 1)
    assert model.output_shape == (None, side, side, channels) == heads.output_shape(target, 64)
    assert model.layers[-1].name == name and heads.target_of(model) == target
    luminance = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    predicted = predict(model, luminance)
    assert predicted.dtype == np.float32
    if target != "classes":
        assert predicted.min() >= (0 if target == "rgb" else -1) and predicted.max() <= 1
    if target != "rgb":
        rgb = predict(heads.with_rgb_output(model), luminance)
        assert rgb.shape == (2, 64, 64, 3) and rgb.dtype == np.float32
        assert rgb.min() >= 0 and rgb.max() <= 1


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_names_of_layers_stay(architecture: str) -> None:
    # Names that Keras makes up end in a number that depends on what was built before; it does so
    # for the padding in its own DenseNet121 alone.
    target = TARGETS[architecture][0]
    model = built(architecture, target)
    names, again = (
        [layer.name for layer in each.layers if not layer.name.startswith("zero_padding2d")]
        for each in (model, build(architecture, target=target))
    )
    assert names == again


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_unknown_target_is_refused(architecture: str) -> None:
    known = ", ".join(TARGETS[architecture])
    with pytest.raises(DeepColorError, match=f"has no target 'hsv'; set 'target' to one of: {known}$"):
        build(architecture, target="hsv")


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_output_is_float32_whatever_the_precision(architecture: str) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(architecture, 32)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output.dtype == "float32"
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}


@pytest.mark.parametrize(("architecture", "options", "parameters"), PARAMETERS)
def test_number_of_parameters(
    architecture: str, options: dict[str, Any], parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.applications, "DenseNet121", tiny_encoders.DENSENET)
    # It depends on the size of the picture in no network but U-Net, whose deepest layer needs its size.
    model = build(architecture, 256 if architecture == "unet" else 32, **options)
    assert model.count_params() == parameters
    function = pkgutil.resolve_name(ARCHITECTURES[architecture])
    if options != {"skip_connections": False}:
        assert f"{parameters:,}" in function.__doc__
    if architecture == "densenet":  # The small one has its layers.
        found = shapes(model)
        assert {name: found[name] for name in tiny_encoders.DENSENET_LAYERS} == {
            name: (32 // part, 32 // part, channels)
            for name, (channels, part) in tiny_encoders.DENSENET_LAYERS.items()
        }
        norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
        assert len(norms) > 100 and {layer.momentum for layer in norms} == {0.99}


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_batch_norm_momentum_reaches_every_layer(architecture: str) -> None:
    target = TARGETS[architecture][0]
    other = build(architecture, target=target, batch_norm_momentum=0.9)
    for model, expected in ((built(architecture, target), 0.99), (other, 0.9)):
        norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
        assert norms and {layer.momentum for layer in norms} == {expected}


def test_unet_is_as_published() -> None:
    model = build("unet", 256)
    found = shapes(model)
    assert [found[f"encoder{n}_relu"] for n in (1, 2, 3, 4)] == [
        (128, 128, 64), (64, 64, 128), (32, 32, 256), (16, 16, 512),
    ]  # fmt: skip
    assert [found[f"decoder{n}_skip"] for n in (3, 2, 1)] == [
        (32, 32, 512), (64, 64, 256), (128, 128, 128),
    ]  # fmt: skip
    assert found["rgb"] == (256, 256, 3)
    order = [layer.name for layer in model.layers if layer.name.startswith("decoder2")]
    assert order == [f"decoder2_{part}" for part in ("conv", "skip", "norm", "dropout", "relu")]
    assert model.get_layer("decoder1_dropout").rate == 0.5
    assert model.get_layer("encoder1_relu").negative_slope == pytest.approx(0.01)


def test_unet_without_skip_connections_is_smaller() -> None:
    model = build("unet", skip_connections=False)
    assert model.output_shape == (None, 64, 64, 3)
    assert model.count_params() == 3_105_923


def test_skip_connections_are_at_every_scale() -> None:
    dense = shapes(built("denseunet", "rgb"))
    assert [dense[f"decoder{n}_skip"] for n in range(1, 6)] == [
        (4, 4, 1024 + 1024), (8, 8, 256 + 512), (16, 16, 128 + 256), (32, 32, 64 + 64), (64, 64, 32 + 1),
    ]  # fmt: skip
    mobile = shapes(build("mobilenet", skip_connections=True))
    assert [mobile[f"decoder{n}_skip"] for n in range(1, 5)] == [
        (4, 4, 1024 + 512), (8, 8, 512 + 256), (16, 16, 256 + 128), (32, 32, 128 + 64),
    ]  # fmt: skip
    for plain in (built("mobilenet", "rgb"), build("denseunet", skip_connections=False)):
        assert not [layer.name for layer in plain.layers if layer.name.endswith("_skip")]


def test_skip_connections_carry_what_the_encoder_sees() -> None:
    # The encoder's end is cut off: without skip connections nothing of the picture arrives.
    luminance = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    for architecture, deepest, arrives in (
        ("denseunet", "bn", True),
        ("mobilenet", "conv_pw_13_bn", True),
        ("mobilenet", "conv_pw_13_bn", False),
    ):
        model = build(architecture, skip_connections=arrives)
        layer = model.get_layer(deepest)
        layer.set_weights([np.zeros_like(each) for each in layer.get_weights()])
        difference = predict(model, luminance) - predict(model, 1 - luminance)
        assert (np.abs(difference).max() > 0) == arrives


def test_koalarization_is_as_published() -> None:
    model = build("koalarization", 256, target="lab")
    found = shapes(model)
    assert [found[f"encoder{n}_conv"] for n in range(1, 9)] == [
        (128, 128, 64), (128, 128, 128), (64, 64, 128), (64, 64, 256),
        (32, 32, 256), (32, 32, 512), (32, 32, 512), (32, 32, 256),
    ]  # fmt: skip
    assert found["luminance_rgb"] == (299, 299, 3) and found["predictions"] == (1000,)
    assert found["fusion"] == (32, 32, 256 + 1000) and found["fusion_conv"] == (32, 32, 256)
    assert [found[f"decoder{n}_conv"] for n in (1, 2, 3, 4)] == [
        (32, 32, 128), (64, 64, 64), (64, 64, 64), (128, 128, 32),
    ]  # fmt: skip
    assert found["chroma_conv"] == (128, 128, 2) and found["chroma"] == (256, 256, 2)
    ours = [model.get_layer(name) for name in found if name.endswith("_conv")]
    assert {layer.activation.__name__ for layer in ours if layer.name[:2] in ("en", "de", "fu")} == {
        "relu"
    }
    assert model.get_layer("chroma_conv").activation.__name__ == "tanh"
    assert model.get_layer("predictions").activation.__name__ == "linear"


def test_koalarization_fuses_the_classes_at_every_position() -> None:
    model = built("koalarization", "lab")
    parts = keras.Model(model.input, [model.get_layer(n).output for n in ("fusion", "predictions")])
    luminance = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    fusion, classes = predict(parts, luminance)
    assert np.array_equal(fusion[..., 256:], np.broadcast_to(classes[:, None, None], (2, 8, 8, 1000)))


def test_koalarizations_encoder_sees_lightness() -> None:
    rgb2lab = pytest.importorskip("skimage.color").rgb2lab
    gray = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(1, 64, 64, 1)
    seen = predict(built("koalarization", "lab").get_layer("lightness"), gray)
    assert np.allclose(seen, rgb2lab(np.repeat(gray, 3, axis=-1))[..., :1] / 50 - 1, atol=1e-4)
    assert seen.min() == pytest.approx(-1, abs=1e-4) and seen.max() == pytest.approx(1, abs=1e-4)


def test_koalarization_trains_the_published_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = build("koalarization")
    classifier = keras.Model(free.input, free.get_layer("predictions").output)
    classifier.save_weights(tmp_path / "classifier.weights.h5")
    frozen = build("koalarization", weights=str(tmp_path / "classifier.weights.h5"), freeze_encoder=True)
    assert trained(frozen) == 6_573_794 == 6_574_050 - 256
    assert trained(free) > trained(frozen)
    # With the network itself, which is built in this test alone.
    monkeypatch.setattr(keras.applications, "InceptionResNetV2", tiny_encoders.INCEPTION)
    model = build("koalarization", batch_norm_momentum=0.9)
    assert model.count_params() == 62_447_530 == 6_573_794 + 55_873_736
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert len(norms) > 200 and {layer.momentum for layer in norms} == {0.9}
    classes = model.get_layer("predictions")
    assert classes.output.shape == (None, 1000) and classes.activation.__name__ == "linear"
    for number in ("62,447,530", "6,573,794", "6,574,050"):
        assert number in pkgutil.resolve_name(ARCHITECTURES["koalarization"]).__doc__


def test_saved_koalarization_is_the_same(tmp_path: Path) -> None:
    # Its lightness is a model within the model, of plain operations.
    model = heads.with_rgb_output(built("koalarization", "lab"))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    luminance = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    assert np.array_equal(predict(again, luminance), predict(model, luminance))


@pytest.mark.parametrize(
    ("architecture", "filters", "said"),
    [
        ("unet", [4] * 7, "image_size must be a multiple of 128, not 64"),
        ("densenet", [4] * 3, "'filters' needs 4 numbers"),
        ("denseunet", [4] * 4, "'filters' needs 5 numbers"),
        ("mobilenet", [4] * 6, "'filters' needs 5 numbers"),
    ],
)
def test_filters_that_cannot_be_are_refused(architecture: str, filters: list[int], said: str) -> None:
    with pytest.raises(DeepColorError, match=said):
        build(architecture, filters=filters)


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize("architecture", ["mobilenet", "koalarization"])
def test_any_multiple_of_32_will_do(architecture: str, size: int) -> None:
    assert build(architecture, size, target="lab").output_shape == (None, size, size, 2)


@pytest.mark.parametrize(
    ("architecture", "side", "preprocess"),
    [
        ("mobilenet", 64, keras.applications.mobilenet.preprocess_input),
        ("densenet", 64, keras.applications.densenet.preprocess_input),
        ("denseunet", 64, keras.applications.densenet.preprocess_input),
        ("koalarization", 299, keras.applications.inception_resnet_v2.preprocess_input),
    ],
)
def test_encoder_sees_the_range_of_its_weights(
    architecture: str, side: int, preprocess: Callable[[np.ndarray], np.ndarray]
) -> None:
    model = built(architecture, "rgb")
    seen = keras.Model(model.input, model.get_layer("encoder_rescaling").output)
    luminance = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    whole = keras.ops.image.resize(luminance, (side, side)) if side != 64 else luminance
    expected = preprocess(np.repeat(keras.ops.convert_to_numpy(whole), 3, axis=-1) * 255)
    assert np.allclose(predict(seen, luminance), expected, atol=1e-5)


# Weights


@pytest.fixture(scope="module")
def encoder() -> keras.Model:
    """The smallest encoder that there are ImageNet weights for, with others."""
    model = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.25
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1, each.shape) for each in model.get_weights()])
    return model


def has_weights_of(model: keras.Model, encoder: keras.Model) -> bool:
    pairs = [
        (ours, theirs)
        for layer in encoder.layers
        if layer.weights
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        )
    ]
    assert len(pairs) == len(encoder.weights)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize("skip_connections", [False, True])
@pytest.mark.parametrize("name", ["encoder.weights.h5", "encoder.h5"])
def test_weights_of_a_file_reach_the_encoder(
    encoder: keras.Model, tmp_path: Path, name: str, skip_connections: bool
) -> None:
    # Keras 3's own format, and the one of the files that it publishes.
    (encoder.save_weights if name.endswith("weights.h5") else encoder.save)(tmp_path / name)
    model = build(
        "mobilenet", alpha=0.25, weights=str(tmp_path / name), skip_connections=skip_connections
    )
    assert has_weights_of(model, encoder)


@pytest.mark.parametrize("name", ["broken.weights.h5", "broken.h5", "broken.txt"])
def test_weights_that_do_not_fit_are_refused(encoder: keras.Model, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("no weights")
    said = rf"^MobileNet cannot load 'weights: .*/{name}' \([^\n]*\); name a weights file of [^\n]*\Z"
    with pytest.raises(DeepColorError, match=said):
        build("mobilenet", weights=str(path))
    encoder.save_weights(tmp_path / "narrow.weights.h5")
    with pytest.raises(DeepColorError, match=r"^MobileNet cannot load [^\n]* without top[^\n]*\Z"):
        build("mobilenet", weights=str(tmp_path / "narrow.weights.h5"))


@pytest.mark.parametrize("architecture", ["densenet", "denseunet", "koalarization", "mobilenet"])
def test_random_weights_are_not_frozen(architecture: str) -> None:
    with pytest.raises(DeepColorError, match="would freeze random weights"):
        build(architecture, weights="none", freeze_encoder=True)


def test_frozen_encoder_stays_as_it_is(encoder: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "encoder.weights.h5"
    encoder.save_weights(path)
    rng = np.random.default_rng(0)
    luminance, rgb = rng.random((4, 64, 64, 1), np.float32), rng.random((4, 64, 64, 3), np.float32)
    for frozen in (True, False):
        model = build(
            "mobilenet", alpha=0.25, weights=str(path), freeze_encoder=frozen, batch_norm_momentum=0.5
        )
        names = {variable.path.split("/")[0] for variable in model.trainable_variables}
        decoder = {*(f"decoder{number}_conv" for number in range(1, 6)), "rgb"}
        assert (names == decoder) == frozen
        # In training, too, batch normalization takes the moving averages, not the batch's.
        features = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
        training, inference = (
            keras.ops.convert_to_numpy(features(luminance, training=each)) for each in (True, False)
        )
        assert np.array_equal(training, inference) == frozen
        before = model.get_layer("decoder1_conv").get_weights()[0]
        model.compile("sgd", "mse", run_eagerly=True)  # Compiling would take longer than it saves.
        model.train_on_batch(luminance, rgb)
        assert not np.array_equal(model.get_layer("decoder1_conv").get_weights()[0], before)
        assert has_weights_of(model, encoder) == frozen


# ImageNet weights, from a server on the loopback device

NAME = "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture(scope="module")
def file(encoder: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as Keras's server has them."""
    path = tmp_path_factory.mktemp("published") / NAME
    encoder.save(path)
    return path


@pytest.fixture
def server(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub.Server]:
    """The server, with an empty cache on this side."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(pretrained.CHECKSUMS, f"mobilenet/{NAME}", checksum)
    (tmp_path / "served" / "mobilenet").mkdir(parents=True)
    (tmp_path / "served" / "mobilenet" / NAME).write_bytes(file.read_bytes())
    with hub.serving(hub.Server(tmp_path / "served", fake_coco.Mirror)) as server:
        monkeypatch.setattr(pretrained, "ORIGIN", server.url)
        yield server


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, and an empty cache."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(pretrained, "ORIGIN", "http://127.0.0.1:9")


def imagenet() -> keras.Model:
    return build("mobilenet", alpha=0.25, weights="imagenet")


def test_imagenet_weights_are_downloaded_once(
    server: hub.Server,
    encoder: keras.Model,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert has_weights_of(imagenet(), encoder)
    assert server.seen == [f"/mobilenet/{NAME}"]
    assert (tmp_path / "keras" / "models" / NAME).read_bytes() == file.read_bytes()
    monkeypatch.setattr(pretrained, "ORIGIN", "http://127.0.0.1:9")
    assert has_weights_of(imagenet(), encoder)


def test_altered_or_broken_downloads_are_refused(server: hub.Server, file: Path, tmp_path: Path) -> None:
    altered = bytearray(file.read_bytes())
    altered[len(altered) // 2] ^= 1
    (server.root / "mobilenet" / NAME).write_bytes(altered)
    cache = tmp_path / "keras" / "models"
    with pytest.raises(
        DeepColorError, match=r"^MobileNet [^\n]*there is no [^\n]*hash does not [^\n]*\Z"
    ):
        imagenet()
    assert not (cache / NAME).exists() and not list(cache.glob(".partial*"))
    (server.root / "mobilenet" / NAME).write_bytes(file.read_bytes())
    server.faults = {"short": {2}}
    with pytest.raises(DeepColorError, match=r"^MobileNet [^\n]*there is no [^\n]*retrieval incomplete"):
        imagenet()
    assert not (cache / NAME).exists() and not list(cache.glob(".partial*"))
    imagenet()


def test_checksums_may_be_md5(
    server: hub.Server, encoder: keras.Model, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"mobilenet/{NAME}"
    monkeypatch.setitem(pretrained.CHECKSUMS, name, hashlib.md5(file.read_bytes()).hexdigest())
    assert has_weights_of(imagenet(), encoder)
    monkeypatch.setitem(pretrained.CHECKSUMS, name, "0" * 32)
    with pytest.raises(DeepColorError, match="is not the published file.*with MD5 0{32} there"):
        imagenet()


def test_broken_file_in_the_cache_is_told_apart(
    server: hub.Server, encoder: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keras" / "models" / NAME
    path.parent.mkdir(parents=True)
    path.write_text("half a file")
    with monkeypatch.context() as patch:
        patch.setattr(pretrained, "ORIGIN", "http://127.0.0.1:9")
        said = rf"^MobileNet [^\n]*: {path} is not the published file, and it cannot be down[^\n]*\Z"
        with pytest.raises(DeepColorError, match=said):
            imagenet()
        assert path.read_text() == "half a file"
    assert has_weights_of(imagenet(), encoder)


@pytest.mark.parametrize(
    ("architecture", "options", "name"),
    [
        *(("mobilenet", {"alpha": alpha}, f"mobilenet_{text}_224_tf_no_top.h5")
          for alpha, text in IMAGENET.items()),
        ("densenet", {}, "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("denseunet", {}, "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("koalarization", {}, "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5"),
    ],
)  # fmt: skip
def test_without_network_a_line_says_what_to_put_where(
    offline: None, tmp_path: Path, architecture: str, options: dict[str, Any], name: str
) -> None:
    with pytest.raises(DeepColorError) as raised:
        build(architecture, 32, weights="imagenet", **options)
    said = str(raised.value)
    checksum = next(value for key, value in pretrained.CHECKSUMS.items() if key.endswith(f"/{name}"))
    assert "cannot load 'weights: imagenet'" in said and "\n" not in said
    assert f"there is no {tmp_path}/keras/models/{name}" in said
    assert f"put the file with {'SHA-256' if len(checksum) == 64 else 'MD5'} {checksum} there" in said


def test_other_widths_have_no_imagenet_weights() -> None:
    with pytest.raises(DeepColorError, match="no ImageNet weights for 'alpha: 0.3'"):
        build("mobilenet", alpha=0.3, weights="imagenet")


def test_files_are_those_of_keras() -> None:
    for key, checksum in pretrained.CHECKSUMS.items():
        folder, name = key.split("/")
        source = re.sub(r'"\s+"', "", Path(inspect.getfile(MODULES[folder])).read_text("utf-8"))
        assert f'"{pretrained.ORIGIN}/{folder}/' in source
        if folder == "mobilenet":
            assert '"mobilenet_%s_%d_tf_no_top.h5"' in source
            assert {f"mobilenet_{text}_224_tf_no_top.h5" for text in IMAGENET.values()} >= {name}
        else:
            assert f'{name}"' in source and f'"{checksum}"' in source


MODULES = {
    "densenet": tiny_encoders.DENSENET,
    "inception_resnet_v2": tiny_encoders.INCEPTION,
    "inception_v3": keras.applications.InceptionV3,
    "mobilenet": keras.applications.MobileNet,
}


def test_a_network_that_carries_code_is_not_loaded(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 1))
    path = tmp_path / "model.keras"
    keras.Model(image, layers.Lambda(lambda image: 2 * image)(image)).save(path)
    assert keras.saving.load_model(path, safe_mode=False)
    with pytest.raises(DeepColorError, match=r"model.keras cannot be loaded \(.*[Ll]ambda") as error:
        loading.load_network(path)
    assert "\n" not in str(error.value)
