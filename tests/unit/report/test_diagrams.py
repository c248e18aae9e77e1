"""What networks and the workflow consist of, and how that is drawn."""

import json
import math
import pkgutil
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import keras
import pytest
from conftest import PROJECT
from deepcolor.config import configuration
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.errors import DeepColorError
from deepcolor.models import heads
from deepcolor.report.diagrams import architecture as network_diagram
from deepcolor.report.diagrams import layout, rules, workflow
from deepcolor.report.diagrams.stages import describe
from keras import layers, ops
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from support import tiny_encoders

OPTIONS: dict[str, dict[str, Any]] = {
    "unet": {"filters": [4, 8, 16]},
    "densenet": {"weights": "none", "filters": [8, 6, 4, 4]},
    "denseunet": {"weights": "none", "filters": [8, 6, 4, 4, 4]},
    "mobilenet": {"weights": "none", "alpha": 0.25, "filters": [8, 6, 4, 4, 4]},
    "koalarization": {"weights": "none", "freeze_encoder": False},
    "lite": {"weights": "none"},
}
SKIPS = {"unet", "denseunet", "mobilenet"}
# DenseNet121, whose stages only itself has, is built in one case of each kind.
LARGE = [("densenet", "lab", None), ("denseunet", "lab", True), ("denseunet", "rgb", False)]
CASES = [
    pytest.param(
        architecture,
        target,
        skip,
        marks=[pytest.mark.slow] if (architecture, target, skip) in LARGE else [],
    )
    for architecture in sorted(ARCHITECTURES)
    for target in ("lab", "classes" if architecture == "lite" else "rgb")
    for skip in ((True, False)[: 1 + (target == "rgb")] if architecture in SKIPS else (None,))
]


@cache
def network(architecture: str, target: str, skip: bool | None) -> keras.Model:
    options = {**OPTIONS[architecture], "target": target}
    if skip is not None:
        options["skip_connections"] = skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "InceptionResNetV2", tiny_encoders.small_classifier)
        return heads.with_rgb_output(pkgutil.resolve_name(ARCHITECTURES[architecture])(64, **options))


def check(model: keras.Model) -> dict[str, Any]:
    """The description, with what holds for every network."""
    described = describe(model)
    stages, edges = described["stages"], described["edges"]
    assert described["parameters"] == model.count_params()
    trainable = sum(math.prod(each.shape) for each in model.trainable_variables)
    assert described["trainable_parameters"] == trainable
    for key in ("parameters", "trainable_parameters", "layers"):
        assert described[key] == sum(stage[key] for stage in stages)
    assert all(edge["from"] < edge["to"] for edge in edges)
    # One way goes on through the stages; every other edge is a skip.
    for number, stage in enumerate(stages):
        on = [edge for edge in edges if edge["to"] == number and not edge["skip"]]
        assert len(on) == (stage["phase"] != "input")
        assert stage["title"] and stage["kinds"]
    assert [stage["phase"] for stage in stages].count("input") == 1
    assert stages[-1]["phase"] == "head" and stages[-1]["shape"] == list(model.output_shape[1:])
    assert json.loads(json.dumps(described)) == described
    return described


def titles(described: dict[str, Any], *phases: str) -> list[str]:
    return [stage["title"] for stage in described["stages"] if not phases or stage["phase"] in phases]


def skips(described: dict[str, Any]) -> set[tuple[str, str]]:
    names = titles(described)
    return {(names[edge["from"]], names[edge["to"]]) for edge in described["edges"] if edge["skip"]}


@pytest.mark.parametrize(("architecture", "target", "skip"), CASES)
def test_stages_add_up(architecture: str, target: str, skip: bool | None) -> None:
    model = network(architecture, target, skip)
    described = check(model)
    expected = set() if target == "rgb" else {("luminance", "rgb")}
    if architecture == "lite":
        last = "decoder2 + logits" if target == "classes" else "decoder2"
        expected |= {("encoder4", "context + decoder1"), ("encoder3", "decoder1–2"), ("encoder2", last)}
    if architecture == "koalarization":
        expected.add(("predictions", "fusion + decoder1"))
    if skip and architecture == "unet":
        expected |= {("encoder1", "decoder1"), ("encoder2", "decoder2")}
    if skip and architecture in ("mobilenet", "denseunet"):
        expected |= {(f"encoder{5 - number}", f"decoder{number}") for number in range(1, 5)}
    if skip and architecture == "denseunet":
        expected.add(("luminance", "decoder5"))
    assert skips(described) == expected
    assert titles(described, "head") == (["rgb"] if target == "rgb" else ["chroma", "rgb"]) or (
        architecture == "koalarization"
    )
    assert "bottleneck" in {stage["phase"] for stage in described["stages"]}


def test_unet_is_told_block_by_block() -> None:
    stages = check(network("unet", "rgb", True))["stages"]
    assert [(each["title"], each["phase"], each["shape"]) for each in stages] == [
        ("luminance", "input", [64, 64, 1]),
        ("encoder1", "encoder", [32, 32, 4]),
        ("encoder2", "encoder", [16, 16, 8]),
        ("encoder3", "bottleneck", [8, 8, 16]),
        ("decoder2", "decoder", [16, 16, 16]),
        ("decoder1", "decoder", [32, 32, 8]),
        ("rgb", "head", [64, 64, 3]),
    ]
    assert stages[1]["kinds"] == ["Conv2D 3×3, stride 2", "batch normalization", "LeakyReLU"]
    assert stages[1]["layers"] == 3 and stages[1]["parameters"] == 3 * 3 * 4 + 4 + 4 * 4
    assert stages[1]["trainable_parameters"] == 3 * 3 * 4 + 4 + 2 * 4
    assert stages[-1]["kinds"] == ["Conv2DTranspose 3×3, stride 2, sigmoid"]


def test_densenet_is_condensed() -> None:
    model = network("densenet", "rgb", None)
    described = check(model)
    assert described["layers"] == len(model.layers) == 443
    assert titles(described) == [
        "luminance", "prepare", "encoder1", "encoder2", "encoder3", "encoder4", "bottleneck", "decoder1",
        "decoder2", "decoder3", "decoder4", "rgb",
    ]  # fmt: skip
    # Blocks of 6, 12, 24 and 16 layers, as published; a transition's convolution is one of 1×1.
    blocks = described["stages"][3:7]
    assert [stage["shape"][0] for stage in described["stages"]] == [
        64, 64, 32, 16, 8, 4, 2, 4, 8, 16, 32, 64,
    ]  # fmt: skip
    for count, transition, stage in zip((6, 12, 24, 16), (1, 1, 1, 0), blocks, strict=True):
        assert {f"{count} × Conv2D 3×3", f"{count + transition} × Conv2D 1×1"} < set(stage["kinds"])


def test_koalarization_has_a_side_branch() -> None:
    described = check(network("koalarization", "lab", None))
    assert titles(described, "side branch") == ["prepare", "classifier", "predictions"]
    assert titles(described, "encoder", "bottleneck") == [
        "prepare", "encoder1–2", "encoder3–4", "encoder5–8", "fusion + decoder1",
    ]  # fmt: skip
    (operations,) = [stage for stage in described["stages"] if "operations" in stage["kinds"][-1]]
    assert operations["phase"] == "encoder" and operations["parameters"] == 0


# Networks of one's own, whose names say nothing


def conv(x: keras.KerasTensor, filters: int = 4, strides: int = 1) -> keras.KerasTensor:
    return layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")(x)


def finish(gray: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
    return keras.Model(gray, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x))


def picture() -> keras.KerasTensor:
    return keras.Input((32, 32, 1))


def one_convolution() -> keras.Model:
    gray = picture()
    return finish(gray, gray)


def plain() -> keras.Model:
    gray = picture()
    return finish(gray, conv(conv(gray)))


def sequential() -> keras.Model:
    parts = [layers.Conv2D(4, 3, strides=2, padding="same"), layers.UpSampling2D()]
    return keras.Sequential([picture(), *parts, layers.Conv2D(3, 3, padding="same")])


def skip_first() -> keras.Model:
    gray = picture()
    wide = conv(gray)
    x = layers.UpSampling2D()(conv(wide, strides=2))
    return finish(gray, conv(layers.Concatenate()([wide, x])))


def squeezed() -> keras.Model:
    gray = picture()
    x = conv(gray, 8, strides=2)
    for _ in range(2):
        weights = layers.GlobalAveragePooling2D()(x)
        weights = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(weights))
        x = conv(layers.Multiply()([x, weights]), 8)
    return finish(gray, layers.UpSampling2D()(x))


def residual() -> keras.Model:
    gray = picture()
    x = conv(gray)
    for filters in (8, 16):
        short = layers.Conv2D(filters, 1, strides=2)(x)
        x = layers.Add()([short, conv(conv(x, filters, strides=2), filters)])
    for filters in (8, 4):
        x = conv(layers.UpSampling2D()(x), filters)
    return finish(gray, x)


def nested() -> keras.Model:
    any_size = keras.Input((None, None, 4))
    block = keras.Model(any_size, conv(conv(any_size, strides=2)))
    once = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()])
    gray = picture()
    x = block(once(conv(gray)))
    x = block(x)  # The same weights once more.
    return finish(gray, layers.UpSampling2D(4)(x))


def two_branches() -> keras.Model:
    gray = picture()
    local, far = conv(gray, strides=2), conv(layers.AveragePooling2D(4)(gray), 8)
    seen = layers.GlobalAveragePooling2D()(conv(far, 8, strides=2))
    seen = layers.UpSampling2D(16)(layers.Reshape((1, 1, 8))(seen))
    far = layers.UpSampling2D(2)(far)
    x = conv(layers.Concatenate()([conv(local), far, seen]))
    return finish(gray, layers.UpSampling2D()(x))


def through_a_vector() -> keras.Model:
    gray = picture()
    x = layers.Flatten()(conv(conv(gray, strides=2), strides=2))
    x = layers.Reshape((8, 8, 2))(layers.Dense(128)(layers.Dense(6)(x)))
    for _ in range(2):
        x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    return finish(gray, x)


def attention() -> keras.Model:
    gray = picture()
    x = conv(gray, 8, strides=4)
    tokens = layers.Reshape((64, 8))(x)
    tokens = layers.MultiHeadAttention(2, 4)(tokens, tokens)
    x = ops.reshape(tokens, (-1, 8, 8, 8)) + x
    return finish(gray, layers.UpSampling2D(4)(x))


def frozen() -> keras.Model:
    model = plain()
    model.layers[1].trainable = False
    return model


OWN = {
    "one_convolution": (one_convolution, ["input", "head"], 0),
    "plain": (plain, ["input", "body", "head"], 0),
    "sequential": (sequential, ["input", "bottleneck", "head"], 0),
    "skip_first": (skip_first, ["input", "encoder", "bottleneck", "decoder", "head"], 1),
    "squeezed": (squeezed, ["input", "bottleneck", "head"], 0),
    "residual": (
        residual,
        ["input", "encoder1", "encoder2", "bottleneck", "decoder1", "decoder2", "head"],
        0,
    ),
    "nested": (nested, ["input", "encoder1", "encoder2", "bottleneck", "head"], 0),
    "two_branches": (two_branches, None, 2),
    "through_a_vector": (
        through_a_vector,
        ["input", "encoder1", "encoder2", "bottleneck", "decoder1", "decoder2", "decoder3", "head"],
        0,
    ),
    "attention": (attention, ["input", "bottleneck", "head"], 0),
    "frozen": (frozen, ["input", "body", "head"], 0),
}


@pytest.mark.parametrize("name", OWN)
def test_networks_of_ones_own(name: str, tmp_path: Path) -> None:
    build, expected, jumps = OWN[name]
    described = check(build())
    if expected:
        assert titles(described) == expected
    assert sum(edge["skip"] for edge in described["edges"]) == jumps
    # The names that Keras makes up go on counting, and nothing of them is told.
    assert {**describe(build()), "name": ""} == {**described, "name": ""}
    network_diagram.plot_architecture(described, tmp_path / "architecture.svg")


# What is drawn


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, beside the files."""
    figures: list[Figure] = []
    save = network_diagram.save_figure

    def keep(figure: Figure, path: Path, **options: Any) -> None:
        figures.append(figure)
        save(figure, path, **options)

    for module in (network_diagram, workflow):
        monkeypatch.setattr(module, "save_figure", keep)
    return figures


def check_texts(figure: Figure) -> list[str]:
    """Texts lie within the figure, and not on one another; what they say."""
    (axes,) = figure.axes
    inside = figure.bbox
    boxes = [text.get_window_extent() for text in axes.texts]
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1 and inside.y0 <= box.y0 < box.y1 <= inside.y1
    for (one, box), (other, second) in combinations(zip(axes.texts, boxes, strict=True), 2):
        wide = min(box.x1, second.x1) - max(box.x0, second.x0)
        tall = min(box.y1, second.y1) - max(box.y0, second.y0)
        assert wide <= 0 or tall <= 0, (one, other)
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(("architecture", "target", "skip"), CASES)
def test_architecture_is_drawn(
    architecture: str, target: str, skip: bool | None, tmp_path: Path, drawn: list[Figure]
) -> None:
    described = describe(network(architecture, target, skip))
    paths = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        network_diagram.plot_architecture(described, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"<svg" in paths[0].read_bytes() and b"<dc:date>" not in paths[0].read_bytes()
    said = check_texts(drawn[0])
    assert f"{described['parameters']:,} parameters" in said[0]
    words = " ".join(said)
    for stage in described["stages"]:
        assert stage["title"] in words and f"{stage['parameters']:,}" in said
    arrows = [edge for edge in described["edges"] if edge["skip"]]
    assert ("skip connection, fusion" in said) == bool(arrows)


def test_long_titles_are_shrunk(tmp_path: Path, drawn: list[Figure]) -> None:
    described = describe(network("unet", "rgb", True))
    for number, stage in enumerate(described["stages"]):
        stage["title"] = f"a_title_that_is_much_too_long_{number} <b> $x$"
        stage["parameters"] = 10**12 + number
    network_diagram.plot_architecture(described, tmp_path / "architecture.svg")
    assert f"{10**12:,}" in check_texts(drawn[0])


GRAPH = {
    "rules": [{"name": name, "stage": "one" if name < "c" else "two"} for name in ("a_a", "b_b", "c_c")],
    "edges": [["a_a", "b_b"], ["b_b", "c_c"], ["a_a", "c_c"], ["b_b", "b_b"], ["c_c", "a_a"]],
}


def test_workflow_is_drawn(tmp_path: Path, drawn: list[Figure]) -> None:
    for name in ("one.svg", "two.svg"):
        workflow.plot_workflow(GRAPH, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert check_texts(drawn[0]) == ["one", "two", "a", "a", "b", "b", "c", "c"]
    # Arrows from a to b to c, and one from b to itself.
    arrows = [each for each in drawn[0].axes[0].patches if not isinstance(each, FancyBboxPatch)]
    assert len(arrows) == 3


def test_columns_and_shortcuts() -> None:
    parents = {0: {3}, 1: {0, 1}, 2: {0, 1}, 3: {2}}
    assert layout.acyclic(parents) == {0: {3}, 1: {0}, 2: {0, 1}, 3: set()}
    parents = {0: set(), 1: {0}, 2: {0, 1}, 3: {2, 0}}
    assert layout.without_shortcuts(parents) == {0: set(), 1: {0}, 2: {1}, 3: {2}}
    assert layout.columns(parents) == {0: 0, 1: 1, 2: 2, 3: 3}


def test_nodes_stand_apart_and_edges_do_not_cross() -> None:
    # Two ways side by side, whose nodes are numbered crosswise.
    parents = {0: set(), 1: set(), 2: {1}, 3: {0}, 4: {3}, 5: {2}, 6: {4, 5, 0}}
    column = layout.columns(parents)
    edges = layout.chains(parents, column)
    assert [place[1] for place in edges[-3]] == [0, 1, 2, 3]
    height = layout.heights(edges, column)
    assert set(height) == {place for edge in edges for place in edge}
    for (one, first), (other, second) in combinations(height.items(), 2):
        if one[1] == other[1]:
            needed = (0.5 if one[0] >= 0 else 0.25) + (0.5 if other[0] >= 0 else 0.25)
            assert abs(first - second) >= needed - 1e-9
    order = [height[2, 1] > height[3, 1], height[5, 2] > height[4, 2], height[1, 0] > height[0, 0]]
    assert len(set(order)) == 1


# The rules, as Snakemake knows them


def test_rules_are_listed_with_a_complete_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    # A profile of the run around it has no say.
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "no-such-profile")
    config = configuration.read()
    names, edges = rules.graph(json.dumps(config), "all", answered=False)
    known = re.findall(
        r"^rule (\w+):",
        "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "rules").glob("*.smk")),
        flags=re.MULTILINE,
    )
    assert names <= {*known, "all"}
    assert {("fetch_photographs", "write_manifest"), ("write_manifest", "write_shards")} <= edges
    assert {("train_model", "train_model"), ("train_model", "predict_images")} <= edges
    assert {("render_report", "all")} <= edges
    assert not [name for name in names if name.startswith("check_")]


def test_rules_are_listed_while_files_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    config = configuration.read() | {"results": str(tmp_path)}
    files = [tmp_path / name for name in ("report.html", "summary.json", "extremes.npz")]
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for file in files:
                file.touch()
                file.unlink()

    with ThreadPoolExecutor() as pool:
        changing = pool.submit(come_and_go)
        try:
            names, _ = rules.graph(json.dumps(config), "all", answered=False)
        finally:
            done.set()
        changing.result()
    assert {"render_report", "draw_extremes"} <= names
    assert "analyze_study" not in names


@pytest.mark.slow
def test_peoples_answers_bring_their_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    names, _ = rules.graph(json.dumps(configuration.read()), "all", answered=True)
    assert "analyze_study" in names


def test_what_snakemake_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    config = configuration.read()
    with pytest.raises(DeepColorError, match=r"no graph of the rules \(.*image_size.*33"):
        rules.graph(json.dumps({**config, "image_size": 33}), "all", answered=False)
