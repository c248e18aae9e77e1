"""Connections that send slowly, or nothing: they take nobody's place."""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from deepcolor.web import connections, server
from deepcolor.web.connections import LEAST_RATE, READING, Places
from support import served_apps, small_study
from support.trickling import trickling
from werkzeug.wrappers import Request, Response


def connection(network: str, since: float, **more: Any) -> Any:
    """A connection as `Places` sees one."""
    state = {"is_busy": False, "will_close": False, "total_outbufs_len": 0, **more}
    return SimpleNamespace(network=network, since=since, **state)


def test_the_address_with_the_most_connections_gives_up_its_oldest() -> None:
    crowd = [connection("a", since) for since in (5, 3, 4, 1)]
    busy = connection("a", 0, is_busy=True)
    visitors = [connection("b", 0), connection("c", 2)]
    order = Places._dispensable([*visitors, *crowd, busy])
    assert busy not in order and len(order) == 6
    assert [(each.network, each.since) for each in order[:3]] == [("a", 1), ("a", 3), ("a", 4)]
    assert order[-1].since == 5 or order[-1].network != "a"


def test_one_that_still_reads_its_answer_goes_last() -> None:
    reading, idle = connection("a", 0, total_outbufs_len=9), connection("a", 1)
    assert Places._dispensable([reading, idle]) == [idle, reading]


@contextmanager
def served(most: int = 20, idle: float = 60.0) -> Iterator[str]:
    """Serve a page that says how many bytes came, in this process."""

    @Request.application
    def application(request: Request) -> Response:
        return Response(f"{len(request.get_data())}")

    listener, stop = server.listen("127.0.0.1", 0), threading.Event()
    url = server.address(listener)
    thread = threading.Thread(
        target=server.run,
        args=(application, listener, stop),
        kwargs={"connections": most, "idle": idle, "threads": 1},
    )
    thread.start()
    try:
        yield url
    finally:
        stop.set()
        thread.join()


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def test_a_request_that_trickles_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READING", 0.3)
    monkeypatch.setattr(connections, "SWEEP", 0.05)
    with served() as url, connected(url) as slow:
        begun = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 (when it is closed)
            while time.monotonic() - begun < 30:
                slow.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - begun < 30


def test_empty_lines_are_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SWEEP", 0.05)
    with served(idle=0.3) as url, connected(url) as slow:
        begun = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 (when it is closed)
            while time.monotonic() - begun < 30:
                slow.sendall(b"\r\n")
                time.sleep(0.05)
        assert time.monotonic() - begun < 30


def channel() -> Any:
    """A connection of the server, without a server."""
    ours, theirs = socket.socketpair()
    server = SimpleNamespace(active_channels={}, add_task=lambda channel: None)
    found = connections.Channel(server, ours, ("2001:db8::1:2:3:4", 1), adjustments(), map={})
    theirs.close()
    return found


def adjustments() -> Any:
    from waitress.adjustments import Adjustments

    return Adjustments()


def test_the_deadline_of_a_request_grows_with_what_has_come() -> None:
    found = channel()
    now = found.since
    assert found.network == "2001:0db8:0000:0000"
    assert not found.is_late(now + 59, 60) and found.is_late(now + 61, 60)
    found.received(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
    now = found.begun
    assert not found.is_late(now + READING - 1, 60) and found.is_late(now + READING + 1, 60)
    for _ in range(9):
        found.received(b"x" * 10_000)
    late = now + READING + 90_000 / LEAST_RATE
    assert not found.is_late(late - 0.1, 60) and found.is_late(late + 0.1, 60)
    found.received(b"x" * 10_000)
    assert found.is_busy and not found.is_late(late + 1000, 60)
    found.handle_close()


def test_more_connections_than_places() -> None:
    with served(most=10) as url:
        held = [connected(url) for _ in range(50)]
        for each in held[::2]:
            each.sendall(b"POST / HT")
        with connected(url) as visitor:
            visitor.sendall(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
            assert visitor.makefile("rb").read().endswith(b"\r\n\r\n3")
        for each in held:
            each.close()


@contextmanager
def limited(files: int, line: list[str], environment: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Run a server that may open only some files; give its address, and the folder of its files."""
    process = subprocess.Popen(
        ["bash", "-c", f'ulimit -n {files}; exec "$@"', "bash", *line],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout
    said = ""
    try:
        for text in process.stdout:
            said += text
            if "Ctrl-C" in text:
                break
        url = re.search(r"(http://[\d.:]+)", said)
        assert url, said
        yield url[1], Path(f"/proc/{process.pid}/fd")
        process.terminate()
        assert "Stopped" in process.communicate(timeout=30)[0] and process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the limit only guards against hanging."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_study_is_answered_while_connections_trickle(tmp_path: Path) -> None:
    small_study.make_study(tmp_path)
    line = small_study.command("study", "serve", "--study", tmp_path, "--port", "0")
    with limited(200, line, small_study.ENVIRONMENT) as (url, files), trickling(url, 300):
        for _ in range(3):
            wait_until(lambda: len(list(files.iterdir())) > 100)
            visitor = small_study.Visitor(url)
            visitor.begin()
            assert visitor.answer(0, "real")[0] == 200
            assert len(list(files.iterdir())) < 200
    assert small_study.run("study", "export", "--study", tmp_path).stdout.startswith("3 answers")


def test_the_page_is_served_while_uploads_stall(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "deepcolor.cli.main", "app", "--port", "0"]
    line += ["--results", str(served_apps.write_runs(tmp_path))]
    with (
        limited(1024, line, served_apps.ENVIRONMENT) as (url, files),
        trickling(url, 64, "/colorize?run=warm_2"),
    ):
        wait_until(lambda: len(list(files.iterdir())) > 30)  # Of 32 connections; some are replaced.
        for _ in range(3):
            visitor = small_study.Visitor(url)
            status, page = visitor.request("GET", "/")
            assert status == 200 and b"warm" in page
