"""Presets: what they plan, what they install, what `make check` says, and a run on real sources."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Copy
from support import fake_hub
from support.fake_network import serve_sources
from support.sample_images import picture

# As small as can be, with every source; laid over the paper preset's own names.
SMALL = """
results: results-small
data: data-small
image_size: 32
images_per_shard: 16
data_sets:
  coco: {source: fiftyone, training: 24, validation: 8, test: 4}
  places365:
    {source: huggingface, id: me/places, revision: %s, images_per_part: 4, training: 24,
     validation: 8, test: 4, terms: "For tests only."}
  mine: {source: folder, folder: photographs, training: 24, validation: 8, test: 4}
models: {unet: {architecture: unet, filters: [4, 8]}}
compare: {data_sets: [coco, places365, mine], models: [unet]}
evaluation: {split: test}
training: {epochs: [1], batch_size: 8, learning_rate: 0.001}
report: {images: 2}
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads to a hub and COCO's server."""
    with serve_sources(tmp_path_factory.mktemp("network")) as environment:
        yield environment


def prepare(copy: Copy) -> None:
    """Make the paper preset small, and photographs for its folder."""
    copy.write("workflow/presets/paper.yaml", SMALL % fake_hub.COMMIT)
    (copy.folder / "photographs").mkdir()
    for number in range(2000, 2050):
        picture(number).save(copy.folder / "photographs" / f"{number}.webp")


def planned(copy: Copy, preset: str, more: str = "", target: str = "all") -> tuple[dict[str, int], str]:
    """The number of jobs by rule that a preset plans with the shipped configuration, and the output."""
    shutil.copy(PROJECT / "config.yaml", copy.folder / "config.yaml")
    overlay = f"--configfile workflow/presets/{preset}.yaml"
    result = copy.run(f"snakemake --cores 4 --dry-run {overlay} {more} -- {target}")
    assert result.returncode == 0, result.stdout
    jobs = re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE)
    return {name: int(number) for name, number in jobs}, result.stdout


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        # Eight networks for 10 and 30 epochs, five with three seeds; 8 + 2 shards of each data set.
        (
            "paper",
            {"fetch_photographs": 3, "write_shards": 30, "train_model": 36, "predict_images": 40}
            | {"plot_curves": 8, "plot_grid": 9, "render_report": 1},
        ),
        # Three architectures with three seeds.
        pytest.param(
            "gpu",
            {"fetch_photographs": 3, "write_shards": 30, "train_model": 18, "predict_images": 22}
            | {"plot_curves": 3, "plot_grid": 4, "render_report": 1},
            marks=pytest.mark.slow,
        ),
        # 36 networks, six with three seeds, four for early failures; figures show the first seed.
        pytest.param(
            "ablations",
            {"fetch_photographs": 3, "write_shards": 30, "train_model": 94, "predict_images": 98}
            | {"plot_curves": 36, "plot_grid": 37, "render_report": 1},
            marks=pytest.mark.slow,
        ),
        # Eight steps; 8 + 2 + 2 shards, as there is a test.
        pytest.param(
            "best",
            {"fetch_photographs": 3, "write_shards": 36, "train_model": 8, "predict_images": 12}
            | {"plot_curves": 8, "plot_grid": 9, "render_report": 1},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_presets_plan_their_study(copy: Copy, preset: str, expected: dict[str, int]) -> None:
    jobs, said = planned(copy, preset)
    assert {name: jobs[name] for name in expected} == expected
    assert f"results-{preset}/report.html" in said


@pytest.mark.slow
def test_the_laptop_preset_on_cocos_own_client(copy: Copy, network: dict[str, str]) -> None:
    shutil.copy(PROJECT / "config.yaml", copy.folder / "config.yaml")
    preset = (PROJECT / "workflow/presets/laptop.yaml").read_text("utf-8")
    for large, small in (("2000", "24"), ("500", "8"), ("128", "32"), ("[20]", "[1]"), ("16", "8")):
        assert f" {large}" in preset
        preset = preset.replace(f" {large}", f" {small}")
    # The ImageNet weights of its two encoders need a network.
    copy.write("workflow/presets/laptop.yaml", preset.replace("weights: imagenet", "weights: none"))
    result = copy.run("make report PRESET=laptop", **network)
    assert result.returncode == 0, result.stdout
    page = copy.read("results-laptop/report.html")
    assert "Bundled network, trained elsewhere" in page
    for run in ("unet_1", "densenet_1", "mobilenet_1", "unet-lab_1", "lite_1", "bundled"):
        metrics = json.loads(copy.read(f"results-laptop/{run}/metrics.json"))
        assert metrics["all"]["n"] == 8


@pytest.mark.slow
def test_the_bundled_network_and_its_trials_can_be_trained_again(copy: Copy) -> None:
    preset = yaml.safe_load((PROJECT / "workflow/presets/bundled.yaml").read_text("utf-8"))
    used = preset["compare"]["data_sets"]
    for name in used:
        (copy.folder / preset["data_sets"][name]["folder"]).mkdir(parents=True, exist_ok=True)
    jobs, said = planned(copy, "bundled", target="results-bundled/deepcolor_18/bundle")
    assert (jobs["fetch_photographs"], jobs["train_model"], jobs["bundle_network"]) == (len(used), 1, 1)
    trials = [name for name in preset["models"] if name.startswith("trial")]
    more = f"--config 'compare={{models: [{', '.join(trials)}]}}'"
    jobs, _ = planned(copy, "bundled", more)
    assert jobs["train_model"] == len(trials) == 6


@pytest.mark.slow
def test_one_ablation_can_be_picked(copy: Copy) -> None:
    jobs, said = planned(copy, "ablations", "--config 'compare={models: [unet, unet-lab]}'")
    assert (jobs["train_model"], jobs["plot_curves"]) == (12, 2)
    for name in ("unet_30", "unet-seed2_30", "unet-lab-seed1_10"):
        assert f"Train {name}\n" in said
    # A repetition goes on from the shorter run of its own seed.
    start = r"Train unet-seed2_30\nReason: .* results-ablations/([\w-]+)/state\.safetensors"
    assert re.findall(start, said) == ["unet-seed2_10"]


@pytest.mark.slow
def test_network_learns_from_its_own_data_set_and_is_scored_on_all(copy: Copy) -> None:
    trained = "results-ablations/unet-coco_10/model.keras"
    jobs, said = planned(copy, "ablations", target=trained)
    assert (jobs["fetch_photographs"], jobs["write_shards"], jobs["train_model"]) == (1, 10, 1)
    assert "ade20k" not in said
    jobs, _ = planned(copy, "ablations", target="results-ablations/unet-coco_10/metrics.json")
    assert (jobs["fetch_photographs"], jobs["write_shards"], jobs["train_model"]) == (3, 30, 1)


@pytest.mark.slow
def test_cosine_schedule_starts_every_run_anew(copy: Copy) -> None:
    more = "--config 'training={schedule: cosine}' 'compare={models: [unet]}' --printshellcmds"
    jobs, said = planned(copy, "paper", more, target="results-paper/unet_30/model.keras")
    assert jobs["train_model"] == 1
    assert "--restart-reason 'its cosine schedule depends on the number of epochs'" in said


def test_unknown_preset_is_one_line(copy: Copy) -> None:
    result = copy.run("make report PRESET=papre")
    assert result.returncode != 0
    said = "Error: there is no file workflow/presets/papre.yaml; the presets are: ablations, best, "
    assert f"{said}bundled, folder, gpu, laptop, paper" in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.slow
def test_folder_preset_makes_a_report_of_own_photographs(copy: Copy) -> None:
    config = yaml.safe_load(copy.read("config.yaml"))
    models = {"lite": {"architecture": "lite"}, "bundled": {"network": "bundled"}}
    copy.write("config.yaml", yaml.safe_dump({**config, "models": models}))
    result = copy.run("make report PRESET=folder")
    assert result.returncode != 0
    said = "data_sets.mine.folder: there is no folder photographs; make it and put photographs there"
    assert said in result.stdout
    preset = copy.read("workflow/presets/folder.yaml")
    for large, small in (("800", "12"), ("200", "4"), ("128", "32"), ("[10]", "[1]")):
        assert f" {large}" in preset
        preset = preset.replace(f" {large}", f" {small}")
    copy.write("workflow/presets/folder.yaml", preset)
    (copy.folder / "photographs" / "nested").mkdir(parents=True)
    for number in range(20):
        suffix = ("png", "jpg", "webp", "tiff")[number % 4]
        picture(number).save(copy.folder / "photographs" / "nested" / f"{number}.{suffix}")
    result = copy.run("make report PRESET=folder")
    assert result.returncode == 0, result.stdout
    assert "Photographs below the folder photographs." in copy.read("results-folder/report.html")


@pytest.mark.slow
def test_all_sources_from_check_to_report(copy: Copy, network: dict[str, str]) -> None:
    prepare(copy)
    checked = copy.run("make check PRESET=paper", **network)
    assert checked.returncode == 0, checked.stdout
    lines = checked.stdout.splitlines()
    assert any(re.match(r"data set coco: 36 images, 6 MB to download; 0 images", line) for line in lines)
    assert any(re.match(r"data set places365: .*; 10 of 20 parts", line) for line in lines)
    assert any(re.match(r"data set mine: .*50 files for 36 photographs", line) for line in lines)
    assert any(re.match(r"model unet: .* images/s on the CPU, about 1 min; ", line) for line in lines)
    assert any(re.match(r"disk: .*shards .*are free", line) for line in lines)
    assert "All is there." in lines
    # Nothing was written but logs, and the lists of what there is.
    assert not (copy.folder / "data-small").exists()

    made = copy.run("make report PRESET=paper", **network)
    assert made.returncode == 0, made.stdout
    assert made.stdout.splitlines()[-1] == "Report: results-small/report.html"
    metrics = json.loads(copy.read("results-small/unet_1/metrics.json"))
    assert metrics["all"]["n"] == 12 and metrics["data_sets"].keys() == {"coco", "places365", "mine"}
    page = " ".join(copy.read("results-small/report.html").split())
    assert "on 12 test images of" in page
    assert f"huggingface.co/datasets/me/places at {fake_hub.COMMIT}" in page
    assert "For tests only." in page and "Flickr terms of use" in page
    # The downloads outlive the results, and what is there is not needed again.
    offline = {**network, "http_proxy": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
    manifests = [f"data-small/{name}/manifest.csv" for name in metrics["data_sets"]]
    before = [copy.read(name) for name in manifests]
    assert copy.run("rm -r results-small data-small").returncode == 0
    overlay = "--configfile workflow/presets/paper.yaml"
    command = f"snakemake --cores 2 {overlay} -- {' '.join(manifests)}"
    again = copy.run(command, **offline)
    assert again.returncode == 0, again.stdout
    assert [copy.read(name) for name in manifests] == before


@pytest.mark.slow
def test_check_names_everything_that_is_missing(copy: Copy, network: dict[str, str]) -> None:
    prepare(copy)
    config = yaml.safe_load(copy.read("workflow/presets/paper.yaml"))
    config["data_sets"]["places365"]["revision"] = "nope"
    config["data_sets"]["mine"]["training"] = 100
    config["models"]["mobile"] = {"architecture": "mobilenet", "filters": [1, 1, 1, 1, 1]}
    config["compare"]["models"] = ["unet", "mobile"]
    config["training"]["batch_size"] = 1_000_000
    # Large enough that what an image takes stands out from what everything else does.
    config["models"]["unet"]["filters"], config["image_size"] = [32, 64], 128
    copy.write("workflow/presets/paper.yaml", yaml.safe_dump(config))
    # Where Keras looks for ImageNet weights there is nothing, and no network.
    nowhere = {**network, "KERAS_HOME": str(copy.folder / "keras"), "https_proxy": "http://127.0.0.1:9"}
    check = "snakemake --cores 4 --configfile workflow/presets/paper.yaml --quiet all -- check_setup"
    result = copy.run(check, **nowhere)
    assert result.returncode != 0
    said = "\n".join(line for line in result.stdout.splitlines() if line.startswith("missing: "))
    assert "data set places365: huggingface.co/datasets/me/places" in said
    assert "data set mine: photographs holds 50 files, and 112 photographs are asked for" in said
    assert "model mobile: MobileNet cannot load 'weights: imagenet'" in said
    assert re.search(
        r"model unet: a batch of 1000000 needs about .* GB .* set training.batch_size", said
    )
    assert "check_setup: error: " in result.stdout and "Traceback" not in result.stdout
    # What was found out does not stick: the next check looks anew.
    for number in range(3000, 3070):
        picture(number).save(copy.folder / "photographs" / f"{number}.webp")
    again = copy.run("make check PRESET=paper", **nowhere)
    assert "data set mine: 112 images" in again.stdout and "mine: photographs holds" not in again.stdout


@pytest.mark.slow
def test_plain_snakemake_is_what_make_runs(copy: Copy, network: dict[str, str]) -> None:
    prepare(copy)
    target = "data-small/places365/manifest.csv"
    command = f"snakemake --cores 2 --configfile workflow/presets/paper.yaml -- {target}"
    result = copy.run(command, **network)
    assert result.returncode == 0, result.stdout
    # The data set before it is fetched first, to look for near-duplicates.
    assert (copy.folder / "data-small" / "coco" / "manifest.csv").exists()
    assert len(list(Path(copy.folder / "data/cache/huggingface").rglob("*.jpeg"))) >= 36
