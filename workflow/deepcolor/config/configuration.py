"""The configuration: read from config.yaml, checked, and completed with defaults.

Needs only the standard library and what Snakemake itself depends on (jsonschema, PyYAML).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from deepcolor.config.data_sets import check_data_sets
from deepcolor.config.folders import normalized_folders
from deepcolor.config.models import check_models, external_predictions
from deepcolor.config.runs import check_runs, runs
from deepcolor.config.validation import (
    FOLDERS,
    check_names,
    check_values,
    explain,
    from_texts,
    with_defaults,
)
from deepcolor.config.yaml_files import merge, read_file
from deepcolor.errors import DeepColorError

WORKFLOW = Path(__file__).parents[2]
SCHEMA = WORKFLOW / "schemas" / "config.schema.yaml"
PRESETS = WORKFLOW / "presets"


def read(overlay: Path | None = None) -> dict[str, Any]:
    """Read config.yaml with a file over it, as Snakemake merges them, and complete it.

    Raises:
        DeepColorError: A file is missing, or is no configuration.
    """
    return complete(_merged(overlay))


def read_without_files(overlay: Path | None = None) -> dict[str, Any]:
    """Read the configuration like `read`, without checking that photographs and weights exist.

    Raises:
        DeepColorError: A file is missing, or a key or a value is none of a configuration.
    """
    return _validated(_merged(overlay))


def _merged(overlay: Path | None) -> dict[str, Any]:
    """Return config.yaml with a file over it."""
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
    config = _validated(config)
    check_names("compare.models", config["compare"].get("models", []), config["models"])
    check_names("compare.data_sets", config["compare"].get("data_sets", []), config["data_sets"])
    check_models(config)
    check_data_sets(config, given)
    _check_metrics(config["evaluation"])
    check_runs(config)
    return config


def _validated(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration against the schema, and fill in the defaults."""
    check_values(config)
    schema = _schema()
    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: len(error.absolute_path))
    if errors:
        raise DeepColorError(" ".join(explain(errors[0]).split()))
    config = with_defaults(schema, config)
    return config | normalized_folders({key: config[key] for key in FOLDERS})


def _check_metrics(evaluation: dict[str, Any]) -> None:
    """Refuse weights for further metrics that are not there."""
    for key, others in (("inception_weights", ["imagenet", None]), ("lpips_weights", [None])):
        weights = evaluation[key]
        if weights not in others and not Path(weights).is_file():
            remedy = " or ".join(["name a file", *(str(each or "null") for each in others)])
            raise DeepColorError(f"evaluation.{key}: no file {weights}; {remedy}")


def check_study_runs(config: dict[str, Any]) -> None:
    """Check that `study.runs` names runs or external predictions; called only to draw a study.

    Raises:
        DeepColorError: A name is unknown.
    """
    known = [*(run.name for run in runs(config)), *external_predictions(config)]
    check_names("study.runs", config["study"].get("runs", []), known)


def photographs_to_colorize(config: dict[str, Any]) -> str:
    """Return the folder of `colorize.folder`; called only to colorize its photographs.

    Raises:
        DeepColorError: The key is not set, or the folder does not exist.
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
