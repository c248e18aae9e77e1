"""The user study from trained runs to the report, by the README's own commands."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from conftest import Copy
from support import small_study
from support.readme import command

PEOPLE = 12


@pytest.fixture(scope="module")
def done(finished: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy in which robots have taken the study, as its README says; they are marked as simulated."""
    folder = tmp_path_factory.mktemp("study") / "deepcolor"
    shutil.copytree(finished.folder, folder, symlinks=True)
    copy = Copy(folder)
    draw, serve, backup, export, figure = map(
        command,
        (
            "make study", "deepcolor study serve", "deepcolor study backup", "deepcolor study export",
            "snakemake --cores 2 results/figures/acceptance.svg",
        ),
    )  # fmt: skip
    result = copy.run(draw)
    assert result.returncode == 0 and "deepcolor study serve --study results/study" in result.stdout
    study = json.loads(copy.read("results/study/study.json"))
    catch = {name for name, picture in study["pictures"].items() if picture["condition"] == "catch"}
    assert catch
    process = subprocess.Popen(
        ["bash", "-c", f"exec {serve} --port 0 --simulated"],
        cwd=folder,
        env=copy.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        url = re.search(r" at (http://\S+)", process.stdout.readline())
        assert url
        with ThreadPoolExecutor(4) as robots:
            # Every other robot is attentive, so that answers of some are kept and of some are not.
            list(
                robots.map(lambda seed: take(url[1], seed, catch if seed % 2 else set()), range(PEOPLE))
            )
        result = copy.run(backup)
        assert result.returncode == 0, result.stdout
        # While it is served.
        result = copy.run(export)
        assert result.returncode == 0, result.stdout
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
    result = copy.run(figure)
    assert result.returncode == 0, result.stdout
    result = copy.run("make report")
    assert result.returncode == 0, result.stdout
    yield copy


def take(url: str, seed: int, known: set[str]) -> None:
    """Take the study from its beginning to its end, answering at random but for the known pictures."""
    chance, person = random.Random(seed), small_study.Visitor(url)
    state = person.begin()
    while state["trial"]:
        for picture in state["trial"]["pictures"]:
            status, content = person.request("GET", picture["src"])
            assert status == 200 and content.startswith(b"\x89PNG")
        answer = chance.choice(["real", "colorized"])
        if any(Path(picture["src"]).stem in known for picture in state["trial"]["pictures"]):
            answer = "colorized"
        status, said = person.answer(state["trial"]["position"], answer, chance.uniform(1, 3))
        assert status == 200 and said["accepted"]
        state = said["state"]
    assert state["phase"] == "done"


def test_every_answer_is_exported_with_what_was_seen(done: Copy) -> None:
    study = json.loads(done.read("results/study/study.json"))
    rows = pd.read_csv(done.folder / "results/study/answers.csv", dtype=str, keep_default_na=False)
    trials = len(study["practice"]) + len(study["lists"][0]) + len(study["catch"])
    assert len(rows) == PEOPLE * trials and rows["person"].nunique() == PEOPLE
    assert set(rows["finished"]) == {"yes"} and set(rows["simulated"]) == {"yes"}
    assert set(rows["condition"]) == {"real", "unet_2", "catch"}
    # Two lists, as many people in each; everybody sees each photograph once.
    assert set(rows.groupby("list")["person"].nunique()) == {PEOPLE // 2}
    assert not rows.duplicated(["person", "data_set", "image"]).any()


def test_acceptance_is_that_of_the_answers(done: Copy) -> None:
    found = json.loads(done.read("results/study/acceptance.json"))
    assert found["simulated"] and found["protocol"] == "yes-no"
    assert found["people"]["begun"] == found["people"]["finished"] == PEOPLE
    rows = pd.read_csv(done.folder / "results/study/answers.csv", dtype=str, keep_default_na=False)
    caught = rows[(rows["kind"] == "catch") & (rows["answer"] == "real")]["person"]
    kept = rows[(rows["kind"] == "test") & ~rows["person"].isin(caught)]
    assert found["people"]["analyzed"] == kept["person"].nunique()
    answers = kept[kept["condition"] == "unet_2"]["answer"]
    (run,) = found["runs"]
    assert run["run"] == "unet_2" and run["answers"] == len(answers)
    assert run["value"] == pytest.approx((answers == "real").mean())


def test_the_report_marks_them_as_simulated(done: Copy) -> None:
    page = done.read("results/report.html")
    section = re.search(r'<section id="acceptance".*?</section>', page, flags=re.DOTALL)
    assert section and re.search("simulated", section[0], flags=re.IGNORECASE)
    assert "SIMULATED" in done.read("results/figures/acceptance.svg") or "simulated" in done.read(
        "results/figures/acceptance.svg"
    )


def test_nothing_is_left_to_do_and_nothing_was_trained_again(done: Copy) -> None:
    result = done.run("snakemake --dry-run all")
    assert "Nothing to be done" in result.stdout
    logs = {
        log.name: log.stat().st_mtime for log in Path(done.folder, "results/logs/train_model").iterdir()
    }
    report = Path(done.folder, "results/logs/draw_study/study.log").stat().st_mtime
    assert logs and max(logs.values()) < report


def test_the_backup_is_a_study_of_its_own(done: Copy) -> None:
    result = done.run("deepcolor study export --database study-backup.sqlite --output again.csv")
    assert result.returncode == 0, result.stdout
    assert done.read("again.csv") == done.read("results/study/answers.csv")


@pytest.mark.slow
def test_answers_outlive_a_new_drawing_and_make_clean(done: Copy, tmp_path: Path) -> None:
    shutil.copytree(done.folder, tmp_path / "deepcolor", symlinks=True)
    done = Copy(tmp_path / "deepcolor")
    answers = done.read("results/study/answers.csv")
    result = done.run("snakemake --cores 2 --config seed=1 -- results/study/study.json")
    assert result.returncode == 0, result.stdout
    result = done.run("timeout 20 deepcolor study serve --port 0")
    assert result.returncode == 1 and "answers.sqlite" in result.stdout.splitlines()[-1]
    result = done.run("make clean")
    assert result.returncode == 0, result.stdout
    left = sorted(path.name for path in (done.folder / "results/study").iterdir())
    assert left == ["answers.csv", "answers.sqlite"]
    result = done.run("deepcolor study export --output results/study/again.csv")
    assert result.returncode == 0 and done.read("results/study/again.csv") == answers
