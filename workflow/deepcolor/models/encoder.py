"""Encoders of color pictures, from `keras.applications` or like those, fed with a grayscale picture."""

import warnings
from collections.abc import Callable

import keras
from keras import layers

from deepcolor.errors import DeepColorError, first_line
from deepcolor.models.pretrained import imagenet_file


def grayscale_encoder(
    luminance: keras.KerasTensor,
    application: Callable[..., keras.Model],
    *,
    scale: float | list[float],
    offset: float | list[float],
    weights: str,
    imagenet: str,
    freeze_encoder: bool,
    batch_norm_momentum: float,
    **options: object,
) -> keras.Model:
    """Run a network of `keras.applications`, or one like those, on a luminance.

    The luminance is repeated to three channels and mapped to `x * scale + offset`, the range that
    the network's ImageNet weights were trained on. Its layers keep their names.

    Args:
        luminance: `(batch, height, width, 1)`, float in [0, 1].
        application: A function such as `keras.applications.MobileNet`.
        scale: Factor, for all channels or for red, green and blue.
        offset: Summand, likewise.
        weights: "imagenet" (downloaded once), "none" (random), or the path of a weights file.
        imagenet: The file that "imagenet" stands for, see `deepcolor.models.pretrained`.
        freeze_encoder: Whether the encoder stays as it is during training: its weights, and the
            moving averages of its batch normalization, which it uses in place of the batch's own.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, in [0, 1).
        options: Further arguments of `application`, such as `include_top`.

    Returns:
        A model from what the luminance comes from to the encoder's output. The outputs of its layers
        are the features at every scale.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, or random weights would be frozen.
    """
    name = application.__name__
    if freeze_encoder and weights == "none":
        raise DeepColorError(
            "freeze_encoder with 'weights: none' would freeze random weights; "
            "set 'weights: imagenet' or a file, or 'freeze_encoder: false'"
        )
    rgb = layers.Concatenate(name="luminance_rgb")([luminance] * 3)
    x = layers.Rescaling(scale, offset, name="encoder_rescaling")(rgb)
    try:
        file = None if weights == "none" else weights
        if weights == "imagenet":
            file = str(imagenet_file(imagenet))
        with warnings.catch_warnings():  # Of weights trained at 224 pixels and used at others.
            warnings.simplefilter("ignore", UserWarning)
            encoder = application(weights=file, input_tensor=x, **options)
    except DeepColorError as error:
        raise DeepColorError(f"{name} cannot load 'weights: {weights}': {error}") from error
    except Exception as error:  # Keras raises many kinds for a misfit.
        if weights == "none":
            raise
        network = f"keras.applications.{name}" if hasattr(keras.applications, name) else name
        top = "with its" if options.get("include_top") else "without"
        raise DeepColorError(
            f"{name} cannot load 'weights: {weights}' ({first_line(error)}); name a weights file of "
            f"{network} {top} top, called *.weights.h5 if Keras 3 wrote it, otherwise *.h5"
        ) from error
    for layer in encoder.layers:
        layer.in_encoder = True  # For `encoder_layers`.
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
    if freeze_encoder:
        for layer in encoder.layers:
            layer.trainable = False
    return encoder


def encoder_layers(network: keras.Model) -> list[keras.Layer]:
    """Return the layers of a network's pre-trained encoder, in order; none of a loaded network."""
    return [layer for layer in network.layers if getattr(layer, "in_encoder", False)]
