"""A whole small run, and what a change makes run again."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import onnxruntime
import pytest
from conftest import Copy
from deepcolor import project
from deepcolor.files import sha256
from deepcolor.names import BASELINES

CHECKS = {"check_data_set", "check_training", "check_setup"}
RUNS = [
    "unet_1", "unet_2", "unet-lab_1", "unet-lab-seed1_1", "mobilenet_1", "mobilenet_2", "densenet_1",
]  # fmt: skip

MODELS = ["unet", "unet-lab", "mobilenet", "densenet"]
LONGEST = ["unet_2", "unet-lab_1", "mobilenet_2", "densenet_1"]
DRAWN = ["unet_2", "mobilenet_2", "densenet_1"]  # The first network of each architecture.
# Rules whose files nothing but a configuration of one's own, or the command line, asks for.
ASKED = {
    *("evaluate_pictures", "export_inputs", "export_model", "measure_distances"),
    *("draw_study", "analyze_study", "plot_acceptance", "colorize_photographs"),
}


# The jobs before the shards.
FETCHING = {
    "Fetch the photographs of photographs, range 00000 of 00001", "Write the manifest of photographs",
}  # fmt: skip
# The jobs of every run.
OF_A_RUN = ("Train", "Evaluate", "Write the model card of")


def planned(copy: Copy, options: str = "") -> set[str]:
    """The messages of the jobs that a dry run plans."""
    result = copy.run(f"snakemake --cores 2 --dry-run {options}")
    assert result.returncode == 0, result.stdout
    return set(re.findall(r"^Job \d+: (.*)$", result.stdout, flags=re.MULTILINE))


@contextmanager
def edited(copy: Copy, path: str, old: str, new: str) -> Iterator[None]:
    """Replace a text in a file of the copy for the time of the block."""
    before = copy.read(path)
    assert old in before
    copy.write(path, before.replace(old, new, 1))
    try:
        yield
    finally:
        copy.write(path, before)


def test_make_report_says_a_line_a_job_and_an_epoch(finished: Copy) -> None:
    lines = finished.read("make-report.log").splitlines()
    said = [line.split(":")[0] for line in lines if " the pictures are " not in line]
    for run in RUNS:
        epochs = int(run.split("_")[1])
        assert said.count(f"train_model {run}") == (2 if epochs == 2 else 1)  # 2 goes on from 1.
        assert said.count(f"evaluate_model {run}") == 1
    assert re.search(
        r"epoch 1/1  loss \S+  val_loss \S+  PSNR \S+ dB  val_PSNR \S+ dB  \S+ images/s  0:00 left",
        finished.read("make-report.log"),
    )
    assert lines[-1] == "Report: results/report.html"
    # Now and then, and whatever it is told, TensorFlow says that oneDNN leaves an operation to Eigen.
    expected = re.compile(r"[a-z]+(?:_[a-z]+)+[ :]|Report: |E0000 .* oneDNN supports .* Falling back")
    strange = [line for line in lines if not expected.match(line)]
    assert strange == []


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
        *(f"architecture-{model}.svg" for model in ("unet", "mobilenet", "densenet")), "workflow.svg",
        "preprocessing-photographs.png", "quality_against_cost.svg",
    }  # fmt: skip
    for baseline in BASELINES:
        folder = results / "baselines" / baseline
        assert {path.name for path in folder.iterdir()} == {"metrics.json", "per_image.csv"}
    logs, benchmarks = (
        {path.name for path in (results / name).iterdir()} - ASKED for name in ("logs", "benchmarks")
    )
    rules = set(re.findall(r"^(\w+) ", finished.run("snakemake --list-rules").stdout, re.MULTILINE))
    assert logs == benchmarks == rules - {"all", *CHECKS, *ASKED}
    # A rule's script has its name.
    for rule in rules - {"all"}:
        assert (finished.folder / "workflow" / f"{rule}.py").exists()


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


def test_a_second_time_there_is_nothing_to_do(finished: Copy) -> None:
    result = finished.run("make report")
    assert result.stdout == "Report: results/report.html\n"


def test_a_touch_reruns_nothing(finished: Copy) -> None:
    for path in finished.folder.rglob("*"):
        inside = path.relative_to(finished.folder).parts[0]
        if path.is_file() and inside not in ("results", "data", ".venv", ".snakemake"):
            path.touch()
    assert planned(finished) == set()


@pytest.mark.parametrize(
    ("path", "old", "new", "again"),
    [
        (
            "config.yaml",
            "image_size",
            'title: "Another title"\nimage_size',
            {"Render the report", "Write the summary"},
        ),
        (
            "workflow/deepcolor/templates/report.html.j2",
            "<main>",
            "<main><!-- -->",
            {"Render the report"},
        ),
        ("workflow/deepcolor/templates/report.css", ":root", " :root", {"Render the report"}),
    ],
)
def test_what_only_the_report_shows_reruns_only_the_report(
    finished: Copy, path: str, old: str, new: str, again: set[str]
) -> None:
    with edited(finished, path, old, new):
        assert planned(finished) == again


def shown(model: str) -> set[str]:
    """The jobs that show a model beside the others."""
    return {
        f"Plot the curves of {model}", f"Plot the grid of {model}", "Plot the grid of all_models",
        "Plot quality against cost", "Plot the scores", "Tabulate the metrics", "Tabulate the trainings",
        "Tabulate what changes, seeds and data sets make", "Compare the runs", "Write the summary",
        "Draw the best and the worst images", "Render the report",
    }  # fmt: skip


def extremes(*runs: str) -> set[str]:
    """The jobs that plot the best and the worst images of runs; one draws those of all."""
    return {f"Plot the best and the worst images of {run}" for run in runs}


def drawn(model: str, run: str) -> set[str]:
    """The jobs that draw the architecture of a model."""
    return {f"Describe the architecture of {run}", f"Plot the architecture of {model}"}


# What a new network, or another picture size, changes in the graph of the rules may be anything.
GRAPH = {"List the rules", "Plot the workflow"}


def test_an_edited_architecture_reruns_its_own_runs(finished: Copy) -> None:
    with edited(finished, "workflow/deepcolor/models/unet.py", "0.01", "0.02"):
        runs = ("unet_1", "unet_2", "unet-lab_1", "unet-lab-seed1_1")
        jobs = {f"{verb} {run}" for verb in OF_A_RUN for run in runs}
        others = shown("unet") | shown("unet-lab") | drawn("unet", "unet_2") | extremes(*LONGEST)
        assert planned(finished) == jobs | others


def test_a_new_model_adds_its_own_runs(finished: Copy) -> None:
    entry = "models:\n  noskip: {architecture: unet, filters: [4, 8], skip_connections: false}"
    with edited(finished, "config.yaml", "models:", entry):
        jobs = {f"{verb} noskip_{epochs}" for verb in OF_A_RUN for epochs in (1, 2)}
        others = shown("noskip") | extremes("noskip_2", *LONGEST) | GRAPH
        # In front of the others, it is the first network of its architecture.
        assert planned(finished) == jobs | others | drawn("noskip", "noskip_2")


def test_what_a_network_varies_is_no_part_of_its_training(finished: Copy) -> None:
    own = "architecture: unet\n    filters: [4, 8]"
    with edited(finished, "config.yaml", "varies: unet", own):
        jobs = planned(finished)
        assert jobs <= shown("unet-lab") | shown("unet") | GRAPH
        assert {"Tabulate what changes, seeds and data sets make", "Compare the runs"} <= jobs


def test_a_new_architecture_is_a_file_and_a_line(finished: Copy) -> None:
    new = finished.folder / "workflow/deepcolor/models/tiny.py"
    new.write_text(
        "import keras\n\n\ndef tiny(image_size, *, batch_norm_momentum=0.99, depth=1):\n"
        "    luminance = keras.Input((image_size, image_size, 1))\n"
        "    rgb = keras.layers.Conv2D(3, 3, padding='same', activation='sigmoid')(luminance)\n"
        "    return keras.Model(luminance, rgb)\n"
    )
    line = 'ARCHITECTURES = {\n    "tiny": "deepcolor.models.tiny:tiny",'
    entry = "models:\n  small: {architecture: tiny, depth: 1, training: {epochs: [1]}}"
    try:
        with (
            edited(finished, "workflow/deepcolor/registry.py", "ARCHITECTURES = {", line),
            edited(finished, "config.yaml", "models:", entry),
        ):
            others = shown("small") | extremes("small_1", *LONGEST) | drawn("small", "small_1") | GRAPH
            assert planned(finished) == {f"{verb} small_1" for verb in OF_A_RUN} | others
            result = finished.run("snakemake --cores 2 results/small_1/metrics.json")
            assert result.returncode == 0, result.stdout
    finally:
        new.unlink()


def test_a_new_image_size_reruns_everything_but_the_fetching(finished: Copy) -> None:
    with edited(finished, "config.yaml", "image_size: 32", "image_size: 64"):
        jobs = planned(finished)
    assert FETCHING.isdisjoint(jobs)
    assert {"Train densenet_1", "Write shard 00001 of photographs, training"} <= jobs
    # One less: what is said of the data set has no pictures.
    everything = planned(finished, "--forceall")
    assert everything - jobs == FETCHING | {"Tabulate the data sets"}
    assert "Plot photographs of photographs before and after preprocessing" in jobs


def test_single_target_builds_what_it_needs_and_nothing_else(copy: Copy, finished: Copy) -> None:
    result = copy.run("snakemake --cores 2 results/unet_2/metrics.json")
    assert result.returncode == 0, result.stdout
    jobs = set(re.findall(r"^Job \d+: (.*)$", result.stdout, flags=re.MULTILINE))
    assert jobs == {
        *FETCHING, "Index the shards of photographs",
        "Write shard 00000 of photographs, training", "Write shard 00001 of photographs, training",
        "Write shard 00000 of photographs, validation", "Train unet_1", "Train unet_2",
        "Evaluate unet_2",
    }  # fmt: skip
    # Equal runs, in two places, give equal bytes.
    for name in ("metrics.json", "per_image.csv", "predictions.npy"):
        path = f"results/unet_2/{name}"
        assert (copy.folder / path).read_bytes() == (finished.folder / path).read_bytes()


def test_a_network_travels_with_its_card(finished: Copy) -> None:
    # Another test may have asked for it.
    shutil.rmtree(finished.folder / "results/unet_2/export", ignore_errors=True)
    result = finished.run("snakemake --cores 2 results/unet_2/export")
    assert result.returncode == 0, result.stdout
    folder = finished.folder / "results/unet_2"
    files = {path.name for path in (folder / "export").iterdir() if path.suffix}
    assert files == {"model.onnx", "model.tflite", "MODEL_CARD.md", "export.json"}
    said = [line for line in result.stdout.splitlines() if line.startswith("export_model unet_2:")]
    assert len(said) == 2 and all("within" in line for line in said), result.stdout
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


def test_snakemake_makes_its_own_report(finished: Copy) -> None:
    result = finished.run("snakemake --report provenance.zip")
    assert result.returncode == 0, result.stdout
    assert (finished.folder / "provenance.zip").stat().st_size > 10_000


def test_jobs_load_no_module_that_they_do_not_declare(finished: Copy) -> None:
    """Runs the rules' own commands again, with a hook that lists the library's modules."""
    finished.write(
        "hook/sitecustomize.py",
        "import atexit, os, sys\n"
        "def note():\n"
        "    names = [getattr(each, '__file__', None) for each in sys.modules.values()]\n"
        "    files = [os.path.abspath(name) for name in [*names, sys.argv[0]] if name]\n"
        "    own = [os.path.relpath(file) for file in files if file.startswith(os.getcwd())]\n"
        "    print('MODULES', *[file for file in own if file.startswith('workflow')])\n"
        "atexit.register(note)\n",
    )
    asked = "snakemake --cores 2 --dry-run --forceall --printshellcmds all results/unet_2/export"
    printed = finished.run(asked).stdout
    commands = re.findall(r"^ +(python workflow/(\w+)\.py(?:.*\\\n)+).*tee", printed, re.MULTILINE)
    scripts = {path.stem for path in (finished.folder / "workflow").glob("*.py")}
    # Those of `make check` are tried with the presets; three are no rules.
    others = CHECKS | ASKED - {"export_model"} | {"archive_results", "browse_run", "convert_lpips"}
    assert {script for _, script in commands} == scripts - others
    tried = set()
    for command, script in commands:
        model = "mobilenet" if "mobilenet" in command else "unet" if "unet" in command else ""
        if (script, model) in tried or "densenet_1/model.keras" in command:
            continue
        tried.add((script, model))
        if script == "train_model":  # Not over what is there.
            command = re.sub(r"(--(model|history|record|state)) results/", r"\1 elsewhere/", command)
        if script == "export_model":
            command = command.replace("--folder results/", "--folder elsewhere/")
        ran = finished.run(command.rstrip().rstrip("\\"), PYTHONPATH="hook")
        assert ran.returncode == 0, ran.stdout
        loaded = set(re.findall(r"^MODULES (.*)$", ran.stdout, re.MULTILINE)[0].split())
        named = re.findall(r"deepcolor\.(?:models|sources)\.\w+:\w+", command)
        assert f"workflow/{script}.py" in loaded
        assert loaded - set(project.sources_of(script, tuple(named))) == set(), script
    shutil.rmtree(finished.folder / "elsewhere")
    shutil.rmtree(finished.folder / "hook")
