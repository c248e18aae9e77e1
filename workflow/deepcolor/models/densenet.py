"""DenseNet, as in the published report: DenseNet121 as encoder, five upsampling blocks, no skips."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.models.encoder import check_filters, grayscale_encoder, upsampling_block

# DenseNet121's ImageNet weights expect these means and deviations of red, green and blue
# (keras.applications.densenet.preprocess_input, mode "torch").
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


def densenet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    filters: Sequence[int] = (256, 128, 64, 32),
) -> keras.Model:
    """Build the DenseNet; 9,787,139 parameters.

    Decoder blocks are UpSampling2D, Conv2D 3x3, ReLU, batch normalization; the last one has three
    filters, a sigmoid and no normalization. Source: the published report, which gives no filter
    counts: those are ours.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 32.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, encoder
            included, in [0, 1).
        weights: Of the encoder: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether the encoder's weights stay as they are during training.
        filters: Filters of the four decoder blocks before the last, from the coarsest to the finest.

    Returns:
        A model from `(batch, image_size, image_size, 1)` to `(batch, image_size, image_size, 3)`,
        both floats in [0, 1].

    Raises:
        DeepColorError: The weights cannot be had or do not fit, or there are more or fewer filters.
    """
    check_filters("DenseNet", filters, 4)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    x = grayscale_encoder(
        luminance,
        keras.applications.DenseNet121,
        scale=[1 / deviation for deviation in DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
        weights=weights,
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
    )
    for number, count in enumerate(filters, start=1):
        x = upsampling_block(x, count, "relu", name=f"decoder{number}")
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"decoder{number}_norm")(x)
    rgb = upsampling_block(x, 3, "sigmoid", name="rgb", dtype="float32")
    return keras.Model(luminance, rgb, name="densenet")
