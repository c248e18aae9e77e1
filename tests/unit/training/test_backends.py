"""Every backend of Keras: networks, losses, metrics and training, without TensorFlow where it is not it.

This file runs under the backend that is set. `test_jax` runs it again under JAX, with TensorFlow made
impossible to import; `make test-torch` runs it under PyTorch, in an environment that has no TensorFlow.
"""

import itertools
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.compute.distribution import Distribution
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.data import arrays
from deepcolor.evaluation import metrics
from deepcolor.imaging import color, lab
from deepcolor.models import heads
from deepcolor.models.unet import unet
from deepcolor.training import loop, reporting
from deepcolor.training.history import History
from deepcolor.training.reporting import Report
from deepcolor.training.trainer import Trainer, compile_trainer

BACKEND = keras.backend.backend()
SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.02, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "batch_size": 4, "gradient_accumulation_steps": 1, "ema_momentum": 0,
    "early_stopping": 0, "xla": False, "augmentation": [
        "flip", {"rotate": 15}, {"gray_mix": 0.1}, {"gamma": 0.1}, {"blur": 0.3}, {"grain": 0.01},
        {"jpeg": 80},
    ],
}  # fmt: skip


def pictures(count: int, seed: int) -> np.ndarray:
    """Pictures, `(count, 32, 32, 3)` uint8, whose color depends on their luminance."""
    luma = np.random.default_rng(seed).random((count, 4, 4, 1)).repeat(8, 1).repeat(8, 2)
    return (np.concatenate([luma, 0.8 * luma, 1 - luma], axis=-1) * 255).astype(np.uint8)


TRAINING, VALIDATION = pictures(10, 0), pictures(6, 1)


def make(**settings: Any) -> tuple[Trainer, dict[str, Any]]:
    keras.utils.set_random_seed(1)
    settings = {**SETTINGS, **settings}
    network = unet(
        32, filters=[4, 8], target=settings.pop("target", "rgb"), batch_norm_momentum=0.5, dropout=0.2
    )
    return compile_trainer(network, settings, epochs=6, steps=3), settings


def fit(
    model: Trainer,
    settings: dict[str, Any],
    backup: Path,
    epochs: int,
    report: Callable[[str], None] = lambda line: None,
) -> History:
    return loop.train(
        lambda _: (model, range(epochs)),
        loop.Data(
            lambda which: arrays.training_batches(TRAINING, 4, seed=3, epochs=which),
            (VALIDATION, VALIDATION),
            images={"training": len(TRAINING), "validation": len(VALIDATION)},
            steps=arrays.steps(TRAINING, 4),
        ),
        settings,
        loop.Plan(epochs, seed=3, backup=backup),
        Distribution(),
        Report(report),
    )


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow is the backend")
def test_tensorflow_is_not_there() -> None:
    assert "tensorflow" not in sys.modules
    with pytest.raises(ImportError):
        __import__("tensorflow")


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(name, marks=[] if name in ("unet", "mobilenet") else [pytest.mark.slow])
        for name in sorted(ARCHITECTURES)
    ],
)
def test_networks_predict(architecture: str) -> None:
    options: dict[str, Any] = {} if architecture == "unet" else {"weights": "none"}
    if architecture == "koalarization":
        options["freeze_encoder"] = False
    if architecture not in ("unet", "mobilenet") and BACKEND != "tensorflow":
        pytest.skip("takes a minute to compile, and has no kind of layer that the others lack")
    network = pkgutil.resolve_name(ARCHITECTURES[architecture])(32, target="lab", **options)
    luminance = keras.ops.convert_to_numpy(color.to_luminance(VALIDATION[:2]))
    rgb = heads.with_rgb_output(network).predict_on_batch(luminance)
    assert rgb.shape == (2, 32, 32, 3)
    assert np.isfinite(rgb).all() and rgb.min() >= 0 and rgb.max() <= 1


@pytest.mark.parametrize("target", ["rgb", "lab"])
def test_networks_learn(target: str, tmp_path: Path) -> None:
    model, settings = make(target=target, loss="huber", ema_momentum=0.5)
    history = fit(model, settings, tmp_path / "b", 12)
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    luminance = keras.ops.convert_to_numpy(color.to_luminance(VALIDATION))
    predicted = lab.to_8bit(heads.with_rgb_output(model.layers[-1]).predict_on_batch(luminance))
    scores = metrics.per_image(VALIDATION, predicted)
    assert scores["mse"].mean() == pytest.approx(history[-1]["val_mse"], rel=0.02)
    assert scores["psnr"].mean() == pytest.approx(history[-1]["val_psnr"], rel=0.02)
    assert 0 < history[-1]["val_brightness"] < 2 and history[-1]["val_structure"] > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"target": "lab", "schedule": "cosine", "warmup_epochs": 1, "ema_momentum": 0.9},
        {"gradient_accumulation_steps": 2, "early_stopping": 3},
    ],
    ids=["lab-cosine-ema", "accumulation-stopping"],
)
def test_resuming_is_exact(settings: dict[str, Any], tmp_path: Path) -> None:
    if BACKEND == "tensorflow":
        pytest.skip("test_training.py has this for every setting")

    def without_times(history: History) -> list[dict[str, float]]:
        return [{k: v for k, v in row.items() if "second" not in k} for row in history]

    whole, complete = make(**settings)
    history = fit(whole, complete, tmp_path / "whole", 4)
    fit(make(**settings)[0], complete, tmp_path / "parts", 2)
    model, _ = make(**settings)
    assert without_times(fit(model, complete, tmp_path / "parts", 4)) == without_times(history)
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_long_epochs_report_their_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leaps = itertools.count(step=50)
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: next(leaps)))
    model, settings = make()
    lines: list[str] = []
    fit(model, settings, tmp_path / "b", 2, lines.append)
    pattern = re.compile(r"Epoch \d/2(?: - step \d/3)?")
    said = [match[0] for line in lines if (match := pattern.match(line))]
    assert said.count("Epoch 1/2") == said.count("Epoch 2/2") == 1
    # Threads of Keras decide which steps are reported before the last one is done.
    steps = set(said) - {"Epoch 1/2", "Epoch 2/2"}
    assert steps and steps <= {f"Epoch {n}/2 - step {s}/3" for n in (1, 2) for s in (1, 2)}


def test_saved_network_predicts_the_same_elsewhere(tmp_path: Path) -> None:
    where = os.environ.get("DEEPCOLOR_SAVED")
    luminance = keras.ops.convert_to_numpy(color.to_luminance(VALIDATION))
    if where:  # Saved under TensorFlow by the test that runs this file under another backend.
        network = keras.saving.load_model(Path(where) / "model.keras", compile=False)
        expected = np.load(Path(where) / "prediction.npy")
        ours = keras.ops.convert_to_numpy(network(luminance, training=False))
        assert np.abs(ours - expected).max() < 1e-4
    else:
        save(tmp_path)
        network = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        ours = keras.ops.convert_to_numpy(network(luminance, training=False))
        assert np.array_equal(ours, np.load(tmp_path / "prediction.npy"))


def save(folder: Path) -> None:
    """Save a network with chroma inside, and what it predicts."""
    network = heads.with_rgb_output(unet(32, filters=[4, 8], target="lab"))
    network.save(folder / "model.keras")
    luminance = keras.ops.convert_to_numpy(color.to_luminance(VALIDATION))
    predicted = keras.ops.convert_to_numpy(network(luminance, training=False))
    np.save(folder / "prediction.npy", predicted)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="this is what it runs")
@pytest.mark.slow
def test_jax(tmp_path: Path) -> None:
    """The whole file again under JAX, where TensorFlow cannot be imported."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('TensorFlow is not to be used here')\n")
    save(tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", __file__],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "DEEPCOLOR_SAVED": str(tmp_path),
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(lab.__file__).parent.parent}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
