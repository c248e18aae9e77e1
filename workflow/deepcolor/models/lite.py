"""Lite: a light pre-trained encoder, the context of the whole picture, and a small decoder."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.config.bundled import BUNDLED_WEIGHTS
from deepcolor.errors import DeepColorError, first_line
from deepcolor.models.decoder import check_filters
from deepcolor.models.efficientnet_lite import SKIPS, efficientnet_lite0
from deepcolor.models.heads import CLASS_STEP, head
from deepcolor.models.named_weights import load_weights

TARGETS = ("lab", "classes")  # What it can predict.


def lite(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "classes",
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    filters: Sequence[int] = (128, 96, 64),
    dropout: float = 0.2,
) -> keras.Model:
    """Build the network; 1,140,146 parameters (1,129,746 with target "lab").

    The encoder is EfficientNet-Lite0 up to 1/16 of the side. There two convolutions see what is near,
    and their mean over the picture, repeated at every place, what the whole shows. Two decoder blocks
    double the features, put the encoder's of that size next to them, and end with a 3x3 convolution.
    Chroma is predicted at a quarter of the side. Source: ours.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 16.
        batch_norm_momentum: Momentum of the moving averages of batch normalization in the encoder,
            in [0, 1).
        target: What is predicted: "classes" or "lab", see `deepcolor.models.heads`.
        weights: Of the encoder: "imagenet", which comes with a package, "none", or the path of a weights
            file. "bundled": of the whole network, those of the one that comes with DeepColor; with
            target "lab" all but the last layer's.
        freeze_encoder: Whether the encoder stays as it is during training.
        filters: Filters of the convolutions at 1/16, 1/8 and 1/4 of the side.
        dropout: Rate of the dropout between encoder and decoder, in [0, 1).

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to the target.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, there are more or fewer filters, or
            there is no such target.
    """
    check_filters("Lite", filters, 3)
    name, channels, activation = head(target, TARGETS)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    start = str(BUNDLED_WEIGHTS) if weights == "bundled" else weights
    encoder = efficientnet_lite0(luminance, start, freeze_encoder, batch_norm_momentum)
    coarse, *skips = (encoder.get_layer(skip).output for skip in SKIPS[:3])
    x = layers.Dropout(dropout, name="context_dropout")(coarse)
    x = _convolution(x, filters[0], 1, "context_reduction")
    x = _convolution(x, filters[0], 3, "context_conv")
    whole = layers.GlobalAveragePooling2D(keepdims=True, name="context_mean")(x)
    whole = _convolution(whole, filters[0], 1, "context_whole")
    whole = layers.UpSampling2D(x.shape[1:3], name="context_repetition")(whole)
    x = layers.Concatenate(name="context")([x, whole])
    x = _convolution(x, filters[0], 1, "context_fusion")
    for number, (count, skip) in enumerate(zip(filters[1:], skips, strict=True), start=1):
        block = f"decoder{number}"
        x = _convolution(x, count, 1, f"{block}_reduction")
        x = layers.UpSampling2D(interpolation="bilinear", name=f"{block}_upsampling")(x)
        skip = _convolution(skip, count // 2, 1, f"{block}_skip_reduction")
        x = layers.Concatenate(name=f"{block}_skip")([x, skip])
        x = _convolution(x, count, 3, f"{block}_conv")
    if weights == "bundled":
        _load_decoder(keras.Model(luminance, x), encoder)
    options = {"activation": activation, "dtype": "float32"}
    if target == "classes":
        last = layers.Conv2D(channels, 1, name=name, **options)
        x = last(x)
        if weights == "bundled":
            load_weights(BUNDLED_WEIGHTS, [last])
        return keras.Model(luminance, x, name="lite")
    x = layers.Conv2D(channels, 1, name=f"{name}_conv", **options)(x)
    x = layers.UpSampling2D(CLASS_STEP, interpolation="bilinear", dtype="float32", name=name)(x)
    return keras.Model(luminance, x, name="lite")


def _load_decoder(network: keras.Model, encoder: keras.Model) -> None:
    """Give the layers after the encoder the weights of the bundled network.

    Raises:
        DeepColorError: They do not fit.
    """
    own = [layer for layer in network.layers if layer not in encoder.layers]
    try:
        load_weights(BUNDLED_WEIGHTS, own)
    except ValueError as error:
        raise DeepColorError(
            f"Lite cannot load 'weights: bundled' ({first_line(error)}); leave 'filters' as they are"
        ) from error


def _convolution(x: keras.KerasTensor, filters: int, size: int, name: str) -> keras.KerasTensor:
    """Return a convolution with ReLU."""
    return layers.Conv2D(filters, size, padding="same", activation="relu", name=name)(x)
