"""DenseU-Net, which the published report proposes: DenseNet's encoder with U-Net's skip connections."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.models.decoder import check_filters, upsampled
from deepcolor.models.densenet import densenet121
from deepcolor.models.heads import head

# The last layers of DenseNet121 at 1/16, 1/8, 1/4 and 1/2 of the picture's side, normalized and
# rectified: what the next transition sees.
SKIPS = ("pool4_relu", "pool3_relu", "pool2_relu", "conv1_relu")

TARGETS = ("rgb", "lab", "classes")  # What it can predict.


def denseunet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "rgb",
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    skip_connections: bool = True,
    filters: Sequence[int] = (256, 128, 64, 32, 16),
    dropout: float = 0.0,
) -> keras.Model:
    """Build the DenseU-Net; 12,906,051 parameters (lab: 12,905,906, classes: 12,957,282).

    The encoder is DenseNet121. Each of five decoder blocks doubles the picture and puts the encoder's
    features of that size beside it, the last one the luminance itself; Conv2D 3x3, batch
    normalization, dropout and ReLU follow. The output is a 3x3 convolution with the target's
    activation. The report names the combination alone: the rest is ours, U-Net's order in a block,
    and filters and, by default, no dropout like the DenseNet's, so that the skip connections are what
    differs from it most.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 32.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, encoder
            included, in [0, 1).
        target: What is predicted: "rgb", "lab" or "classes", see `deepcolor.models.heads`.
        weights: Of the encoder: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether the encoder stays as it is during training.
        skip_connections: Whether decoder blocks see the encoder's features of their size.
        filters: Filters of the five decoder blocks, from the coarsest to the finest; with target
            "classes" the last two have no effect.
        dropout: Rate of the dropout in every decoder block, in [0, 1).

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to the target.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, there are more or fewer filters, or
            there is no such target.
    """
    check_filters("DenseU-Net", filters, 5)
    name, channels, activation = head(target, TARGETS)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    encoder = densenet121(luminance, weights, freeze_encoder, batch_norm_momentum)
    skips = [*(encoder.get_layer(skip).output for skip in SKIPS), luminance]
    x = encoder.output
    blocks = list(zip(filters, skips, strict=True))[: 3 if target == "classes" else 5]
    for number, (count, skip) in enumerate(blocks, start=1):
        block = f"decoder{number}"
        x = upsampled(x, name=block, skip=skip if skip_connections else None)
        x = layers.Conv2D(count, 3, padding="same", use_bias=False, name=f"{block}_conv")(x)
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{block}_norm")(x)
        x = layers.Dropout(dropout, name=f"{block}_dropout")(x)
        x = layers.ReLU(name=f"{block}_relu")(x)
    x = layers.Conv2D(channels, 3, padding="same", activation=activation, dtype="float32", name=name)(x)
    return keras.Model(luminance, x, name="denseunet")
