"""Other programs' pictures as a run: from the inputs they are made of to the report."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import Copy, copy_project
from PIL import Image, ImageOps


@pytest.fixture(scope="module")
def colored(finished: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the finished run, in which another program has colored the inputs."""
    folder = tmp_path_factory.mktemp("colored") / "deepcolor"
    shutil.copytree(finished.folder, folder, symlinks=True)
    copy = Copy(folder)
    result = copy.run("snakemake --cores 2 --quiet all -- results/inputs")
    assert result.returncode == 0, result.stdout
    for path in (folder / "results/inputs").rglob("*.png"):
        new = folder / "sepia" / f"{path.stem}.webp"
        new.parent.mkdir(exist_ok=True)
        with Image.open(path) as gray:
            assert gray.mode == "L"
            large = ImageOps.colorize(gray, "black", "white", mid="#a08060").resize((100, 80))
            large.save(new, lossless=True)
    config = yaml.safe_load(copy.read("config.yaml"))
    config["models"] |= {
        "copied": {"predictions": "results/inputs"},
        "sepia": {"predictions": "sepia"},
    }
    copy.write("config.yaml", yaml.safe_dump(config, sort_keys=False))
    result = copy.run("make report")
    assert result.returncode == 0, result.stdout
    assert "train_model" not in result.stdout
    return copy


def test_returned_inputs_score_like_the_grayscale_copy(colored: Copy) -> None:
    copied, baseline = (
        json.loads(colored.read(f"results/{name}/metrics.json"))
        for name in ("copied", "baselines/grayscale-copy")
    )
    assert copied == baseline


def test_they_are_shown_like_the_others(colored: Copy) -> None:
    page = colored.read("results/report.html")
    assert page.count("another program's") == 4  # Two runs, as predicted and with the luminance kept.
    with (colored.folder / "results/tables/comparisons.csv").open() as file:
        pairs = {(row["run"], row["other"]) for row in csv.DictReader(file)}
    assert {("sepia", "grayscale-copy"), ("unet_2", "sepia"), ("copied", "sepia")} <= pairs
    figures = {path.name for path in (colored.folder / "results/figures").iterdir()}
    assert {"extremes-sepia.png", "extremes-copied.png"} <= figures


def test_a_new_picture_is_scored_again_and_a_missing_one_is_named(colored: Copy) -> None:
    first = sorted((colored.folder / "sepia").iterdir())[0]
    with Image.open(first) as picture:
        ImageOps.invert(picture.convert("RGB")).save(first, lossless=True)
    planned = colored.run("snakemake --cores 2 --dry-run all").stdout
    assert "Evaluate the pictures of sepia" in planned
    assert "Evaluate the pictures of copied" not in planned
    assert "Train " not in planned
    first.unlink()
    result = colored.run("snakemake --cores 2 --quiet all -- results/sepia/metrics.json")
    assert result.returncode != 0
    assert (
        "models.sepia.predictions: of 1 images there is no picture in sepia, such as photographs/"
        in result.stdout
    )
    assert first.stem in result.stdout


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "deepcolor").mkdir()
    copy = copy_project(tmp_path / "deepcolor")
    config = yaml.safe_load(copy.read("config.yaml"))
    config["models"]["other"] = {"predictions": "nowhere"}
    copy.write("config.yaml", yaml.safe_dump(config))
    result = copy.run("snakemake --cores 2 --dry-run all")
    assert result.returncode == 1
    assert "models.other.predictions: there is no folder nowhere" in result.stdout
