"""Snakemake's own files: a damaged one ends in one line that names it, and nothing is deleted."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from deepcolor.config import job_records
from deepcolor.errors import DeepColorError
from snakemake.persistence import MetadataRecord
from snakemake.persistence.file import FilePersistence

OUTPUT = "results/unet_1/model.keras"
DAMAGED = {
    "not UTF-8": b'{"rule": "\xff"}',
    "cut short": b'{"rule": "trai',
    "empty": b"",
    "a list": b'["rule"]',
    "null": b"null",
    "an empty object": b"{}",
    "of a wrong type": b'{"rule": 5}',
    "with parameters that are no text": b'{"params": [["a"]]}',
    "with a checksum that is no text": b'{"input_checksums": {"a": 5}}',
    "nested": b"[" * 100_000,
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilePersistence:
    """Snakemake's folder with one whole record of a file that is there."""
    monkeypatch.chdir(tmp_path)
    Path(OUTPUT).parent.mkdir(parents=True)
    Path(OUTPUT).write_text("weights")
    state = FilePersistence()
    state._write_record(OUTPUT, MetadataRecord(rule="train", params=["'adam'"], endtime=1.5))
    return state


def path_of(output: str, kind: str = "metadata") -> Path:
    return Path(".snakemake", kind, urlsafe_b64encode(output.encode()).decode())


def check() -> None:
    job_records.check(MetadataRecord.model_validate)


@pytest.mark.usefixtures("state")
def test_whole_records_pass() -> None:
    check()


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.usefixtures("state")
def test_a_damaged_record_is_named_with_its_file(kind: str) -> None:
    path_of(OUTPUT).write_bytes(DAMAGED[kind])
    with pytest.raises(DeepColorError, match=f"delete both to make {OUTPUT} again") as error:
        check()
    assert str(error.value).startswith(f"{path_of(OUTPUT)} is damaged")
    assert "\n" not in str(error.value)
    assert path_of(OUTPUT).read_bytes() == DAMAGED[kind] and Path(OUTPUT).exists()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
@pytest.mark.usefixtures("state")
def test_what_is_no_file_is_named(make: Callable[[Path], None]) -> None:
    path_of(OUTPUT).unlink()
    make(path_of(OUTPUT))
    with pytest.raises(DeepColorError, match="is damaged \\(not a file\\)"):
        check()


@pytest.mark.usefixtures("state")
def test_several_damaged_records_are_counted() -> None:
    for name in ("a", "b"):
        path_of(name).write_bytes(b"\xff")
    with pytest.raises(DeepColorError, match=r"how a was made is unknown; delete it \(1 more like it\)"):
        check()


def test_a_record_of_a_long_name_is_found(state: FilePersistence) -> None:
    output = "results/" + 300 * "a"
    state._write_record(output, MetadataRecord(rule="train"))
    check()
    (path,) = Path(".snakemake/metadata").glob("@*/*")
    path.write_bytes(b"\xff")
    with pytest.raises(DeepColorError, match=f"how {output} was made is unknown"):
        check()


def test_what_a_killed_run_leaves_needs_nothing(state: FilePersistence) -> None:
    state._mark_incomplete(OUTPUT, None)
    path_of(OUTPUT).write_bytes(DAMAGED["cut short"])
    check()
    path_of(OUTPUT, "incomplete").write_bytes(b"")
    check()


@pytest.mark.parametrize("content", [b"\xff", b"null", b'{"external_jobid": ["1"]}'])
def test_a_damaged_mark_is_named_with_its_file(state: FilePersistence, content: bytes) -> None:
    state._mark_incomplete(OUTPUT, None)
    path_of(OUTPUT, "incomplete").write_bytes(content)
    with pytest.raises(DeepColorError, match=f"{OUTPUT} may be incomplete; delete both"):
        check()


@pytest.mark.usefixtures("state")
def test_a_damaged_lock_is_named() -> None:
    Path(".snakemake/locks/0.input.lock").write_bytes(b"\xff")
    with pytest.raises(DeepColorError, match="0.input.lock is damaged .*no other run is at work"):
        check()


@pytest.mark.usefixtures("state")
def test_files_that_snakemake_never_reads_are_passed_over() -> None:
    for name in (".DS_Store", "notes.txt"):
        Path(".snakemake/metadata", name).write_bytes(b"\xff")
    check()


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    job_records.check(MetadataRecord.model_validate, tmp_path / "none")
    (tmp_path / "locks").write_text("")
    with pytest.raises(DeepColorError, match="locks should be a folder; delete it"):
        job_records.check(MetadataRecord.model_validate, tmp_path)
