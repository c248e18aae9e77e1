"""Runs: variants, seeds, the data sets a network learns from, and what goes on from what."""

from typing import Any

import pytest
from deepcolor.config import configuration
from deepcolor.config.models import models
from deepcolor.config.runs import Run, find_run
from deepcolor.config.runs import runs as all_runs
from deepcolor.errors import DeepColorError

UNET = {"architecture": "unet"}
EMBEDDED = {"source": "photographs", "training": 4, "validation": 2}
# `photographs` is in use, and two data sets whose sources the driver does not look for.
DATA_SETS = {
    "photographs": EMBEDDED,
    "coco": {**EMBEDDED, "source": "fiftyone"},
    "people": {**EMBEDDED, "source": "fiftyone"},
}


def complete(models: dict[str, Any], **more: Any) -> dict[str, Any]:
    return configuration.complete({"models": models, **more})


def runs(models: dict[str, Any], **more: Any) -> dict[str, Run]:
    return {run.name: run for run in all_runs(complete(models, **more))}


def refused(models: dict[str, Any], **more: Any) -> str:
    with pytest.raises(DeepColorError) as caught:
        complete(models, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_variant_takes_over_what_it_does_not_give() -> None:
    found = runs(
        {
            "wide": {"varies": "unet", "filters": [8, 16], "training": {"loss": "mae"}},
            "unet": {**UNET, "dropout": 0.2, "training": {"batch_size": 4, "epochs": [1]}},
        }
    )
    assert list(found) == ["wide_1", "unet_1"]
    wide, unet = found["wide_1"], found["unet_1"]
    assert (wide.varies, unet.varies) == ("unet", None)
    assert wide.builder == unet.builder and wide.architecture == "unet"
    assert wide.options == {**unet.options, "filters": [8, 16]} and wide.options["dropout"] == 0.2
    assert wide.training == {**unet.training, "loss": "mae"} and wide.training["batch_size"] == 4
    assert unet.training["loss"] == "mse"


def test_variants_may_be_varied_in_any_order() -> None:
    entries: dict[str, dict[str, Any]] = {
        "c": {"varies": "b", "training": {"batch_size": 3}},
        "b": {"varies": "a", "train_on": ["coco"], "dropout": 0.1, "training": {"loss": "mae"}},
        "a": {**UNET, "dropout": 0.2, "train_on": ["people"], "training": {"batch_size": 2}},
    }
    found = models(entries)
    assert list(found) == ["a", "b", "c"]
    assert found["c"] == {
        "architecture": "unet", "varies": "b", "train_on": ["coco"], "dropout": 0.1,
        "training": {"loss": "mae", "batch_size": 3},
    }  # fmt: skip
    assert found["b"]["training"] == {"loss": "mae", "batch_size": 2}
    assert found["a"] == entries["a"]


def test_configuration_keeps_entries_as_they_were_written() -> None:
    config = complete({"unet": UNET, "flat": {"varies": "unet", "skip_connections": False}})
    assert config["models"]["flat"] == {"varies": "unet", "skip_connections": False}


def test_what_is_varied_need_not_be_compared() -> None:
    found = runs({"unet": UNET, "flat": {"varies": "unet"}}, compare={"models": ["flat"]})
    assert list(found) == ["flat_10", "flat_30"]
    assert found["flat_10"].varies == "unet"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"a": {"varies": "a"}}, "models.a.varies: a varies a, so that none says what it is"),
        (
            {"a": {"varies": "b"}, "b": {"varies": "c"}, "c": {"varies": "b"}},
            "models.a.varies: a varies b varies c varies b, so that none says",
        ),
        ({"unet": UNET, "b": {"varies": "unett"}}, "models.b.varies: there is no 'unett'; did you mean"),
        (
            {"unet": UNET, "c": {"varies": "b"}, "b": {"varies": "ab"}},
            "models.b.varies: there is no 'ab'",
        ),
        (
            {"unet": UNET, "b": {"varies": "unet", "architecture": "unet"}},
            "models.b: a variant of 'unet' has its architecture; take one of",
        ),
        ({"b": {"dropout": 0.1}}, "models.b: the key 'architecture' is missing. Known: "),
        ({"unet": UNET, "b": {"varies": 3}}, "models.b.varies: 3 is not of type 'string'"),
        (
            {"b": {"varies": "unet", "alpha": 0.5}, "unet": UNET},
            "models.b: architecture 'unet' has no option 'alpha'",
        ),
        # A variant is not blamed for what it varies.
        ({"b": {"varies": "unet"}, "unet": {**UNET, "alpha": 1.0}}, "models.unet: architecture 'unet'"),
        ({"unet": {**UNET, "train-on": ["photographs"]}}, "did you mean 'train_on'?"),
    ],
)
def test_variants_that_cannot_be(entries: dict[str, Any], said: str) -> None:
    assert said in refused(entries)


def test_first_seed_keeps_the_plain_name() -> None:
    found = runs({"unet": UNET}, training={"seeds": [3, 0, 12], "epochs": [2, 1]})
    assert list(found) == [
        "unet_1", "unet_2", "unet-seed0_1", "unet-seed0_2", "unet-seed12_1", "unet-seed12_2",
    ]  # fmt: skip
    assert [run.seed for run in found.values()] == [3, 3, 0, 0, 12, 12]
    assert [run.repeats for run in found.values()] == [False, False] + [True] * 4
    assert [run.shorter for run in found.values()] == [None, 1] * 3
    repeat = found["unet-seed12_2"]
    assert (repeat.model, repeat.stem) == ("unet", "unet-seed12")
    assert "seeds" not in repeat.training and "epochs" not in repeat.training


def test_without_seeds_it_is_that_of_the_configuration() -> None:
    assert [run.seed for run in runs({"unet": UNET}, seed=5).values()] == [5, 5]


def test_seeds_are_of_a_model_and_not_of_its_variants() -> None:
    repeated = {**UNET, "training": {"seeds": [0, 1], "epochs": [1]}}
    flat = {"varies": "unet", "skip_connections": False}
    assert list(runs({"unet": repeated, "flat": flat})) == ["unet_1", "unet-seed1_1", "flat_1"]
    found = runs({"unet": repeated, "flat": {**flat, "training": {"seeds": [2, 3]}}})
    assert list(found)[2:] == ["flat_1", "flat-seed3_1"] and found["flat_1"].seed == 2
    # Those of `training` are of all.
    assert list(runs({"unet": repeated, "flat": flat}, training={"seeds": [4, 5]}))[2:] == [
        "flat_1", "flat-seed5_1",
    ]  # fmt: skip


def test_repetition_is_found_by_its_name() -> None:
    config = complete({"unet": UNET}, training={"seeds": [0, 1]})
    assert find_run(config, "unet-seed1_30").seed == 1
    with pytest.raises(DeepColorError, match="'unet-seed0_30'; did you mean 'unet-seed1_30'"):
        find_run(config, "unet-seed0_30")


def test_name_of_a_repetition_may_be_no_model() -> None:
    said = refused({"unet": UNET, "unet-seed1": UNET}, training={"seeds": [0, 1]})
    assert said == (
        "models.unet-seed1: the repetition of 'unet' with the seed 1 has this name; rename the model"
    )
    runs({"unet": UNET, "unet-seed1": UNET}, training={"seeds": [1, 0]})  # The first one has no number.


def test_networks_learn_from_all_data_sets_in_use_or_from_those_named() -> None:
    entries = {
        "every": UNET,
        "one": {**UNET, "train_on": ["coco"]},
        "two": {"varies": "one", "train_on": ["people", "photographs"]},
    }
    used = {"data_sets": ["photographs", "coco", "people"]}
    found = runs(entries, data_sets=DATA_SETS, compare=used)
    assert found["every_10"].train_on == ("photographs", "coco", "people")
    assert found["one_10"].train_on == ("coco",)
    assert found["two_10"].train_on == ("photographs", "people")  # In the configuration's order.


@pytest.mark.parametrize(
    ("train_on", "said"),
    [
        (["cocoa"], "models.unet.train_on: there is no 'cocoa'; did you mean 'coco'?"),
        (
            ["photographs", "people"],
            "models.unet.train_on: the data set 'people' is not in use; add it to compare.data_sets, or "
            "name some of: photographs, coco",
        ),
        ([], "models.unet.train_on: "),
        (["coco", "coco"], "models.unet.train_on: "),
    ],
)
def test_unknown_and_unused_data_sets_are_refused(train_on: list[str], said: str) -> None:
    used = {"data_sets": ["photographs", "coco"]}
    entries = {"unet": {**UNET, "train_on": train_on}}
    assert said in refused(entries, data_sets=DATA_SETS, compare=used)


def test_network_that_is_not_compared_may_learn_from_what_is_not_in_use() -> None:
    entries = {"unet": UNET, "other": {"varies": "unet", "train_on": ["coco"]}}
    used = {"data_sets": ["photographs"], "models": ["unet"]}
    assert list(runs(entries, data_sets=DATA_SETS, compare=used)) == ["unet_10", "unet_30"]


ENTRIES: dict[str, dict[str, Any]] = {"unet": UNET, "one": {"varies": "unet", "train_on": ["coco"]}}
TWO = {"data_sets": ["photographs", "coco"]}


def test_weights_concern_the_data_sets_that_a_network_learns_from() -> None:
    def sampling(**weights: float) -> dict[str, dict[str, float]]:
        training = {"sampling": weights}
        found = runs(ENTRIES, data_sets=DATA_SETS, compare=TWO, training=training)
        return {name: run.training["sampling"] for name, run in found.items()}

    first = sampling(people=5, coco=2, photographs=3)
    assert first["unet_10"] == {"photographs": 3, "coco": 2} and first["one_10"] == {"coco": 2}
    # What does not concern a network is no part of its run, and does not train it again.
    second = sampling(coco=2, photographs=0.5)
    assert second["one_10"] == first["one_10"] and second["unet_10"] != first["unet_10"]
    capped = {**ENTRIES, "one": {**ENTRIES["one"], "training": {"sampling": {}}}}
    found = runs(capped, data_sets=DATA_SETS, compare=TWO, training={"sampling": {"max_share": 0.5}})
    assert found["unet_10"].training["sampling"] == {"max_share": 0.5}
    assert found["one_10"].training["sampling"] == {}


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ({"cocoa": 2}, ".sampling: there is no 'cocoa'; did you mean 'coco'? Known: photographs,"),
        ({"max_shares": 0.5}, ".sampling: there is no 'max_shares'; did you mean 'max_share'?"),
        ({"coco": 0}, ".sampling.coco: 0 is less than or equal to the minimum of 0"),
        ({"coco": "2"}, ".sampling.coco: YAML reads '2' as text; write 2"),
        ({"max_share": 1.5}, ".sampling.max_share: 1.5 is greater than the maximum of 1"),
        (
            {"max_share": 0.4},
            ".sampling.max_share: 0.4 cannot be reached with 2 data sets (photographs, coco); set it to "
            "0.5 or more",
        ),
        (
            {"coco": 0.01},
            ".sampling: an epoch of 8 images shows none of 'coco'; raise its weight, lower",
        ),
        (["coco"], ".sampling: ['coco'] is not of type 'object'"),
    ],
)
def test_weights_that_cannot_be(sampling: Any, said: str) -> None:
    training = {"sampling": sampling}
    given = {"data_sets": DATA_SETS, "compare": TWO}
    assert refused({"unet": UNET}, training=training, **given).startswith(f"training{said}")
    entries = {"unet": {**UNET, "training": training}}
    assert refused(entries, **given).startswith(f"models.unet.training{said}")


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"schedule": "cosine"}, "its cosine schedule depends on the number of epochs"),
        ({"early_stopping": 3}, "early stopping may end the shorter run"),
        ({"schedule": "cosine", "early_stopping": 3}, "its cosine schedule depends on the number"),
    ],
)
def test_longer_run_starts_anew_where_going_on_would_not_be_exact(
    training: dict[str, Any], reason: str
) -> None:
    entries = {"unet": UNET, "changed": {"varies": "unet", "training": training}}
    found = runs(entries, training={"seeds": [0, 1]})
    for stem in ("changed", "changed-seed1"):
        for run in (found[f"{stem}_10"], found[f"{stem}_30"]):
            assert run.shorter is None and run.restart_reason.startswith(reason)
        assert found[f"{stem}_10"].training == found[f"{stem}_30"].training
    assert (found["unet_30"].shorter, found["unet_30"].restart_reason) == (10, "")


def test_other_keys_of_training_let_the_longer_run_go_on() -> None:
    training = {"ema_momentum": 0.9, "gradient_accumulation_steps": 2, "precision": "float16"}
    run = runs({"unet": UNET}, training=training)["unet_30"]
    assert (run.shorter, run.restart_reason) == (10, "")
    assert training.items() <= run.training.items()


COSINE = {"schedule": "cosine", "warmup_epochs": 2}


@pytest.mark.parametrize(
    ("entry", "training", "said"),
    [
        (
            {},
            {"warmup_epochs": 1},
            "training.warmup_epochs: a warm-up needs 'schedule: cosine'; with 'constant', set it to 0",
        ),
        ({"training": {"warmup_epochs": 1}}, {}, "models.base.training.warmup_epochs: a warm-up needs"),
        ({"training": {"schedule": "constant"}}, COSINE, "training.warmup_epochs: a warm-up needs"),
        (
            {"training": {"epochs": [1, 2, 3]}},
            COSINE,
            "training.warmup_epochs: 2 epochs of warm-up leave nothing of the 1 of unet_1; lower it",
        ),
        (
            {},
            {**COSINE, "warmup_epochs": 10},
            "training.warmup_epochs: 10 epochs of warm-up leave nothing of the 10 of unet_10; lower it",
        ),
    ],
)
def test_warm_up_that_cannot_be(entry: dict[str, Any], training: dict[str, Any], said: str) -> None:
    # The one that is compared inherits, and the line names the place that is to be changed.
    entries = {"base": {**UNET, **entry}, "unet": {"varies": "base"}}
    assert refused(entries, training=training, compare={"models": ["unet"]}).startswith(said)


def test_warm_up_is_no_matter_of_networks_that_are_not_compared() -> None:
    entries = {"unet": UNET, "warm": {"varies": "unet", "training": {"warmup_epochs": 1}}}
    assert list(runs(entries, compare={"models": ["unet"]})) == ["unet_10", "unet_30"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seeds", [0, 0], "training.seeds: [0, 0] has non-unique elements"),
        ("seeds", [-1], "training.seeds.0: -1 is less than the minimum of 0"),
        ("seeds", 3, "training.seeds: 3 is not of type 'array'"),
        ("schedule", "cosin", "training.schedule: unknown value 'cosin'; did you mean 'cosine'?"),
        ("warmup_epochs", -1, "training.warmup_epochs: -1 is less than the minimum of 0"),
        ("loss", "hubert", "did you mean 'huber'? Known: mse, mae, huber."),
        ("gradient_accumulation_steps", 0, "0 is less than the minimum of 1"),
        ("ema_momentum", 1, "training.ema_momentum: 1 is greater than or equal to the maximum of 1"),
        ("ema_momentum", -0.1, "training.ema_momentum: -0.1 is less than the minimum of 0"),
        ("early_stopping", -1, "training.early_stopping: -1 is less than the minimum of 0"),
        ("early_stopping", 1.5, "training.early_stopping: 1.5 is not of type 'integer'"),
        ("precision", "float64", "Known: float32, bfloat16, float16, auto."),
        (
            "augmentation",
            ["flop"],
            "training.augmentation.0: unknown value 'flop'; did you mean 'flip'? Known:",
        ),
        (
            "augmentation",
            [{"rotat": 15}],
            "did you mean 'rotate'? Known: rotate, gray_mix, gamma, fading,",
        ),
        (
            "augmentation",
            [{"rotate": 200}],
            "training.augmentation.0.rotate: 200 is greater than the maximum",
        ),
        (
            "augmentation",
            [{"gamma": 0}],
            "training.augmentation.0.gamma: 0 is less than or equal to the min",
        ),
        (
            "augmentation",
            [{"jpeg": 50.5}],
            "training.augmentation.0.jpeg: 50.5 is not of type 'integer'",
        ),
        ("augmentation", [{"gamma": 1, "blur": 1}], "has too many properties. One augmentation:"),
        ("augmentation", ["gamma"], "training.augmentation: 'gamma' needs a number; write 'gamma: …'"),
        ("augmentation", ["rotate", {"rotate": 15}], "training.augmentation: 'rotate' appears twice"),
        ("tf32", "yes", "training.tf32: 'yes' is not of type 'boolean'"),
        ("xla", "yes", "training.xla: unknown value 'yes'. Known: auto, true, false."),
        ("xla", 1, "training.xla: unknown value '1'. Known: auto, true, false."),
        ("deterministic", 1, "training.deterministic: 1 is not of type 'boolean'"),
        ("tensorboard", "logs", "training.tensorboard: 'logs' is not of type 'boolean'"),
    ],
)
def test_values_of_training_that_cannot_be(key: str, value: Any, said: str) -> None:
    assert said in refused({"unet": UNET}, training={key: value})
    entries = {"unet": {**UNET, "training": {key: value}}}
    assert said.replace("training.", "models.unet.training.", 1) in refused(entries)
