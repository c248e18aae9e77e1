"""U-Net, as in the published report: trained from scratch, with a skip connection at every scale."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.errors import DeepColorError


def unet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    filters: Sequence[int] = (64, 128, 256, 512),
    skip_connections: bool = True,
    dropout: float = 0.5,
) -> keras.Model:
    """Build the U-Net; 3,478,083 parameters as published.

    Every encoder block halves the picture (convolution with stride 2, batch normalization,
    LeakyReLU); every decoder block doubles it (transposed convolution, concatenation with the
    encoder block of that size, batch normalization, dropout, ReLU). The output is a transposed
    convolution with a sigmoid. Source: the published report; filter counts from the authors'
    public notebook (annatsv/deepcolor at 2242f26).

    Args:
        image_size: Side of the square picture in pixels, a multiple of 2 ** len(filters).
        batch_norm_momentum: Momentum of the moving averages of batch normalization, in [0, 1).
        filters: Filters of the encoder blocks, from the finest to the coarsest.
        skip_connections: Whether decoder blocks see the encoder block of their size.
        dropout: Rate of the dropout in every decoder block, in [0, 1).

    Returns:
        A model from `(batch, image_size, image_size, 1)` to `(batch, image_size, image_size, 3)`,
        both floats in [0, 1].

    Raises:
        DeepColorError: The picture cannot be halved as often as there are filters.
    """
    if image_size % 2 ** len(filters):
        raise DeepColorError(
            f"U-Net halves the picture {len(filters)} times, once for each of its filters: image_size "
            f"must be a multiple of {2 ** len(filters)}, not {image_size}"
        )
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    x, skips = luminance, []
    for number, count in enumerate(filters, start=1):
        name = f"encoder{number}"
        x = layers.Conv2D(count, 3, strides=2, padding="same", name=f"{name}_conv")(x)
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{name}_norm")(x)
        x = layers.LeakyReLU(0.01, name=f"{name}_relu")(x)
        skips.append(x)
    for number in range(len(filters) - 1, 0, -1):
        name = f"decoder{number}"
        x = layers.Conv2DTranspose(
            filters[number - 1], 3, strides=2, padding="same", name=f"{name}_conv"
        )(x)
        if skip_connections:
            x = layers.Concatenate(name=f"{name}_skip")([x, skips[number - 1]])
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{name}_norm")(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    rgb = layers.Conv2DTranspose(
        3, 3, strides=2, padding="same", activation="sigmoid", dtype="float32", name="rgb"
    )(x)
    return keras.Model(luminance, rgb, name="unet")
