"""A trained network as it is used: the ONNX file with onnxruntime alone, or model.keras with Keras."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import read_json, sha256

NO_CARD = "No model card says what this network was trained on."


@dataclass(frozen=True)
class Network:
    """A network from luminance to RGB.

    Attributes:
        name: Of the run that it is of.
        sha256: Of its file.
        size: Side of its pictures in pixels.
        predict: `(n, size, size, 1)` float32 in [0, 1] to `(n, size, size, 3)`; from any thread.
        card: What its model card says; {} where it has none.
        notes: What there is to say before it is used, a sentence each.
    """

    name: str
    sha256: str
    size: int
    predict: Callable[[np.ndarray], np.ndarray]
    card: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def open_network(path: Path, threads: int) -> Network:
    """Load a network for use.

    Args:
        path: An exported `.onnx` file, or a `.keras` file, which needs TensorFlow.
        threads: CPU threads that it may use.

    Raises:
        DeepColorError: There is no such file, it is broken, or it is a network of another kind.
    """
    if not path.is_file():
        raise DeepColorError(
            f"--model {path}: there is no such file; train one (make report), or name another"
        )
    openers = {".onnx": _open_onnx, ".keras": _open_keras}
    if path.suffix not in openers:
        raise DeepColorError(f"--model {path}: name a .keras file, or an exported .onnx file")
    try:
        shapes, predict, card = openers[path.suffix](path, threads)
    except DeepColorError:
        raise
    except ImportError as error:
        remedy = "; use the exported model.onnx" if path.suffix == ".keras" else ""
        raise DeepColorError(f"--model {path} needs the package {error.name}{remedy}") from error
    except Exception as error:  # Broken files make the libraries raise nearly anything.
        raise DeepColorError(f"--model {path} cannot be loaded ({first_line(error)})") from error
    (_, height, width, channels), (*_, colors) = shapes
    if (height, channels, colors) != (width, 1, 3) or not isinstance(height, int):
        raise DeepColorError(
            f"--model {path} maps {shapes[0]} to {shapes[1]}; a network that colorizes maps "
            "(n, side, side, 1) to (n, side, side, 3)"
        )
    return Network(
        name=card.get("run") or _name(path),
        sha256=sha256(path),
        size=height,
        predict=predict,
        card=card,
        notes=tuple(card.get("in_short") or [NO_CARD]),
    )


def _name(path: Path) -> str:
    """What a network without a card is called: its run's folder, or its file."""
    if path.parent.name == "export":
        return path.absolute().parent.parent.name
    return path.absolute().parent.name if path.name == "model.keras" else path.stem


Opened = tuple[tuple[tuple[Any, ...], tuple[Any, ...]], Callable[[np.ndarray], np.ndarray], dict]


def _open_onnx(path: Path, threads: int) -> Opened:
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # What goes wrong is said by an error.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise DeepColorError(
            f"--model {path} has {len(inputs)} inputs and {len(outputs)} outputs, not one"
        )

    def predict(luminance: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {inputs[0].name: luminance})[0])

    card = json.loads(session.get_modelmeta().custom_metadata_map.get("deepcolor.card", "{}"))
    return (_shape(inputs[0]), _shape(outputs[0])), predict, card


def _shape(tensor: Any) -> tuple[Any, ...]:
    shape = tuple(tensor.shape)
    if len(shape) != 4:
        raise DeepColorError(f"it takes or gives {shape}, no pictures")
    return shape


def _open_keras(path: Path, threads: int) -> Opened:
    from deepcolor import command

    command.prepare_keras(threads)
    from deepcolor.networks import load_network

    network = load_network(path)
    lock = threading.Lock()

    def predict(luminance: np.ndarray) -> np.ndarray:
        with lock:
            return np.asarray(network.predict_on_batch(luminance))

    card = path.with_name("model_card.json")
    content = read_json(card) if card.exists() else {}
    if content and content.get("model_sha256") != sha256(path):
        raise DeepColorError(f"{card} is of another network than {path}; make it again, or delete it")
    return (network.input_shape, network.output_shape), predict, content
