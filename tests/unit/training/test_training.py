"""Training: a run that is interrupted and resumed equals one that never stopped, for all settings."""

import hashlib
import itertools
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from deepcolor.compute.distribution import Distribution
from deepcolor.data import arrays, shard_index, shard_writer, shards
from deepcolor.data.manifest import read_manifest
from deepcolor.data.sources.base import Request
from deepcolor.data.sources.embedded import photographs
from deepcolor.errors import DeepColorError, is_out_of_memory
from deepcolor.evaluation import metrics
from deepcolor.imaging import color, lab
from deepcolor.models import heads as target_spaces
from deepcolor.models.unet import unet
from deepcolor.training import callbacks, loop, session, trial
from deepcolor.training.checkpoint import load_state, save_state
from deepcolor.training.collapse import MEASURES, collapsed_epochs
from deepcolor.training.history import COLUMNS, History, best_epoch
from deepcolor.training.reporting import Report
from deepcolor.training.settings import Settings, build_network, decided
from deepcolor.training.trainer import Trainer, compile_trainer
from safetensors.numpy import load_file
from support.range_helpers import fetch

TIMES = {"seconds", "images_per_second", "val_images_per_second"}
SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "batch_size": 4, "gradient_accumulation_steps": 1, "batch_norm_momentum": 0.9,
    "sampling": {}, "augmentation": [], "ema_momentum": 0, "early_stopping": 0, "precision": "float32",
    "xla": False,
    "class_rebalancing": 0, "freeze_epochs": 0, "unfreeze_from": None, "unfrozen_learning_rate": None,
    "tf32": False, "deterministic": True, "tensorboard": False,
}  # fmt: skip
# Every augmentation, of which some are drawn for the photographs and some for what the network sees.
AUGMENTATION = [
    "flip", {"rotate": 15}, {"gray_mix": 0.5}, {"gamma": 0.2}, {"fading": 0.2}, {"blur": 0.5},
    {"grain": 0.02}, {"jpeg": 50},
]  # fmt: skip
# All settings at once with which a run can resume from a shorter one.
MUCH = {"augmentation": AUGMENTATION, "ema_momentum": 0.9, "gradient_accumulation_steps": 3}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of shards with 14 training and 5 validation crops of 32×32."""
    path = tmp_path_factory.mktemp("data")
    fetch("photographs", photographs(Request(0, 19, path)), {"training": 14, "validation": 5}, path)
    manifest = read_manifest(path / "manifest.csv")
    facts = {}
    for split in ("training", "validation"):
        rows = manifest[manifest["split"] == split]
        facts[split] = [path / f"{split}.json"]
        shard_writer.write_shard(
            shard_writer.ShardFiles(path / f"{split}.tfrecord", facts[split][0]),
            rows,
            data_set="d",
            size=32,
            manifest=Path("m.csv"),
        )
    shard_index.write_index(path / "index.json", facts, data_set="d", size=32)
    return path / "index.json"


@pytest.fixture(scope="module")
def pictures(index: Path) -> tuple[np.ndarray, np.ndarray]:
    """The training and the validation crops."""
    opened = shards.Shards([index])
    training_set, validation_set = (
        np.concatenate([batch.numpy() for batch in opened.evaluation_batches(split, 4)])
        for split in ("training", "validation")
    )
    return training_set, validation_set


def command(index: Path, run: Path, epochs: int, *more: str, **settings: Any) -> list[str]:
    """The command line of train_model, for a U-Net with dropout."""
    return [
        sys.executable, str(PROJECT / "workflow/scripts/train_model.py"), "--run", run.name,
        "--model-name", "unet", "--architecture", "deepcolor.models.unet:unet",
        "--options", '{"filters": [4, 8, 8], "target": "lab"}',
        "--training", json.dumps({**SETTINGS, "xla": "auto", **settings}),
        "--image-size", "32", "--train-on", "d", "--indexes", str(index),
        "--epochs", str(epochs), "--seed", "5", "--threads", "2",
        "--model", str(run / "model.keras"), "--history", str(run / "history.csv"),
        "--record", str(run / "training.json"), "--state", str(run / "state.safetensors"), *more,
    ]  # fmt: skip


def train(index: Path, run: Path, epochs: int, *more: str, **settings: Any) -> str:
    """Train in a process of its own; give what it says."""
    result = subprocess.run(
        command(index, run, epochs, *more, **settings), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in history]


def fingerprint(run: Path) -> tuple[dict[str, str], list[dict[str, float]]]:
    """A checksum of every array of the state (weights, optimizer), and the history without times."""
    arrays = {
        name: hashlib.sha256(array.tobytes()).hexdigest()
        for name, array in load_file(run / "state.safetensors").items()
    }
    history = pd.read_csv(run / "history.csv")
    return arrays, without_times(history.to_dict("records"))


@pytest.fixture(scope="module")
def straight(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("straight") / "unet_6"
    train(index, run, 6, **MUCH)
    return run


def test_resuming_from_a_shorter_run_is_exact(index: Path, straight: Path, tmp_path: Path) -> None:
    train(index, tmp_path / "unet_2", 2, **MUCH)
    start = ("--start", str(tmp_path / "unet_2/state.safetensors"))
    said = train(index, tmp_path / "unet_6", 6, *start, **MUCH)
    assert "resuming after epoch 2" in said and "Epoch 3/6" in said and "Epoch 2/6" not in said
    ours, theirs = fingerprint(tmp_path / "unet_6"), fingerprint(straight)
    assert len(ours[0]) > 30 and ours == theirs
    record = json.loads((tmp_path / "unet_6" / "training.json").read_text())
    assert record["continued_from"] == "unet_2"


@pytest.mark.slow
def test_backup_of_other_settings_is_not_resumed(index: Path, tmp_path: Path) -> None:
    run = tmp_path / "unet_2"
    process = subprocess.Popen(command(index, run, 6), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if "Epoch 1/6" in line:
            process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(run.glob("backup-*"))
    assert "resuming" not in train(index, run, 6, learning_rate=0.02)
    assert not list(run.glob("*backup-*"))


def test_record_and_history(straight: Path) -> None:
    record = json.loads((straight / "training.json").read_text())
    assert (record["run"], record["model"], record["seed"]) == ("unet_6", "unet", 5)
    assert record["settings"]["training"]["ema_momentum"] == 0.9
    # What "auto" came to.
    assert record["settings"]["training"]["xla"] == (record["device"] == "GPU")
    assert record["images"] == {"training": 14, "validation": 5}
    assert (record["steps_per_epoch"], record["effective_batch_size"]) == (4, 12)
    assert record["versions"]["keras"] == keras.__version__
    assert record["device"] in ("CPU", "GPU")
    assert record["images_per_second"] > 0 and record["inference_images_per_second"] > 0
    assert record["peak_memory_bytes"] > 2**27
    assert record["model_bytes"] == (straight / "model.keras").stat().st_size
    network = keras.saving.load_model(straight / "model.keras", compile=False)
    assert record["parameters"] == network.count_params() > record["trainable_parameters"]
    assert record["multiply_adds"] > record["parameters"]
    history = pd.read_csv(straight / "history.csv")
    assert list(history.columns) == COLUMNS
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert record["outputs"] == {name: history[f"val_{name}"].iloc[-1] for name in MEASURES}
    assert (record["stopped_after"], record["best_epoch"]) == (6, None)


def test_saved_network_has_the_averaged_weights_and_the_scores_of_the_history(
    straight: Path, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    network = keras.saving.load_model(straight / "model.keras", compile=False)
    assert network.output_shape == (None, 32, 32, 3)
    rgb = network.predict_on_batch(keras.ops.convert_to_numpy(color.to_luminance(pictures[1])))
    assert rgb.min() >= 0 and rgb.max() <= 1
    squares = ((pictures[1] / 255 - rgb) ** 2).mean(axis=(1, 2, 3))
    history = pd.read_csv(straight / "history.csv")
    assert squares.mean() == pytest.approx(history["val_mse"].iloc[-1], rel=1e-5)
    assert metrics.psnr_of_mse(squares).mean() == pytest.approx(history["val_psnr"].iloc[-1], rel=1e-5)
    raw = load_file(straight / "state.safetensors")
    saved = network.get_layer("encoder1_conv").kernel
    assert not any(np.array_equal(saved, array) for name, array in raw.items() if "average" not in name)


def make(target: str = "rgb", **settings: Any) -> tuple[Trainer, dict[str, Any]]:
    """A small U-Net with dropout, ready for six epochs of four steps."""
    keras.utils.set_random_seed(1)
    network = unet(32, filters=[4, 8], target=target, batch_norm_momentum=0.5)
    settings = {**SETTINGS, **settings}
    return compile_trainer(network, settings, epochs=6, steps=4), settings


def fit(
    model: Trainer,
    settings: Mapping[str, Any],
    pictures: tuple[np.ndarray, np.ndarray],
    backup: Path,
    epochs: int,
    report: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> History:
    """Train on arrays; `options` are those of `loop.Plan`."""
    return loop.train(
        lambda _: (model, range(epochs)),
        loop.Data(
            lambda which: arrays.training_batches(pictures[0], 4, seed=3, epochs=which),
            (pictures[1], pictures[1]),
            images={"training": len(pictures[0]), "validation": len(pictures[1])},
            steps=4,
        ),
        settings,
        loop.Plan(epochs, seed=3, backup=backup, **options),
        Distribution(),
        Report(report),
    )


@pytest.fixture
def policy() -> Iterator[None]:
    """The policy is set back after a test that sets another."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "cosine", "warmup_epochs": 1, "ema_momentum": 0.9, "target": "lab"},
        *(
            pytest.param(settings, marks=pytest.mark.slow)
            for settings in (
                {"target": "lab", "loss": "huber", "optimizer": "adamw"},
                {"early_stopping": 3, "ema_momentum": 0.5},
                {"optimizer": "sgd", "loss": "mae", "gradient_accumulation_steps": 3},
                {"optimizer": "rmsprop", "ema_momentum": 0.9},
                {"precision": "bfloat16", "target": "lab", "augmentation": AUGMENTATION},
                {"precision": "float16", "gradient_accumulation_steps": 2, "ema_momentum": 0.9},
                {"xla": True, "augmentation": AUGMENTATION},
            )
        ),
    ],
    ids=lambda settings: "-".join(f"{value}" for value in settings.values()),
)
def test_resuming_is_exact_for_every_setting(
    settings: dict[str, Any],
    pictures: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    policy: None,
) -> None:
    precision = settings.get("precision", "float32")
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    whole, complete = make(**settings)
    history = fit(whole, complete, pictures, tmp_path / "whole.safetensors", 6)
    first, _ = make(**settings)
    with pytest.raises(KeyboardInterrupt):
        fit(first, complete, pictures, tmp_path / "parts.safetensors", 6, report=_interrupt_after(2))
    second, _ = make(**settings)
    again = fit(second, complete, pictures, tmp_path / "parts.safetensors", 6)
    assert without_times(again) == without_times(history)
    for ours, theirs in zip(second.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    ours, theirs = (load_file(tmp_path / f"{name}.safetensors") for name in ("parts", "whole"))
    assert {name: array.tobytes() for name, array in ours.items()} == {
        name: array.tobytes() for name, array in theirs.items()
    }


def _interrupt_after(epoch: int) -> Any:
    def report(line: str) -> None:
        if line.startswith(f"Epoch {epoch}/"):
            raise KeyboardInterrupt

    return report


def test_finished_training_that_was_not_written_down_gives_the_same_network(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    model, complete = make(ema_momentum=0.9)
    fit(model, complete, pictures, tmp_path / "b.safetensors", 3)
    again, _ = make(ema_momentum=0.9)
    fit(again, complete, pictures, tmp_path / "b.safetensors", 3)
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_early_stopping_keeps_the_best_epoch(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    said: list[str] = []
    # A rate that is much too high: the first epochs are not improved on for long.
    model, settings = make(early_stopping=2, learning_rate=3.0)
    history = fit(model, settings, pictures, tmp_path / "b.safetensors", 40, report=said.append)
    best = best_epoch(history)
    assert len(history) == best + 2 < 40
    assert history[best - 1]["val_loss"] == min(row["val_loss"] for row in history)
    assert said[-1] == f"early stopping: no improvement for 2 epochs; restored epoch {best}"
    scores = model.evaluate(pictures[1], pictures[1], verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(history[best - 1]["val_loss"], rel=1e-5)
    again, _ = make(early_stopping=2, learning_rate=3.0)
    assert fit(again, settings, pictures, tmp_path / "b.safetensors", 40) == history
    assert np.array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("accumulation", [1, 3])
def test_cosine_schedule_rises_and_falls(
    accumulation: int, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    model, settings = make(
        schedule="cosine",
        warmup_epochs=2,
        learning_rate=0.01,
        gradient_accumulation_steps=accumulation,
    )
    rates = [row["learning_rate"] for row in fit(model, settings, pictures, tmp_path / "b", 6)]
    expected = [0.005, 0.01, *(0.005 * (1 + math.cos(math.pi * n / 4)) for n in (1, 2, 3, 4))]
    assert rates == pytest.approx(expected, abs=1e-6)


def plain_network() -> keras.Model:
    """A network without batch normalization and dropout."""
    luminance = keras.Input((32, 32, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="a")(luminance)
    rgb = keras.layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="rgb")(x)
    return keras.Model(luminance, rgb)


def test_accumulated_batches_are_one_large_batch(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    weights, start = [], plain_network().get_weights()
    for batch, accumulation in ((12, 1), (4, 3)):
        network = plain_network()
        network.set_weights(start)
        model = compile_trainer(
            network, {**SETTINGS, "batch_size": batch, "gradient_accumulation_steps": accumulation}
        )
        for first in [*range(0, 12, batch)] * 5:
            model.train_on_batch(pictures[0][first : first + batch])
        weights.append(model.get_weights())
        assert not np.allclose(weights[-1][0], start[0], atol=1e-3)
    for ours, theirs in zip(*weights, strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_computes_in_16_bits_and_saves_32(
    precision: str, pictures: tuple[np.ndarray, np.ndarray], policy: None
) -> None:
    keras.config.set_dtype_policy(f"mixed_{precision}")
    model, _ = make("lab")
    network = model.layers[-1]
    assert network.get_layer("encoder1_conv").compute_dtype == precision
    assert network.get_layer("chroma").compute_dtype == "float32"
    model.train_on_batch(pictures[0][:4])
    saved = target_spaces.with_rgb_output(target_spaces.in_float32(network))
    computing = [layer for layer in saved.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert {layer.compute_dtype for layer in computing} == {"float32"}
    luminance = keras.ops.convert_to_numpy(color.to_luminance(pictures[1]))
    ours = saved.predict_on_batch(luminance)
    theirs = target_spaces.with_rgb_output(network).predict_on_batch(luminance)
    assert ours.dtype == theirs.dtype == np.float32
    assert np.abs(ours - theirs).max() < 0.05 and not np.array_equal(ours, theirs)


@pytest.mark.slow
def test_tensorboard_gets_every_epoch_once(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model, settings = make()
    for epochs in (2, 4):
        fit(model, settings, pictures, tmp_path / "b", epochs, tensorboard=tmp_path / "logs")
    for part, measured in (("train", False), ("validation", True)):
        events = EventAccumulator(str(tmp_path / "logs" / part))
        events.Reload()
        assert [each.step for each in events.Tensors("epoch_psnr")] == [0, 1, 2, 3]
        assert ("epoch_chroma" in events.Tags()["tensors"]) == measured
    # Another training that starts from a shorter one does not add to what is there.
    again, _ = make()
    files: dict[str, Any] = {"start": tmp_path / "b", "tensorboard": tmp_path / "logs"}
    fit(again, settings, pictures, tmp_path / "c", 5, **files)
    events = EventAccumulator(str(tmp_path / "logs" / "validation"))
    events.Reload()
    assert [each.step for each in events.Tensors("epoch_psnr")] == [4]


def test_loss_that_is_no_number_stops_training(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    model, settings = make()
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    with pytest.raises(DeepColorError, match="the loss of epoch 1 is nan; lower 'learning_rate'"):
        fit(model, settings, pictures, tmp_path / "b", 1)
    assert not list(tmp_path.iterdir())


def test_loss_that_explodes_stops_training(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    luminance = keras.Input((32, 32, 1))
    rgb = keras.layers.Conv2D(3, 3, padding="same", name="rgb")(luminance)
    settings = {**SETTINGS, "optimizer": "sgd", "learning_rate": 5.0}
    model = compile_trainer(keras.Model(luminance, rgb), settings)
    with pytest.raises(
        DeepColorError, match=r"the loss of epoch \d has exploded to .*; lower 'learning"
    ):
        fit(model, settings, pictures, tmp_path / "b", 9)


def test_collapse_is_recorded_and_said_once(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    model, settings = make(learning_rate=1e-9)
    network = model.layers[-1]
    network.get_layer("rgb").kernel.assign(np.zeros(network.get_layer("rgb").kernel.shape))
    network.get_layer("rgb").bias.assign([-9.0, -9.0, -9.0])
    said: list[str] = []
    history = fit(model, settings, pictures, tmp_path / "b", 3, report=said.append)
    assert collapsed_epochs(history) == [{"epoch": n, "collapse": "black"} for n in (1, 2, 3)]
    warnings = [line for line in said if line.startswith("warning")]
    assert len(warnings) == 1 and "after epoch 1 the pictures are black (brightness 0.00" in warnings[0]


def test_average_is_taken_over_updates_not_over_batches() -> None:
    model, _ = make(ema_momentum=0.9, gradient_accumulation_steps=4)
    assert model.optimizer.ema_momentum**4 == pytest.approx(0.9)


def test_best_epoch_survives_a_kill_between_two_files(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"early_stopping": 9}
    model, settings = make(**options)
    fit(model, settings, pictures, tmp_path / "whole", 1)  # One epoch is the best of one.
    monkeypatch.setattr(callbacks, "save_best", lambda *arguments: None)
    fit(make(**options)[0], settings, pictures, tmp_path / "parts", 1)
    assert not (tmp_path / "best-parts").exists()
    monkeypatch.undo()
    again, _ = make(**options)
    fit(again, settings, pictures, tmp_path / "parts", 1)
    assert (tmp_path / "best-parts").exists()
    assert np.array_equal(again.get_weights()[0], model.get_weights()[0])


def test_accumulation_that_never_ends_is_refused(
    pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    model, settings = make(gradient_accumulation_steps=9)
    with pytest.raises(DeepColorError, match="the training has 8 batches: no weight would ever change"):
        fit(model, settings, pictures, tmp_path / "b", 2)


def test_state_of_another_network_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "a.safetensors", make()[0], [])
    other = compile_trainer(unet(32, filters=[4, 16]), SETTINGS)
    with pytest.raises(DeepColorError, match="a.safetensors is not a training state of this network"):
        load_state(tmp_path / "a.safetensors", other)


def test_an_altered_state_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_state(file, make()[0], [])
    content = file.read_bytes()
    file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(DeepColorError, match="a.safetensors is not as it was written"):
        load_state(file, make()[0])


def test_state_of_another_precision_is_refused(tmp_path: Path, policy: None) -> None:
    save_state(tmp_path / "a.safetensors", make()[0], [])
    keras.config.set_dtype_policy("mixed_bfloat16")
    with pytest.raises(DeepColorError, match="was trained in float32, and .* in bfloat16; set 'prec"):
        load_state(tmp_path / "a.safetensors", make()[0])


def test_automatic_precision_is_recorded_and_never_resumed_in_another(index: Path, policy: None) -> None:
    training = {**SETTINGS, "precision": "auto"}
    settings = Settings("deepcolor.models.unet:unet", {"filters": [4, 8]}, 32, training)
    names: dict[str, str] = {}
    for precision in ("float32", "bfloat16", "float32"):
        keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
        network = build_network(settings)
        chosen = decided(settings, network, Distribution())
        assert chosen.training["precision"] == precision
        run = session.Run("unet_6", "unet", chosen, ["d"], [index], epochs=6, seed=0)
        name = session._identity(run, Distribution(), network, shards.Shards([index]))
        assert names.setdefault(precision, name) == name
    assert len(set(names.values())) == 2


@pytest.mark.parametrize("target", ["rgb", "lab"])
def test_metrics_of_training_are_those_of_the_definition(
    target: str, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    model, _ = make(target)
    images = pictures[0][:5]
    measured = model.evaluate(images, images, batch_size=2, verbose=0, return_dict=True)
    predicted = model.predict(images, verbose=0)["prediction"]
    rgb = target_spaces.with_rgb_output(model.layers[-1]).predict(
        keras.ops.convert_to_numpy(color.to_luminance(images)), verbose=0
    )
    squares = ((images / 255 - rgb) ** 2).mean(axis=(1, 2, 3))
    assert measured["mse"] == pytest.approx(squares.mean(), rel=1e-4)
    assert measured["psnr"] == pytest.approx(metrics.psnr_of_mse(squares).mean(), rel=1e-4)
    right = (images.argmax(-1) == rgb.argmax(-1)).mean()
    assert measured["accuracy"] == pytest.approx(right, rel=1e-3)
    if target == "rgb":
        assert measured["loss"] == pytest.approx(measured["mse"], rel=1e-5)
    else:
        from skimage.color import rgb2lab

        chroma = rgb2lab(images)[..., 1:] / 127
        assert measured["loss"] == pytest.approx(((chroma - predicted) ** 2).mean(), rel=1e-3)


def test_lab_target_keeps_the_luminance_of_the_input(
    pictures: tuple[np.ndarray, np.ndarray],
) -> None:
    from skimage.color import rgb2lab

    model, _ = make("lab")
    network = target_spaces.with_rgb_output(model.layers[-1])
    luminance = keras.ops.convert_to_numpy(color.to_luminance(pictures[1]))
    rgb = network.predict_on_batch(luminance)
    gray = lab.grayscale(pictures[1]) / 255
    inside = ((rgb > 0.001) & (rgb < 0.999)).all(axis=-1)
    difference = np.abs(rgb2lab(rgb)[..., 0] - rgb2lab(gray)[..., 0])[inside]
    assert inside.mean() > 0.5 and difference.max() < 0.3  # Gray is rounded to 8 bits.


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("ResourceExhaustedError: /logs/events.v2; No space left on device"),
        FileNotFoundError("/photographs/ROOMS/1.jpg"),
    ],
)
def test_other_errors_are_not_taken_for_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("failed to allocate: CUDA_ERROR_OUT_OF_MEMORY"),
    ],
)
def test_batch_that_does_not_fit_is_said_with_a_remedy(
    error: Exception,
    pictures: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, settings = make(batch_size=383, gradient_accumulation_steps=2)

    def fails(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(model, "fit", fails)
    with pytest.raises(DeepColorError) as caught:
        fit(model, settings, pictures, tmp_path / "b", 1)
    assert str(caught.value) == (
        "a batch of 383 images does not fit the memory; under 'training' in config.yaml set "
        "'batch_size: 192' and 'gradient_accumulation_steps: 4', which still learns from 768 images at "
        "a time"
    )


def test_trial_measures_a_network_that_can_be_trained() -> None:
    settings = Settings("deepcolor.models.unet:unet", {"filters": [4, 8]}, 32, SETTINGS)
    findings = trial.try_model("unet", settings, Distribution(), time.perf_counter())
    assert (findings["name"], findings["problem"], findings["batch_size"]) == ("unet", None, 4)
    assert findings["parameters"] == unet(32, filters=[4, 8]).count_params()
    assert findings["images_per_second"] > 0 and findings["startup_seconds"] > 0
    assert 2**27 < findings["memory"] < findings["device_memory"]


def test_trial_times_steps_and_not_what_is_around_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # On this clock a step takes a second, and nothing else any time.
    clock = SimpleNamespace(perf_counter=itertools.count(100.0).__next__)
    monkeypatch.setattr(trial, "time", clock)
    settings = Settings("deepcolor.models.unet:unet", {"filters": [4, 8]}, 32, SETTINGS)
    findings = trial.try_model("unet", settings, Distribution(), 90.0)
    assert findings["images_per_second"] == SETTINGS["batch_size"]
    assert findings["startup_seconds"] == 11


def half_as_large(size: int, batch_norm_momentum: float) -> keras.Model:
    """Build a network whose output is smaller than its input."""
    luminance = keras.Input((size, size, 1))
    return keras.Model(luminance, keras.layers.Conv2D(3, 1, strides=2)(luminance))


def test_trial_names_a_network_of_another_shape() -> None:
    settings = Settings(f"{__name__}:half_as_large", {}, 32, SETTINGS)
    problem = trial.try_model("half", settings, Distribution(), time.perf_counter())["problem"]
    assert problem.endswith(
        "it should map (None, 32, 32, 1) to one of (None, 32, 32, 3) (rgb), (None, 32, 32, 2) (lab), "
        "(None, 8, 8, 162) (classes)"
    )
