"""MobileNet, as in the published report: MobileNet as encoder, five upsampling blocks, no skips."""

from collections.abc import Sequence

import keras
from keras import layers

from deepcolor.errors import DeepColorError
from deepcolor.models.decoder import check_filters, upsampled
from deepcolor.models.encoder import grayscale_encoder
from deepcolor.models.heads import head

# The widths (alpha) that ImageNet weights exist for, as their files' names have them.
IMAGENET = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}

# The last layers of MobileNet at 1/16, 1/8, 1/4 and 1/2 of the picture's side.
SKIPS = ("conv_pw_11_relu", "conv_pw_5_relu", "conv_pw_3_relu", "conv_pw_1_relu")

TARGETS = ("rgb", "lab")  # What it can predict.


def mobilenet(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "rgb",
    weights: str = "imagenet",
    freeze_encoder: bool = False,
    alpha: float = 1.0,
    skip_connections: bool = False,
    filters: Sequence[int] = (512, 256, 128, 64, 32),
) -> keras.Model:
    """Build the MobileNet; 9,516,035 parameters with alpha 1 (9,515,746 with target "lab").

    Decoder blocks are UpSampling2D, Conv2D 3x3, ReLU; a sixth convolution follows, with the target's
    channels and activation (a sigmoid for RGB). There is no batch normalization outside of the encoder.
    Source: the published report. Skip connections are ours: before the convolution of each block but
    the last, the encoder's features of that size are put beside its input (12,649,475 parameters).

    Args:
        image_size: Side of the square picture in pixels, a multiple of 32.
        batch_norm_momentum: Momentum of the moving averages of batch normalization in the encoder,
            in [0, 1).
        target: What is predicted: "rgb" or "lab", see `deepcolor.models.heads`.
        weights: Of the encoder: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether the encoder stays as it is during training.
        alpha: Width of the encoder; ImageNet weights exist for 0.25, 0.5, 0.75 and 1.
        skip_connections: Whether decoder blocks see the encoder's features of their size.
        filters: Filters of the five decoder blocks, from the coarsest to the finest.

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to RGB or chroma.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, there are more or fewer filters, or
            there is no such target.
    """
    check_filters("MobileNet", filters, 5)
    if weights == "imagenet" and alpha not in IMAGENET:
        raise DeepColorError(
            f"MobileNet has no ImageNet weights for 'alpha: {alpha}', but for 0.25, 0.5, 0.75 and 1; "
            "set one of them, or 'weights: none'"
        )
    name, channels, activation = head(target, TARGETS)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    encoder = grayscale_encoder(
        luminance,
        keras.applications.MobileNet,
        scale=2.0,  # keras.applications.mobilenet.preprocess_input, mode "tf": to [-1, 1].
        offset=-1.0,
        weights=weights,
        imagenet=f"mobilenet/mobilenet_{IMAGENET.get(alpha)}_224_tf_no_top.h5",
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
        alpha=alpha,
        include_top=False,
    )
    skips = [encoder.get_layer(skip).output if skip_connections else None for skip in SKIPS]
    x = encoder.output
    for number, (count, skip) in enumerate(zip(filters, [*skips, None], strict=True), start=1):
        block = f"decoder{number}"
        x = upsampled(x, name=block, skip=skip)
        x = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"{block}_conv")(x)
    x = layers.Conv2D(channels, 3, padding="same", activation=activation, dtype="float32", name=name)(x)
    return keras.Model(luminance, x, name="mobilenet")
