"""Loading of any trained network: an exported one, or model.keras, which needs Keras."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from deepcolor.colorize.network import (
    Network,
    Opened,
    checked_network,
    network_file,
    open_exported,
)
from deepcolor.constants import DECODING
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import read_json, sha256


def open_network(path: Path, threads: int) -> Network:
    """Load a network.

    Args:
        path: Exported `.onnx` file, `.keras` file, which needs TensorFlow, or folder of a run with
            either; the `.keras` file takes precedence.
        threads: Number of CPU threads that it may use.

    Raises:
        DeepColorError: The file does not exist, is broken, or is not a network that colorizes.
    """
    path = network_file(path)
    if path.suffix == ".onnx":
        return open_exported(path, threads)
    if path.suffix == ".keras":
        return checked_network(path, lambda file: _open_keras(file, threads))
    raise DeepColorError(f"--model {path}: name a .keras file, or an exported .onnx file")


def _open_keras(path: Path, threads: int) -> Opened:
    from deepcolor.compute import backend

    backend.prepare_keras(threads)
    from keras import ops

    from deepcolor.models.heads import class_decoder
    from deepcolor.models.loading import load_network

    try:
        network = load_network(path)
    except DeepColorError as error:  # With a remedy that is the pipeline's.
        raise ValueError(first_line(error.__cause__ or error)) from error
    lock, decoder = threading.Lock(), class_decoder(network)
    decoding = ops.convert_to_numpy(decoder.settings).tolist() if decoder else []

    def predict(luminance: np.ndarray, **scalars: float) -> np.ndarray:
        with lock:
            # What was set for the call before does not count.
            for name, own in zip(DECODING, decoding[0] if decoder else (), strict=False):
                getattr(decoder, name).assign(scalars.get(name, own))
            return np.asarray(network.predict_on_batch(luminance))

    card = path.with_name("model_card.json")
    content = read_json(card) if card.exists() else {}
    if content and (not isinstance(content, dict) or content.get("model_sha256") != sha256(path)):
        raise DeepColorError(f"{card} is of another network than {path}; make it again, or delete it")
    shapes = _shape(network.input_shape), _shape(network.output_shape)
    return Opened(shapes, predict, content, decoding)


def _shape(shape: Any) -> tuple[Any, ...]:
    """Return a shape of Keras's; () for a network of several inputs, which has a list or map."""
    return shape if isinstance(shape, tuple) else ()
