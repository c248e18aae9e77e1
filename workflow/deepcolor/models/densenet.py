"""DenseNet, as in the published report: DenseNet121 as encoder, five upsampling blocks, no skips."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.models.decoder import check_filters, upsampled
from deepcolor.models.encoder import grayscale_encoder
from deepcolor.models.heads import head

# DenseNet121's ImageNet weights expect these means and deviations of red, green and blue
# (keras.applications.densenet.preprocess_input, mode "torch").
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

TARGETS = ("rgb", "lab")  # What it can predict.


def densenet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "rgb",
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    filters: Sequence[int] = (256, 128, 64, 32),
) -> keras.Model:
    """Build the DenseNet; 9,787,139 parameters (9,786,850 with target "lab").

    Decoder blocks are UpSampling2D, Conv2D 3x3, ReLU, batch normalization; the last one has the
    target's channels and activation (a sigmoid for RGB) and no normalization. Source: the published
    report, which gives no filter counts: those are ours.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 32.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, encoder
            included, in [0, 1).
        target: What is predicted: "rgb" or "lab", see `deepcolor.models.heads`.
        weights: Of the encoder: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether the encoder stays as it is during training.
        filters: Filters of the four decoder blocks before the last, from the coarsest to the finest.

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to RGB or chroma.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, there are more or fewer filters, or
            there is no such target.
    """
    check_filters("DenseNet", filters, 4)
    name, channels, activation = head(target, TARGETS)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    x = densenet121(luminance, weights, freeze_encoder, batch_norm_momentum).output
    for number, count in enumerate(filters, start=1):
        block = f"decoder{number}"
        x = upsampled(x, name=block)
        x = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"{block}_conv")(x)
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{block}_norm")(x)
    x = upsampled(x, name="decoder5")
    x = layers.Conv2D(channels, 3, padding="same", activation=activation, dtype="float32", name=name)(x)
    return keras.Model(luminance, x, name="densenet")


def densenet121(
    luminance: keras.KerasTensor, weights: str, freeze_encoder: bool, batch_norm_momentum: float
) -> keras.Model:
    """DenseNet121 without its top as encoder of a luminance, see `grayscale_encoder`."""
    return grayscale_encoder(
        luminance,
        keras.applications.DenseNet121,
        scale=[1 / deviation for deviation in DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
        weights=weights,
        imagenet="densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
        include_top=False,
    )
