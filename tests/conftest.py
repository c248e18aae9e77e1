"""Fixtures: a copy of the project with a configuration small enough to run in a test.

Tests are handed out to processes by the file, and those in workflow/finished as a whole: they look
at one finished run, and some of them alter it and put it right again.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from deepcolor.files import alone_in
from deepcolor.report.archive import code_files

PROJECT = Path(__file__).parent.parent
TINY = PROJECT / "tests" / "tiny.yaml"
NOTES = PROJECT / "tests" / "workflow" / "notes"
# Parts of the names of tests, in the order in which they begin.
LONGEST = ["/finished/", "/workflow/", ""]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand tests out by the file, and those of workflow/finished together."""
    from support.scheduling import Scheduling  # There is no xdist where the tests of PyTorch run.

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that at the end no process waits for another."""
    items.sort(key=lambda item: next(i for i, part in enumerate(LONGEST) if part in item.nodeid))


@dataclass(frozen=True)
class Copy:
    """A copy of the project in which commands can be run.

    Attributes:
        folder: Where it is.
        environment: Variables for all its commands.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, command: str, timeout: int = 1200, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line in the copy; stdout holds all that it prints."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**self.variables(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def variables(self) -> dict[str, str]:
        """Return the environment of a command: that of the tests, with their Python first.

        What `make test` tells the `make` that it runs is left out, and Python may keep what it compiles.
        """
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("MAKE") and key != "PYTHONDONTWRITEBYTECODE"
        }
        return {**kept, "PATH": path, **self.environment}

    def read(self, path: str) -> str:
        """The content of a file of the copy."""
        return (self.folder / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file of the copy."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")


def errors(text: str) -> list[str]:
    """Return the lines that name an error, without repetitions."""
    return list(dict.fromkeys(line for line in text.splitlines() if "rror:" in line))


def copy_project(folder: Path) -> Copy:
    """Copy the files that git has, or would take, with the tiny configuration as config.yaml.

    A copy, which git does not know, is copied with all that makes up the project.
    """
    listed = code_files(PROJECT)
    if (PROJECT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
    for name in filter(None, listed):
        if (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    shutil.copy(TINY, folder / "config.yaml")
    # `make` in the copy uses the environment of this test.
    (folder / ".venv").symlink_to(sys.prefix)
    return Copy(folder)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a file system of its own on a folder."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A fresh copy."""
    (tmp_path / "deepcolor").mkdir()
    return copy_project(tmp_path / "deepcolor")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which `make report` has run. Tests leave it as they find it."""
    folder = tmp_path_factory.mktemp("finished") / "deepcolor"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _finish(folder)
    else:  # It is made once for all processes; each takes a copy of its own.
        shared = tmp_path_factory.getbasetemp().parent / "finished"
        with alone_in(shared):
            if not (shared / "deepcolor" / "make-report.log").exists():
                shutil.rmtree(shared / "deepcolor", ignore_errors=True)
                _finish(shared / "deepcolor")
            subprocess.run(["cp", "-a", shared / "deepcolor", folder], check=True)
    return noting(folder)


def noting(folder: Path) -> Copy:
    """A copy whose jobs note what they load and read, see `declared`."""
    (folder / "job-notes").mkdir(exist_ok=True)
    return Copy(folder, {"PYTHONPATH": str(NOTES), "JOB_NOTES": str(folder / "job-notes")})


def _finish(folder: Path) -> None:
    folder.mkdir(parents=True)
    copy_project(folder)
    result = noting(folder).run("make report")
    assert result.returncode == 0, result.stdout
    (folder / "make-report.log").write_text(result.stdout, encoding="utf-8")
