"""The network that comes with DeepColor: its files, and that it works with onnxruntime alone."""

import hashlib
import subprocess
import sys
from importlib import resources
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import PROJECT
from deepcolor.colorize.network import open_exported
from deepcolor.colorize.onnx_process import Session
from deepcolor.config.bundled import BUNDLED, BUNDLED_NETWORK, BUNDLED_WEIGHTS
from deepcolor.data.quality import SIDE, perceptual_hash
from deepcolor.data.sources.embedded import PHOTOGRAPHS
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import metrics
from deepcolor.export.formats import luminances
from deepcolor.imaging import lab
from deepcolor.imaging.decoding import read_square
from deepcolor.models import heads
from deepcolor.models.lite import lite
from deepcolor.models.named_weights import load_weights, save_weights
from keras import layers
from PIL import Image

NEAR_DUPLICATES = 6  # Bits of 64, as data sets have it.
WHOLE = [Path(str(resources.files(each.package).joinpath(each.file))) for each in PHOTOGRAPHS]


def bits(hashes: np.ndarray) -> np.ndarray:
    return np.unpackbits(hashes[:, None].view(np.uint8), axis=1).sum(axis=1)


def test_its_files_are_those_of_one_bundle() -> None:
    lines = (BUNDLED / "SHA256SUMS").read_text("ascii").splitlines()
    names = [line.split("  ")[1] for line in lines]
    assert {*names} == {"deepcolor.onnx", "deepcolor.safetensors", "MODEL_CARD.md", "photographs.npy"}
    sums = [hashlib.sha256((BUNDLED / name).read_bytes()).hexdigest() for name in names]
    assert lines == [f"{digest}  {name}" for digest, name in zip(sums, names, strict=True)]
    assert BUNDLED_NETWORK.stat().st_size <= 8e6 and BUNDLED_WEIGHTS.stat().st_size <= 6e6


def test_trainings_begin_with_what_colorizes() -> None:
    exported = Session(BUNDLED_NETWORK, 1)
    size = exported.shapes[0][1]
    luminance = luminances(size)
    begun = heads.with_rgb_output(lite(size, weights="bundled"))
    predicted = keras.ops.convert_to_numpy(begun(luminance, training=False))
    # With a prior, shares of classes would count, which a training takes from its own images.
    expected = exported.predict(luminance, temperature=1.0, prior=0.0)
    assert np.abs(predicted - expected).mean() < 1 / 255
    assert np.ptp(lab.to_lab(lab.to_8bit(expected))[:, 1:]) > 10  # There are colors to compare.


def test_the_embedded_photographs_are_new_to_it() -> None:
    known = np.load(BUNDLED / "photographs.npy")
    assert known.dtype == np.uint64 and len(known) > 20_000 and np.all(np.diff(known) > 0)
    for path in WHOLE:
        own = np.uint64(perceptual_hash(read_square(path, SIDE)[0]))
        assert bits(known ^ own).min() > NEAR_DUPLICATES, path


def test_it_colors_the_embedded_photographs_better_than_one_color_does() -> None:
    network = open_exported(BUNDLED_NETWORK, 1)
    photographs = np.stack([read_square(path, network.size)[0] for path in WHOLE])
    truth = lab.to_lab(photographs)
    predicted = lab.to_lab(lab.to_8bit(network.predict(lab.luminance(photographs))))
    one = truth.mean(axis=(0, 2, 3), keepdims=True) + 0 * truth

    def error(chroma: np.ndarray) -> float:
        kept = np.concatenate([truth[:, :1], chroma[:, 1:]], axis=1)
        return float(
            np.mean([metrics.ciede2000(*pair).mean() for pair in zip(truth, kept, strict=True)])
        )

    assert error(predicted) < error(one)


def test_nothing_but_onnxruntime_is_loaded(tmp_path: Path) -> None:
    Image.open(WHOLE[1]).convert("L").save(tmp_path / "cat.png")
    program = (
        "import sys; from deepcolor.cli import main; main.main();"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", program, "colorize", "cat.png", "--output", "out"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT / "workflow")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1]
    assert (tmp_path / "out" / "cat.png").exists()
    for name in ("keras", "tensorflow", "torch", "jax", "pandas", "snakemake", "yaml"):
        assert f"'{name}'" not in loaded


# Weights by name.


def small(filters: int = 3) -> keras.Model:
    picture = keras.Input((8, 8, 1))
    x = layers.Conv2D(filters, 3, name="conv")(picture)
    x = layers.BatchNormalization(name="bn")(x)
    return keras.Model(picture, layers.Dropout(0.5, name="dropout")(x))


def test_weights_come_back_rounded(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    first, second = small(), small()
    first.get_layer("bn").moving_variance.assign([1e-7, 1.0, 1e6])  # Beyond what float16 has.
    save_weights(tmp_path / "it.safetensors", first.layers)
    load_weights(tmp_path / "it.safetensors", second.layers)
    for ours, theirs in zip(first.weights, second.weights, strict=True):
        ours, theirs = map(keras.ops.convert_to_numpy, (ours, theirs))
        exact = ours.astype(np.float16) if ours.ndim > 1 else ours
        np.testing.assert_array_equal(theirs, exact.astype(np.float32))


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    file = tmp_path / "it.safetensors"
    save_weights(file, small().layers)
    other = small(4)
    before = [keras.ops.convert_to_numpy(weight) for weight in other.weights]
    with pytest.raises(ValueError, match=r"its conv/kernel is \(3, 3, 1, 3\), not \(3, 3, 1, 4\)"):
        load_weights(file, other.layers)
    for weight, kept in zip(other.weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), kept)
    unknown = layers.Conv2D(1, 1, name="conv9")
    unknown.build((1, 8, 8, 1))
    with pytest.raises(ValueError, match="it has no conv9/bias"):
        load_weights(file, [unknown])
    file.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="is broken"):
        load_weights(file, small().layers)


def test_other_filters_than_the_bundled_networks() -> None:
    with pytest.raises(DeepColorError, match="leave 'filters' as they are"):
        lite(32, weights="bundled", filters=[8, 8, 8])


def test_all_but_the_last_layer_begins_a_network_of_chroma() -> None:
    chroma, classes = lite(32, target="lab", weights="bundled"), lite(32, weights="bundled")
    shared = [each.name for each in chroma.layers if each.weights and each.name != "chroma_conv"]
    assert len(shared) > 50
    for name in shared:
        for one, other in zip(
            *(each.get_layer(name).weights for each in (chroma, classes)), strict=True
        ):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (one, other)))
