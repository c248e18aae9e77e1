"""Files appear whole, one process at a time writes one, and what has been altered since is noticed."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PROJECT
from deepcolor import files, integrity
from deepcolor.errors import DeepColorError
from deepcolor.files import alone_in, replacing, replacing_folder

# Holds a file or a folder until it is killed.
HOLD = (
    "import sys, time; from deepcolor import files\n"
    "with getattr(files, sys.argv[1])(sys.argv[2]): print('holds', flush=True); time.sleep(99)"
)


def holder(how: str, path: Path) -> subprocess.Popen[str]:
    """Another process that has begun to write a file, or is alone in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, how, str(path)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdout.readline() == "holds\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_writer_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    process = holder("replacing", tmp_path / "a.csv")
    (tmp_path / ".partial.a.csv").write_text("ha")
    process.kill()
    process.wait()
    assert ".partial.a.csv.lock" in names(tmp_path)
    with replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("end", ["killed", "deleted"])
def test_who_writes_the_same_is_waited_for(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until it ends or, where nobody sees that it is dead, its lock is deleted as the line says."""
    process = holder("replacing", tmp_path / "a.csv")
    lock = tmp_path / ".partial.a.csv.lock"

    def end_it(_: float) -> None:
        if end == "deleted":
            lock.unlink()
        else:
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    monkeypatch.setattr(time, "sleep", end_it)
    with replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("whole")
    process.kill()
    process.wait()
    assert names(tmp_path) == ["a.csv"]
    said = capsys.readouterr().out
    assert said.startswith(f"Waiting for process {process.pid} on ")
    assert said.endswith(f", which writes {tmp_path / 'a.csv'}; if it is dead, delete {lock}\n")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "a") as parts:
        (parts / "one").touch()
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "a") as parts:
        (parts / "two").touch()
        raise ZeroDivisionError
    assert names(tmp_path) == ["a"] and names(tmp_path / "a") == ["one"]


def test_a_file_system_without_locks_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone_in(tmp_path / "a"), replacing(tmp_path / "a" / "b") as temporary:
        temporary.touch()
    assert names(tmp_path / "a") == ["b"]


def test_what_was_altered_after_it_was_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    table, inside, picture = Path("a.csv"), Path("data/b.json"), Path("data/c.png")
    for path in (table, inside, picture):
        files.write_text(path, "1.25")
    integrity.note(["--table", "a.csv", "--folder", "data"], files.written)
    assert len(names(integrity.NOTES)) == 2  # Pictures in folders may be many.
    os.utime(table, (1e9, 1e9))
    integrity.check(["--table", "a.csv", "data/b.json", "x" * 5000])
    inside.write_text("1.35")
    with pytest.raises(DeepColorError, match="^data/b.json is not as it was written"):
        integrity.check(["--about", "data/b.json"])
    files.write_text(inside, "1.45")
    integrity.note(["--about", "data/b.json"], files.written)
    integrity.check(["--about", "data/b.json"])


@pytest.mark.parametrize("content", ["[]", "5", "{}", '{"size": 4', None])
def test_a_broken_note_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    files.write_text("a.csv", "1.25")
    integrity.note(["a.csv"], files.written)
    (note,) = integrity.NOTES.iterdir()
    note.unlink()
    if content is None:
        note.mkdir()
    else:
        note.write_text(content)
    with pytest.raises(DeepColorError, match=f"^{note} is broken"):
        integrity.check(["a.csv"])


def test_a_file_is_read_once_after_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    shard, read = Path("a.tfrecord"), []

    def counted(path: Path) -> str:
        read.append(path)
        return files.sha256(path)

    monkeypatch.setattr(integrity, "sha256", counted)
    files.write_text(shard, "1.25")
    checksum = files.sha256(shard)
    for _ in range(3):
        integrity.check_sha256(shard, checksum)
    assert len(read) == 1
    os.utime(shard, (1e9, 1e9))
    for _ in range(3):
        integrity.check_sha256(shard, checksum)
    assert len(read) == 2
    # A checksum of something else, and a content that is something else.
    with pytest.raises(DeepColorError, match="^a.tfrecord is not as it was written"):
        integrity.check_sha256(shard, "0" * 64)
    shard.write_text("1.35")
    with pytest.raises(DeepColorError, match="^a.tfrecord is not as it was written"):
        integrity.check_sha256(shard, checksum)
