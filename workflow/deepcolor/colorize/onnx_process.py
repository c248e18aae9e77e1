"""An ONNX network in a process of its own: whatever its graph does can be stopped, and is bounded.

A file of a kilobyte can describe a loop without end or a tensor of gigabytes, and ONNX Runtime cannot
interrupt an operation. The process is ended when it takes too long, and started again for the next
picture.
"""

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import weakref
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from deepcolor.errors import first_line
from deepcolor.export import onnx_runtime

# Seconds to start and load a network, and for a prediction: some, and some more for each picture.
LOADING_SECONDS, PREDICTION_SECONDS, PICTURE_SECONDS = 60.0, 30.0, 5.0
MEMORY_SHARE = 0.75  # Of the machine's memory, that a network may have.


class Session:
    """A loaded ONNX network.

    Attributes:
        shapes: Shapes of the input and of the output, as the file declares them.
        card: Model card inside the file; {} where it has none.
        decoding: Settings of the decoding of color classes, see `network.Decoding`; [] of a network
            that predicts none.
    """

    shapes: tuple[tuple[Any, ...], tuple[Any, ...]]
    card: dict[str, Any]
    decoding: list[list[float]]

    def __init__(self, path: Path, threads: int) -> None:
        """Load a network.

        Args:
            path: ONNX file.
            threads: CPU threads of a prediction.

        Raises:
            ValueError: The file is broken, takes too long to load, or has several inputs or outputs.
            ImportError: The package onnxruntime is not installed.
        """
        self._content, self._threads = path.read_bytes(), threads
        self._lock = threading.Lock()
        self._processes: list[_Process] = []  # One, or none after it was ended.
        weakref.finalize(self, _end, self._processes)
        self.shapes, self.card, self.decoding = self._start()

    def predict(self, luminance: np.ndarray, **scalars: float) -> np.ndarray:
        """Predict, from any thread.

        Args:
            luminance: Luminance of n pictures, float32 in [0, 1], (n, size, size, 1).
            scalars: Values of further inputs that have defaults.

        Returns:
            The network's output.

        Raises:
            ValueError: The network fails, or takes too long.
        """
        with self._lock:
            if not self._processes:
                self._start()
            question = luminance, scalars
            return self._ask(question, PREDICTION_SECONDS + PICTURE_SECONDS * len(luminance))

    def _start(self) -> tuple[Any, Any, Any]:
        self._processes.append(_Process())
        return self._ask((self._content, self._threads), LOADING_SECONDS)

    def _ask(self, question: object, seconds: float) -> Any:
        try:
            fault, answer = self._processes[0].ask(question, seconds)
        except BaseException:
            _end(self._processes)
            raise
        if fault == "package":
            raise ImportError(answer, name=answer)
        if fault:
            raise ValueError(answer)
        return answer


class _Process:
    """A process that runs `serve`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            program = f"from deepcolor.colorize.onnx_process import serve; serve({theirs.fileno()})"
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],  # -P: nothing from the current folder.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C lets pictures under way be finished.
            )
        self._connection = Connection(ours.detach())

    def ask(self, question: object, seconds: float) -> tuple[str, Any]:
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            self._connection.send(question)
            answer: tuple[str, Any] = self._connection.recv()
            return answer
        except (EOFError, OSError) as error:
            if late.is_set():
                raise ValueError(f"the network did not finish within {seconds:.0f} seconds") from None
            raise ValueError("the network's process was ended, such as for lack of memory") from error
        finally:
            timer.cancel()

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()


def _end(processes: list[_Process]) -> None:
    while processes:
        processes.pop().end()


def serve(descriptor: int) -> None:
    """Load the network that arrives first, then answer with predictions until the connection ends.

    Args:
        descriptor: File descriptor of a socket.
    """
    connection = Connection(descriptor)
    questions: SimpleQueue[Any] = SimpleQueue()

    def read() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                questions.put(connection.recv())
        os._exit(0)  # Whatever the network is doing.

    threading.Thread(target=read, daemon=True).start()
    _limit_memory()
    session: Any = None
    answer: Any
    while True:
        question = questions.get()
        try:
            if session is None:
                session, answer = _loaded(*question)
            else:
                luminance, scalars = question
                given = {name: np.array(value, np.float32) for name, value in scalars.items()}
                given[session.get_inputs()[0].name] = luminance
                answer = np.asarray(session.run(None, given)[0])
            connection.send(("", answer))
        except ImportError as error:
            connection.send(("package", error.name or str(error)))
        except Exception as error:  # Broken files make the package raise nearly anything.
            connection.send(("network", first_line(error)))


def _loaded(content: bytes, threads: int) -> tuple[Any, tuple[Any, Any, Any]]:
    onnxruntime = onnx_runtime.load()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # Its threads would keep busy while they wait, and keep others from working.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # By its content: of a path the package takes text alone.
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs and {len(outputs)} outputs, not one")
    properties = session.get_modelmeta().custom_metadata_map
    card = json.loads(properties.get("deepcolor.card", "{}"))
    decoding = json.loads(properties.get("deepcolor.decoding", "[]"))
    shapes = tuple(inputs[0].shape), tuple(outputs[0].shape)
    return session, (shapes, card if isinstance(card, dict) else {}, decoding)


def _limit_memory() -> None:
    """Limit what this process can allocate, and have the system end it first if memory runs out."""
    with contextlib.suppress(OSError, ValueError):
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = int(MEMORY_SHARE * memory)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
