"""The runner of `make`: signals, exit codes and explanations, with a stand-in for Snakemake."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import PROJECT, mounted
from soak.disturbed import MARK

RUNNER = PROJECT / "workflow/scripts/run_pipeline.py"
# Notes each SIGTERM, and ends when its job has ended. The job ends at a SIGTERM of its own.
LONG = """
trap 'echo term >> terms' TERM
sh -c 'trap "exit 3" TERM
while [ ! -e finish ]; do sleep 0.02; done
echo job finished
touch finished' &
job=$!
touch started
while kill -0 $job 2> /dev/null; do wait $job; done
exit 1
"""


def stand_in(folder: Path, script: str) -> None:
    """Let a shell script stand for Snakemake."""
    (folder / "bin").mkdir()
    (folder / "bin" / "snakemake").write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    (folder / "bin" / "snakemake").chmod(0o755)


def environment(folder: Path) -> dict[str, str]:
    """Find the stand-in first, and mark all processes."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, MARK: str(folder)}


def run(folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the runner to its end."""
    stand_in(folder, script)
    return subprocess.run(
        [sys.executable, RUNNER, *(options or ("--cores", "1")), "--", "all"],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def alive(folder: Path) -> list[psutil.Process]:
    """Return the processes that were started in a folder and have not ended."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == str(folder) and process.status() != "zombie":
                members.append(process)
    return members


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the limit only guards against hanging."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A runner whose stand-in has a job at work, under a shell that stands for `make`."""
    stand_in(tmp_path, LONG)
    # Tests that run in the background have signals ignored, which processes inherit.
    default = ["env", "--default-signal=INT,TERM,HUP"]
    process = subprocess.Popen(
        [*default, "bash", "-c", f"'{sys.executable}' '{RUNNER}' --cores 1 -- all; exit $?"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_until((tmp_path / "started").exists)
    yield process
    for each in alive(tmp_path):
        each.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def runner_of(shell: subprocess.Popen[str]) -> psutil.Process:
    """Return the process of the runner."""
    (runner,) = psutil.Process(shell.pid).children()
    return runner


def group_lives(leader: int) -> bool:
    """Return whether processes of a process group have not ended."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def terms(folder: Path) -> int:
    """Return how many SIGTERM the stand-in has got."""
    return (folder / "terms").read_text().count("term") if (folder / "terms").exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_snakemake_once_and_lets_jobs_finish(
    started: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    runner = runner_of(started)
    # `timeout` and `make` both send SIGTERM.
    for _ in range(1 if number == signal.SIGINT else 3):
        runner.send_signal(number)
        wait_until(lambda: terms(tmp_path) > 0)
    (tmp_path / "finish").touch()
    output, _ = started.communicate()
    assert terms(tmp_path) == 1 and (tmp_path / "finished").exists()
    assert started.returncode == 128 + number
    lines = output.splitlines()
    assert lines[0].startswith("Stopping: ") and "job finished" in lines
    assert lines[-1] == f"Error: stopped by {number.name}; the same command resumes the run"


def test_a_second_interrupt_ends_the_jobs(started: subprocess.Popen[str], tmp_path: Path) -> None:
    runner = runner_of(started)
    runner.send_signal(signal.SIGINT)
    wait_until(lambda: terms(tmp_path) == 1)
    runner.send_signal(signal.SIGINT)
    started.communicate()
    assert started.returncode == 128 + signal.SIGINT
    assert not (tmp_path / "finished").exists() and not alive(tmp_path)


@pytest.mark.parametrize("victim", ["make", "runner"])
def test_nothing_outlives_a_killed_parent(
    started: subprocess.Popen[str], victim: str, tmp_path: Path
) -> None:
    runner = runner_of(started)
    (snakemake,) = [each for each in runner.children() if each.name() == "snakemake"]
    (psutil.Process(started.pid) if victim == "make" else runner).kill()
    wait_until(lambda: not group_lives(snakemake.pid))
    assert not (tmp_path / "finished").exists()


def test_output_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    stand_in(tmp_path, "for i in 1 2 3; do echo line $i; sleep 0.1; done; touch finished")
    process = subprocess.Popen(
        [sys.executable, RUNNER, "--cores", "1", "--", "all"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.close()
    assert process.wait() == 0 and (tmp_path / "finished").exists()


@pytest.mark.parametrize("cores", ["0", "-1", "abc", "", "all --keep-going", "1.5"])
def test_cores_that_start_no_job_are_refused(tmp_path: Path, cores: str) -> None:
    result = run(tmp_path, "touch ran", f"--cores={cores}")
    assert result.returncode == 1 and not (tmp_path / "ran").exists()
    assert result.stdout == f"Error: CORES is '{cores}'; give a number of 1 or more, or all\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'job: error: bad input'; exit 1", "job: error: bad input"),
        ("printf 'tee: No space '; sleep 0.1; echo 'left on device'; exit 1", "the disk is full; free"),
        ("mkdir -p .snakemake/locks; touch .snakemake/locks/0.input.lock; exit 1", "type: make unlock"),
        ("touch -d tomorrow results; exit 1", "type: make now"),
        ("echo 'SyntaxError in line 3'; exit 1", "SyntaxError in line 3"),
        ("case $* in *--dry-run*) exit 0;; esac; exit 1", "Error: a job was stopped; the same command"),
    ],
)
def test_a_failure_is_explained(tmp_path: Path, script: str, message: str) -> None:
    result = run(tmp_path, script)
    assert result.returncode == 1
    assert message in result.stdout.splitlines()[-1]


def test_what_snakemake_hides_is_asked_for_by_a_dry_run(tmp_path: Path) -> None:
    hides = "case $* in *--quiet=all*) exit 1;; esac; echo $* > asked; seq 20; exit 1"
    result = run(tmp_path, hides, "--cores", "2", "--configfile", "my file.yaml", "--config", "a=b")
    assert result.stdout.split() == [str(number) for number in range(13, 21)]
    options = "--configfile=my file.yaml --config=a=b --cores=2 --rerun-incomplete --dry-run -- all"
    assert (tmp_path / "asked").read_text().strip() == options


def test_a_read_only_project_is_named(tmp_path: Path) -> None:
    with mounted(tmp_path / "project", "size=1m,ro"):
        result = subprocess.run(
            [sys.executable, RUNNER, "--cores", "1", "--", "all"],
            cwd=tmp_path / "project",
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    line = f"Error: {tmp_path}/project is read-only; make it writable, or copy the project elsewhere\n"
    assert result.stderr == line


def test_jobs_know_the_terminal_of_their_run(tmp_path: Path) -> None:
    """Their session has none of its own, and progress bars are drawn on it."""
    stand_in(tmp_path, 'echo "$DEEPCOLOR_TERMINAL" > terminal')
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    try:
        line = [sys.executable, RUNNER, "--cores", "1", "--", "all"]
        subprocess.run(line, cwd=tmp_path, env=environment(tmp_path), stderr=terminal, check=True)
        name = (tmp_path / "terminal").read_text().strip()
        assert name == os.ttyname(terminal)
        program = "from deepcolor.progress import Progress\nwith Progress('a', 2, 'b') as p: p.add()"
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "DEEPCOLOR_TERMINAL": name, "PYTHONPATH": str(PROJECT / "workflow")},
            start_new_session=True,
            check=True,
        )
        os.set_blocking(master, False)
        assert b"0/2" in os.read(master, 10_000)
    finally:
        os.close(master)
        os.close(terminal)


def test_a_line_replaces_what_a_job_has_drawn_on_the_terminal(tmp_path: Path) -> None:
    stand_in(
        tmp_path, 'printf drawn > "$DEEPCOLOR_TERMINAL"; echo first; sleep 0.2; printf second; echo'
    )
    master, terminal = pty.openpty()
    try:
        line = [sys.executable, RUNNER, "--cores", "1", "--", "all"]
        subprocess.run(
            line, cwd=tmp_path, env=environment(tmp_path), stdout=terminal, stderr=terminal, check=True
        )
        assert b"drawn\r\x1b[Kfirst\r\n\r\x1b[Ksecond" in os.read(master, 10_000)
    finally:
        os.close(master)
        os.close(terminal)
