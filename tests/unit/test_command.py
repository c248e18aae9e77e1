"""What scripts share: scratch folders that go with their job, and what is said where there are none."""

import os
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from conftest import PROJECT, mounted
from deepcolor import script
from deepcolor.errors import DeepColorError

# Copies a file into its scratch folder, says so, and waits to be ended.
PROGRAM = """
import shutil, sys, time
from argparse import Namespace
from deepcolor import script
def main():
    with script.scratch(Namespace(scratch="yes")) as folder:
        shutil.copyfile(sys.argv[1], folder / "copy")
        print("copied", flush=True)
        time.sleep(60)
script.run(main, noted=False)
"""


def start(file: Path, place: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(file)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow"), "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_job_that_is_ended_leaves_nothing_in_scratch(tmp_path: Path) -> None:
    place = tmp_path / "scratch"
    place.mkdir()
    process = start(PROJECT / "README.md", place)
    assert process.stdout
    assert process.stdout.readline() == "copied\n"
    assert len(list(place.rglob("copy"))) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert list(place.iterdir()) == []


def test_a_full_scratch_disk_is_named(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(2**20))
    with mounted(tmp_path / "scratch", "size=64k"):
        process = start(large, tmp_path / "scratch")
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"{tmp_path}/scratch/deepcolor-" in said and "the disk is full" in said
        assert "Traceback" not in said


def test_no_other_folder_is_taken_for_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "not there"))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with (
            pytest.raises(DeepColorError, match="not there: no scratch folder .*; set TMPDIR"),
            script.scratch(Namespace(scratch="yes")),
        ):
            pass
    finally:
        signal.signal(signal.SIGTERM, before)
