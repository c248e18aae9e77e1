"""What can be wrong with a configuration, each said in one line, and the defaults of the schema.

Needs nothing but the standard library and what Snakemake itself depends on (jsonschema).
"""

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from deepcolor.errors import DeepColorError
from deepcolor.options import REQUIRED, options_of


def check_keys(config: dict[Any, Any]) -> None:
    """Refuse keys that YAML does not read as text, such as 2 or on, at every depth."""
    for key, value in config.items():
        if not isinstance(key, str):
            raise DeepColorError(f"YAML does not read the key '{key}' as text; put it in quotes")
        if isinstance(value, dict):
            check_keys(value)


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
        options = [str(value) for value in error.validator_value]
        guess = did_you_mean(str(error.instance), options)
        return f"{prefix}unknown value '{error.instance}'{guess} Known: {', '.join(options)}."
    if "propertyNames" in error.absolute_schema_path:
        return (
            f"{prefix}the name '{error.instance}' becomes a folder: use the letters a to z, digits "
            "and, but for the beginning, hyphens; 'all', 'cache' and 'shards' are taken."
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


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: a question if a known one is close, else a stop."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else "."


def check_names(key: str, names: Sequence[str], known: Iterable[str]) -> None:
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


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """What a "$ref" of the schema points to."""
    if "$ref" not in schema:
        return {}
    target: Any = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target
