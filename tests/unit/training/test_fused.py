"""Fused operations of TensorFlow: what Keras's own layers and optimizers compute is the oracle."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from deepcolor.models.unet import unet
from deepcolor.training import fused
from deepcolor.training.trainer import compile_trainer
from keras import layers

SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "augmentation": [], "gradient_accumulation_steps": 1, "ema_momentum": 0, "xla": False,
}  # fmt: skip


@pytest.fixture
def policy() -> Iterator[None]:
    """The policy is set back after a test that sets another."""
    yield
    keras.config.set_dtype_policy("float32")


def normalization(**options: Any) -> keras.Model:
    """A network of nothing but batch normalization, with weights that are not the initial ones."""
    picture = keras.Input((6, 5, 3))
    layer = layers.BatchNormalization(momentum=0.8, epsilon=0.01, name="norm", **options)
    network = keras.Model(picture, layer(picture))
    random = np.random.default_rng(1)
    network.set_weights([random.uniform(0.5, 2, weight.shape) for weight in network.get_weights()])
    return network


def is_fused(network: keras.Model) -> bool:
    return "call" in vars(network.get_layer("norm"))


def step(network: keras.Model, x: np.ndarray, jit: bool = False) -> dict[str, np.ndarray]:
    """What a training step sees and leaves behind: output, gradients, moving averages."""

    @tf.function(jit_compile=jit)
    def run(x: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = network(x, training=True)
            loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
        watched = [x, *(weight.value for weight in network.trainable_weights)]
        return outputs, tape.gradient(loss, watched)

    outputs, gradients = run(tf.constant(x))
    values = {"outputs": outputs, **{f"gradient {i}": value for i, value in enumerate(gradients)}}
    values |= {weight.path: weight.value for weight in network.weights}
    return {name: np.asarray(tf.cast(value, "float32")) for name, value in values.items()}


@pytest.mark.parametrize("jit", [False, pytest.param(True, id="xla")])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize(
    "options", [{}, {"scale": False}, {"center": False}, {"axis": 3}], ids=lambda given: str(given)
)
def test_batch_normalization_is_keras_own(options: dict[str, Any], batch: int, jit: bool) -> None:
    ours, theirs = normalization(**options), normalization(**options)
    fused.fuse_batch_normalization(ours)
    assert is_fused(ours)
    x = np.random.default_rng(0).normal(3, 2, (batch, 6, 5, 3)).astype(np.float32)
    expected = step(theirs, x)
    for name, value in step(ours, x, jit).items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-5, atol=2e-5, err_msg=name)
    # Validation, and what is saved, do not differ by a bit.
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(x, training=False), theirs(x, training=False))


def test_frozen_batch_normalization_keeps_its_averages() -> None:
    ours, theirs = normalization(), normalization()
    fused.fuse_batch_normalization(ours)
    for network in (ours, theirs):
        network.get_layer("norm").trainable = False
    x = np.random.default_rng(0).normal(3, 2, (4, 6, 5, 3)).astype(np.float32)
    expected = step(theirs, x)
    for name, value in step(ours, x).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_statistics_stay_in_float32(precision: str, policy: None) -> None:
    keras.config.set_dtype_policy(f"mixed_{precision}")
    ours, theirs = normalization(), normalization()
    fused.fuse_batch_normalization(ours)
    # Values of 16 bits, whose sum over a channel a 16-bit float could not hold.
    x = np.random.default_rng(0).normal(200, 9, (40, 6, 5, 3))
    x = np.asarray(tf.cast(tf.cast(x, precision), "float32"))
    expected = step(theirs, x)
    for name, value in step(ours, x).items():
        # Averages in 32 bits; outputs and gradients are rounded to 8 bits of mantissa or more.
        tolerance = 1e-5 if "moving" in name else 2e-2
        np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("options", [{"axis": 1}, {"renorm": True}], ids=str)
def test_other_batch_normalization_is_left_alone(options: dict[str, Any]) -> None:
    network = normalization(**options)
    fused.fuse_batch_normalization(network)
    assert not is_fused(network)


def test_nested_networks_are_fused() -> None:
    inner = normalization()
    picture = keras.Input((6, 5, 3))
    fused.fuse_batch_normalization(keras.Model(picture, inner(picture)))
    assert is_fused(inner)


def test_saved_network_is_plain_keras(tmp_path: Path) -> None:
    network = unet(32, filters=[4, 8])
    plain = network.to_json()
    compile_trainer(network, SETTINGS).train_on_batch(np.full((4, 32, 32, 3), 99, np.uint8))
    assert network.to_json() == plain
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert type(loaded.get_layer("encoder1_norm")) is layers.BatchNormalization
    x = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    np.testing.assert_array_equal(loaded(x, training=False), network(x, training=False))


@pytest.mark.parametrize("ours, theirs", [(fused.Adam, "Adam"), (fused.AdamW, "AdamW")])
@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}, {"use_ema": True}], ids=str)
def test_optimizer_is_keras_own(ours: Any, theirs: str, options: dict[str, Any]) -> None:

    def updated(kind: Any) -> dict[str, np.ndarray]:
        variable = keras.Variable(np.linspace(-1, 1, 12).reshape(3, 4), dtype="float32", name="kernel")
        optimizer = kind(rate, beta_1=0.8, beta_2=0.95, epsilon=1e-3, name="optimizer", **options)
        optimizer.build([variable])
        apply = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
        for gradient in np.random.default_rng(0).normal(size=(6, 3, 4)).astype(np.float32):
            apply(tf.constant(gradient))
        return {each.path: np.asarray(each) for each in [variable, *optimizer.variables]}

    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    expected = updated(getattr(keras.optimizers, theirs))
    values = updated(ours)
    assert values.keys() == expected.keys()
    for name, value in values.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
