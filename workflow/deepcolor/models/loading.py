"""Trained networks, as they lie in files. In Keras alone, so that who uses one needs nothing else."""

from pathlib import Path
from zipfile import BadZipFile

import keras

from deepcolor.compute import keras_settings
from deepcolor.errors import DeepColorError, first_line
from deepcolor.imaging import color, color_classes  # noqa: F401 (saved networks hold their layers)


def load_network(path: Path, image_size: int | None = None) -> keras.Model:
    """Load a saved network.

    Args:
        path: A `.keras` file that a training has written.
        image_size: Side of the pictures that it should take, in pixels; any, if not given.

    Returns:
        A model from luminance, `(batch, size, size, 1)` in [0, 1], to RGB, `(batch, size, size, 3)` in
        [0, 1].

    Raises:
        DeepColorError: The file is broken, the network is for pictures of another size, or Keras is
            set to other pictures or numbers.
    """
    keras_settings.check()
    try:
        network = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, RecursionError, BadZipFile) as error:
        raise DeepColorError(
            f"{path} cannot be loaded ({first_line(error)}); delete it and run the same command again"
        ) from error
    if image_size is not None and network.input_shape[1:] != (image_size, image_size, 1):
        raise DeepColorError(
            f"{path} takes {network.input_shape[1:]}, the shards have side {image_size}; "
            "delete it and run the same command again"
        )
    return network
