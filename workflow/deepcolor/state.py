"""The complete state of a training between two epochs, in one file.

Weights, optimizer (step counter, slots) and history. What Keras leaves out of a weights file, the
random generators' states, is a function of seed and epoch (`seed_generators`), as is the order of the
images; so training that goes on from a state equals training that never stopped, bit for bit.
"""

import json
from pathlib import Path

import h5py
import keras
import numpy as np

from deepcolor.errors import DeepColorError
from deepcolor.files import replacing

History = list[dict[str, float]]
HISTORY = "deepcolor_history"  # The history's name in the HDF5 file, beside Keras's groups.


def save_state(path: Path, model: keras.Model, history: History) -> None:
    """Write the state of a compiled model after the epochs of `history`, whole or not at all.

    Args:
        path: Ends in `.weights.h5`.
        model: Compiled, its optimizer built.
        history: A row per finished epoch.
    """
    with replacing(path) as temporary:
        model.save_weights(temporary)
        with h5py.File(temporary, "r+") as file:
            file[HISTORY] = json.dumps(history)


def load_state(path: Path, model: keras.Model) -> History:
    """Put a compiled model into a saved state; its optimizer must be built.

    Returns:
        The history, a row per finished epoch.

    Raises:
        DeepColorError: The file is broken or of another network.
    """
    try:
        with h5py.File(path) as file:
            history = json.loads(file[HISTORY][()])
        model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise DeepColorError(
            f"{path} is not a training state of this network; delete it and run again"
        ) from error
    return history


def seed_generators(model: keras.Model, seed: int, epoch: int) -> None:
    """Set the state of every random generator in the model (dropout) from the seed and the epoch."""
    generators = [each for each in model.variables if each.name == "seed_generator_state"]
    for number, generator in enumerate(generators):
        state = np.random.SeedSequence([seed, epoch, number]).generate_state(2)
        generator.assign((state >> 1).astype(generator.dtype))  # Backends differ in the sign.
