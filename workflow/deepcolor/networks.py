"""Trained networks as Keras saves them."""

from pathlib import Path
from zipfile import BadZipFile

import keras

from deepcolor import color  # noqa: F401 (registers the layers that are ours)
from deepcolor.errors import DeepColorError, first_line


def load_network(path: Path) -> keras.Model:
    """Load a saved network.

    Raises:
        DeepColorError: The file is broken.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DeepColorError(
            f"{path} cannot be loaded ({first_line(error)}); delete it and run the same command again"
        ) from error
