"""The process that serves a study: how it is started, stopped, killed, and crowded."""

import contextlib
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks import study as benchmark
from deepcolor.study import answers
from deepcolor.study.server import serve
from deepcolor.study.server.store import Store
from soak.study import soak
from support.small_study import ENVIRONMENT, Visitor, command, make_study, png, run, start
from support.small_study import serving as served_study


def test_killed_while_people_answer(tmp_path: Path) -> None:
    said: list[str] = []
    soak(tmp_path, kills=2, seed=1, report=said.append)
    assert "all kept" in said[-1]


def test_many_people_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.measure(tmp_path, people=20, trials=8, most=60)
    assert "acknowledged answers: 160, kept: 160" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_and_leaves_one_file(number: int, tmp_path: Path) -> None:
    make_study(tmp_path, images=1000)
    served = start(tmp_path, "--simulated")
    assert "Rehearsal of" in served.said and f"{served.url}/" in served.said
    assert "answers.sqlite" in served.said and "warning" not in served.said
    visitor, acknowledged = Visitor(served.url), 0
    visitor.begin()
    threading.Timer(0.5, served.process.send_signal, [number]).start()
    with pytest.raises(OSError):  # When it has stopped.
        while True:
            assert visitor.answer(acknowledged, "real")[0] == 200
            acknowledged += 1
    code, rest = served.stop(0)
    assert code == 0 and rest == "Stopped; all answers are kept\n"
    assert not list(tmp_path.glob("*-wal")) and not list(tmp_path.glob("*-shm"))
    exported = run("study", "export", "--study", tmp_path)
    assert exported.returncode == 0, exported.stderr
    kept = answers.read_answers(tmp_path / "answers.csv")
    assert len(kept) == acknowledged > 10 and all(each.simulated for each in kept)


def test_what_is_under_way_when_it_is_told_to_stop_is_finished(tmp_path: Path) -> None:
    make_study(tmp_path)
    with served_study(tmp_path) as served:
        visitors = [Visitor(served.url) for _ in range(3 * serve.THREADS)]
        for visitor in visitors:
            visitor.begin()
        with (
            ThreadPoolExecutor(len(visitors)) as pool,
            closing(sqlite3.connect(tmp_path / "answers.sqlite")) as connection,
        ):
            connection.execute("BEGIN IMMEDIATE")  # All others wait.
            sent = [pool.submit(visitor.answer, 0, "real") for visitor in visitors]
            time.sleep(1)
            served.process.terminate()
            time.sleep(1)
            assert not any(each.done() for each in sent)
            connection.rollback()
            assert [each.result()[0] for each in sent] == [200] * len(visitors)
        assert served.process.wait(timeout=10) == 0


def test_commands_while_it_is_served(tmp_path: Path) -> None:
    make_study(tmp_path)
    with served_study(tmp_path) as served:
        visitor = Visitor(served.url)
        visitor.begin()
        visitor.answer(0, "real")
        done = run("study", "export", "--study", tmp_path, "--output", tmp_path / "a.csv")
        assert done.stdout == f"1 answers: {tmp_path / 'a.csv'}\n", done.stderr
        done = run("study", "backup", tmp_path / "b.sqlite", "--study", tmp_path)
        assert done.stdout == f"1 answers: {tmp_path / 'b.sqlite'}\n", done.stderr
        over = run("study", "export", "--study", tmp_path, "--output", tmp_path / "answers.sqlite")
        assert over.returncode == 1 and "is a study's file" in over.stderr
        for name in ("a.csv", "b.sqlite", "answers.sqlite"):
            assert (tmp_path / name).stat().st_mode & 0o077 == 0
        port = served.url.rpartition(":")[2]
        twice = run("study", "serve", "--study", tmp_path, "--port", port)
        assert twice.returncode == 1
        assert twice.stderr == f"main: error: --port {port} is in use by another program; name another\n"


def test_a_flood_of_requests_whose_replies_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    study = make_study(tmp_path, side=256)
    request = f"GET /pictures/{min(study['pictures'])}.png HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with served_study(tmp_path) as served:
        host, port = served.url.removeprefix("http://").split(":")
        held = [socket.create_connection((host, int(port))) for _ in range(2 * serve.THREADS)]
        for each in held:
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                each.sendall(request * 150)
        time.sleep(1)
        visitor = Visitor(served.url)
        assert visitor.begin()["answered"] == 0
        for each in held:
            each.close()


def test_few_files_are_one_line(tmp_path: Path) -> None:
    make_study(tmp_path)
    line = " ".join(shlex.quote(each) for each in command("study", "serve", "--study", tmp_path))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 70; exec {line} --port 0"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("only 70 files may be open; type: ulimit -n 2064")


def test_slow_and_broken_visitors_stop_nobody(tmp_path: Path) -> None:
    make_study(tmp_path)
    with served_study(tmp_path) as served:
        host, port = served.url.removeprefix("http://").split(":")
        held = [socket.create_connection((host, int(port))) for _ in range(250)]
        for number, each in enumerate(held):
            each.sendall(
                (
                    b"GET / HT",
                    b"\x00\xff\r\n\r\n",
                    b"POST /answer HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
                )[number % 3]
            )
        huge = socket.create_connection((host, int(port)), timeout=10)
        huge.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n\r\n")
        assert b" 431 " in huge.recv(100)
        visitor = Visitor(served.url)
        visitor.begin()
        assert visitor.answer(0, "real")[0] == 200
        for each in [*held, huge]:
            each.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "192.0.2.1"], "--host 192.0.2.1 is not this machine's"),
        (["--host", "no such host"], "--host no such host: there is no such address"),
        (["--public-url", "example.org"], "--public-url example.org: not the address of a page"),
        (["--study", "nowhere"], "nowhere/study.json is not there; `make study` makes it"),
        (["--database", "/dev/null/x"], "/dev/null"),
    ],
)
def test_what_cannot_be_served_is_one_line(options: list[str], words: str, tmp_path: Path) -> None:
    make_study(tmp_path)
    done = run("study", "serve", "--study", tmp_path, "--port", "0", *options)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("main: error: ") and words in done.stderr
    assert done.stderr.count("\n") == 1


def test_where_nothing_can_be_written_is_one_line(tmp_path: Path) -> None:
    make_study(tmp_path)
    store = Store(tmp_path / "answers.sqlite", tmp_path)
    session = store.begin("yes")
    assert session and store.answer(session, 0, "real", 1.0)
    store.close()
    for arguments in (["export", "--output", "/dev/null/x"], ["backup", "/dev/null/x"]):
        done = run("study", *arguments, "--study", tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("main: error: /dev/null/x: ") and done.stderr.count("\n") == 1


def test_a_port_is_a_port() -> None:
    done = run("study", "serve", "--port", "65536")
    assert done.returncode == 2 and "65536 is no port" in done.stderr


@pytest.mark.parametrize(
    ("host", "public_url", "warned"),
    [
        ("127.0.0.1", "", False),
        ("0.0.0.0", "", True),
        ("0.0.0.0", "https://a.b", False),
        ("127.0.0.1", "http://a.b", True),
    ],
)
def test_unencrypted_answers_are_warned_of(host: str, public_url: str, warned: bool) -> None:
    with serve.listen(host, 0) as listener:
        assert ("not encrypted" in serve.warning(listener, public_url)) == warned
        assert serve.address(listener).startswith("http://127.0.0.1:")


def test_serving_needs_no_numbers_and_no_networks() -> None:
    program = (
        "import sys; import deepcolor.cli.main; from deepcolor.study import import_answers; "
        "from deepcolor.study.server import serve; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "flask" in loaded
    assert not loaded & {"numpy", "pandas", "tensorflow", "keras", "PIL", "scipy", "matplotlib"}


def test_help_needs_no_web_server() -> None:
    program = "import sys; sys.argv = ['deepcolor', 'study', '--help']\nfrom deepcolor.cli import main\n"
    program += "try: main.main()\nexcept SystemExit: print('flask' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert "import" in done.stdout and done.stdout.endswith("False\n")


def test_pictures_of_the_tests_are_pictures() -> None:
    from io import BytesIO

    from PIL import Image

    assert Image.open(BytesIO(png(1, 5))).convert("RGB").size == (5, 5)
    assert command("study")[1:3] == ["-m", "deepcolor.cli.main"]
