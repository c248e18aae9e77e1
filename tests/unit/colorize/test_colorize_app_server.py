"""The process that serves the page to try networks: what it keeps, its limits, how it stops."""

import contextlib
import http.client
import io
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from PIL import Image
from support.sample_images import jpeg, picture
from support.served_apps import ENVIRONMENT, command, serving, write_runs
from unit.imaging.test_bounds import large_profile

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


def encoded(image: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def post(url: str, content: bytes) -> tuple[int, bytes]:
    """Send a picture as the page does; give status and content."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    kind = {"Origin": url, "Content-Type": "application/octet-stream"}
    connection.request("POST", "/colorize?run=warm_2", content, kind)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def test_nothing_is_kept_on_disk_nor_logged(tmp_path: Path) -> None:
    """Waitress, Werkzeug and Pillow would put a large request, form, or answer into temporary files."""
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), np.uint8)
    large = [encoded(Image.fromarray(noise), format) for format in ("PNG", "TIFF")]
    large.append(cv2.imencode(".tiff", noise.astype(np.uint16) * 257)[1].tobytes())
    with serving("--results", write_runs(tmp_path)) as served:
        for content in [*large, jpeg(1), b"text", EPS]:
            status, answer = post(served.url, content)
            assert status == (200 if len(content) > 200 else 422)
            assert status != 200 or len(answer) > len(content) / 2
        code, rest = served.stop()
    # What is written while programs are loaded is caches of theirs.
    assert (code, rest) == (0, "Stopped; nothing was kept\n")
    assert "WRITES" not in served.said and "warning" not in served.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_is_under_way(number: int, tmp_path: Path) -> None:
    content = encoded(picture(1, 4000, 3000), "PNG")
    with serving("--results", write_runs(tmp_path)) as served, ThreadPoolExecutor(1) as pool:
        assert served.said.startswith("A page to try 3 networks: http://127.0.0.1:")
        sent = pool.submit(post, served.url, content)
        time.sleep(0.7)
        assert served.stop(number) == (0, "Stopped; nothing was kept\n")
        assert sent.result()[0] == 200


def test_too_large_a_request_is_told_so(tmp_path: Path) -> None:
    options = ["--most-megabytes", "0.1", "--most-megapixels", "0.01"]
    with serving("--results", write_runs(tmp_path), *options) as served:
        assert post(served.url, b"x" * 200_000)[0] == 413
        status, answer = post(served.url, jpeg(1))
        assert status == 422 and "--most-megapixels" in answer.decode()
        for _ in range(3):  # Far too large: the server does not even read it to its end.
            with contextlib.suppress(OSError):
                assert post(served.url, b"x" * 5_000_000)[0] == 413
        assert post(served.url, b"x")[0] == 422


def test_for_others_it_warns(tmp_path: Path) -> None:
    with serving("--results", write_runs(tmp_path), "--host", "0.0.0.0") as served:
        assert "warning: whoever reaches this machine can use the page" in served.said
        assert post(served.url, jpeg(1))[0] == 200


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--model", "no.onnx"], 1, "--model no.onnx: there is no such file"),
        (["--host", "192.0.2.1"], 1, "--host 192.0.2.1 is not this machine's"),
        (["--port", "65536"], 2, "65536 is no port"),
        (["--most-megabytes", "0"], 2, "0 is no number above 0"),
        (["--most-megapixels", "nan"], 2, "nan is no number above 0"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    options: list[str], code: int, words: str, tmp_path: Path
) -> None:
    runs = [] if "--results" in options else ["--results", str(write_runs(tmp_path))]
    done = subprocess.run(
        command(*runs, *options),
        env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if not line.startswith("WRITES")]
    assert (done.returncode, done.stdout) == (code, "") and words in said[-1]
    assert code == 2 or len(said) == 1


def test_the_command_line_loads_no_numbers_and_no_web_server() -> None:
    program = (
        "import sys; import deepcolor.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & {"numpy", "flask", "waitress", "PIL", "onnxruntime", "jinja2"}


def resident_mb(pid: int) -> float:
    """The memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_does_not_grow_with_pictures(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    with serving("--results", write_runs(tmp_path)) as served:
        begun = 0.0
        for number in range(80):
            width, height = draw.integers(16, 2000, 2)
            noise = draw.integers(0, 256, (int(height), int(width), 3), np.uint8)
            profile = large_profile(int(draw.integers(10_000, 3_000_000)), number)
            file = io.BytesIO()
            Image.fromarray(noise).save(file, ("JPEG", "TIFF")[number % 2], icc_profile=profile)
            assert post(served.url, file.getvalue())[0] == 200
            if number == 19:
                begun = resident_mb(served.process.pid)
        assert resident_mb(served.process.pid) < begun + 50
