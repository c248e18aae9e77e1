"""Targets of the Makefile that need no run."""

import re

import pytest
from conftest import PROJECT, Copy
from readme import COMMANDS


def test_clean_keeps_answers_downloads_and_other_results(copy: Copy) -> None:
    kept = [
        "results/README.md", "results/study/answers.sqlite", "data/cache/coco/1.jpg",
        "results-mine/report.html", "photographs/1.jpg",
    ]  # fmt: skip
    for name in [*kept, "results/unet_2/model.keras", "results/study/study.json", "data/a/manifest.csv"]:
        copy.write(name, "content")
    assert copy.run("make clean").returncode == 0
    assert all((copy.folder / name).exists() for name in kept)
    left = {path.relative_to(copy.folder).parts[0] for path in copy.folder.rglob("*.keras")}
    assert not left and not (copy.folder / "data/a").exists()
    assert [path.name for path in (copy.folder / "results/study").iterdir()] == ["answers.sqlite"]


def test_every_benchmark_is_measured_by_make_bench(copy: Copy) -> None:
    asked = set(re.findall(r"tests/benchmarks/(\w+)\.py", copy.run("make --dry-run bench").stdout))
    there = {path.stem for path in (PROJECT / "tests" / "benchmarks").glob("*.py")}
    assert asked == there - {"demands"}  # Which reads the benchmarks of a finished run.


@pytest.mark.slow
def test_benchmarks_run(copy: Copy) -> None:
    result = copy.run("make bench QUICK=1")
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if "--client" in each])
def test_clients_are_installed_by_the_command_of_the_readme(copy: Copy, command: str) -> None:
    result = copy.run(command)
    assert result.returncode == 0, result.stdout
