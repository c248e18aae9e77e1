"""The user's commands with conda, through all that a small configuration can have.

Photographs of COCO, of a hub and of a folder, with a test split; the README's own architecture and
ablation; other programs' pictures; every job in an environment that holds what its file in envs/ lists.
"""

import csv
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import Copy, copy_project, noting
from PIL import Image, ImageOps
from support import declared, fake_conda, fake_hub
from support.fake_network import serve_sources
from support.readme import COMMANDS, block, inline
from support.sample_images import picture

CONFIGURATION = """
image_size: 32
data_sets:
  coco: {source: fiftyone, training: 24, validation: 8, test: 4}
  places365:
    {source: huggingface, id: me/places, revision: %s, images_per_part: 4, training: 24,
     validation: 8, test: 4, terms: "For tests only."}
  mine: {test: 4}
models:
  unet: {architecture: unet, filters: [4, 8]}
evaluation: {split: test}
training:
  {epochs: [1], batch_size: 8, learning_rate: 0.001, sampling: {coco: 0.5, max_share: 0.45}}
report: {images: 2}
"""
# The README's command, with conda.
(MINE,) = (command for command in COMMANDS if "--configfile mine.yaml" in command)
CONDA = MINE.replace("--configfile", "--use-conda --configfile").removesuffix(" -- all")


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy in which `snakemake --cores 4 --use-conda … all` has run."""
    root = tmp_path_factory.mktemp("tour")
    (root / "deepcolor").mkdir()
    copy_project(root / "deepcolor")
    copy = noting(root / "deepcolor")
    conda = fake_conda.install(root / "conda")
    with serve_sources(root / "network") as network:
        copy.environment.update(
            network,
            PATH=os.pathsep.join([str(conda), str(Path(sys.executable).parent), os.environ["PATH"]]),
        )
        configure(copy)
        result = copy.run(f"{CONDA} -- results-mine/inputs")
        assert result.returncode == 0, result.stdout
        color_inputs(copy)
        result = copy.run(f"{CONDA} -- all")
        assert result.returncode == 0, result.stdout
        copy.write("all.log", result.stdout)
        yield copy


def configure(copy: Copy) -> None:
    """Write the configuration, the photographs and the architecture of the README."""
    folder = copy.folder / "photographs" / "nested"
    folder.mkdir(parents=True)
    for number in range(2000, 2050):
        suffix = ("png", "jpg", "webp", "tiff")[number % 4]
        picture(number).save(folder / f"{number}.{suffix}")
    for number in range(12):
        (folder / f"notes-{number}.jpg").write_text(f"no picture {number}")
    mine = yaml.safe_load(block("results: results-mine"))
    mine["data_sets"]["mine"] |= {"training": 24, "validation": 8}
    mine |= {"compare": {"data_sets": ["coco", "places365", "mine"]}, "image_size": 32}
    copy.write("mine.yaml", yaml.safe_dump(mine))
    copy.write("workflow/deepcolor/models/mynet.py", block("import keras"))
    registry = copy.read("workflow/deepcolor/config/registry.py")
    head = "ARCHITECTURES = {"
    line = inline('"mynet": .*?,')
    copy.write("workflow/deepcolor/config/registry.py", registry.replace(head, f"{head}\n    {line}"))
    config = yaml.safe_load(CONFIGURATION % fake_hub.COMMIT)
    own = yaml.safe_load(inline("mynet: {.*?}")) | yaml.safe_load(inline("unet-noskip: {.*?}"))
    own["unet-noskip"]["target"] = "classes"
    others = {"copied": {"predictions": "returned"}, "sepia": {"predictions": "sepia"}}
    config["models"] |= own | others
    config["compare"] = {"models": list(own | others)}
    for name in others.values():
        (copy.folder / name["predictions"]).mkdir()
    copy.write("config.yaml", yaml.safe_dump(config))


def color_inputs(copy: Copy) -> None:
    """Let two programs color the inputs; one of them gives back what it gets."""
    inputs = copy.folder / "results-mine" / "inputs"
    shutil.copytree(inputs, copy.folder / "returned", dirs_exist_ok=True)
    for path in inputs.rglob("*.png"):
        colored = copy.folder / "sepia" / path.relative_to(inputs).with_suffix(".webp")
        colored.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as gray:
            assert gray.mode == "L"
            large = ImageOps.colorize(gray, "black", "white", mid="#a08060").resize((100, 80))
            large.save(colored, lossless=True)


def test_every_job_ran_in_its_environment(tour: Copy) -> None:
    log = tour.read("all.log")
    assert len(re.findall(r"^Activating conda environment", log, flags=re.MULTILINE)) > 20
    made = {path.read_text("utf-8") for path in (tour.folder / ".snakemake/conda").glob("*.yaml")}
    names = ["data", "fiftyone", "huggingface", "report", "tensorflow", "workflow"]
    assert made == {(tour.folder / "envs" / f"{name}.yaml").read_text("utf-8") for name in names}
    assert "Nothing to be done" in tour.run(f"{CONDA} -- all").stdout


def test_jobs_load_and_read_nothing_that_they_do_not_declare(tour: Copy) -> None:
    assert {"fetch_photographs", "predict_images"} <= declared.check(tour.folder)


def test_scores_are_those_of_the_test_images_of_all_sources(tour: Copy) -> None:
    metrics = json.loads(tour.read("results-mine/mynet_1/metrics.json"))
    assert metrics["all"]["n"] == 12 and metrics["data_sets"].keys() == {"coco", "places365", "mine"}
    page = " ".join(tour.read("results-mine/report.html").split())
    assert "on 12 test images of" in page
    assert f"huggingface.co/datasets/me/places at {fake_hub.COMMIT}" in page
    assert "For tests only." in page and "Flickr terms of use" in page
    assert "Photographs below the folder photographs." in page
    assert "mynet, 1 epoch" in page and "unet-noskip, 1 epoch" in page


def test_data_sets_are_sampled_with_their_weights(tour: Copy) -> None:
    record = json.loads(tour.read("results-mine/mynet_1/training.json"))
    assert record["settings"]["training"]["sampling"] == {"coco": 0.5, "max_share": 0.45}
    assert (record["images"]["training"], record["steps_per_epoch"]) == (72, 9)


def test_how_sure_a_network_of_color_classes_is_is_measured(tour: Copy) -> None:
    content = json.loads(tour.read("results-mine/unet-noskip_1/certainty.json"))
    assert content["n"] == 12 and content["cells"] == 12 * 8**2
    maps = np.load(tour.folder / "results-mine/unet-noskip_1/certainty.npy")
    assert maps.shape == (12, 8, 8)
    bits = maps.mean() / 255 * content["highest_entropy"]
    assert bits == pytest.approx(content["entropy"], abs=0.05)
    page = tour.read("results-mine/report.html")
    assert "How sure: unet-noskip, 1 epoch" in page and "reliability.svg" in page
    # Of other networks it is no question.
    asked = tour.run(MINE.replace("-- all", "-- results-mine/mynet_1/certainty.json"))
    assert asked.returncode != 0
    assert asked.stdout.strip().endswith(
        "Error: mynet_1 predicts no color classes; models.mynet needs target: classes"
    )


def test_a_file_that_is_no_image_is_listed_and_replaced(tour: Copy) -> None:
    assert tour.read("data-mine/mine/manifest.csv").count("\n") == 24 + 8 + 4 + 1
    with (tour.folder / "data-mine/mine/rejected.csv").open() as file:
        reasons = [row["reason"] for row in csv.DictReader(file) if "notes-" in row["id"]]
    assert reasons and all("no image, or of an unknown format" in reason for reason in reasons)


def test_returned_inputs_score_like_the_grayscale_copy(tour: Copy) -> None:
    copied, baseline = (
        json.loads(tour.read(f"results-mine/{name}/metrics.json"))
        for name in ("copied", "baselines/grayscale-copy")
    )
    assert copied == baseline


def test_other_programs_pictures_are_shown_like_the_networks(tour: Copy) -> None:
    page = tour.read("results-mine/report.html")
    assert page.count("another program's") == 4  # Two runs, as predicted and with the luminance kept.
    with (tour.folder / "results-mine/tables/comparisons.csv").open() as file:
        pairs = {(row["run"], row["other"]) for row in csv.DictReader(file)}
    assert {("sepia", "grayscale-copy"), ("mynet_1", "sepia"), ("copied", "sepia")} <= pairs
    figures = {path.name for path in (tour.folder / "results-mine/figures").iterdir()}
    assert {"extremes-sepia.png", "extremes-copied.png"} <= figures


def test_a_new_picture_is_scored_again_and_a_missing_one_is_named(tour: Copy) -> None:
    first = min((tour.folder / "sepia").rglob("*.webp"))
    content, times = first.read_bytes(), first.stat()
    try:
        with Image.open(first) as image:
            ImageOps.invert(image.convert("RGB")).save(first, lossless=True)
        planned = tour.run(f"{CONDA} --dry-run -- all").stdout
        assert "Predict sepia" in planned
        assert "Predict copied" not in planned
        assert "Train " not in planned
        first.unlink()
        result = tour.run(f"{CONDA} --quiet all -- results-mine/sepia/metrics.json")
        assert result.returncode != 0
        message = "models.sepia.predictions: of 1 images there is no picture in sepia, such as "
        assert message in result.stdout and first.stem in result.stdout
    finally:
        first.write_bytes(content)
        os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))
        tour.run(f"{CONDA} -- all")
