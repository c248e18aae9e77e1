"""Targets of the Makefile that need no run."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PROJECT, Copy, mounted
from deepcolor.study.server import keeper
from support.readme import COMMANDS


def test_clean_keeps_answers_downloads_and_other_results(copy: Copy) -> None:
    database = Path("results/study/answers.sqlite")
    rescued = next(keeper.rescue_paths(copy.folder / database)).relative_to(copy.folder)
    kept = [
        str(database), f"{database}-wal", str(rescued), "results/README.md", "data/cache/coco/1.jpg",
        "results-mine/report.html", "photographs/1.jpg",
    ]  # fmt: skip
    for name in [*kept, "results/unet_2/model.keras", "results/study/study.json", "data/a/manifest.csv"]:
        copy.write(name, "content")
    assert copy.run("make clean").returncode == 0
    assert all((copy.folder / name).exists() for name in kept)
    left = {path.relative_to(copy.folder).parts[0] for path in copy.folder.rglob("*.keras")}
    assert not left and not (copy.folder / "data/a").exists()
    assert not (copy.folder / "results/study/study.json").exists()


def made(folder: Path) -> list[Path]:
    """Write some of what the pipeline makes of results and data into two folders."""
    names = [
        "results/unet_2/model.keras", "results/report.html", "results/logs/train_model/a.log",
        "results/.lock", "data/a/manifest.csv", "data/shards/a-32/index.json",
    ]  # fmt: skip
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content")
    return [folder / name for name in names]


def link(copy: Copy, folder: Path) -> None:
    """Let results and data of a copy lead to folders elsewhere."""
    shutil.rmtree(copy.folder / "results")
    for name in ("results", "data"):
        (copy.folder / name).symlink_to(folder / name)


def test_clean_removes_what_is_behind_links(copy: Copy, tmp_path: Path) -> None:
    paths = made(tmp_path / "disk")
    kept = [tmp_path / "disk" / name for name in ("results/study/answers.csv", "data/cache/a.jpg")]
    for path in kept:
        path.parent.mkdir()
        path.write_text("content")
    link(copy, tmp_path / "disk")
    result = copy.run("make clean")
    assert (result.returncode, result.stdout) == (0, "")
    assert all(path.exists() for path in kept) and not any(path.exists() for path in paths)
    assert (copy.folder / "results").is_symlink()


def test_clean_keeps_what_serves_other_purposes_too(copy: Copy, tmp_path: Path) -> None:
    paths = made(tmp_path / "home")
    (tmp_path / "home/results/letter.txt").write_text("content")
    (tmp_path / "home/data/photographs").mkdir()
    (tmp_path / "home/data/photographs/1.jpg").write_text("content")
    link(copy, tmp_path / "home")
    result = copy.run("make clean")
    first, second = result.stdout.splitlines()
    assert f"results leads to {tmp_path}/home/results, which also holds letter.txt" in first
    assert f"data leads to {tmp_path}/home/data, which also holds photographs" in second
    assert all(path.exists() for path in paths)


def test_clean_takes_no_folder_of_another_program_for_results(copy: Copy, tmp_path: Path) -> None:
    for name in ("results/logs/server.log", "results/figures/1.png", "data/shards/000.tar"):
        (tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / name).write_text("content")
    link(copy, tmp_path / "other")
    assert len(copy.run("make clean").stdout.splitlines()) == 2
    assert len([path for path in (tmp_path / "other").rglob("*") if path.is_file()]) == 3


def test_clean_removes_links_and_keeps_where_they_lead(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs/1.jpg").write_text("content")
    (copy.folder / "data").mkdir()
    (copy.folder / "data/mine").symlink_to(tmp_path / "photographs")
    result = copy.run("make clean")
    line = f"data/mine was a link, which is removed; {tmp_path}/photographs is kept\n"
    assert (result.returncode, result.stdout) == (0, line)
    assert (tmp_path / "photographs/1.jpg").exists() and not (copy.folder / "data/mine").is_symlink()


def test_clean_names_what_cannot_be_removed(copy: Copy) -> None:
    with mounted(copy.folder / "data", "size=1m"):
        (copy.folder / "data/a").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", copy.folder / "data"], check=True)
        result = copy.run("make clean")
    assert result.returncode and "Error: data/a: Read-only file system; not removed" in result.stdout
    assert "Traceback" not in result.stdout


def test_every_benchmark_is_measured_by_make_bench(copy: Copy) -> None:
    asked = set(re.findall(r"tests/benchmarks/(\w+)\.py", copy.run("make --dry-run bench").stdout))
    there = {path.stem for path in (PROJECT / "tests" / "benchmarks").glob("*.py")}
    # These read what a finished run has left, and are for a machine with a GPU.
    assert asked == there - {"demands", "gpu"}


@pytest.mark.slow
def test_benchmarks_run(copy: Copy) -> None:
    result = copy.run("make bench QUICK=1")
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if "--client" in each])
def test_clients_are_installed_by_the_command_of_the_readme(copy: Copy, command: str) -> None:
    result = copy.run(command)
    assert result.returncode == 0, result.stdout
