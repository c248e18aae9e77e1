"""When XLA compiles the steps of a training, and that it does."""

import os
import subprocess
import sys

import keras
import pytest
from conftest import PROJECT
from deepcolor.compute import xla
from deepcolor.models.mobilenet import mobilenet
from deepcolor.models.unet import unet
from keras import layers

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends have no choice"
)


def pooled(*, trainable: bool, nested: bool = False) -> keras.Model:
    """Return a network with max pooling, in a network inside it or not."""
    picture = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, padding="same")(picture)
    inner = keras.Input((8, 8, 2))
    pool = layers.MaxPooling2D(trainable=trainable)
    x = keras.Model(inner, pool(inner))(x) if nested else pool(x)
    return keras.Model(picture, layers.UpSampling2D()(x))


def decision(network: keras.Model, setting: bool | str = "auto", **circumstances: int) -> bool:
    """Return whether steps are compiled on one device with deterministic operations."""
    given = {"devices": 1, "deterministic": True, **circumstances}
    return xla.compiles_steps(
        setting, network, devices=given["devices"], deterministic=bool(given["deterministic"])
    )


@pytest.mark.parametrize("gpus", [0, 1])
def test_auto_compiles_on_a_gpu_alone(gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xla, "usable_gpus", lambda: gpus)
    for network in (unet(32, filters=(4, 8)), mobilenet(32, weights="none", alpha=0.25)):
        assert decision(network) == bool(gpus)
        assert decision(network, True) and not decision(network, False)


def test_auto_leaves_out_what_tensorflow_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xla, "usable_gpus", lambda: 2)
    # A model for several devices is not compiled.
    assert not decision(unet(32, filters=(4, 8)), devices=2)
    # Max pooling has no deterministic gradient; frozen layers take none.
    for nested in (False, True):
        assert not decision(pooled(trainable=True, nested=nested))
        assert decision(pooled(trainable=True, nested=nested), deterministic=False)
    assert decision(pooled(trainable=False))


# Trains a network with an operation that XLA cannot compile: without it, and with it.
PROGRAM = """
from deepcolor.compute import backend
backend.prepare_keras(1, accelerator="cpu", deterministic=True)
import keras, numpy as np, tensorflow as tf
from deepcolor.training.trainer import compile_trainer

class InPython(keras.layers.Layer):
    def call(self, x):
        same = tf.numpy_function(lambda x: x, [x], x.dtype)
        return x + tf.stop_gradient(tf.ensure_shape(same, x.shape))

keras.utils.set_random_seed(0)
luminance = keras.Input((8, 8, 1))
network = keras.Model(luminance, InPython()(keras.layers.Conv2D(3, 1)(luminance)))
settings = {
    "optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "loss": "mse",
    "gradient_accumulation_steps": 1, "ema_momentum": 0, "augmentation": [],
}
for xla in (False, True):
    compile_trainer(network, {**settings, "xla": xla}).fit(np.zeros((2, 8, 8, 3), np.uint8), verbose=0)
    print("trained", xla, flush=True)
"""


def test_deterministic_steps_are_compiled() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "trained False\n", result.stderr
    assert result.returncode and "PyFunc" in result.stderr
