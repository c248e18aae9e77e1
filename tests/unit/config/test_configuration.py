"""The configuration: what is accepted, what is refused and in which words."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT
from deepcolor.config import configuration, folders
from deepcolor.config.data_sets import DATA_SET_KEYS, compared_before, data_sets
from deepcolor.config.models import EXTERNAL_KEYS, MODEL_KEYS, external_predictions, references
from deepcolor.config.options import options_of
from deepcolor.config.registry import ARCHITECTURES, SOURCES
from deepcolor.config.runs import RESERVED_NAMES, find_run, runs
from deepcolor.errors import DeepColorError
from deepcolor.labels import BASELINES

SHIPPED = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
SCHEMA = yaml.safe_load(configuration.SCHEMA.read_text(encoding="utf-8"))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The shipped configuration with one value changed."""
    config = copy.deepcopy(SHIPPED)
    *parents, last = path.split(".")
    where = config
    for key in parents:
        where = where.setdefault(key, {})
    where[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("training.epohcs", [1], "unknown key 'epohcs' in 'training'; did you mean 'epochs'?"),
        ("titel", "x", "unknown key 'titel'; did you mean 'title'?"),
        ("models.unet.training", {"batchsize": 1}, "did you mean 'batch_size'?"),
        ("models.unet.skip_conections", False, "did you mean 'skip_connections'?"),
        ("models.unet.alpha", 1.0, "architecture 'unet' has no option 'alpha'"),
        ("models.unet.architecture", "unett", "there is no 'unett'; did you mean 'unet'?"),
        ("models.U_Net", {"architecture": "unet"}, "the name 'U_Net' becomes a folder"),
        ("models.new", {}, "the key 'architecture' is missing"),
        ("data_sets.photographs.source", "photograph", "did you mean 'photographs'?"),
        (
            "data_sets.mine",
            {"source": "folder", "training": 1, "validation": 1},
            "needs the key 'folder'",
        ),
        ("compare.models", ["unett"], "there is no 'unett'; did you mean 'unet'?"),
        ("compare.data_sets", ["cocoa"], "there is no 'cocoa'; did you mean 'coco'?"),
        ("training.batch_size", 0, "training.batch_size: 0 is less than the minimum of 1"),
        ("training.learning_rate", "fast", "training.learning_rate: 'fast' is not of type 'number'"),
        ("training.epochs", [], "training.epochs: "),
        ("models.unet.filters", 16, "models.unet.filters: 16 is no list; the default is [64, 128"),
        ("accelerator", "gpu", "Known: auto, cpu, cuda."),
        ("devices", 0, "devices: 0 is less than the minimum of 1"),
        ("models.unet.target", "hsv", "target: unknown value 'hsv'. Known: rgb, lab, classes."),
        ("compare.models", ["koalarisation"], "did you mean 'koalarization'?"),
        ("image_size", 65, "image_size: 65 is not a multiple of 32"),
        ("training.batch_norm_momentum", 1, "training.batch_norm_momentum: 1"),
        ("models.densenet.weights", "no/such.h5", "models.densenet.weights: no file no/such.h5"),
        (
            "models.densenet.weights",
            "bundled",
            "models.densenet.weights: 'bundled' are those of a network of the architecture 'lite'",
        ),
        ("models.densenet.freeze_encoder", True, "would freeze random weights"),
        ("training.freeze_epochs", 2, "training.freeze_epochs: 'unet' has no pre-trained encoder"),
        (
            "models.densenet.training",
            {"unfreeze_from": "conv2_block1_1_conv"},
            "models.densenet.training.unfreeze_from: 'weights: none' would freeze random weights",
        ),
        (
            "models.densenet.training",
            {"freeze_epochs": 2, "early_stopping": 3},
            "models.densenet.training.freeze_epochs: 'early_stopping' could end the training before",
        ),
        (
            "training",
            {**SHIPPED["training"], "freeze_epochs": 2, "schedule": "cosine", "warmup_epochs": 2},
            "training.freeze_epochs: both phases have a warm-up, and 2 epochs of it leave nothing of 2",
        ),
        (
            "models.mobilenet.target",
            "classes",
            "target: architecture 'mobilenet' has no target 'classes'. Known: rgb, lab.",
        ),
        ("training.unfrozen_learning_rate", 0.1, "unfrozen_learning_rate: without 'freeze_epochs' and"),
        ("colorize.vivid", 2, "colorize.vivid: 2 is greater than the maximum of 1"),
        ("results", "", "results: "),
        ("models.all", {"architecture": "unet"}, "'all', 'cache' and 'shards' are taken"),
        ("data_sets.cache", SHIPPED["data_sets"]["photographs"], "'cache' and 'shards' are taken"),
        ("data_sets.photographs.checks", {"min_side": 1}, "source 'photographs' has no option 'checks'"),
        ("data_sets.photographs.test", 5, "source 'photographs' has no option 'test'"),
        (
            "evaluation.split",
            "test",
            "data set 'photographs' has no test images; evaluate on validation",
        ),
        (
            "data_sets.mine",
            {"source": "huggingface", "id": "a/b", "training": 1, "validation": 1},
            "source 'huggingface' needs the key 'revision'",
        ),
        (
            "data_sets.mine",
            {"source": "huggingface", "id": "b", "revision": "x", "training": 1, "validation": 1},
            "data_sets.mine.id: 'b' does not match",
        ),
        ("models.-x", {"architecture": "unet"}, "the name '-x' becomes a folder"),
        ("training.learning_rate", "1e-4", "YAML reads '1e-4' as text; write 0.0001"),
    ],
)
def test_bad_value_is_refused_in_one_line(path: str, value: Any, said: str) -> None:
    with pytest.raises(DeepColorError) as caught:
        configuration.complete(changed(path, value))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", [1, True, None])
def test_keys_that_are_no_text_are_refused(key: object) -> None:
    with pytest.raises(DeepColorError, match="does not read the key .* as text; put it in quotes"):
        configuration.complete({**SHIPPED, "models": {key: {"architecture": "unet"}}})


def test_whole_numbers_may_be_written_as_decimals() -> None:
    config = configuration.complete(changed("image_size", 64.0))
    assert isinstance(config["image_size"], int)
    config = configuration.complete(changed("training.epochs", [1.0]))
    assert runs(config)[0].name == "unet_1"


def test_only_the_published_networks_stand_beside_published_figures() -> None:
    config = changed("models.narrow", {"architecture": "unet", "filters": [4]})
    config["models"]["same"] = {"varies": "unet"}
    config["compare"]["models"] += ["narrow", "same"]
    config["training"]["seeds"] = [0, 1]
    found = {run.name: run.as_published for run in runs(configuration.complete(config))}
    assert found["unet_10"] and found["mobilenet_30"]
    assert not found["narrow_10"] and not found["same_10"] and not found["unet-seed1_10"]


def test_what_is_not_selected_needs_neither_weights_nor_folders() -> None:
    config = changed("models.big", {"architecture": "densenet", "weights": "/no/such.h5"})
    config["data_sets"]["mine"] = {
        "source": "folder", "folder": "no/such", "training": 1, "validation": 1,
    }  # fmt: skip
    configuration.complete(config)
    config["compare"]["models"] = ["big"]
    with pytest.raises(DeepColorError, match="models.big.weights: no file /no/such.h5"):
        configuration.complete(config)


def test_data_sets_of_the_published_study_are_defined_and_not_used() -> None:
    config = configuration.complete(SHIPPED)
    assert list(config["data_sets"]) == ["photographs", "coco", "places365", "ade20k"]
    assert [each.name for each in data_sets(config)] == ["photographs"]


def test_the_embedded_photographs_are_taken_once() -> None:
    config = changed("data_sets.fine", {**SHIPPED["data_sets"]["photographs"], "crop_size": 64})
    config["compare"]["data_sets"] = ["photographs", "fine"]
    with pytest.raises(DeepColorError, match="photographs and fine are cut from the same photographs"):
        configuration.complete(config)


def test_missing_folder_is_refused() -> None:
    config = changed(
        "data_sets.mine", {"source": "folder", "folder": "no/such", "training": 1, "validation": 1}
    )
    config["compare"]["data_sets"] = ["mine"]
    with pytest.raises(DeepColorError, match="there is no folder no/such"):
        configuration.complete(config)


def with_folders(**more: Any) -> dict[str, Any]:
    """A configuration of two folders and the embedded photographs."""
    entry = {"source": "folder", "folder": str(PROJECT), "training": 4, "validation": 2, **more}
    config = changed("data_sets.one", entry)
    config["data_sets"]["two"] = {**entry}
    config["compare"]["data_sets"] = ["one", "photographs", "two"]
    return config


def test_checks_are_of_the_image_size_unless_given() -> None:
    one, photographs, two = data_sets(configuration.complete(with_folders()))
    expected = {"min_side": 64, "min_chroma": 1.5, "toned": False, "near_duplicates": 6}
    assert one.checks == two.checks == expected and photographs.checks is None
    given = configuration.complete(with_folders(checks={"min_side": 10}))
    assert data_sets(given)[0].checks == {**expected, "min_side": 10}


def test_near_duplicates_are_looked_for_in_the_data_sets_before() -> None:
    config = configuration.complete(with_folders())
    one, photographs, two = data_sets(config)
    assert compared_before(config, two) == [one]
    assert compared_before(config, one) == []
    assert compared_before(config, photographs) == []


def test_a_test_set_is_a_split_of_its_own() -> None:
    config = with_folders(test=3)
    config["compare"]["data_sets"] = ["one"]
    config["evaluation"] = {"split": "test"}
    (one,) = data_sets(configuration.complete(config))
    assert one.images == {"training": 4, "validation": 2, "test": 3}


def test_an_overlay_is_laid_over_the_shipped_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    assert configuration.read()["image_size"] == 64
    paper = configuration.read(configuration.PRESETS / "paper.yaml")
    assert (paper["image_size"], paper["training"]["batch_size"]) == (256, 383)
    # Deep Koalarization alone has another rate than the study's, its own.
    rates = {run.architecture: run.training["learning_rate"] for run in runs(paper)}
    assert rates == {"unet": 1e-4, "densenet": 1e-4, "mobilenet": 1e-4, "koalarization": 1e-3}
    weights = {run.options.get("weights") for run in runs(paper) if run.architecture != "unet"}
    assert weights == {"imagenet"}
    assert {each.images["training"] for each in data_sets(paper)} == {4000}
    environments = [each.environment for each in data_sets(paper)]
    assert environments == ["fiftyone", "huggingface", "huggingface"]
    presets = "ablations, best, bundled, folder, gpu, laptop, paper"
    with pytest.raises(DeepColorError, match=f"the presets are: {presets}"):
        configuration.read(configuration.PRESETS / "papre.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(DeepColorError, match="broken.yaml, line 1: not valid YAML"):
        configuration.read(tmp_path / "broken.yaml")


def preset(name: str) -> dict[str, Any]:
    return yaml.safe_load((configuration.PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))


def test_presets_keep_to_folders_of_their_own() -> None:
    results = ["results"]
    data: dict[str, Any] = {"data": None}
    for path in sorted(configuration.PRESETS.glob("*.yaml")):
        given = preset(path.stem)
        results.append(given["results"])
        # What decides which photographs there are, and how they are stored.
        keys = ("seed", "image_size", "images_per_shard", "data_sets")
        made_of = [*map(given.get, keys), given["compare"]["data_sets"]]
        assert data.setdefault(given["data"], made_of) == made_of, given["data"]
    assert len(set(results)) == len(results)
    assert not set(results) & set(data)


def test_the_published_study_is_read_both_ways_and_ranked_by_three_seeds() -> None:
    found = runs(configuration.read(configuration.PRESETS / "paper.yaml"))
    frozen = {run.model for run in found if run.options.get("freeze_encoder")}
    assert frozen >= {"mobilenet-frozen", "koalarization"} and "mobilenet" not in frozen
    augmented = {
        run.architecture for run in found if run.training["augmentation"] == ["flip", {"rotate": 15}]
    }
    assert augmented == {"unet", "densenet", "mobilenet"}
    for model in ("unet", "densenet", "mobilenet", "mobilenet-frozen", "koalarization"):
        assert {run.seed for run in found if run.model == model} == {0, 1, 2}


def test_ablations_vary_the_published_study() -> None:
    paper, ablations = preset("paper"), preset("ablations")
    for key in ("image_size", "data", "training"):
        assert ablations[key] == paper[key]
    assert ablations["compare"]["data_sets"] == paper["compare"]["data_sets"]
    for name, entry in paper["models"].items():
        assert ablations["models"][name] == entry
    # All are compared, each with what it varies.
    compared = ablations["compare"]["models"]
    assert set(ablations["models"]) <= set(compared)
    variants = {name: each for name, each in ablations["models"].items() if "varies" in each}
    assert {each["varies"] for each in variants.values()} <= set(compared)
    # But for the network that is made for people's own photographs.
    assert set(compared) - set(variants) == {*ARCHITECTURES} - {"lite"}


def test_best_network_is_reached_step_by_step() -> None:
    best = preset("best")
    compared = best["compare"]["models"]
    assert list(best["models"]) == compared and compared[-1] == "best"
    for before, name in zip(compared, compared[1:], strict=False):
        entry = best["models"][name]
        if name == "denseunet":  # Another architecture varies none.
            continue
        assert entry["varies"] == before
        assert len(entry) == 2 and len(entry.get("training", {})) <= 1 + (name == "best")


@pytest.mark.parametrize(
    ("name", "count", "shards"),
    [
        # Eight networks for 10 and 30 epochs, five with three seeds; 8 + 2 shards a data set.
        ("paper", 36, 30),
        # 32 networks for 10 and 30 epochs, six with three seeds, and six runs of early failures.
        ("ablations", 94, 30),
        ("best", 8, 36),  # Eight steps; 8 + 2 + 2 shards a data set, as there is a test.
    ],
)
def test_presets_plan_their_study(name: str, count: int, shards: int) -> None:
    config = configuration.read(configuration.PRESETS / f"{name}.yaml")
    assert len(runs(config)) == count
    counts = [
        data_set.shards(split, config["images_per_shard"])
        for data_set in data_sets(config)
        for split in data_set.images
    ]
    assert sum(counts) == shards


def test_a_million_photographs_are_fifty_ranges_and_a_thousand_shards() -> None:
    entry = {"source": "fiftyone", "training": 980_000, "validation": 20_000}
    config = configuration.complete({"data_sets": {"many": entry}, "compare": {"data_sets": ["many"]}})
    (data_set,) = data_sets(config)
    assert data_set.ranges(20_000) == 50
    assert [data_set.shards(split, 1000) for split in data_set.images] == [980, 20]


def test_defaults_are_the_published_study() -> None:
    config = configuration.complete({})
    assert config["image_size"] == 256
    assert config["training"] == {
        "epochs": [10, 30],
        "seeds": [],
        "optimizer": "adam",
        "learning_rate": 0.0001,
        "schedule": "constant",
        "warmup_epochs": 0,
        "loss": "mse",
        "class_rebalancing": 0,
        "freeze_epochs": 0,
        "unfreeze_from": None,
        "unfrozen_learning_rate": None,
        "batch_size": 383,
        "gradient_accumulation_steps": 1,
        "batch_norm_momentum": 0.99,
        "sampling": {},
        "augmentation": [],
        "ema_momentum": 0,
        "early_stopping": 0,
        "precision": "float32",
        "tf32": False,
        "xla": "auto",
        "deterministic": True,
        "tensorboard": False,
    }
    assert (config["accelerator"], config["devices"]) == ("auto", 1)


def test_given_values_win_over_defaults() -> None:
    config = configuration.complete({"training": {"batch_size": 7}, "report": {"images": 3}})
    assert config["training"]["batch_size"] == 7
    assert config["training"]["epochs"] == [10, 30]
    assert config["report"]["images"] == 3


def test_shipped_configuration_trains_the_published_networks() -> None:
    found = runs(configuration.complete(SHIPPED))
    assert [run.name for run in found] == [
        "unet_10", "unet_30", "densenet_10", "densenet_30", "mobilenet_10", "mobilenet_30",
    ]  # fmt: skip
    assert [run.shorter for run in found] == [None, 10] * 3
    assert found[0].options == {
        "dropout": 0.5,
        "filters": (64, 128, 256, 512),
        "skip_connections": True,
        "target": "rgb",
    }
    assert found[2].options["weights"] == "none"


def test_model_overrides_training() -> None:
    config = changed("models.unet.training", {"epochs": [5, 3], "batch_size": 2})
    config["compare"]["models"] = ["unet"]
    short, long = runs(configuration.complete(config))
    assert [short.name, long.name] == ["unet_3", "unet_5"]
    assert short.training["batch_size"] == 2
    assert short.training["learning_rate"] == SHIPPED["training"]["learning_rate"]


def test_unknown_run_is_answered_with_those_known() -> None:
    config = configuration.complete(SHIPPED)
    with pytest.raises(
        DeepColorError, match=r"Unknown run 'unett_30'; did you mean 'unet_30'\?.*densenet_10"
    ):
        find_run(config, "unett_30")


def test_folder_fingerprint_follows_its_files(tmp_path: Path) -> None:
    before = folders.fingerprint(str(tmp_path))
    (tmp_path / "new.jpg").write_bytes(b"")
    after = folders.fingerprint(str(tmp_path))
    assert before and after != before
    (tmp_path / "new.jpg").write_bytes(b"more")
    assert folders.fingerprint(str(tmp_path)) not in (before, after)
    (tmp_path / "new.jpg").unlink()
    assert folders.fingerprint(str(tmp_path)) == before
    assert folders.fingerprint(None) == ""


def with_external(folder: object, **models: Any) -> dict[str, Any]:
    """Return the shipped configuration with external predictions and further models."""
    config = changed("models.theirs", {"predictions": str(folder)})
    config["models"] |= models
    config["compare"]["models"] = ["unet", "theirs"]
    return config


def test_external_predictions_are_compared_with_networks(tmp_path: Path) -> None:
    config = configuration.complete(with_external(tmp_path))
    assert external_predictions(config) == {"theirs": str(tmp_path)}
    assert [run.name for run in runs(config)] == ["unet_10", "unet_30"]
    with pytest.raises(
        DeepColorError, match=r"'theirz'; did you mean 'theirs'\?.*: unet_10, unet_30, theirs\.$"
    ):
        find_run(config, "theirz")
    # What is not compared need not be there.
    config = with_external(tmp_path / "gone")
    config["compare"]["models"] = ["unet"]
    assert external_predictions(configuration.complete(config)) == {}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"predictions": ".", "filters": [4]},
            "models.theirs: external predictions have no option 'filters'; take it out",
        ),
        ({"predictions": ".", "architecture": "unet"}, "have no option 'architecture'; take it out"),
        ({"predictions": ".", "varies": "unet"}, "have no option 'varies'; take it out"),
        ({"predictions": ".", "training": {"epochs": [1]}}, "have no option 'training'; take it out"),
        (
            {"predictions": "no/such"},
            "models.theirs.predictions: there is no folder no/such; put the pictures there",
        ),
        ({"predictions": ""}, "models.theirs.predictions: "),
        ({"predictions": ["."]}, "models.theirs.predictions: "),
        ({"network": "best"}, "models.theirs.network: unknown value 'best'. Known: bundled."),
        (
            {"network": "bundled", "architecture": "unet"},
            "models.theirs: a trained network has no option 'architecture'; take it out",
        ),
    ],
)
def test_unusable_external_predictions_are_refused(entry: dict[str, Any], said: str) -> None:
    config = with_external(".")
    config["models"]["theirs"] = entry
    with pytest.raises(DeepColorError) as caught:
        configuration.complete(config)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted({*RESERVED_NAMES, *BASELINES}))
def test_external_predictions_have_no_reserved_name(name: str, tmp_path: Path) -> None:
    config = with_external(tmp_path, **{name: {"predictions": str(tmp_path)}})
    config["compare"]["models"].append(name)
    with pytest.raises(DeepColorError, match=f"^models.{name}: 'results' has a folder of this name;"):
        configuration.complete(config)


def test_external_predictions_have_no_variants(tmp_path: Path) -> None:
    config = with_external(tmp_path, more={"varies": "theirs"})
    with pytest.raises(DeepColorError, match="^models.more.varies: 'theirs' is not trained here"):
        configuration.complete(config)


def test_the_bundled_network_is_scored_like_external_predictions(tmp_path: Path) -> None:
    config = with_external(tmp_path, mine={"network": "bundled"})
    config["compare"]["models"] = ["mine", "theirs", "unet"]
    config = configuration.complete(config)
    assert references(config) == ["mine"]
    assert external_predictions(config) == {"mine": "results/mine/pictures", "theirs": str(tmp_path)}
    assert [run.name for run in runs(config)] == ["unet_10", "unet_30"]


def test_external_predictions_need_a_network(tmp_path: Path) -> None:
    config = with_external(tmp_path)
    config["compare"]["models"] = ["theirs"]
    with pytest.raises(DeepColorError, match="^compare.models: nothing that is trained here"):
        configuration.complete(config)


def described(schema: dict[str, Any], where: str = "") -> None:
    for key, part in schema.get("properties", {}).items():
        assert part.get("description"), f"{where}.{key} has no description"
        described(part, f"{where}.{key}")
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        described(rest, f"{where}.*")


def test_every_key_of_the_schema_is_described() -> None:
    described(SCHEMA)
    described(SCHEMA["$defs"]["training"], "training")
    for key, part in SCHEMA["properties"].items():
        assert "default" in part, f"{key} has no default"
    defaults = SCHEMA["properties"]["training"]["default"]
    assert list(defaults) == list(SCHEMA["$defs"]["training"]["properties"])


def test_options_in_the_schema_belong_to_something() -> None:
    models = SCHEMA["properties"]["models"]["additionalProperties"]["properties"]
    options = {key for each in ARCHITECTURES.values() for key in options_of(each)}
    # What is not trained here has no architecture, and so no options.
    assert models.keys() - MODEL_KEYS - EXTERNAL_KEYS.keys() <= options
    assert not options & EXTERNAL_KEYS.keys()
    sources = SCHEMA["properties"]["data_sets"]["additionalProperties"]["properties"]
    options = {key for each in SOURCES.values() for key in options_of(each)}
    assert sources.keys() - DATA_SET_KEYS <= options


def test_parameters_are_json_that_closes_no_script() -> None:
    value = {"title": '</script><!-- <b> & "quoted" it\'s é \u2028', "images": [1, None, True]}
    text = configuration.as_json(value)
    assert json.loads(text) == value
    assert "<" not in text and "\u2028" not in text
