"""A trained network as it is used; here an exported one, by onnxruntime alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepcolor.colorize.onnx_process import Session
from deepcolor.constants import DECODING
from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.files import sha256

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
        predict_vivid: The same with `vividness`, from 0 for the most exact colors, which are those of
            `predict`, to 1 for colors as vivid as those of photographs; None for a network that does not
            predict color classes.
        card: What its model card says; {} where it has none.
        notes: What there is to say before it is used, a sentence each.
    """

    name: str
    sha256: str
    size: int
    predict: Callable[[np.ndarray], np.ndarray]
    predict_vivid: Callable[..., np.ndarray] | None = None
    card: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """The content of a network's file.

    Attributes:
        shapes: Shapes of the input and of the output, as the file declares them.
        predict: Function from luminance to RGB, see `Network.predict`; of a network that predicts
            color classes it also takes the values of DECODING by name.
        card: Model card; {} where there is none.
        decoding: Values of DECODING for the most exact colors, and for vivid ones; empty for a network
            that does not predict color classes.
    """

    shapes: tuple[tuple[Any, ...], tuple[Any, ...]]
    predict: Callable[..., np.ndarray]
    card: dict[str, Any]
    decoding: Sequence[Sequence[float]] = ()


def open_exported(path: Path, threads: int) -> Network:
    """Load an exported network.

    Args:
        path: ONNX file.
        threads: Number of CPU threads that it may use.

    Raises:
        DeepColorError: The file does not exist, is broken, or is not a network that colorizes.
    """

    def open_onnx(file: Path) -> Opened:
        session = Session(file, threads)
        return Opened(session.shapes, session.predict, session.card, session.decoding)

    return checked_network(network_file(path), open_onnx)


def checked_network(path: Path, opener: Callable[[Path], Opened]) -> Network:
    """Load a network from its file and check that it colorizes.

    Args:
        path: File of the network.
        opener: Function that opens the file; may raise any error.

    Raises:
        DeepColorError: The file is broken, or is not a network that colorizes.
    """
    try:
        opened = opener(path)
        size = _size(*opened.shapes)
        # A pass with two pictures shows what shapes do not, such as another type of numbers.
        predicted = opened.predict(np.zeros((2, size, size, 1), np.float32))
        if predicted.shape != (2, size, size, 3):
            raise ValueError(f"of two pictures it makes {predicted.shape}")
        if not np.isfinite(predicted).all():
            raise ValueError("it predicts what are no numbers; its training has exploded")
        vivid = _vivid(opened) if opened.decoding else None
        if vivid is not None:
            vivid(np.zeros((1, size, size, 1), np.float32), 1.0)
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
    in_short = opened.card.get("in_short")
    return Network(
        name=printable(opened.card.get("run") or _name(path)),
        sha256=sha256(path),
        size=size,
        predict=opened.predict,
        predict_vivid=vivid,
        card=opened.card,
        notes=tuple(map(printable, in_short)) if isinstance(in_short, list) and in_short else (NO_CARD,),
    )


def _vivid(opened: Opened) -> Callable[..., np.ndarray]:
    """Return how an opened network predicts colors as vivid as asked for.

    Raises:
        ValueError: The settings of its decoding are broken.
    """
    exact, vivid = np.array(opened.decoding, np.float64)
    finite = np.isfinite([exact, vivid]).all()
    if exact.shape != (len(DECODING),) or not (finite and exact[0] > 0 < vivid[0]):
        raise ValueError("the settings of its color classes are broken")

    def predict(luminance: np.ndarray, vividness: float) -> np.ndarray:
        values = (exact + vividness * (vivid - exact)).tolist()
        return opened.predict(luminance, **dict(zip(DECODING, values, strict=True)))

    return predict


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
