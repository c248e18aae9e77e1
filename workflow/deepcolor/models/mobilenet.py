"""MobileNet, as in the published report: MobileNet as encoder, five upsampling blocks, no skips."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.models.encoder import check_filters, grayscale_encoder, upsampling_block


def mobilenet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    alpha: float = 1.0,
    filters: Sequence[int] = (512, 256, 128, 64, 32),
) -> keras.Model:
    """Build the MobileNet; 9,516,035 parameters with alpha 1.

    Decoder blocks are UpSampling2D, Conv2D 3x3, ReLU; a sixth convolution with a sigmoid follows.
    There is no batch normalization outside of the encoder. Source: the published report.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 32.
        batch_norm_momentum: Momentum of the moving averages of batch normalization in the encoder,
            in [0, 1).
        weights: Of the encoder: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether the encoder's weights stay as they are during training.
        alpha: Width of the encoder; ImageNet weights exist for 0.25, 0.5, 0.75 and 1.
        filters: Filters of the five decoder blocks, from the coarsest to the finest.

    Returns:
        A model from `(batch, image_size, image_size, 1)` to `(batch, image_size, image_size, 3)`,
        both floats in [0, 1].

    Raises:
        DeepColorError: The weights cannot be had or do not fit, or there are more or fewer filters.
    """
    check_filters("MobileNet", filters, 5)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    x = grayscale_encoder(
        luminance,
        keras.applications.MobileNet,
        scale=2.0,  # keras.applications.mobilenet.preprocess_input, mode "tf": to [-1, 1].
        offset=-1.0,
        weights=weights,
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
        alpha=alpha,
    )
    for number, count in enumerate(filters, start=1):
        x = upsampling_block(x, count, "relu", name=f"decoder{number}")
    rgb = layers.Conv2D(3, 3, padding="same", activation="sigmoid", dtype="float32", name="rgb")(x)
    return keras.Model(luminance, rgb, name="mobilenet")
