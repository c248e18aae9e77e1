"""Run Snakemake on targets for `make`: pass on what it prints, stop it in order, explain a failure.

    python workflow/scripts/run_pipeline.py --cores all -- all
    python workflow/scripts/run_pipeline.py --cores 4 --configfile FILE -- check_setup

Snakemake and its jobs are in a session of their own, out of reach of the terminal's signals. The
first SIGINT, SIGTERM or SIGHUP stops Snakemake, which lets its jobs end and begins no other. A SIGINT
after that, or the death of `make`, ends the jobs too, by SIGKILL where SIGTERM is not enough.
Standard library only.

Exits with 0, with 1 after a failure, or with 128 + the number of the signal that stopped the run.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

GRACE_S = 10  # Between SIGTERM and SIGKILL.
POLL_S = 0.5
CLEAR_LINE = b"\r\x1b[K"
# Reads until this process ends, in whatever way, and then ends the process group that it was left with.
GUARD = f"read _; kill -s TERM -- -$1; sleep {GRACE_S}; kill -s KILL -- -$1"
STOPPING = (
    "Stopping: running jobs finish, no new job starts. Press Ctrl-C again to end them now; "
    "a training resumes after its last epoch.\n"
)
FULL = "Error: the disk is full; free some space and run the same command again"
LOCKED = "Error: another run is at work in this folder, or one was killed. If none is, type: make unlock"
FUTURE = "Error: there are files from the future here. If the clock was set back, type: make now"
STOPPED = "Error: a job was stopped; the same command resumes the run. Logs are in logs/ of the results"


class Pipeline:
    """A run of Snakemake.

    Attributes:
        named: Whether an error has been printed.
        full: Whether a full disk has been reported.
        stopped_by: Number of the first signal, 0 before.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.named = self.full = False
        self.stopped_by = 0
        self._ended_at: float | None = None
        self._tail = b""
        self._parent = os.getppid()
        self._process: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup and shells in the background have some ignored.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)
        # Their session has no terminal; progress bars go to this one.
        terminal = {"DEEPCOLOR_TERMINAL": os.ttyname(2)} if os.isatty(2) else {}
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **terminal, "DEEPCOLOR_PROGRESS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self.stopped_by:
            self._signal(signal.SIGTERM)

    def wait(self) -> int:
        """Pass on what is printed until Snakemake and its jobs have ended; return its exit code."""
        assert self._process and self._process.stdout
        output = self._process.stdout.fileno()
        guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # Jobs that outlive a killed Snakemake hold the pipe open.
        while True:
            if select.select([output], [], [], POLL_S)[0]:
                chunk = os.read(output, 2**16)
                if not chunk:
                    break
                self._pass_on(chunk)
            if os.getppid() != self._parent:
                self._end()
            if self._ended_at and time.monotonic() > self._ended_at + GRACE_S:
                self._signal_group(signal.SIGKILL)
        code = self._process.wait()
        guard.kill()
        guard.wait()
        return code

    def _pass_on(self, chunk: bytes) -> None:
        _print(chunk, begins_line=self._tail[-1:] in (b"", b"\n"))
        text = (self._tail + chunk).lower()
        self.named |= b"error:" in text
        self.full |= b"no space left" in text
        self._tail = chunk[-len("no space left") :]

    def _stop(self, number: int, _: FrameType | None) -> None:
        if not self.stopped_by:
            self.stopped_by = number
            _print(STOPPING.encode())
            self._signal(signal.SIGTERM)
        elif number == signal.SIGINT:
            # `timeout` and `make` send SIGTERM twice.
            self._end()

    def _end(self) -> None:
        """End Snakemake's jobs; Snakemake notes which have failed, and unlocks the folder."""
        self.stopped_by = self.stopped_by or signal.SIGTERM
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            self._signal_group(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._process:
            self._process.send_signal(number)

    def _signal_group(self, number: int) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def _print(content: bytes, begins_line: bool = True) -> None:
    """Print at once; what a closed terminal does not take is dropped."""
    with suppress(OSError):
        if begins_line and os.isatty(2):
            os.write(2, CLEAR_LINE)  # A job may have drawn how far it is.
        while content:
            content = content[os.write(1, content) :]


def main() -> None:
    """Parse the command line, run, explain, and exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", required=True, help="a number of 1 or more, or all")
    parser.add_argument("--configfile", help="laid over config.yaml")
    parser.add_argument("--config", help="entry that replaces one of config.yaml")
    parser.add_argument("targets", nargs="+", help="files or rules")
    args = parser.parse_args()
    if args.cores != "all" and not (args.cores.isascii() and args.cores.isdigit() and int(args.cores)):
        sys.exit(f"Error: CORES is '{args.cores}'; give a number of 1 or more, or all")
    check_writable(Path.cwd())
    overlay = [f"--{key}={value}" for key in ("configfile", "config") if (value := getattr(args, key))]
    command = ["snakemake", *overlay, f"--cores={args.cores}", "--rerun-incomplete"]
    run = Pipeline([*command, "--quiet=all", "--", *args.targets])
    code = run.wait()
    if code == 0:
        return
    if run.stopped_by:
        name = signal.Signals(run.stopped_by).name
        _print(f"Error: stopped by {name}; the same command resumes the run\n".encode())
        sys.exit(128 + run.stopped_by)
    if not run.named:
        message = explanation([*command, "--dry-run", "--", *args.targets], run.full)
        _print(f"{message}\n".encode())
    sys.exit(1)


def check_writable(project: Path) -> None:
    """End with one line where Snakemake cannot keep its notes."""
    notes = project / ".snakemake"
    folder = notes if notes.exists() else project
    if not os.access(folder, os.W_OK | os.X_OK):
        sys.exit(f"Error: {folder} is read-only; make it writable, or copy the project elsewhere")


def explanation(dry_run: Sequence[str], full: bool) -> str:
    """Explain a failure that has printed no error.

    `--quiet all` hides Snakemake's own errors; a full disk keeps jobs from logging theirs.

    Args:
        dry_run: Command that does everything but run jobs.
        full: Whether a full disk was reported.

    Returns:
        A line, or the last lines of the dry run if that fails.
    """
    if full:
        return FULL
    locks = Path(".snakemake/locks")
    if locks.is_dir() and any(locks.iterdir()):
        return LOCKED
    if files_from_the_future():
        return FUTURE
    result = subprocess.run(
        dry_run, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        return "\n".join(result.stdout.splitlines()[-8:])
    return STOPPED


def files_from_the_future() -> bool:
    """Return whether files of the project, links followed, are newer than now."""
    find = ["find", "-L", ".", "-path", "./.venv", "-prune", "-o", "-type", "f", "-newermt", "now"]
    listed = subprocess.run(
        [*find, "-print", "-quit"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return bool(listed.stdout)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except OSError as error:
        sys.exit(f"Error: {error.filename or ''} {error.strerror}")
