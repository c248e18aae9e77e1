"""What can be wrong with a configuration, each said in one line, and the defaults of the schema.

Needs nothing but the standard library and what Snakemake itself depends on (jsonschema, PyYAML).
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from deepcolor.config.options import REQUIRED, options_of
from deepcolor.errors import DeepColorError, did_you_mean

# Keys that name a folder, which is made where it is not there.
FOLDERS = ("results", "data", "cache")


def check_values(config: dict[Any, Any], where: str = "") -> None:
    """Refuse what YAML or JSON can hold and a configuration cannot, at every depth.

    Args:
        config: A map of the configuration.
        where: Keys that lead to it, for messages: "" or with a dot at the end.

    Raises:
        DeepColorError: A key is not text, such as 2 or on; a number is infinite or none (.inf, .nan);
            text holds what no file can; or a value is of a type that no key takes, such as a date.
    """
    for key, value in config.items():
        if not isinstance(key, str):
            raise DeepColorError(f"{where}YAML does not read the key '{key}' as text; put it in quotes")
        _check_text(where.rstrip("."), key)
        _check_value(f"{where}{key}", value)


def _check_value(where: str, value: Any) -> None:
    """Refuse a value, or one inside it, that no key takes."""
    if isinstance(value, dict):
        check_values(value, f"{where}.")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            _check_value(f"{where}.{number}", part)
    elif isinstance(value, str):
        _check_text(where, value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DeepColorError(f"{where}: {value} is not a finite number; write one")
    elif value is not None and not isinstance(value, bool | int | float):
        raise DeepColorError(
            f"{where}: YAML reads '{value}' as a {type(value).__name__}; put it in quotes"
        )


def _check_text(where: str, text: str) -> None:
    """Refuse text that neither a command line nor a file in UTF-8 can hold."""
    if "\0" in text or not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        prefix = f"{where}: " if where else ""
        raise DeepColorError(f"{prefix}{text!r} holds a character that is not text; take it out")


def explain(error: ValidationError) -> str:
    """One line for what jsonschema found: the key, the fault, the remedy."""
    where = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{where}: " if where else ""
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        key = sorted(error.instance.keys() - known.keys())[0]
        inside = f" in '{where}'" if where else ""
        return f"unknown key '{key}'{inside}{did_you_mean(key, known)} Known: {', '.join(known)}."
    if error.validator == "required":
        key = next(key for key in error.validator_value if key not in error.instance)
        return f"{prefix}the key '{key}' is missing."
    if error.validator == "enum":
        options = [
            value if isinstance(value, str) else json.dumps(value) for value in error.validator_value
        ]
        guess = did_you_mean(str(error.instance), options)
        return f"{prefix}unknown value '{error.instance}'{guess} Known: {', '.join(options)}."
    if "propertyNames" in error.absolute_schema_path:
        return (
            f"{prefix}the name '{error.instance}' becomes a folder: use the letters a to z, digits "
            "and, but for the beginning, hyphens; 'all', 'cache' and 'shards' are taken."
        )
    if error.validator == "pattern" and where in FOLDERS:
        return (
            f"{prefix}{error.instance!r} names no folder; write one without {{}} <> * ? or line breaks"
        )
    if error.validator == "type" and isinstance(error.instance, str) and _is_number(error.instance):
        number = f"{float(error.instance):.12f}".rstrip("0")
        return f"{prefix}YAML reads '{error.instance}' as text; write {number}"
    meant = error.schema.get("description", "")
    return f"{prefix}{error.message}. {meant}".strip()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def check_names(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that are not known."""
    for name in names:
        if name not in known:
            raise DeepColorError(
                f"{key}: there is no '{name}'{did_you_mean(name, known)} Known: {', '.join(known)}."
            )


def check_options(
    where: str, what: str, reference: str, entry: dict[str, Any], others: set[str]
) -> None:
    """Hold an entry's keys, but for `others`, against the options of a "module:function"."""
    known = options_of(reference)
    for key in sorted(entry.keys() - others):
        if key not in known:
            raise DeepColorError(
                f"{where}: {what} has no option '{key}'{did_you_mean(key, [*known, *others])} "
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


def with_defaults(schema: dict[str, Any], value: Any, root: dict | None = None) -> Any:
    """A copy of `value` with the defaults that the schema gives for missing keys, at every depth."""
    root = root or schema
    schema = {**_resolved(schema, root), **schema}
    if isinstance(value, float) and schema.get("type") == "integer":
        return int(value)  # JSON Schema takes 64.0 for an integer.
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), each, root) for each in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {}
    for key, part in properties.items():
        if key in value or "default" in part:
            filled[key] = with_defaults(part, value.get(key, part.get("default")), root)
    for key in value:
        if key not in properties:
            filled[key] = with_defaults(rest if isinstance(rest, dict) else {}, value[key], root)
    default = schema.get("default")
    if isinstance(default, dict) and properties:
        filled = {**default, **filled}
    return filled


def from_texts(schema: dict[str, Any], value: Any, root: dict | None = None) -> Any:
    """Read texts inside a value as YAML reads them, where the schema takes the result.

    Args:
        schema: Of the value.
        value: A text, or a map or list with texts at any depth.
        root: The whole schema, if that is another.

    Returns:
        A copy of the value. Texts stay texts where the schema asks for text, and where they are of
        another type than it asks for. Where it says nothing, as of a network's own options, YAML
        decides.
    """
    root = root or schema
    schema = {**_resolved(schema, root), **schema}
    if isinstance(value, list):
        return [from_texts(schema.get("items", {}), part, root) for part in value]
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        return {key: from_texts(properties.get(key, rest), part, root) for key, part in value.items()}
    if not isinstance(value, str) or value in ("", *schema.get("enum", ())):
        return value
    try:
        read = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        return value
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "string" in types:
        return None if read is None and "null" in types else value
    if not types:
        return read if read is None or isinstance(read, bool | int | float) else value
    is_type = Draft202012Validator.TYPE_CHECKER.is_type
    return read if any(is_type(read, name) for name in types) else value


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """What a "$ref" of the schema points to."""
    if "$ref" not in schema:
        return {}
    target: Any = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target
