"""The runs of a configuration: models, each trained for some numbers of epochs and with some seeds.

Needs nothing but the standard library: the driver, which reads the configuration, has no TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.config.augmentation import strengths
from deepcolor.config.bundled import BUNDLED_ARCHITECTURE
from deepcolor.config.models import external_predictions, is_external, models, references
from deepcolor.config.options import options, options_of
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.config.sampling import epoch_counts, sampling_of
from deepcolor.errors import DeepColorError, did_you_mean
from deepcolor.labels import BASELINES

# Folders of the results, which external predictions cannot be named like.
RESERVED_NAMES = {
    "baselines",
    "benchmarks",
    "checks",
    "colorized",
    "figures",
    "inputs",
    "logs",
    "study",
    "tables",
}


@dataclass(frozen=True)
class Run:
    """A model trained for a number of epochs: the folder `results/{name}`.

    Attributes:
        model: Its name in the configuration.
        epochs: Of training.
        architecture: Its name.
        builder: "module:function" that builds the network.
        options: Of the network.
        training: The keys of `training` as they hold for this model, but for epochs and seeds.
        seed: Of the initial weights, the order of the images and dropout.
        train_on: Names of the data sets that it learns from, in the configuration's order.
        varies: Name of the model that this one is a variant of, None if it is none.
        shorter: Epochs of the run that this one goes on from, None if it starts from nothing.
        restart_reason: Reason not to resume from a shorter run, were there one; "" without one.
        repeats: Whether it repeats its model with another than the first seed.
    """

    model: str
    epochs: int
    architecture: str
    builder: str
    options: dict[str, Any]
    training: dict[str, Any]
    seed: int
    train_on: tuple[str, ...]
    varies: str | None
    shorter: int | None
    restart_reason: str
    repeats: bool

    @property
    def stem(self) -> str:
        """The run's name without the epochs: the model's, or such as unet-seed1 for a repetition."""
        return f"{self.model}-seed{self.seed}" if self.repeats else self.model

    @property
    def name(self) -> str:
        """The run's name, such as unet_30 or unet-seed1_30."""
        return f"{self.stem}_{self.epochs}"

    @property
    def predicts_classes(self) -> bool:
        """Whether the network predicts distributions over color classes."""
        return bool(self.options.get("target") == "classes")

    @property
    def as_published(self) -> bool:
        """Whether the published figures are its own: of the architecture as it stands, and no variant.

        Initial weights do not count, and what the configuration says of all networks does not either.
        """
        if self.varies is not None or self.repeats:
            return False
        defaults = {key: value for key, value in options_of(self.builder).items() if key != "weights"}
        return all(_plain(self.options[key]) == _plain(value) for key, value in defaults.items())


def runs(config: dict[str, Any]) -> list[Run]:
    """All runs of a completed configuration, in its order: seed by seed, the shorter ones first."""
    known = models(config["models"])
    used = config["compare"].get("data_sets", config["data_sets"])
    found = []
    for name in config["compare"].get("models", config["models"]):
        entry = known[name]
        if is_external(entry):
            continue
        builder = ARCHITECTURES[entry["architecture"]]
        training = {**config["training"], **entry.get("training", {})}
        milestones = sorted(training.pop("epochs"))
        seeds = training.pop("seeds") or [config["seed"]]
        restart_reason = _restart_reason(training)
        chosen = options(builder, entry)
        train_on = tuple(each for each in used if each in entry.get("train_on", used))
        # What does not concern this network is left out: changing it does not retrain the network.
        training["sampling"] = sampling_of(training["sampling"], train_on)
        if chosen.get("target") != "classes":
            training["class_rebalancing"] = 0
        for seed in seeds:
            for shorter, epochs in zip([None, *milestones], milestones, strict=False):
                found.append(
                    Run(
                        model=name,
                        epochs=epochs,
                        architecture=entry["architecture"],
                        builder=builder,
                        options=chosen,
                        training=training,
                        seed=seed,
                        train_on=train_on,
                        varies=entry.get("varies"),
                        shorter=None if restart_reason else shorter,
                        # Whether there is a shorter one or not: to add one trains nothing else again.
                        restart_reason=restart_reason,
                        repeats=seed != seeds[0],
                    )
                )
    return found


def _restart_reason(training: Mapping[str, Any]) -> str:
    """Return why a run cannot resume exactly from a shorter one, "" if it can."""
    if training["schedule"] == "cosine":
        return "its cosine schedule depends on the number of epochs"
    if training["early_stopping"]:
        return "early stopping may end the shorter run"
    return ""


def find_run(config: dict[str, Any], name: str) -> Run:
    """Return the run of that name.

    Raises:
        DeepColorError: No run has this name.
    """
    known = {run.name: run for run in runs(config)}
    if name not in known:
        names = [*known, *external_predictions(config)]
        raise DeepColorError(
            f"Unknown run '{name}'{did_you_mean(name, names)} Known runs: {', '.join(names)}."
        )
    return known[name]


def check_runs(config: dict[str, Any]) -> None:
    """Check the runs and external predictions in use.

    Raises:
        DeepColorError: Keys contradict one another, or a file is missing.
    """
    if not runs(config):
        raise DeepColorError(
            "compare.models: nothing that is trained here; add a network to compare the others with"
        )
    made_here = references(config)
    for name, folder in external_predictions(config).items():
        if name in RESERVED_NAMES or name in BASELINES:
            raise DeepColorError(f"models.{name}: 'results' has a folder of this name; rename the model")
        if name not in made_here and not Path(folder).is_dir():
            raise DeepColorError(
                f"models.{name}.predictions: there is no folder {folder}; put the pictures there"
            )
    for run in runs(config):
        _check_names(config, run)
        _check_warmup(config, run)
        _check_sampling(config, run)
        strengths(run.training["augmentation"], _given_at(config, run.model, "augmentation"))
        _check_weights(run)
        _check_phases(config, run)


def _check_names(config: Mapping[str, Any], run: Run) -> None:
    """Refuse a run on data sets that are not in use, or with the name of another model."""
    known = models(config["models"])
    used = config["compare"].get("data_sets", config["data_sets"])
    for name in known[run.model].get("train_on", []):
        if name not in used:
            raise DeepColorError(
                f"models.{run.model}.train_on: the data set '{name}' is not in use; add it to "
                f"compare.data_sets, or name some of: {', '.join(used)}"
            )
    if run.stem != run.model and run.stem in known:
        raise DeepColorError(
            f"models.{run.stem}: the repetition of '{run.model}' with the seed {run.seed} has this "
            "name; rename the model"
        )


def _check_sampling(config: Mapping[str, Any], run: Run) -> None:
    """Refuse weights with which an epoch cannot be filled."""
    images = {name: config["data_sets"][name]["training"] for name in run.train_on}
    epoch_counts(run.training["sampling"], images, _given_at(config, run.model, "sampling"))


def _check_warmup(config: Mapping[str, Any], run: Run) -> None:
    """Refuse a warm-up without a schedule, or as long as the run."""
    warmup = run.training["warmup_epochs"]
    if not warmup:
        return
    where = _given_at(config, run.model, "warmup_epochs")
    if run.training["schedule"] == "constant":
        raise DeepColorError(
            f"{where}: a warm-up needs 'schedule: cosine'; with 'constant', set it to 0"
        )
    if warmup >= run.epochs:
        raise DeepColorError(
            f"{where}: {warmup} epochs of warm-up leave nothing of the "
            f"{run.epochs} of {run.name}; lower it, or raise 'epochs'"
        )


def _check_weights(run: Run) -> None:
    """Refuse missing weights, and an encoder frozen at random ones."""
    weights = run.options.get("weights", "none")
    if weights == "bundled" and run.architecture != BUNDLED_ARCHITECTURE:
        raise DeepColorError(
            f"models.{run.model}.weights: 'bundled' are those of a network of the architecture "
            f"'{BUNDLED_ARCHITECTURE}'; take it, or name a file, 'imagenet' or 'none'"
        )
    if weights not in ("bundled", "imagenet", "none") and not Path(weights).is_file():
        raise DeepColorError(
            f"models.{run.model}.weights: no file {weights}; name a file, 'imagenet' or 'none'"
        )
    if run.options.get("freeze_encoder") and weights == "none":
        raise DeepColorError(
            f"models.{run.model}.freeze_encoder: 'weights: none' would freeze random weights; "
            "set 'weights: imagenet' or a file, or 'freeze_encoder: false'"
        )


def _check_phases(config: Mapping[str, Any], run: Run) -> None:
    """Refuse phases of a network without a pre-trained encoder, and those that cannot be as asked."""
    training = run.training
    if training["freeze_epochs"] and training["early_stopping"]:
        raise DeepColorError(
            f"{_given_at(config, run.model, 'freeze_epochs')}: 'early_stopping' could end the training "
            "before the encoder is unfrozen; set one of the two to 0"
        )
    if training["unfrozen_learning_rate"] and not (
        training["freeze_epochs"] or training["unfreeze_from"]
    ):
        raise DeepColorError(
            f"{_given_at(config, run.model, 'unfrozen_learning_rate')}: without 'freeze_epochs' and "
            "'unfreeze_from' nothing is unfrozen; set one of them, or take the key out"
        )
    if training["warmup_epochs"] and 0 < training["freeze_epochs"] <= training["warmup_epochs"]:
        raise DeepColorError(
            f"{_given_at(config, run.model, 'freeze_epochs')}: both phases have a warm-up, and "
            f"{training['warmup_epochs']} epochs of it leave nothing of {training['freeze_epochs']}; "
            "lower 'warmup_epochs', or raise 'freeze_epochs'"
        )
    for key in ("freeze_epochs", "unfreeze_from"):
        if not run.training[key]:
            continue
        where = _given_at(config, run.model, key)
        if "freeze_encoder" not in run.options:
            raise DeepColorError(
                f"{where}: '{run.architecture}' has no pre-trained encoder; give the key to models "
                "that have one, under models.….training"
            )
        if run.options["freeze_encoder"]:
            raise DeepColorError(
                f"{where}: 'freeze_encoder' freezes the encoder of '{run.model}' for the whole "
                "training; take one of the two out"
            )
        if run.options["weights"] == "none":
            raise DeepColorError(
                f"{where}: 'weights: none' would freeze random weights in '{run.model}'; set "
                "'weights: imagenet' or a file, or take the key out"
            )


def _given_at(config: Mapping[str, Any], model: str | None, key: str) -> str:
    """Where a key of `training` that holds for a model is written."""
    while model is not None:
        if key in config["models"][model].get("training", {}):
            return f"models.{model}.training.{key}"
        model = config["models"][model].get("varies")
    return f"training.{key}"


def _plain(value: Any) -> Any:
    """A value as JSON would give it back: lists for tuples."""
    return list(value) if isinstance(value, tuple) else value
