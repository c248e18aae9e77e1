"""U-Net, as in the published report: trained from scratch, with a skip connection at every scale."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.errors import DeepColorError
from deepcolor.models.heads import head

TARGETS = ("rgb", "lab", "classes")  # What it can predict.


def unet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "rgb",
    filters: Sequence[int] = (64, 128, 256, 512),
    skip_connections: bool = True,
    dropout: float = 0.5,
) -> keras.Model:
    """Build the U-Net; 3,478,083 parameters as published (3,476,930 with target "lab").

    With target "classes" the decoder ends at a quarter of the side, and the output is a 3x3 convolution
    (3,700,002 parameters).

    Every encoder block halves the picture (convolution with stride 2, batch normalization,
    LeakyReLU); every decoder block doubles it (transposed convolution, concatenation with the
    encoder block of that size, batch normalization, dropout, ReLU). The output is a transposed
    convolution with the target's channels and activation (a sigmoid for RGB). Source: the published
    report; filter counts from the authors' public notebook (annatsv/deepcolor at 2242f26).

    Args:
        image_size: Side of the square picture in pixels, a multiple of 2 ** len(filters).
        batch_norm_momentum: Momentum of the moving averages of batch normalization, in [0, 1).
        target: What is predicted: "rgb", "lab" or "classes", see `deepcolor.models.heads`.
        filters: Filters of the encoder blocks, from the finest to the coarsest.
        skip_connections: Whether decoder blocks see the encoder block of their size.
        dropout: Rate of the dropout in every decoder block, in [0, 1).

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to the target.

    Raises:
        DeepColorError: The picture cannot be halved as often as there are filters, or fewer than twice
            for classes, or there is no such target.
    """
    if image_size % 2 ** len(filters):
        raise DeepColorError(
            f"U-Net halves the picture {len(filters)} times, once for each of its filters: image_size "
            f"must be a multiple of {2 ** len(filters)}, not {image_size}"
        )
    name, channels, activation = head(target, TARGETS)
    classes = target == "classes"
    if classes and len(filters) < 2:
        raise DeepColorError("U-Net predicts classes at a quarter of the side; give 2 filters or more")
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    x, skips = luminance, []
    for number, count in enumerate(filters, start=1):
        block = f"encoder{number}"
        x = layers.Conv2D(count, 3, strides=2, padding="same", name=f"{block}_conv")(x)
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{block}_norm")(x)
        x = layers.LeakyReLU(0.01, name=f"{block}_relu")(x)
        skips.append(x)
    for number in range(len(filters) - 1, 1 if classes else 0, -1):
        block = f"decoder{number}"
        x = layers.Conv2DTranspose(
            filters[number - 1], 3, strides=2, padding="same", name=f"{block}_conv"
        )(x)
        if skip_connections:
            x = layers.Concatenate(name=f"{block}_skip")([x, skips[number - 1]])
        x = layers.BatchNormalization(momentum=batch_norm_momentum, name=f"{block}_norm")(x)
        x = layers.Dropout(dropout, name=f"{block}_dropout")(x)
        x = layers.ReLU(name=f"{block}_relu")(x)
    options = {"padding": "same", "activation": activation, "dtype": "float32", "name": name}
    if classes:
        x = layers.Conv2D(channels, 3, **options)(x)
    else:
        x = layers.Conv2DTranspose(channels, 3, strides=2, **options)(x)
    return keras.Model(luminance, x, name="unet")
