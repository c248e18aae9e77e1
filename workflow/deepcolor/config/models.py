"""The models of a configuration: networks, their variants, and external predictions."""

import copy
from collections.abc import Mapping
from typing import Any

from deepcolor.config.options import targets_of
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.config.sampling import MAX_SHARE
from deepcolor.config.validation import check_names, check_options
from deepcolor.errors import DeepColorError

# Keys in place of an architecture, and how a message about such a model begins.
EXTERNAL_KEYS = {"predictions": "external predictions have", "network": "a trained network has"}
# Keys of a model that are not options of its architecture.
MODEL_KEYS = {"architecture", "varies", "train_on", "training"}


def models(entries: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the entries under `models`, each variant with the keys that it inherits.

    A variant inherits all keys and may override them, `training` key by key, except
    `training.seeds`: how often a model is trained is not part of the model.

    Args:
        entries: Entries of the configuration, by name.

    Returns:
        Entries by name, a model before its variants. Each has an architecture, or only one of
        EXTERNAL_KEYS.

    Raises:
        DeepColorError: A model has no architecture, or two, or varies an unknown one or itself.
    """
    inherited: dict[str, dict[str, Any]] = {}
    for name in entries:
        chain = [name]
        while "varies" in entries[chain[-1]]:
            check_names(f"models.{chain[-1]}.varies", [entries[chain[-1]]["varies"]], entries)
            chain.append(entries[chain[-1]]["varies"])
            if chain[-1] in chain[:-1]:
                raise DeepColorError(
                    f"models.{name}.varies: {' varies '.join(chain)}, so that none says what it is; "
                    "give one of them an 'architecture' in place of 'varies'"
                )
        for ancestor in reversed(chain):
            if ancestor not in inherited:
                inherited[ancestor] = _inherit(ancestor, entries[ancestor], inherited)
    return inherited


def _inherit(name: str, entry: Mapping[str, Any], known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return an entry merged over the entry of the model that it varies."""
    if key := next((key for key in EXTERNAL_KEYS if key in entry), None):
        if others := sorted(entry.keys() - {key}):
            raise DeepColorError(
                f"models.{name}: {EXTERNAL_KEYS[key]} no option '{others[0]}'; take it out"
            )
        return dict(entry)
    if "varies" not in entry:
        if "architecture" not in entry:
            raise DeepColorError(
                f"models.{name}: the key 'architecture' is missing. Known: "
                f"{', '.join(ARCHITECTURES)}; or name a model that it 'varies', or a folder of "
                "'predictions'"
            )
        return copy.deepcopy(dict(entry))
    if "architecture" in entry:
        raise DeepColorError(
            f"models.{name}: a variant of '{entry['varies']}' has its architecture; take one of "
            "'varies' and 'architecture' out"
        )
    inherited = copy.deepcopy(known[entry["varies"]])
    if is_external(inherited):
        raise DeepColorError(
            f"models.{name}.varies: '{entry['varies']}' is not trained here; name a network that is"
        )
    training = {**inherited.get("training", {})}
    training.pop("seeds", None)
    return {**inherited, **entry, "training": {**training, **entry.get("training", {})}}


def check_models(config: dict[str, Any]) -> None:
    """Check the architectures and options of all models, in use or not.

    Raises:
        DeepColorError: An architecture, an option or a data set is unknown.
    """
    sampled = [*config["data_sets"], MAX_SHARE]
    check_names("training.sampling", config["training"]["sampling"], sampled)
    for name, entry in models(config["models"]).items():
        if is_external(entry):
            continue
        check_names(f"models.{name}.architecture", [entry["architecture"]], ARCHITECTURES)
        builder = ARCHITECTURES[entry["architecture"]]
        what = f"architecture '{entry['architecture']}'"
        check_options(f"models.{name}", what, builder, entry, MODEL_KEYS)
        targets = targets_of(builder)
        if targets is not None and entry.get("target", targets[0]) not in targets:
            raise DeepColorError(
                f"models.{name}.target: {what} has no target '{entry['target']}'. Known: "
                f"{', '.join(targets)}."
            )
        check_names(f"models.{name}.train_on", entry.get("train_on", []), config["data_sets"])
        sampling = entry.get("training", {}).get("sampling", {})
        check_names(f"models.{name}.training.sampling", sampling, sampled)


def is_external(entry: Mapping[str, Any]) -> bool:
    """Return whether a model is not trained here."""
    return any(key in entry for key in EXTERNAL_KEYS)


def external_predictions(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders of external predictions in use, those of references included, by name.

    Each name is also that of a folder of the results.
    """
    known = models(config["models"])
    used = config["compare"].get("models", config["models"])
    made = {name: f"{config['results']}/{name}/pictures" for name in references(config)}
    return {
        name: made.get(name) or known[name]["predictions"] for name in used if is_external(known[name])
    }


def references(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the references in use: trained networks that colorize the inputs."""
    known = models(config["models"])
    used = config["compare"].get("models", config["models"])
    return [name for name in used if "network" in known[name]]
