"""What a change makes run again, and what it does not."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import Copy

LONGEST = ["unet_2", "unet-lab_1"]
# The jobs before the shards.
FETCHING = {
    "Fetch the photographs of photographs, range 00000 of 00001", "Write the manifest of photographs",
}  # fmt: skip
# The jobs of every run.
OF_A_RUN = ("Train", "Predict", "Score", "Write the model card of")


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
            "workflow/deepcolor/report/templates/report.html.j2",
            "<main>",
            "<main><!-- -->",
            {"Render the report"},
        ),
        ("workflow/deepcolor/report/templates/report.css", ":root", " :root", {"Render the report"}),
    ],
)
def test_what_only_the_report_shows_reruns_only_the_report(
    finished: Copy, path: str, old: str, new: str, again: set[str]
) -> None:
    with edited(finished, path, old, new):
        assert planned(finished) == again


def test_comments_and_docstrings_rerun_nothing(finished: Copy) -> None:
    files = sorted((finished.folder / "workflow").rglob("*.py"))
    rules = [finished.folder / "Snakefile", *(finished.folder / "rules").glob("*.smk")]
    before = {file: file.read_text("utf-8") for file in files}
    try:
        for file, text in list(before.items()):
            tree = ast.parse(text)
            lines = text.splitlines()
            documented = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
            for node in documented:
                if ast.get_docstring(node):
                    line = node.body[0].lineno - 1
                    lines[line] = lines[line].replace('"""', '"""In other words: ', 1)
            file.write_text("\n".join(["# A comment.", *lines, "", "# Another.", ""]), "utf-8")
            assert file.read_text("utf-8") != text
        for file in rules:
            text = before[file] = file.read_text("utf-8")
            file.write_text(f"# A comment.\n\n{text}\n# Another.\n", "utf-8")
        assert planned(finished) == set()
    finally:
        for file, text in before.items():
            file.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("path", "old", "new", "some", "none"),
    [
        pytest.param(
            "compute/devices.py", "can use no GPU", "finds no GPU", set(), {""},
            id="an error about GPUs",
        ),
        pytest.param(
            "messages.py", "the memory is used up", "memory is exhausted", set(), {""}, id="a message",
        ),
        pytest.param(
            "compute/devices.py", "BACKENDS = {", "BACKENDS = {} | {",
            {"Train unet_2", "Predict unet_2"}, {"Fetch", "Write shard", "Write the manifest"},
            id="backends",
        ),
        pytest.param(
            "evaluation/metrics.py", "/ 255**2", "/ 65025", {"Score unet_2", "Tabulate the metrics"},
            {"Fetch", "Write shard", "Write the manifest", "Index", "Train", "Predict"}, id="a metric",
        ),
        pytest.param(
            "report/training_findings.py", "are {collapse} at the end of training",
            "have come to be {collapse}",
            {"Render the report"},
            {"Fetch", "Write shard", "Write the manifest", "Index", "Train", "Predict", "Score",
             "Tabulate", "Plot", "Draw"},
            id="words of the report",
        ),
        pytest.param(
            "imaging/decoding.py", "ImageOps.exif_transpose", "(ImageOps.exif_transpose)",
            set(), {""}, id="parentheses",
        ),
        pytest.param(
            "imaging/decoding.py", "import numpy as np", "import numpy as np\n\nPLACES = 3",
            {"Write shard 00000 of photographs, training", "Index the shards of photographs",
             "Train unet_1", "Score unet_1"},
            {"Plot the workflow"}, id="decoding",
        ),
        pytest.param(
            "training/checkpoint.py", "import json", "import json\n\nPLACES = 3",
            {"Train unet_1", "Train unet_2", "Predict unet_2"}, {"Fetch", "Write shard", "Index"},
            id="checkpoints",
        ),
    ],
)  # fmt: skip
def test_an_edit_reruns_what_it_changes(
    finished: Copy, path: str, old: str, new: str, some: set[str], none: set[str]
) -> None:
    with edited(finished, f"workflow/deepcolor/{path}", old, new):
        jobs = planned(finished)
    assert jobs >= some
    assert not [job for job in jobs if job.startswith(tuple(none))]


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
            edited(finished, "workflow/deepcolor/config/registry.py", "ARCHITECTURES = {", line),
            edited(finished, "config.yaml", "models:", entry),
        ):
            others = shown("small") | extremes("small_1", *LONGEST) | drawn("small", "small_1") | GRAPH
            assert planned(finished) == {f"{verb} small_1" for verb in OF_A_RUN} | others
    finally:
        new.unlink()


def test_a_new_image_size_reruns_everything_but_the_fetching(finished: Copy) -> None:
    with edited(finished, "config.yaml", "image_size: 32", "image_size: 64"):
        jobs = planned(finished)
    assert FETCHING.isdisjoint(jobs)
    assert {"Train unet-lab_1", "Write shard 00001 of photographs, training"} <= jobs
    # One less: what is said of the data set has no pictures.
    everything = planned(finished, "--forceall")
    assert everything - jobs == FETCHING | {"Tabulate the data sets"}
    assert "Plot photographs of photographs before and after preprocessing" in jobs


def test_other_programs_pictures_train_nothing_again(finished: Copy) -> None:
    (finished.folder / "pictures").mkdir()
    with edited(finished, "config.yaml", "models:", "models:\n  other: {predictions: pictures}"):
        jobs = planned(finished)
    (finished.folder / "pictures").rmdir()
    assert "Predict other" in jobs
    assert not [job for job in jobs if job.startswith(("Train", "Write shard", *FETCHING))]
