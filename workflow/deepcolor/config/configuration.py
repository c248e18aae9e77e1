"""The configuration: checked, completed, and read as data sets and runs.

Needs nothing but the standard library and what Snakemake itself depends on (jsonschema, PyYAML).
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from deepcolor.config.folders import plain_folders
from deepcolor.config.options import options
from deepcolor.config.registry import CHOSEN_BY_HAND, SOURCES
from deepcolor.config.runs import Run, check_models, check_runs, pictures, runs
from deepcolor.config.validation import (
    FOLDERS,
    check_names,
    check_options,
    check_values,
    did_you_mean,
    explain,
    from_texts,
    with_defaults,
)
from deepcolor.config.yaml_files import merge, read_file
from deepcolor.errors import DeepColorError

WORKFLOW = Path(__file__).parents[2]
SCHEMA = WORKFLOW / "schemas" / "config.schema.yaml"
PRESETS = WORKFLOW / "presets"
ENVS = WORKFLOW.parent / "envs"
SPLITS = ("training", "validation", "test")

# Of a data set, at most: shards of a split, and ranges.
MAX_PARTS = 10_000

# Keys of a data set that are not options of its source.
DATA_SET_KEYS = {"source", *SPLITS, "checks"}


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        name: Its name in the configuration.
        source: Name of its source.
        options: Of the source.
        images: Images asked for, by split; no split without any.
        checks: What is asked of photographs, None where the source answers for them.
    """

    name: str
    source: str
    options: dict[str, Any]
    images: dict[str, int]
    checks: dict[str, Any] | None

    @property
    def lister(self) -> str:
        """The "module:function" that lists the source's photographs."""
        return SOURCES[self.source]

    @property
    def environment(self) -> str:
        """The environment of envs/ in which photographs are fetched: the source's own, if it has one."""
        return self.source if (ENVS / f"{self.source}.in").exists() else "data"

    def ranges(self, images_per_range: int) -> int:
        """The number of ranges in which photographs are fetched; one where they are chosen by hand."""
        if self.checks is None:
            return 1
        return math.ceil(sum(self.images.values()) / images_per_range)

    def shards(self, split: str, images_per_shard: int) -> int:
        """The number of shards of a split."""
        return math.ceil(self.images[split] / images_per_shard)


def read(overlay: Path | None = None) -> dict[str, Any]:
    """Read config.yaml with a file over it, as Snakemake merges them, and complete it.

    Raises:
        DeepColorError: A file is missing, or is no configuration.
    """
    return complete(_overlaid(overlay))


def outline(overlay: Path | None = None) -> dict[str, Any]:
    """Read the configuration like `read`; photographs and weights that it names may be missing.

    Raises:
        DeepColorError: A file is missing, or a key or a value is none of a configuration.
    """
    return _with_form(_overlaid(overlay))


def _overlaid(overlay: Path | None) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for path in filter(None, [Path("config.yaml"), overlay]):
        if not path.exists():
            presets = ", ".join(sorted(file.stem for file in PRESETS.glob("*.yaml")))
            raise DeepColorError(f"there is no file {path}; the presets are: {presets}")
        merge(config, read_file(path))
    return config


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Read the values of Snakemake's `--config`, of which those inside maps and lists are texts.

    Args:
        arguments: Values by key, as Snakemake has read them: `training={epochs: [1]}` as
            `{"training": {"epochs": ["1"]}}`.

    Returns:
        The values as a file's would be read, `{"training": {"epochs": [1]}}`. Texts that are no
        value of the type that the schema asks for are returned as they are.
    """
    nested = {key: value for key, value in arguments.items() if isinstance(value, dict | list)}
    return {**arguments, **from_texts(_schema(), nested)}


def _schema() -> dict[str, Any]:
    """Return the schema of the configuration."""
    return dict(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in the defaults.

    Raises:
        DeepColorError: A key is unknown or missing, or a value cannot be.
    """
    given = config
    config = _with_form(config)
    check_names("compare.models", config["compare"].get("models", []), config["models"])
    check_names("compare.data_sets", config["compare"].get("data_sets", []), config["data_sets"])
    check_models(config)
    for name, data_set in config["data_sets"].items():
        check_names(f"data_sets.{name}.source", [data_set["source"]], SOURCES)
        what = f"source '{data_set['source']}'"
        lister = SOURCES[data_set["source"]]
        check_options(f"data_sets.{name}", what, lister, data_set, DATA_SET_KEYS)
        if data_set["source"] in CHOSEN_BY_HAND:
            for key in ("checks", "test"):
                if key in given.get("data_sets", {}).get(name, {}):
                    raise DeepColorError(f"data_sets.{name}: {what} has no option '{key}'; take it out")
    used = data_sets(config)
    for each in used:
        _check_parts(each, config)
    _check_data_sets(used, config["evaluation"]["split"])
    _check_metrics(config["evaluation"])
    check_runs(config)
    return config


def _with_form(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration against the schema, and fill in the defaults."""
    check_values(config)
    schema = _schema()
    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: len(error.absolute_path))
    if errors:
        raise DeepColorError(" ".join(explain(errors[0]).split()))
    config = with_defaults(schema, config)
    return config | plain_folders({key: config[key] for key in FOLDERS})


def _check_data_sets(data_sets: list[DataSet], evaluated: str) -> None:
    """Refuse data sets in use that cannot be had, or not together."""
    for data_set in data_sets:
        folder = data_set.options.get("folder")
        if folder is not None and not Path(folder).is_dir():
            raise DeepColorError(
                f"data_sets.{data_set.name}.folder: there is no folder {folder}; make it and put "
                "photographs there, or name another"
            )
        listed = data_set.options.get("list")
        if listed and not Path(listed).is_file():
            raise DeepColorError(
                f"data_sets.{data_set.name}.list: there is no file {listed}; write the path of a "
                "photograph in the folder on every line of it, or leave the key out"
            )
        if evaluated not in data_set.images:
            remedy = "evaluate on validation"
            if data_set.checks is not None:
                remedy = f"give it '{evaluated}: 1000', or {remedy}"
            raise DeepColorError(
                f"evaluation.split: data set '{data_set.name}' has no {evaluated} images; {remedy}"
            )
    embedded = [each.name for each in data_sets if each.source == "photographs"]
    if len(embedded) > 1:
        raise DeepColorError(
            f"compare.data_sets: {' and '.join(embedded)} are cut from the same photographs, so that "
            "training would see pixels of the validation images; select one of them"
        )


def _check_parts(data_set: DataSet, config: dict[str, Any]) -> None:
    """Refuse a data set in more shards or ranges than Snakemake can plan in a minute."""
    shards = [data_set.shards(split, config["images_per_shard"]) for split in data_set.images]
    parts = {
        "images_per_shard": max(shards),
        "images_per_range": data_set.ranges(config["images_per_range"]),
    }
    for key, count in parts.items():
        if count > MAX_PARTS:
            least = math.ceil(config[key] * count / MAX_PARTS)
            raise DeepColorError(
                f"{key}: {config[key]} is too small for data set '{data_set.name}', which would have "
                f"{count:,} parts, more than {MAX_PARTS:,}; set it to at least {least}"
            )


def _check_metrics(evaluation: dict[str, Any]) -> None:
    """Refuse weights for further metrics that are not there."""
    for key, others in (("inception_weights", ["imagenet", None]), ("lpips_weights", [None])):
        weights = evaluation[key]
        if weights not in others and not Path(weights).is_file():
            remedy = " or ".join(["name a file", *(str(each or "null") for each in others)])
            raise DeepColorError(f"evaluation.{key}: no file {weights}; {remedy}")


def check_studied(config: dict[str, Any]) -> None:
    """Make sure that what people are to judge is there; asked only when a study is drawn.

    Raises:
        DeepColorError: `study.runs` has a name that is none of a run, nor of other programs' pictures.
    """
    known = [*(run.name for run in runs(config)), *pictures(config)]
    check_names("study.runs", config["study"].get("runs", []), known)


def own_photographs(config: dict[str, Any]) -> str:
    """The folder of the photographs that are to be colorized; asked only when they are.

    Raises:
        DeepColorError: None is named, or it is not there.
    """
    folder = config["colorize"]["folder"]
    if folder is None:
        raise DeepColorError("colorize.folder names no folder with photographs; name one")
    if not Path(folder).is_dir():
        raise DeepColorError(f"colorize.folder: there is no folder {folder}; name another")
    return str(folder)


def as_json(value: Any) -> str:
    """Return a value as JSON for a parameter of a rule.

    `snakemake --report` writes parameters into a script of its page, which no text may close.
    """
    return json.dumps(value).replace("<", r"\u003c")


def find_run(config: dict[str, Any], name: str) -> Run:
    """The run of that name.

    Raises:
        DeepColorError: There is none.
    """
    known = {run.name: run for run in runs(config)}
    if name not in known:
        names = [*known, *pictures(config)]
        raise DeepColorError(
            f"Unknown run '{name}'{did_you_mean(name, names)} Known runs: {', '.join(names)}."
        )
    return known[name]


def data_sets(config: dict[str, Any]) -> list[DataSet]:
    """The data sets in use, in the configuration's order."""
    found = []
    for name in config["compare"].get("data_sets", config["data_sets"]):
        entry = config["data_sets"][name]
        checks = None
        if entry["source"] not in CHOSEN_BY_HAND:
            checks = {**entry["checks"]}
            if checks["min_side"] is None:
                checks["min_side"] = config["image_size"]
        found.append(
            DataSet(
                name=name,
                source=entry["source"],
                options=options(SOURCES[entry["source"]], entry),
                images={split: entry[split] for split in SPLITS if entry[split]},
                checks=checks,
            )
        )
    return found


def images(config: dict[str, Any], names: Collection[str] | None = None) -> dict[str, int]:
    """The images of all data sets in use, or of those named, by split."""
    used = [each for each in data_sets(config) if names is None or each.name in names]
    return {split: sum(each.images.get(split, 0) for each in used) for split in SPLITS}


def find_data_set(config: dict[str, Any], name: str) -> DataSet:
    """The data set of that name.

    Raises:
        DeepColorError: There is none in use.
    """
    known = {data_set.name: data_set for data_set in data_sets(config)}
    if name not in known:
        raise DeepColorError(
            f"Unknown data set '{name}'{did_you_mean(name, known)} "
            f"Data sets in use (compare.data_sets): {', '.join(known)}."
        )
    return known[name]


def compared_before(config: dict[str, Any], data_set: DataSet) -> list[DataSet]:
    """The data sets in use before one, among which its near-duplicates are looked for, too.

    They are trained and evaluated on together: a photograph for training in one must not be a
    validation photograph in another, nor its copy.
    """
    if data_set.checks is None:
        return []
    used = data_sets(config)
    return [each for each in used[: used.index(data_set)] if each.checks is not None]
