"""A process that serves the page to try networks, with networks whose colors are known."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.tiny_onnx import write_onnx

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}
# Says on stderr which files are opened to be written, but for devices and streams.
WATCHED = """
import os, sys

def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int):
        path, _, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR) and not str(path).startswith("/dev/"):
            os.write(2, f"WRITES {path}\\n".encode())
    elif event.startswith("tempfile."):
        os.write(2, f"WRITES {event}\\n".encode())

sys.addaudithook(watch)
from deepcolor.cli import main
main.main()
"""


@dataclass
class Served:
    """A process that serves the page.

    Attributes:
        process: The process itself.
        url: Its address on this machine, without a slash at the end.
        said: What it has printed at the beginning.
    """

    process: subprocess.Popen[str]
    url: str
    said: str

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait for the end, and give the exit code and what was printed since."""
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=30)[0]
        return self.process.returncode, rest


def write_runs(results: Path) -> Path:
    """Write two exported networks: `warm_2`, with a model card, and `cold_10`, without."""
    card = {"run": "warm_2", "in_short": ["Trained on 8 photographs.", "It knows <nothing> else."]}
    write_onnx(results / "warm_2" / "export" / "model.onnx", card=card)
    write_onnx(results / "cold_10" / "export" / "model.onnx", weights=(0.3, 0.5, 0.9))
    return results


def command(*arguments: str | Path) -> list[str]:
    """The command line of `deepcolor app`, at any free port."""
    return [sys.executable, "-c", WATCHED, "app", "--port", "0", *map(str, arguments)]


@contextmanager
def serving(*options: str | Path) -> Iterator[Served]:
    """Serve the page for the time of a block."""
    process = subprocess.Popen(
        command(*options),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"(http://\S+)/\n", said)
        assert found, f"exit code {process.wait()}: {said}"
        yield Served(process, found[1], said)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
