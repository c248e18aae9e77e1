"""What the decoders on pre-trained encoders have in common."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.errors import DeepColorError


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


def upsampled(
    x: keras.KerasTensor, *, name: str, skip: keras.KerasTensor | None = None
) -> keras.KerasTensor:
    """Double the height and width of `x` (nearest neighbor).

    Args:
        x: `(batch, height, width, channels)`.
        name: Of the decoder block.
        skip: Features of the doubled size to put beside it, if any: a skip connection.
    """
    x = layers.UpSampling2D(name=f"{name}_upsampling")(x)
    return x if skip is None else layers.Concatenate(name=f"{name}_skip")([x, skip])
