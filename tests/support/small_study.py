"""A small study, a process that serves it, and people who take part in it without a browser."""

import hashlib
import http.client
import json
import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from deepcolor.study import design

PROJECT = Path(__file__).parents[2]
RUNS = ["unet_30", "densenet-u_30"]
FORM = {"agree": "yes", "color_vision": "yes"}


def png(number: int, side: int = 4) -> bytes:
    """A PNG file of noise that a number decides."""
    lines, digest = b"", hashlib.sha256(b"%d" % number).digest()
    for _ in range(side):
        line = b""
        while len(line) < 3 * side:
            digest = hashlib.sha256(digest).digest()
            line += digest
        lines += b"\0" + line[: 3 * side]

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(name, data)
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )


def make_study(folder: Path, side: int = 4, images: int = 8, **changes: Any) -> dict[str, Any]:
    """Write study.json and pictures/: photographs to judge, two to practice on, two that are catches.

    Args:
        folder: Of the study.
        side: Of the pictures, in pixels.
        images: To judge.
        changes: Of what study.json holds, such as protocol.
    """
    protocol = changes.get("protocol", "yes-no")
    conditions = design.slots(protocol, RUNS, 0.5)
    square = design.lists(range(images), conditions)
    practice = design.practice(protocol, [images, images + 1], RUNS)
    catch = [(images + 2, "catch"), (images + 3, "catch")]
    wanted = {pair for each in [*square, practice, catch] for pair in each}
    if protocol == "pairs":
        wanted |= {(image, "real") for image, _ in wanted}
    names = {pair: hashlib.sha256(repr(pair).encode()).hexdigest()[:24] for pair in sorted(wanted)}
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    pictures = {}
    for number, (pair, name) in enumerate(names.items()):
        content = png(number, side)
        (folder / "pictures" / f"{name}.png").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        pictures[name] = {"sha256": sha256, "image": pair[0], "condition": pair[1]}

    def trials(kind: str, pairs: list[tuple[int, str]]) -> list[dict[str, Any]]:
        return [
            {
                "kind": kind,
                "image": image,
                "condition": condition,
                "picture": names[image, condition],
                "real": names[image, "real"] if protocol == "pairs" else None,
            }
            for image, condition in pairs
        ]

    roles = ["test"] * images + ["practice"] * 2 + ["catch"] * 2
    study = {
        "title": "Real or <colorized>?",
        "protocol": protocol,
        "consent": "First paragraph.\n\nSecond <b>paragraph</b>.",
        "contact": "us@example.org",
        "seed": 0,
        "seconds": design.seconds(protocol, None),
        "picture_size": side,
        "rest_every": 4,
        "most_people": 1000,
        "exclude": {"catch_share": 0.2, "fastest": 0.3, "color_vision": True},
        "runs": RUNS,
        "images": [
            {"data_set": "photographs", "id": f"image-{number:03}", "role": role}
            for number, role in enumerate(roles)
        ],
        "pictures": pictures,
        "lists": [trials("test", pairs) for pairs in square],
        "practice": trials("practice", practice),
        "catch": trials("catch", catch),
        "power": {},
        **changes,
    }
    checksum = hashlib.sha256(json.dumps(study, sort_keys=True).encode()).hexdigest()[:16]
    study = {"study": checksum, **study}
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    return study


def command(*arguments: str | Path) -> list[str]:
    """The command line of `deepcolor`."""
    return [sys.executable, "-m", "deepcolor.cli.main", *map(str, arguments)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `deepcolor` to its end."""
    return subprocess.run(
        command(*arguments), env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )


@dataclass
class Served:
    """A process that serves a study.

    Attributes:
        process: The process itself.
        url: Its address on this machine.
        token: Of the administration.
        said: What it has printed at the beginning.
    """

    process: subprocess.Popen[str]
    url: str
    token: str
    said: str

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait for the end, and give the exit code and what was printed since."""
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=30)[0]
        return self.process.returncode, rest


def start(folder: Path, *options: str | Path) -> Served:
    """Serve a study at a free port, and wait until it is served."""
    process = subprocess.Popen(
        command("study", "serve", "--study", folder, "--port", "0", *options),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            url, token = (re.search(pattern, said) for pattern in (r" at (http://\S+)", r"token (\S+)"))
            assert url and token, said
            return Served(process, url[1], token[1], said)
    raise AssertionError(f"exit code {process.wait()}: {said}")


@contextmanager
def serving(folder: Path, *options: str | Path) -> Iterator[Served]:
    """Serve a study for the time of a block."""
    served = start(folder, *options)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
        served.process.wait()
        assert served.process.stdout
        served.process.stdout.close()


class Visitor:
    """Somebody's browser: a connection that is kept, and cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.cookies: dict[str, str] = {}

    def request(
        self, method: str, path: str, body: str | None = None, kind: str = ""
    ) -> tuple[int, bytes]:
        """Send a request as a page of the study does; give status and content."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers |= {"Origin": self.url, "Content-Type": kind}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
        return response.status, content

    def begin(self) -> dict[str, Any]:
        """Take part from now on; give the state."""
        status, content = self.request(
            "POST", "/begin", urlencode(FORM), "application/x-www-form-urlencoded"
        )
        assert status == 303, content
        return self.state()

    def state(self) -> dict[str, Any]:
        """Where this person stands."""
        status, content = self.request("GET", "/state")
        assert status == 200, content
        found: dict[str, Any] = json.loads(content)
        return found

    def answer(self, position: int, answer: Any, seconds: float = 1.5) -> tuple[int, dict[str, Any]]:
        """Send an answer; give status and content."""
        body = json.dumps({"position": position, "answer": answer, "seconds": seconds})
        status, content = self.request("POST", "/answer", body, "application/json")
        return status, json.loads(content)
