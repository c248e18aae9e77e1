"""A whole small run: what `make report` says and leaves."""

import csv
import json
import re

import numpy as np
import onnxruntime
import pytest
from conftest import Copy
from deepcolor.files import sha256
from deepcolor.labels import BASELINES
from support import declared

CHECKS = {"check_data_set", "check_training", "check_setup"}
RUNS = ["unet_1", "unet_2", "unet-lab_1", "unet-lab-seed1_1"]
MODELS = ["unet", "unet-lab"]
LONGEST = ["unet_2", "unet-lab_1"]
DRAWN = ["unet_2"]  # The first network of each architecture.
# Rules whose files nothing but a configuration of one's own, or the command line, asks for.
ASKED = {
    *("export_inputs", "export_model", "extract_features", "measure_distances"),
    *("measure_certainty", "plot_reliability"),
    *("draw_study", "analyze_study", "plot_acceptance", "colorize_photographs"),
    *("colorize_inputs", "bundle_network"),
}


def test_make_report_says_a_line_a_job_and_an_epoch(finished: Copy) -> None:
    lines = finished.read("make-report.log").splitlines()
    said = [line.split(":")[0] for line in lines if not re.search(" the pictures are | - step ", line)]
    for run in RUNS:
        epochs = int(run.split("_")[1])
        assert said.count(f"train_model {run}") == (2 if epochs == 2 else 1)  # 2 goes on from 1.
        assert said.count(f"predict_images {run}") == said.count(f"score_predictions {run}") == 1
    assert re.search(
        r"Epoch 1/1 - loss \S+ - val_loss \S+ - val_psnr \S+ dB - \S+ images/s - ETA 0:00",
        finished.read("make-report.log"),
    )
    assert lines[-1] == "Report: results/report.html"
    # Now and then, and whatever it is told, TensorFlow says that oneDNN leaves an operation to Eigen, or
    # that reading the shards in a fixed order drops an attribute.
    expected = re.compile(
        r"[a-z]+(?:_[a-z]+)+[ :]|(?:Job )?\d+ of \d+.* - about .* left$|Report: |"
        r"E0000 .*(oneDNN supports .* Falling back|NodeDef mentions attribute use_unbounded_threadpool)"
    )
    strange = [line for line in lines if not expected.match(line)]
    assert strange == []


def test_make_report_counts_the_jobs(finished: Copy) -> None:
    started = re.findall(r"^Job (\d+) of (\d+): ", finished.read("make-report.log"), re.MULTILINE)
    assert len(started) > 40
    assert started == [(str(number + 1), str(len(started))) for number in range(len(started))]


def test_everything_that_is_announced_is_there(finished: Copy) -> None:
    results = finished.folder / "results"
    for run in RUNS:
        # What is only asked for may have been, by another test.
        assert {path.name for path in (results / run).iterdir()} - {"export"} == {
            "model.keras", "history.csv", "training.json", "state.safetensors", "metrics.json",
            "per_image.csv", "predictions.npy", "model_card.json", "MODEL_CARD.md",
            *(["architecture.json"] if run in DRAWN else []),
        }  # fmt: skip
        assert np.load(results / run / "predictions.npy").shape == (6, 32, 32, 3)
    assert {path.name for path in (results / "figures").iterdir()} == {
        *(f"curves-{model}.svg" for model in MODELS), *(f"grid-{model}.png" for model in MODELS),
        *(f"extremes-{run}.png" for run in LONGEST), "grid-all_models.png", "scores.svg",
        "architecture-unet.svg", "workflow.svg",
        "preprocessing-photographs.png", "quality_against_cost.svg",
    }  # fmt: skip
    for baseline in BASELINES:
        folder = results / "baselines" / baseline
        assert {path.name for path in folder.iterdir()} == {
            "metrics.json", "per_image.csv", "predictions.npy",
        }  # fmt: skip
    logs, benchmarks = (
        {path.name for path in (results / name).iterdir()} - ASKED for name in ("logs", "benchmarks")
    )
    rules = set(re.findall(r"^(\w+) ", finished.run("snakemake --list-rules").stdout, re.MULTILINE))
    assert logs == benchmarks == rules - {"all", *CHECKS, *ASKED}
    # A rule's script has its name.
    for rule in rules - {"all"}:
        assert (finished.folder / "workflow/scripts" / f"{rule}.py").exists()


def test_report_shows_every_run_beside_what_was_published(finished: Copy) -> None:
    page = finished.read("results/report.html")
    for run in RUNS:
        metrics = json.loads(finished.read(f"results/{run}/metrics.json"))
        assert f"{metrics['all']['as_predicted']['psnr']['value']:.2f}" in page
    assert "Grayscale copy" in page
    assert "Not good for saying how well it colorizes" in page
    assert (
        "No run here is one of the published study" in page
    )  # Small networks are not those of the study.


def test_report_sets_a_variant_beside_what_it_varies(finished: Copy) -> None:
    page = finished.read("results/report.html")
    with (finished.folder / "results/tables/ablations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["run"] for row in rows} == {"unet-lab_1", "unet-lab-seed1_1"}
    assert "target: lab instead of rgb; schedule" in rows[0]["differs"]
    assert "target: lab instead of rgb" in page
    with (finished.folder / "results/tables/seeds.csv").open() as file:
        seeds = {(row["model"], row["epochs"], row["data_set"]): row for row in csv.DictReader(file)}
    scores = [
        json.loads(finished.read(f"results/{run}/metrics.json"))["all"]["as_predicted"]["psnr"]["value"]
        for run in ("unet-lab_1", "unet-lab-seed1_1")
    ]
    row = seeds["unet-lab", "1", "all"]
    assert row["seeds"] == "2"
    assert float(row["psnr_mean"]) == pytest.approx(np.mean(scores))


def test_metrics_can_be_taken_again_from_the_predictions(finished: Copy) -> None:
    results = finished.folder / "results"
    samples = np.load(results / "samples.npz")
    predictions = np.load(results / "unet_2" / "predictions.npy")[samples["row"]]
    with (results / "unet_2" / "per_image.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["id"] in set(samples["id"])]
    for truth, prediction, row in zip(samples["truth"], predictions, rows, strict=True):
        mse = np.mean((truth / 255 - prediction / 255) ** 2)
        assert float(row["mse"]) == pytest.approx(mse)


def test_the_longer_run_starts_with_the_shorter_ones_history(finished: Copy) -> None:
    short = finished.read("results/unet_1/history.csv")
    assert finished.read("results/unet_2/history.csv").startswith(short)


@pytest.mark.slow
def test_single_target_builds_what_it_needs_and_nothing_else(copy: Copy, finished: Copy) -> None:
    result = copy.run("snakemake --cores 2 results/unet_2/metrics.json")
    assert result.returncode == 0, result.stdout
    jobs = set(re.findall(r"^Job \d+: (.*)$", result.stdout, flags=re.MULTILINE))
    assert jobs == {
        "Fetch the photographs of photographs, range 00000 of 00001",
        "Write the manifest of photographs", "Index the shards of photographs",
        "Write shard 00000 of photographs, training", "Write shard 00001 of photographs, training",
        "Write shard 00000 of photographs, validation", "Train unet_1", "Train unet_2",
        "Predict unet_2", "Score unet_2",
    }  # fmt: skip
    # Equal runs, in two places, give equal bytes.
    for name in ("metrics.json", "per_image.csv", "predictions.npy"):
        path = f"results/unet_2/{name}"
        assert (copy.folder / path).read_bytes() == (finished.folder / path).read_bytes()


def test_a_network_travels_with_its_card(finished: Copy) -> None:
    result = finished.run("snakemake --cores 2 results/unet_2/export")
    assert result.returncode == 0, result.stdout
    folder = finished.folder / "results/unet_2"
    files = {path.name for path in (folder / "export").iterdir() if path.suffix}
    assert files == {"model.onnx", "model.tflite", "MODEL_CARD.md", "export.json"}
    log = finished.read("results/logs/export_model/unet_2.log").splitlines()
    lines = [line for line in log if line.startswith("export_model unet_2:")]
    assert len(lines) == 2 and all("within" in line for line in lines), log
    card = json.loads((folder / "model_card.json").read_text("utf-8"))
    assert card["in_short"][0].startswith("unet_2: U-Net, 2 epochs, 32×32 pixels, trained on 12 images")
    assert card["in_short"][-1].startswith("It is for trying the machinery only")
    session = onnxruntime.InferenceSession(folder / "export/model.onnx")
    carried = session.get_modelmeta().custom_metadata_map
    assert json.loads(carried["deepcolor.card"]) == card
    assert carried["deepcolor.model_sha256"] == sha256(folder / "model.keras")
    # Without TensorFlow it gives the pictures that were scored.
    truth = np.load(finished.folder / "results/samples.npz")
    luma = np.array([[0.299], [0.587], [0.114]]) / 255
    (rgb,) = session.run(None, {"luminance": (truth["truth"] @ luma).astype("float32")})
    stored = np.load(folder / "predictions.npy")[truth["row"]]
    assert np.abs(rgb * 255 - stored).max() < 0.51
    # And nothing is left to do, nor does `all` ask for it.
    assert "Nothing to be done" in finished.run("snakemake --cores 2 results/unet_2/export").stdout


@pytest.mark.slow
def test_snakemake_makes_its_own_report(finished: Copy) -> None:
    result = finished.run("snakemake --report provenance.zip")
    assert result.returncode == 0, result.stdout
    assert (finished.folder / "provenance.zip").stat().st_size > 10_000


def test_jobs_load_and_read_nothing_that_they_do_not_declare(finished: Copy) -> None:
    result = finished.run("snakemake --cores 2 results/unet_2/export")
    assert result.returncode == 0, result.stdout
    rules = {path.name for path in (finished.folder / "results/logs").iterdir()} - CHECKS
    assert (rules - ASKED) | {"export_model"} <= declared.check(finished.folder)


@pytest.mark.slow
def test_the_published_encoders_are_trained(finished: Copy) -> None:
    small = "weights: none, training: {epochs: [1]}"
    finished.write(
        "encoders.yaml",
        "results: results-encoders\nmodels:\n"
        f"  densenet: {{architecture: densenet, filters: [4, 4, 4, 4], {small}}}\n"
        f"  mobilenet: {{architecture: mobilenet, alpha: 0.25, filters: [4, 4, 4, 4, 4], {small}}}\n"
        "compare: {models: [densenet, mobilenet]}\n",
    )
    files = [f"results-encoders/{name}_1/metrics.json" for name in ("densenet", "mobilenet")]
    result = finished.run(f"snakemake --cores 2 --configfile encoders.yaml -- {' '.join(files)}")
    assert result.returncode == 0, result.stdout
    for path in files:
        assert json.loads(finished.read(path))["all"]["n"] == 6
    finished.run("rm -r encoders.yaml results-encoders")
