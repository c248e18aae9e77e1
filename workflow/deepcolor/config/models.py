"""The models of a configuration: networks, their variants, and external predictions."""

import copy
from collections.abc import Mapping
from typing import Any

from deepcolor.config.options import targets_of
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.config.sampling import MAX_SHARE
from deepcolor.config.validation import check_names, check_options
from deepcolor.errors import DeepColorError

# Keys of a model that are not options of its architecture.
MODEL_KEYS = {"architecture", "varies", "train_on", "training"}


def models(entries: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the entries under `models`, each variant with the keys that it inherits.

    A variant inherits all keys and may override them, `training` key by key, except
    `training.seeds`: how often a model is trained is not part of the model.

    Args:
        entries: Entries of the configuration, by name.

    Returns:
        Entries by name, a model before its variants. Each has an architecture, or only
        `predictions`.

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
    if "predictions" in entry:
        if others := sorted(entry.keys() - {"predictions"}):
            raise DeepColorError(
                f"models.{name}: external predictions have no option '{others[0]}'; take it out"
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
    if "predictions" in inherited:
        raise DeepColorError(
            f"models.{name}.varies: '{entry['varies']}' is external predictions; name a network"
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
        if "predictions" in entry:
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


def external_predictions(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders of external predictions in use, by name.

    Each name is also that of a folder of the results.
    """
    known = models(config["models"])
    used = config["compare"].get("models", config["models"])
    return {name: known[name]["predictions"] for name in used if "predictions" in known[name]}
