"""The configuration: checked, completed, and read as data sets and runs.

Needs nothing but the standard library and what Snakemake itself depends on (jsonschema, PyYAML).
"""

import ast
import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from deepcolor.errors import DeepColorError
from deepcolor.files import listing
from deepcolor.registry import ARCHITECTURES, SOURCES

LIBRARY = Path(__file__).parent
SCHEMA = LIBRARY.parent / "schemas" / "config.schema.yaml"

# Keys of a model or a data set that are not options of its architecture or source.
MODEL_KEYS = {"architecture", "training"}
DATA_SET_KEYS = {"source", "training", "validation"}

REQUIRED = object()  # An option without a default.


@dataclass(frozen=True)
class Run:
    """A model trained for a number of epochs: the folder `results/{name}`.

    Attributes:
        model: Its name in the configuration.
        epochs: Of training.
        architecture: Its name.
        builder: "module:function" that builds the network.
        options: Of the network.
        training: The keys of `training` as they hold for this model.
        shorter: Epochs of the run that this one goes on from, None if it starts from nothing.
    """

    model: str
    epochs: int
    architecture: str
    builder: str
    options: dict[str, Any]
    training: dict[str, Any]
    shorter: int | None

    @property
    def name(self) -> str:
        """The run's name, such as unet_30."""
        return f"{self.model}_{self.epochs}"

    @property
    def as_published(self) -> bool:
        """Whether the network is the architecture as it stands, but for its initial weights."""
        defaults = {key: value for key, value in options_of(self.builder).items() if key != "weights"}
        return all(_plain(self.options[key]) == _plain(value) for key, value in defaults.items())


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        name: Its name in the configuration.
        lister: "module:function" that lists the source's photographs.
        options: Of the source.
        images: Images asked for, by split.
    """

    name: str
    lister: str
    options: dict[str, Any]
    images: dict[str, int]

    def shards(self, split: str, images_per_shard: int) -> int:
        """The number of shards of a split."""
        return math.ceil(self.images[split] / images_per_shard)


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults.

    Raises:
        DeepColorError: A key is unknown or missing, or a value cannot be.
    """
    _check_keys(config)
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: len(error.absolute_path))
    if errors:
        raise DeepColorError(_explain(errors[0]))
    config = _with_defaults(schema, config)
    _check_names("compare.models", config["compare"].get("models", []), config["models"])
    _check_names("compare.data_sets", config["compare"].get("data_sets", []), config["data_sets"])
    for name, model in config["models"].items():
        _check_names(f"models.{name}.architecture", [model["architecture"]], ARCHITECTURES)
        builder = ARCHITECTURES[model["architecture"]]
        what = f"architecture '{model['architecture']}'"
        _check_options(f"models.{name}", what, builder, model, MODEL_KEYS)
    for name, data_set in config["data_sets"].items():
        _check_names(f"data_sets.{name}.source", [data_set["source"]], SOURCES)
        what = f"source '{data_set['source']}'"
        lister = SOURCES[data_set["source"]]
        _check_options(f"data_sets.{name}", what, lister, data_set, DATA_SET_KEYS)
    for data_set in data_sets(config):
        folder = data_set.options.get("folder")
        if folder is not None and not Path(folder).is_dir():
            raise DeepColorError(f"data_sets.{data_set.name}.folder: there is no folder {folder}")
    embedded = [each.name for each in data_sets(config) if each.lister == SOURCES["photographs"]]
    if len(embedded) > 1:
        raise DeepColorError(
            f"compare.data_sets: {' and '.join(embedded)} are cut from the same photographs, so that "
            "training would see pixels of the validation images; select one of them"
        )
    for run in runs(config):
        weights = run.options.get("weights", "none")
        if weights not in ("imagenet", "none") and not Path(weights).is_file():
            raise DeepColorError(
                f"models.{run.model}.weights: no file {weights}; name a file, 'imagenet' or 'none'"
            )
        if run.options.get("freeze_encoder") and weights == "none":
            raise DeepColorError(
                f"models.{run.model}.freeze_encoder: 'weights: none' would freeze random weights; "
                "set 'weights: imagenet' or a file, or 'freeze_encoder: false'"
            )
    return config


def runs(config: dict[str, Any]) -> list[Run]:
    """All runs of a completed configuration, in its order, a model's shorter ones first."""
    found = []
    for model in config["compare"].get("models", config["models"]):
        entry = config["models"][model]
        training = {**config["training"], **entry.get("training", {})}
        milestones = sorted(training.pop("epochs"))
        for shorter, epochs in zip([None, *milestones], milestones, strict=False):
            found.append(
                Run(
                    model=model,
                    epochs=epochs,
                    architecture=entry["architecture"],
                    builder=ARCHITECTURES[entry["architecture"]],
                    options=_options(ARCHITECTURES[entry["architecture"]], entry),
                    training=training,
                    shorter=shorter,
                )
            )
    return found


def find_run(config: dict[str, Any], name: str) -> Run:
    """The run of that name.

    Raises:
        DeepColorError: There is none.
    """
    known = {run.name: run for run in runs(config)}
    if name not in known:
        raise DeepColorError(
            f"Unknown run '{name}'{_did_you_mean(name, known)} Known runs: {', '.join(known)}."
        )
    return known[name]


def data_sets(config: dict[str, Any]) -> list[DataSet]:
    """The data sets in use, in the configuration's order."""
    found = []
    for name in config["compare"].get("data_sets", config["data_sets"]):
        entry = config["data_sets"][name]
        found.append(
            DataSet(
                name=name,
                lister=SOURCES[entry["source"]],
                options=_options(SOURCES[entry["source"]], entry),
                images={split: entry[split] for split in ("training", "validation")},
            )
        )
    return found


def find_data_set(config: dict[str, Any], name: str) -> DataSet:
    """The data set of that name.

    Raises:
        DeepColorError: There is none in use.
    """
    known = {data_set.name: data_set for data_set in data_sets(config)}
    if name not in known:
        raise DeepColorError(
            f"Unknown data set '{name}'{_did_you_mean(name, known)} "
            f"Data sets in use (compare.data_sets): {', '.join(known)}."
        )
    return known[name]


def fingerprint(data_set: DataSet) -> str:
    """What changes when a folder's files change: a hash of their names and sizes.

    Empty for a source that is no folder.
    """
    if "folder" not in data_set.options:
        return ""
    folder = data_set.options["folder"]
    found = [(str(path), path.stat().st_size) for path in listing(folder)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    """A value as JSON would give it back: lists for tuples."""
    return list(value) if isinstance(value, tuple) else value


def _check_keys(config: dict[Any, Any]) -> None:
    """Refuse keys that YAML does not read as text, such as 2 or on, at every depth."""
    for key, value in config.items():
        if not isinstance(key, str):
            raise DeepColorError(f"YAML does not read the key '{key}' as text; put it in quotes")
        if isinstance(value, dict):
            _check_keys(value)


def _explain(error: ValidationError) -> str:
    """One line for what jsonschema found: the key, the fault, the remedy."""
    where = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{where}: " if where else ""
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        key = sorted(error.instance.keys() - known.keys())[0]
        inside = f" in '{where}'" if where else ""
        return f"unknown key '{key}'{inside}{_did_you_mean(key, known)} Known: {', '.join(known)}."
    if error.validator == "required":
        key = next(key for key in error.validator_value if key not in error.instance)
        return f"{prefix}the key '{key}' is missing."
    if error.validator == "enum":
        options = [str(value) for value in error.validator_value]
        guess = _did_you_mean(str(error.instance), options)
        return f"{prefix}unknown value '{error.instance}'{guess} Known: {', '.join(options)}."
    if "propertyNames" in error.absolute_schema_path:
        return (
            f"{prefix}the name '{error.instance}' becomes a folder: use the letters a to z, digits "
            "and, but for the beginning, hyphens; 'all' is taken."
        )
    if error.validator == "type" and isinstance(error.instance, str) and _is_number(error.instance):
        number = f"{float(error.instance):.12f}".rstrip("0")
        return f"{prefix}YAML reads '{error.instance}' as text; write {number}"
    meant = error.schema.get("description", "")
    return f"{prefix}{error.message}. {meant}".strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else "."


def _check_names(key: str, names: Sequence[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise DeepColorError(
                f"{key}: there is no '{name}'{_did_you_mean(name, known)} Known: {', '.join(known)}."
            )


def _check_options(
    where: str, what: str, reference: str, entry: dict[str, Any], others: set[str]
) -> None:
    """Hold an entry's keys, but for `others`, against the options of a "module:function"."""
    known = options_of(reference)
    for key in sorted(entry.keys() - others):
        if key not in known:
            raise DeepColorError(
                f"{where}: {what} has no option '{key}'{_did_you_mean(key, known)} "
                f"It has: {', '.join(known) or 'none'}."
            )
        default = known[key]
        if default is not REQUIRED and _kind(entry[key]) != _kind(default):
            raise DeepColorError(
                f"{where}.{key}: {json.dumps(entry[key])} is no {_kind(default)}; "
                f"the default is {json.dumps(default)}"
            )
    for key in known:
        if known[key] is REQUIRED and key not in entry:
            raise DeepColorError(f"{where}: {what} needs the key '{key}'.")


def _kind(value: Any) -> str:
    """What a value is called in messages: integers are numbers, but yes and no are not."""
    kinds = {bool: "true or false", int: "number", float: "number", str: "text"}
    return kinds.get(type(value), "list" if isinstance(value, list | tuple) else "map")


def options_of(reference: str) -> dict[str, Any]:
    """The options of a "module:function": its keyword arguments with their defaults, or REQUIRED.

    The file is read, not imported: the driver has no TensorFlow. `batch_norm_momentum` is left out,
    as it belongs to `training`.
    """
    module, function = reference.split(":")
    path = LIBRARY.parent / (module.replace(".", "/") + ".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            arguments = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            try:
                return {
                    argument.arg: REQUIRED if default is None else ast.literal_eval(default)
                    for argument, default in arguments
                    if argument.arg != "batch_norm_momentum"
                }
            except ValueError as error:
                raise DeepColorError(
                    f"{path}: a default of '{function}' is no literal; write it out"
                ) from error
    raise DeepColorError(f"{path} has no function '{function}', which deepcolor/registry.py names")


def _options(reference: str, entry: dict[str, Any]) -> dict[str, Any]:
    """All options of a "module:function", as an entry of the configuration gives or leaves them."""
    return {key: entry.get(key, default) for key, default in sorted(options_of(reference).items())}


def _with_defaults(schema: dict[str, Any], value: Any, root: dict | None = None) -> Any:
    """A copy of `value` with the defaults that the schema gives for missing keys, at every depth."""
    root = root or schema
    schema = {**_resolved(schema, root), **schema}
    if isinstance(value, float) and schema.get("type") == "integer":
        return int(value)  # JSON Schema takes 64.0 for an integer.
    if isinstance(value, list):
        return [_with_defaults(schema.get("items", {}), each, root) for each in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {}
    for key, part in properties.items():
        if key in value or "default" in part:
            filled[key] = _with_defaults(part, value.get(key, part.get("default")), root)
    for key in value:
        if key not in properties:
            filled[key] = _with_defaults(rest if isinstance(rest, dict) else {}, value[key], root)
    default = schema.get("default")
    if isinstance(default, dict) and properties:
        filled = {**default, **filled}
    return filled


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """What a "$ref" of the schema points to."""
    if "$ref" not in schema:
        return {}
    target: Any = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target
