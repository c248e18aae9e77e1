"""Small networks in the place of large ones of keras.applications, which take seconds to build."""

from typing import Any

import keras
from keras import layers

DENSENET, INCEPTION = keras.applications.DenseNet121, keras.applications.InceptionResNetV2
# The layers of DenseNet121 that ours build on, with their channels and the part of the side they have.
DENSENET_LAYERS = {
    "conv1_relu": (64, 2), "pool2_relu": (256, 4), "pool3_relu": (512, 8), "pool4_relu": (1024, 16),
    "relu": (1024, 32),
}  # fmt: skip


def small_densenet(
    *, include_top: bool, weights: str | None, input_tensor: keras.KerasTensor
) -> keras.Model:
    """A network with the layers of DenseNet121 that ours name, and one convolution before each."""
    assert not include_top
    x = input_tensor
    for name, (channels, _) in DENSENET_LAYERS.items():
        stem = name.removesuffix("relu")
        x = layers.Conv2D(channels, 1, strides=2, use_bias=False, name=f"{stem}conv")(x)
        x = layers.BatchNormalization(name=f"{stem}bn")(x)
        x = layers.ReLU(name=name)(x)
    return _finished(input_tensor, x, weights)


def small_classifier(
    *,
    include_top: bool,
    weights: str | None,
    input_tensor: keras.KerasTensor,
    classifier_activation: str | None,
) -> keras.Model:
    """A network with the output of Inception-ResNet-v2."""
    assert include_top
    x = layers.Conv2D(4, 3, strides=8, name="classifier_conv")(input_tensor)
    x = layers.BatchNormalization(name="classifier_norm")(x)
    x = layers.GlobalAveragePooling2D(name="classifier_pool")(x)
    x = layers.Dense(1000, activation=classifier_activation, name="predictions")(x)
    return _finished(input_tensor, x, weights)


def _finished(luminance: keras.KerasTensor, x: keras.KerasTensor, weights: str | None) -> keras.Model:
    model = keras.Model(keras.utils.get_source_inputs(luminance), x)
    if weights:
        model.load_weights(weights)
    return model


# Errors name the network by its function.
small_densenet.__name__, small_classifier.__name__ = DENSENET.__name__, INCEPTION.__name__


def use_small(patch: Any) -> None:
    """Put them in place with a monkeypatch."""
    patch.setattr(keras.applications, "DenseNet121", small_densenet)
    patch.setattr(keras.applications, "InceptionResNetV2", small_classifier)
