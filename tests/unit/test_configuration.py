"""The configuration: what is accepted, what is refused and in which words."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT
from deepcolor import configuration
from deepcolor.errors import DeepColorError
from deepcolor.options import options_of
from deepcolor.registry import ARCHITECTURES, SOURCES

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
        ("compare.data_sets", ["coco"], "there is no 'coco'."),
        ("training.batch_size", 0, "training.batch_size: 0 is less than the minimum of 1"),
        ("training.learning_rate", "fast", "training.learning_rate: 'fast' is not of type 'number'"),
        ("training.epochs", [], "training.epochs: "),
        ("models.unet.filters", 16, "models.unet.filters: 16 is no list; the default is [64, 128"),
        ("image_size", 65, "image_size: 65 is not a multiple of 32"),
        ("training.batch_norm_momentum", 1, "training.batch_norm_momentum: 1"),
        ("models.densenet.weights", "no/such.h5", "models.densenet.weights: no file no/such.h5"),
        ("models.densenet.freeze_encoder", True, "would freeze random weights"),
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
    assert configuration.runs(config)[0].name == "unet_1"


def test_only_the_published_networks_stand_beside_published_figures() -> None:
    config = changed("models.narrow", {"architecture": "unet", "filters": [4]})
    found = {run.name: run.as_published for run in configuration.runs(configuration.complete(config))}
    assert found["unet_10"] and found["mobilenet_30"] and not found["narrow_10"]


def test_unselected_models_need_no_weights() -> None:
    config = changed("models.big", {"architecture": "densenet", "weights": "/no/such.h5"})
    config["compare"]["models"] = ["unet"]
    configuration.complete(config)


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
    one, photographs, two = configuration.data_sets(configuration.complete(with_folders()))
    expected = {"min_side": 64, "min_chroma": 1.5, "toned": False, "near_duplicates": 6}
    assert one.checks == two.checks == expected and photographs.checks is None
    given = configuration.complete(with_folders(checks={"min_side": 10}))
    assert configuration.data_sets(given)[0].checks == {**expected, "min_side": 10}


def test_near_duplicates_are_looked_for_in_the_data_sets_before() -> None:
    config = configuration.complete(with_folders())
    one, photographs, two = configuration.data_sets(config)
    assert configuration.compared_before(config, two) == [one]
    assert configuration.compared_before(config, one) == []
    assert configuration.compared_before(config, photographs) == []


def test_a_test_set_is_a_split_of_its_own() -> None:
    config = with_folders(test=3)
    config["compare"]["data_sets"] = ["one"]
    config["evaluation"] = {"split": "test"}
    (one,) = configuration.data_sets(configuration.complete(config))
    assert one.images == {"training": 4, "validation": 2, "test": 3}


def test_an_overlay_is_laid_over_the_shipped_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    assert configuration.read()["image_size"] == 64
    paper = configuration.read(configuration.PRESETS / "paper.yaml")
    assert (paper["image_size"], paper["training"]["batch_size"]) == (256, 383)
    assert [run.training["learning_rate"] for run in configuration.runs(paper)] == [0.0001] * 6
    assert [run.options.get("weights") for run in configuration.runs(paper)] == [None] * 2 + [
        "imagenet"
    ] * 4
    assert {each.images["training"] for each in configuration.data_sets(paper)} == {4000}
    environments = [each.environment for each in configuration.data_sets(paper)]
    assert environments == ["fiftyone", "huggingface", "huggingface"]
    with pytest.raises(DeepColorError, match="the presets are: folder, paper"):
        configuration.read(configuration.PRESETS / "papre.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(DeepColorError, match="broken.yaml is no YAML"):
        configuration.read(tmp_path / "broken.yaml")


def test_presets_keep_to_folders_of_their_own() -> None:
    folders = [("results", "data")]
    for path in configuration.PRESETS.glob("*.yaml"):
        preset = yaml.safe_load(path.read_text(encoding="utf-8"))
        folders.append((preset["results"], preset["data"]))
    assert len({each for pair in folders for each in pair}) == 2 * len(folders)


def test_defaults_are_the_published_study() -> None:
    config = configuration.complete({})
    assert config["image_size"] == 256
    assert config["training"] == {
        "epochs": [10, 30],
        "optimizer": "adam",
        "learning_rate": 0.0001,
        "loss": "mse",
        "batch_size": 383,
        "batch_norm_momentum": 0.99,
        "augmentation": [],
    }


def test_given_values_win_over_defaults() -> None:
    config = configuration.complete({"training": {"batch_size": 7}, "report": {"images": 3}})
    assert config["training"]["batch_size"] == 7
    assert config["training"]["epochs"] == [10, 30]
    assert config["report"]["images"] == 3


def test_shipped_configuration_trains_the_published_networks() -> None:
    found = configuration.runs(configuration.complete(SHIPPED))
    assert [run.name for run in found] == [
        "unet_10", "unet_30", "densenet_10", "densenet_30", "mobilenet_10", "mobilenet_30",
    ]  # fmt: skip
    assert [run.shorter for run in found] == [None, 10] * 3
    assert found[0].options == {
        "dropout": 0.5,
        "filters": (64, 128, 256, 512),
        "skip_connections": True,
    }
    assert found[2].options["weights"] == "none"


def test_model_overrides_training() -> None:
    config = changed("models.unet.training", {"epochs": [5, 3], "batch_size": 2})
    config["compare"]["models"] = ["unet"]
    runs = configuration.runs(configuration.complete(config))
    assert [run.name for run in runs] == ["unet_3", "unet_5"]
    assert runs[0].training["batch_size"] == 2
    assert runs[0].training["learning_rate"] == SHIPPED["training"]["learning_rate"]


def test_unknown_run_is_answered_with_those_known() -> None:
    config = configuration.complete(SHIPPED)
    with pytest.raises(
        DeepColorError, match=r"Unknown run 'unett_30'; did you mean 'unet_30'\?.*densenet_10"
    ):
        configuration.find_run(config, "unett_30")


def test_folder_fingerprint_follows_its_files(tmp_path: Any) -> None:
    config = changed(
        "data_sets.mine",
        {"source": "folder", "folder": str(tmp_path), "training": 1, "validation": 1},
    )
    config["compare"]["data_sets"] = ["mine"]
    data_set = configuration.data_sets(configuration.complete(config))[0]
    before = configuration.fingerprint(data_set)
    (tmp_path / "new.jpg").write_bytes(b"")
    assert configuration.fingerprint(data_set) != before


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


def test_options_in_the_schema_belong_to_something() -> None:
    models = SCHEMA["properties"]["models"]["additionalProperties"]["properties"]
    options = {key for each in ARCHITECTURES.values() for key in options_of(each)}
    assert models.keys() - configuration.MODEL_KEYS <= options
    sources = SCHEMA["properties"]["data_sets"]["additionalProperties"]["properties"]
    options = {key for each in SOURCES.values() for key in options_of(each)}
    assert sources.keys() - configuration.DATA_SET_KEYS <= options
