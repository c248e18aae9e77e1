"""Archives: whole, as they were written, and only into the project that they were made of.

What no archive may do is in test_restore.py.
"""

import errno
import gzip
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO

import pytest
from conftest import PROJECT
from deepcolor.errors import DeepColorError
from deepcolor.report import restore
from deepcolor.report.archive import CODE, Layout, members, pack


def project(folder: Path, code: str = "print(1)") -> Path:
    """A project with results, noted by Snakemake, and data."""
    files = {
        "Snakefile": code,
        "results/report.html": "<html>",
        "results/unet_1/model.keras": "weights",
        "results/unet_1/backup-1.safetensors": "state",
        ".snakemake/metadata/cmVzdWx0cw==": "{}",
        ".snakemake/log/today.log": "log",
        "data/photographs/manifest.csv": "id",
        "data/photographs/images/a.png": "pixels",
        "data/cache/large.zip": "zip",
        ".gitignore": "/results/\n/data/\n.snakemake/\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        os.utime(folder / name, (1e9, 1e9 + 0.25))
    return folder


def packed(folder: Path) -> Path:
    archive = folder.with_suffix(".tar.gz")
    pack(folder, members(folder, Layout()), archive)
    return archive


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return project(tmp_path / "here")


def test_what_is_in_an_archive(here: Path) -> None:
    with tarfile.open(packed(here)) as tar:
        assert set(tar.getnames()) == {
            ".gitignore", "Snakefile", "results/report.html", "results/unet_1/model.keras",
            ".snakemake/metadata/cmVzdWx0cw==", "data/photographs/manifest.csv", "SHA256SUMS",
        }  # fmt: skip
        assert tar.getmember("results/report.html").mtime == 1e9 + 0.25


def test_lists_of_photographs_are_in_an_archive(here: Path) -> None:
    (here / "photographs.txt").write_text("a.jpg")
    config = {"results": "results", "data": "data", "data_sets": {"a": {"list": "photographs.txt"}}}
    layout = Layout.of(here, config, None)
    archive = here.with_suffix(".tar.gz")
    pack(here, members(here, layout), archive)
    (here / "photographs.txt").unlink()
    assert restore.unpack(archive, here, layout) == 1
    assert (here / "photographs.txt").read_text() == "a.jpg"
    config["data_sets"] = {"a": {"list": "/list.txt"}}
    with pytest.raises(DeepColorError, match="/list.txt lies outside the project's folder"):
        Layout.of(here, config, None)
    unused = {**config, "compare": {"data_sets": []}}
    assert Layout.of(here, unused, None).others == ()


def test_all_code_is_in_an_archive() -> None:
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    names = {name.split("/")[0] for name in listed.split("\0") if name}
    assert names == {*CODE, "results"}


def test_checksums_are_those_of_the_tool(here: Path, tmp_path: Path) -> None:
    with tarfile.open(packed(here)) as tar:
        tar.extractall(tmp_path / "there", filter="data")
    command = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path / "there", check=False).returncode == 0


def test_results_are_put_into_the_same_project(here: Path, tmp_path: Path) -> None:
    archive = packed(here)
    there = project(tmp_path / "there")
    for name in ("results/report.html", "results/unet_1/model.keras", "data/photographs/manifest.csv"):
        (there / name).unlink()
    assert restore.unpack(archive, there, Layout()) == 3
    assert (there / "results/unet_1/model.keras").read_text() == "weights"
    assert (there / "results/report.html").stat().st_mtime == 1e9 + 0.25
    assert restore.unpack(archive, there, Layout()) == 0


def test_nothing_is_put_into_another_project(here: Path, tmp_path: Path) -> None:
    archive = packed(here)
    there = project(tmp_path / "there", code="print(2)")
    with pytest.raises(DeepColorError, match=r"made by other code \(Snakefile differs\)"):
        restore.unpack(archive, there, Layout())
    (there / "Snakefile").write_text("print(1)")
    (there / "results/report.html").write_text("<p>")
    with pytest.raises(DeepColorError, match="results/report.html is there and is another"):
        restore.unpack(archive, there, Layout())
    assert (there / "results/report.html").read_text() == "<p>"


def test_a_broken_archive_is_refused_before_anything_is_written(here: Path, tmp_path: Path) -> None:
    archive = packed(here)
    there = project(tmp_path / "there")
    (there / "results/unet_1/model.keras").unlink()
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DeepColorError, match="cannot be unpacked"):
        restore.unpack(archive, there, Layout())
    changed = gzip.decompress(whole).replace(b"weights", b"Weights")
    archive.write_bytes(gzip.compress(changed))
    with pytest.raises(DeepColorError, match=r"not as it was written \(results/unet_1/model.keras\)"):
        restore.unpack(archive, there, Layout())
    archive.write_text("no archive")
    with pytest.raises(DeepColorError, match="cannot be unpacked"):
        restore.unpack(archive, there, Layout())
    assert not (there / "results/unet_1/model.keras").exists()


def test_without_a_report_there_is_nothing_to_pack(here: Path) -> None:
    (here / "results/report.html").unlink()
    with pytest.raises(DeepColorError, match="results/report.html is not there; make report writes it"):
        members(here, Layout())


@pytest.mark.parametrize("folder", ["/elsewhere", "../elsewhere", ".", "workflow", "docs/a", ".git"])
def test_results_outside_or_among_code_are_not_packed(here: Path, folder: str) -> None:
    for config in ({"results": folder, "data": "data"}, {"results": "results", "data": folder}):
        with pytest.raises(DeepColorError, match="lies outside|is no folder for an archive"):
            Layout.of(here, {**config, "data_sets": {}}, None)


def test_hidden_files_and_rights_to_execute_are_not_packed(here: Path) -> None:
    hidden = ["docs/.a/x", "results/.DS_Store", "results/.git/config"]
    for name in [*hidden, "results/unet_1/.snakemake_timestamp"]:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("hidden")
    (here / "results/report.html").chmod(0o777)
    with tarfile.open(packed(here)) as tar:
        assert [name for name in tar.getnames() if "/." in name] == [
            "results/unet_1/.snakemake_timestamp"
        ]
        assert tar.getmember("results/report.html").mode == 0o666


def test_what_links_lead_to_is_packed(here: Path, tmp_path: Path) -> None:
    (here / "results/unet_1").rename(tmp_path / "store")
    (here / "results/unet_1").symlink_to(tmp_path / "store")
    (here / "results/round").symlink_to(here / "results")
    (tmp_path / "weights").write_text("linked")
    (here / "results/linked.bin").symlink_to(tmp_path / "weights")
    archive = packed(here)
    there = project(tmp_path / "there")
    (there / "results/unet_1/model.keras").unlink()
    assert restore.unpack(archive, there, Layout()) == 2
    assert (there / "results/unet_1/model.keras").read_text() == "weights"
    assert (there / "results/linked.bin").read_text() == "linked"
    assert not (there / "results/linked.bin").is_symlink()


def test_what_cannot_be_unpacked_is_not_packed(here: Path, tmp_path: Path) -> None:
    config = {"results": "results", "data": "data", "data_sets": {}}
    with pytest.raises(DeepColorError, match="CONFIGFILE: ../mine.yaml lies outside"):
        Layout.of(here, config, tmp_path / "mine.yaml")
    (here / "results/a\nb.png").write_text("pixels")
    with pytest.raises(DeepColorError, match="has a line break in its name"):
        packed(here)
    assert not here.with_suffix(".tar.gz").exists()


def test_names_of_all_kinds_are_restored(here: Path, tmp_path: Path) -> None:
    names = [f"results/{name}.png" for name in ("a\fb", "a\x85b", "a b", "\udcff", "'é'")]
    for name in names:
        (here / name).write_text("pixels")
    archive = packed(here)
    there = project(tmp_path / "there")
    assert restore.unpack(archive, there, Layout()) == len(names)
    assert all((there / name).read_text() == "pixels" for name in names)


def test_an_interrupted_restore_goes_on(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(here)
    there = project(tmp_path / "there")
    for name in ("results/report.html", "results/unet_1/model.keras"):
        (there / name).unlink()

    def half(source: BinaryIO, target: BinaryIO) -> None:
        content = source.read(100)
        whole = content != b"weights"
        target.write(content if whole else content[:3])
        if not whole:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", half)
    with pytest.raises(OSError, match="No space left"):  # `command.run` adds the remedy.
        restore.unpack(archive, there, Layout())
    assert (there / "results/report.html").read_text() == "<html>"
    assert sorted(os.listdir(there / "results/unet_1")) == ["backup-1.safetensors"]
    monkeypatch.undo()
    assert restore.unpack(archive, there, Layout()) == 1
    assert (there / "results/unet_1/model.keras").read_text() == "weights"
