"""Weights in a file by the names of layers, small: a trained network that trainings begin from."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from deepcolor.files import replacing


def save_weights(path: Path, layers: Sequence[keras.Layer]) -> None:
    """Write the weights of layers, whole or not at all.

    Kernels are rounded to float16. Biases and batch normalization, a fortieth of a network, stay
    float32.

    Args:
        path: File to write, `.safetensors`.
        layers: Layers with distinct names.
    """
    arrays = {}
    for name, variable in _variables(layers).items():
        array = np.asarray(keras.ops.convert_to_numpy(variable), np.float32, order="C")
        arrays[name] = array.astype(np.float16) if array.ndim > 1 else array
    with replacing(path) as temporary:
        save_file(arrays, temporary)
        temporary.chmod(0o644)  # As other files; safetensors keeps it to its owner.


def load_weights(path: str | Path, layers: Sequence[keras.Layer]) -> None:
    """Set the weights of layers from a file of `save_weights`, which may have more.

    Raises:
        ValueError: The file is broken, or does not have these weights.
    """
    variables = _variables(layers)
    try:
        with safe_open(path, framework="numpy") as file:
            missing = sorted(variables.keys() - file.keys())
            if missing:
                raise ValueError(f"it has no {missing[0]}")
            arrays = {name: file.get_tensor(name) for name in variables}
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is broken") from error
    for name, variable in variables.items():
        if arrays[name].shape != tuple(variable.shape):
            raise ValueError(f"its {name} is {arrays[name].shape}, not {tuple(variable.shape)}")
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(np.float32))


def _variables(layers: Sequence[keras.Layer]) -> dict[str, keras.Variable]:
    """Return the weights of layers by "layer/weight"; not the states of random generators."""
    return {f"{layer.name}/{weight.name}": weight for layer in layers for weight in layer.weights}
