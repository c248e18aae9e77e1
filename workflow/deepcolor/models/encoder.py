"""Encoders from `keras.applications`, fed with a grayscale picture."""

import warnings
from collections.abc import Callable, Sequence

import keras
from keras import layers

from deepcolor.errors import DeepColorError, first_line


def grayscale_encoder(
    luminance: keras.KerasTensor,
    application: Callable[..., keras.Model],
    *,
    scale: float | list[float],
    offset: float | list[float],
    weights: str,
    freeze_encoder: bool,
    batch_norm_momentum: float,
    **options: object,
) -> keras.KerasTensor:
    """Run a network of `keras.applications` without its top on a luminance.

    The luminance is repeated to three channels and mapped to `x * scale + offset`, the range that
    the network's ImageNet weights were trained on. Its layers keep their names in the model.

    Args:
        luminance: `(batch, height, width, 1)`, float in [0, 1].
        application: A function such as `keras.applications.MobileNet`.
        scale: Factor, for all channels or for red, green and blue.
        offset: Summand, likewise.
        weights: "imagenet" (downloaded by Keras), "none" (random), or the path of a weights file.
        freeze_encoder: Whether the encoder's weights stay as they are during training.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, in [0, 1).
        options: Further arguments of `application`.

    Returns:
        The encoder's features, `(batch, height / 32, width / 32, channels)`.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, or random weights would be frozen.
    """
    if freeze_encoder and weights == "none":
        raise DeepColorError(
            "freeze_encoder with 'weights: none' would freeze random weights; "
            "set 'weights: imagenet' or a file, or 'freeze_encoder: false'"
        )
    rgb = layers.Concatenate(name="luminance_rgb")([luminance] * 3)
    x = layers.Rescaling(scale, offset, name="encoder_rescaling")(rgb)
    try:
        with warnings.catch_warnings():  # Of weights trained at 224 pixels and used at others.
            warnings.simplefilter("ignore", UserWarning)
            encoder = application(
                include_top=False,
                weights=None if weights == "none" else weights,
                input_tensor=x,
                **options,
            )
    except Exception as error:  # Keras raises many kinds for a failed download or a misfit.
        if weights == "none":
            raise
        name = application.__name__
        remedy = (
            "connect once to the network, or name a weights file or 'none' in config.yaml"
            if weights == "imagenet"
            else f"name a weights file of keras.applications.{name} without top"
        )
        raise DeepColorError(
            f"{name} cannot load 'weights: {weights}' ({first_line(error)}); {remedy}"
        ) from error
    for layer in encoder.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
    if freeze_encoder:
        for layer in encoder.layers:
            layer.trainable = False
    return encoder.output


def check_filters(architecture: str, filters: Sequence[int], count: int) -> None:
    """Make sure that a decoder doubles the features as often as the encoder has halved the picture.

    Raises:
        DeepColorError: There are more or fewer filters than `count`.
    """
    if len(filters) != count:
        raise DeepColorError(
            f"{architecture}: 'filters' needs {count} numbers, one for each decoder block, "
            f"not {len(filters)}"
        )


def upsampling_block(
    x: keras.KerasTensor, filters: int, activation: str, *, name: str, **convolution: object
) -> keras.KerasTensor:
    """Double the height and width of `x` (nearest neighbor), then convolve 3x3 and activate."""
    x = layers.UpSampling2D(name=f"{name}_upsampling")(x)
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv", **convolution)(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x)
