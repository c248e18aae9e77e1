"""InceptionV3 as Keras publishes it: the features on which FID and KID rest."""

from pathlib import Path

import keras
from keras import layers, ops

from deepcolor.errors import DeepColorError, first_line
from deepcolor.evaluation.distances import SIDE
from deepcolor.models.pretrained import imagenet_file

# What "imagenet" stands for, see `deepcolor.models.pretrained`.
IMAGENET = "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"


def inception_file(name: str) -> Path:
    """The file that `evaluation.inception_weights` means: "imagenet", or a path.

    Raises:
        DeepColorError: "imagenet" cannot be had.
    """
    if name != "imagenet":
        return Path(name)
    try:
        return imagenet_file(IMAGENET, otherwise="set it to a weights file or to null")
    except DeepColorError as error:
        raise DeepColorError(f"evaluation.inception_weights: {error}") from error


def inception_network(weights: Path | None, image_size: int) -> keras.Model:
    """Build InceptionV3 without its classes, from pictures to features.

    Args:
        weights: A weights file of keras.applications.InceptionV3 without its top; None: random ones.
        image_size: Side of the pictures in pixels.

    Returns:
        A model from `(batch, image_size, image_size, 3)` RGB, 0 to 255, to `(batch, 2048)` float32. It
        resizes as Pillow does (bicubic with a = -0.5, antialiased) on floats, and scales to [-1, 1].

    Raises:
        DeepColorError: The weights do not fit.
    """
    try:
        encoder = keras.applications.InceptionV3(
            include_top=False,
            weights=None if weights is None else str(weights),
            input_shape=(SIDE, SIDE, 3),
            pooling="avg",
        )
    except Exception as error:  # Keras raises many kinds for a misfit.
        if weights is None:
            raise
        raise DeepColorError(
            f"evaluation.inception_weights: {weights} does not fit ({first_line(error)}); name a "
            "weights file of keras.applications.InceptionV3 without its top, called *.weights.h5 if "
            "Keras 3 wrote it, otherwise *.h5"
        ) from error
    pictures = keras.Input((image_size, image_size, 3), name="pictures")
    x = ops.image.resize(pictures, (SIDE, SIDE), interpolation="bicubic", antialias=True)
    # keras.applications.inception_v3.preprocess_input: to [-1, 1].
    x = layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(ops.clip(x, 0.0, 255.0))
    network = keras.Model(pictures, encoder(x), name="inception")
    network.compile(jit_compile=False)  # XLA cannot resize so.
    return network
