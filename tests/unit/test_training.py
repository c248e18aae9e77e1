"""Training: a run that stops and goes on is the run that never stopped."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import PROJECT
from deepcolor import fetching, metrics, shard_index, shards, training
from deepcolor.errors import DeepColorError
from deepcolor.manifest import read_manifest
from deepcolor.models.unet import unet
from deepcolor.photograph import Request
from deepcolor.sources.photographs import photographs
from deepcolor.state import load_state, save_state
from safetensors.numpy import load_file

TIMES = {"seconds", "images_per_second"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data")
    fetching.fetch(
        "photographs", photographs(Request(0, 19, path)), {"training": 14, "validation": 5}, path
    )
    manifest = read_manifest(path / "manifest.csv")
    facts = {}
    for split in ("training", "validation"):
        rows = manifest[manifest["split"] == split]
        facts[split] = [path / f"{split}.json"]
        shards.write_shard(
            path / f"{split}.tfrecord",
            facts[split][0],
            rows,
            data_set="d",
            size=32,
            manifest=Path("m.csv"),
        )
    shard_index.write_index(path / "index.json", facts, data_set="d", size=32)
    return path / "index.json"


def command(index: Path, run: Path, epochs: int, *more: str) -> list[str]:
    """The command line of train_model, for a U-Net with dropout and augmentation."""
    return [
        sys.executable, str(PROJECT / "workflow" / "train_model.py"), "--run", run.name,
        "--architecture", "deepcolor.models.unet:unet", "--options", '{"filters": [4, 8, 8]}',
        "--image-size", "32", "--batch-norm-momentum", "0.9", "--indexes", str(index),
        "--epochs", str(epochs), "--optimizer", "adam", "--learning-rate", "0.01", "--loss", "mse",
        "--batch-size", "4", "--augmentation", "flip", "rotate", "--seed", "5", "--threads", "2",
        "--model", str(run / "model.keras"), "--history", str(run / "history.csv"),
        "--record", str(run / "training.json"), "--state", str(run / "state.safetensors"), *more,
    ]  # fmt: skip


def train(index: Path, run: Path, epochs: int, *more: str) -> str:
    """Train in a process of its own; give what it says."""
    result = subprocess.run(
        command(index, run, epochs, *more), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def fingerprint(run: Path) -> tuple[dict[str, str], list[dict[str, float]]]:
    """A checksum of every array of the state (weights, optimizer), and the history without times."""
    arrays = {
        name: hashlib.sha256(array.tobytes()).hexdigest()
        for name, array in load_file(run / "state.safetensors").items()
    }
    history = pd.read_csv(run / "history.csv", float_precision="round_trip")
    return arrays, history.drop(columns=sorted(TIMES)).to_dict("records")


@pytest.fixture(scope="module")
def straight(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("straight") / "unet_6"
    train(index, run, 6)
    return run


def test_going_on_from_a_shorter_run_is_exact(index: Path, straight: Path, tmp_path: Path) -> None:
    train(index, tmp_path / "unet_2", 2)
    said = train(index, tmp_path / "unet_6", 6, "--start", str(tmp_path / "unet_2/state.safetensors"))
    assert "goes on after epoch 2" in said and "epoch 3/6" in said and "epoch 2/6" not in said
    ours, theirs = fingerprint(tmp_path / "unet_6"), fingerprint(straight)
    assert len(ours[0]) > 30 and ours == theirs
    record = json.loads((tmp_path / "unet_6" / "training.json").read_text())
    assert record["continued_from"] == "unet_2"


def test_killed_training_goes_on_after_its_last_epoch(
    index: Path, straight: Path, tmp_path: Path
) -> None:
    run = tmp_path / "unet_6"
    process = subprocess.Popen(command(index, run, 6), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if "epoch 3/6" in line:
            os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [path.name for path in run.iterdir() if not path.name.startswith((".", "backup-"))] == []
    said = train(index, run, 6)
    assert "epoch 6/6" in said and "epoch 3/6" not in said
    assert fingerprint(run) == fingerprint(straight)
    assert not list(run.glob("backup-*"))


def test_backup_of_other_settings_is_not_taken_up(index: Path, tmp_path: Path) -> None:
    run = tmp_path / "unet_2"
    process = subprocess.Popen(command(index, run, 6), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if "epoch 1/6" in line:
            process.kill()
    process.wait()
    assert "goes on" not in train(index, run, 1, "--learning-rate", "0.02")


def test_record_and_history(straight: Path) -> None:
    record = json.loads((straight / "training.json").read_text())
    assert record["settings"]["seed"] == 5
    assert record["images"] == {"training": 14, "validation": 5}
    assert record["versions"]["keras"] == keras.__version__
    assert record["device"] in ("CPU", "GPU")
    assert record["images_per_second"] > 0 and record["peak_memory_bytes"] > 2**27
    network = keras.saving.load_model(straight / "model.keras", compile=False)
    assert record["parameters"] == network.count_params()
    history = pd.read_csv(straight / "history.csv")
    assert list(history.columns) == training.COLUMNS
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]


def trainer(learning_rate: float = 0.001) -> keras.Model:
    network = unet(32, filters=[4, 8])
    return training.trainer(
        network, image_size=32, optimizer="adam", learning_rate=learning_rate, loss="mse"
    )


def test_loss_that_is_no_number_stops_training(tmp_path: Path) -> None:
    model = trainer()
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    images = np.zeros((4, 32, 32, 3), np.uint8)
    with pytest.raises(DeepColorError, match="the loss of epoch 1 is nan; lower 'learning_rate'"):
        training.train(
            model,
            lambda epochs: tf.data.Dataset.from_tensors((images, images)),
            (images, images),
            epochs=1,
            steps=1,
            images=4,
            seed=0,
            backup=tmp_path / "b.safetensors",
        )


def test_state_of_another_network_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "a.safetensors", trainer(), [])
    other = training.trainer(
        unet(32, filters=[4, 16]), image_size=32, optimizer="adam", learning_rate=0.1, loss="mse"
    )
    with pytest.raises(DeepColorError, match="a.safetensors is not a training state of this network"):
        load_state(tmp_path / "a.safetensors", other)


def test_metrics_of_training_are_those_of_the_definition() -> None:
    model = trainer()
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    measured = model.evaluate(images, images, batch_size=4, verbose=0, return_dict=True)
    rgb = model.predict(images, verbose=0)
    squares = ((images / 255 - rgb) ** 2).mean(axis=(1, 2, 3))
    assert measured["loss"] == pytest.approx(squares.mean(), rel=1e-5)
    assert measured["psnr"] == pytest.approx(metrics.decibels(squares).mean(), rel=1e-5)
    right = (images.argmax(-1) == rgb.argmax(-1)).mean()
    assert measured["accuracy"] == pytest.approx(right, rel=1e-4)
