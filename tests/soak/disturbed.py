"""Runs that something happens to: their processes, and what they leave, compared with another run's."""

import hashlib
import json
import re
import signal
import subprocess
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
from conftest import Copy
from safetensors.numpy import load_file

# Times of day and of computing are in these, or checksums of files that have them.
TIMED = {"report.html", "training.csv", "quality_against_cost.svg", "MODEL_CARD.md", "model_card.json"}
# Variable that marks a command's processes, whatever their session and parent.
MARK = "DEEPCOLOR_STARTED"
# What training.json says besides speed, memory and the size of a compressed file.
RECORDED = [
    "run", "epochs", "seed", "train_on", "continued_from", "settings", "parameters", "images", "shards",
    "stopped_after", "collapses", "outputs",
]  # fmt: skip


@dataclass(frozen=True)
class Started:
    """A command at work in a copy, in a session of its own, as in a terminal.

    Attributes:
        process: Its first process, which leads a process group.
        log: What it prints.
        mark: Value of `MARK` in the environment of all its processes.
    """

    process: subprocess.Popen[bytes]
    log: Path
    mark: str

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float = 300) -> int:
        """Wait for its end, which is that of its first process; give its exit code."""
        return self.process.wait(seconds)

    def members(self) -> list[psutil.Process]:
        """Return its processes that are alive, whatever their session and parent."""
        members = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark and process.status() != "zombie":
                    members.append(process)
        return members


def start(copy: Copy, command: str) -> Started:
    """Start a command line in a copy."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # In the background; children inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    number = len(list(copy.folder.parent.glob(f"{copy.folder.name}-*.log")))
    log = copy.folder.with_name(f"{copy.folder.name}-{number}.log")
    mark = uuid.uuid4().hex
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=copy.folder,
            env={**copy.variables(), MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Started(process, log, mark)


def jobs(started: Started, script: str = "") -> list[psutil.Process]:
    """The processes of a run's jobs, or of those of one script."""
    return _running(started, rf"workflow/scripts/(?!run_pipeline){script}")


def runners(started: Started) -> list[psutil.Process]:
    """The process that runs Snakemake for `make`."""
    return _running(started, "workflow/scripts/run_pipeline")


def snakemakes(started: Started) -> list[psutil.Process]:
    """The processes of Snakemake itself."""
    return _running(started, "/snakemake")


def _running(started: Started, script: str) -> list[psutil.Process]:
    running = []
    for process in started.members():
        with suppress(psutil.Error):
            program, *arguments = process.cmdline() or [""]
            if "python" in Path(program).name and arguments and re.search(script, arguments[0]):
                running.append(process)
    return running


def until_job(started: Started, script: str = "", seconds: float = 200) -> bool:
    """Wait until a job is at work, or one of a script; False if the run ends without."""
    end = time.monotonic() + seconds
    while not jobs(started, script):
        if started.process.poll() is not None:
            return False
        assert time.monotonic() < end, f"no {script or 'job'} in {seconds} s:\n{started.said()}"
        time.sleep(0.05)
    return True


def send(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to processes, of which some may have ended."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing more be opened for writing in a folder; what is open stays so."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fingerprints(copy: Copy) -> dict[str, str]:
    """A checksum by file of data/ and results/, of all that is no measured time; logs are left out."""
    found = {}
    for top in ("data", "results"):
        for path in sorted((copy.folder / top).rglob("*")):
            name = path.relative_to(copy.folder).as_posix()
            if path.is_file() and not name.startswith(("results/logs/", "results/benchmarks/")):
                found[name] = "" if path.name in TIMED else _fingerprint(path)
    return found


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name != "metadata.json":  # When it was saved; the other one has addresses in memory.
                    content = re.sub(rb'"shared_object_id": \d+', b"", archive.read(name))
                    digest.update(name.encode() + content)
    elif path.name == "state.safetensors":
        for name, array in sorted(load_file(path).items()):
            digest.update(name.encode() + array.tobytes())
    elif path.name == "history.csv":
        table = pd.read_csv(path)
        digest.update(table.drop(columns=[each for each in table if "second" in each]).to_csv().encode())
    elif path.name == "training.json":
        record = json.loads(path.read_text("utf-8"))
        digest.update(json.dumps([record[key] for key in RECORDED]).encode())
    else:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """The files that are missing, too many, or other ones."""
    return sorted(
        [f"{name} is missing" for name in expected.keys() - found.keys()]
        + [f"{name} is too much" for name in found.keys() - expected.keys()]
        + [f"{name} differs" for name in expected.keys() & found.keys() if expected[name] != found[name]]
    )


def times(copy: Copy) -> dict[str, float]:
    """When the files of data/ and results/ were written."""
    files = [path for top in ("data", "results") for path in (copy.folder / top).rglob("*")]
    return {str(path): path.stat().st_mtime for path in files if path.is_file()}
