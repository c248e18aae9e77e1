"""A trained network as it is used: the ONNX file with onnxruntime alone, or model.keras with Keras."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepcolor.colorize.onnx_process import Session
from deepcolor.errors import DeepColorError, first_line, shown
from deepcolor.files import read_json, sha256

MAX_SIZE = 4096  # Side of a network's pictures, in pixels.
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
        path: An exported `.onnx` file, a `.keras` file, which needs TensorFlow, or the folder of a run
            with either; the `.keras` file goes first.
        threads: CPU threads that it may use.

    Raises:
        DeepColorError: There is no such file, it is broken, or it is a network of another kind.
    """
    path = network_file(path)
    openers = {".onnx": _open_onnx, ".keras": _open_keras}
    if path.suffix not in openers:
        raise DeepColorError(f"--model {path}: name a .keras file, or an exported .onnx file")
    try:
        shapes, predict, card = openers[path.suffix](path, threads)
        size = _size(*shapes)
        # A pass with two pictures shows what shapes do not, such as another type of numbers.
        predicted = predict(np.zeros((2, size, size, 1), np.float32))
        if predicted.shape != (2, size, size, 3):
            raise ValueError(f"of two pictures it makes {predicted.shape}")
        if not np.isfinite(predicted).all():
            raise ValueError("it predicts what are no numbers; its training has exploded")
    except DeepColorError:
        raise
    except ImportError as error:
        remedy = "; use the exported model.onnx" if path.suffix == ".keras" else ""
        raise DeepColorError(f"--model {path} needs the package {error.name}{remedy}") from error
    except Exception as error:  # Broken files make the libraries raise nearly anything.
        raise DeepColorError(
            f"--model {path} cannot be used ({first_line(error)}); name a network that DeepColor has "
            "trained or exported"
        ) from error
    in_short = card.get("in_short")
    return Network(
        name=shown(card.get("run") or _name(path)),
        sha256=sha256(path),
        size=size,
        predict=predict,
        card=card,
        notes=tuple(map(shown, in_short)) if isinstance(in_short, list) and in_short else (NO_CARD,),
    )


def network_file(path: Path) -> Path:
    """The file of a network: itself, or the one in the folder of a run.

    Raises:
        DeepColorError: There is none.
    """
    if path.is_dir():
        return _file_of(path)
    if not path.is_file():
        raise DeepColorError(
            f"--model {path}: there is no such file; train one (make report), or name another"
        )
    return path


def _file_of(run: Path) -> Path:
    files = ("model.keras", "export/model.onnx", "model.onnx")
    found = next((run / file for file in files if (run / file).is_file()), None)
    if found is None:
        raise DeepColorError(
            f"--model {run}: the folder has neither model.keras nor export/model.onnx; name the folder "
            "of a run, or a file"
        )
    return found


def _size(taken: tuple[Any, ...], given: tuple[Any, ...]) -> int:
    """The side of a network's pictures, by the shapes of its input and output.

    Raises:
        ValueError: It does not colorize.
    """
    size = taken[1] if len(taken) == 4 else None
    if isinstance(size, int) and not 0 < size <= MAX_SIZE:
        raise ValueError(f"its pictures have {size} pixels a side; allowed are 1 to {MAX_SIZE:,}")
    if not isinstance(size, int) or taken[1:] != (size, size, 1) or len(given) != 4 or given[3] != 3:
        raise ValueError(
            f"it maps {taken} to {given}, and a network that colorizes (n, side, side, 1) to "
            "(n, side, side, 3)"
        )
    return size


def _name(path: Path) -> str:
    """What a network without a card is called: its run's folder, or its file."""
    if path.parent.name == "export":
        return path.absolute().parent.parent.name
    return path.absolute().parent.name if path.name == "model.keras" else path.stem


Opened = tuple[tuple[tuple[Any, ...], tuple[Any, ...]], Callable[[np.ndarray], np.ndarray], dict]


def _open_onnx(path: Path, threads: int) -> Opened:
    session = Session(path, threads)
    return session.shapes, session.predict, session.card


def _open_keras(path: Path, threads: int) -> Opened:
    from deepcolor.compute import backend

    backend.prepare_keras(threads)
    from deepcolor.models.loading import load_network

    try:
        network = load_network(path)
    except DeepColorError as error:  # With a remedy that is the pipeline's.
        raise ValueError(first_line(error.__cause__ or error)) from error
    lock = threading.Lock()

    def predict(luminance: np.ndarray) -> np.ndarray:
        with lock:
            return np.asarray(network.predict_on_batch(luminance))

    card = path.with_name("model_card.json")
    content = read_json(card) if card.exists() else {}
    if content and (not isinstance(content, dict) or content.get("model_sha256") != sha256(path)):
        raise DeepColorError(f"{card} is of another network than {path}; make it again, or delete it")
    return (_shape(network.input_shape), _shape(network.output_shape)), predict, content


def _shape(shape: Any) -> tuple[Any, ...]:
    """A shape of Keras's: a network of several inputs has a list or map of them."""
    return shape if isinstance(shape, tuple) else ()
