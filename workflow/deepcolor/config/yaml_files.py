"""Configuration files, YAML or JSON, read strictly: before Snakemake, which reads some of them wrongly.

Needs nothing but the standard library and PyYAML, on which Snakemake itself depends.
"""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from deepcolor.errors import DeepColorError, first_line

# Of maps and lists inside each other; the schema has five.
MAX_DEPTH = 20
# Of values, with those that YAML's aliases repeat: a file of 1 kB can stand for billions.
MAX_VALUES = 100_000


def read_file(path: Path) -> dict[Any, Any]:
    """Read a configuration file.

    Args:
        path: A file in YAML, or in JSON.

    Returns:
        Its keys and values, not yet held against the schema.

    Raises:
        DeepColorError: The file cannot be read, or is neither YAML nor JSON with keys; a key is
            duplicate; or it is nested too deeply or too large.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DeepColorError(f"{path}: not UTF-8; save it as plain text in UTF-8") from None
    except OSError as error:
        raise DeepColorError(
            f"{path}: cannot be read ({error.strerror}); it should be a file in YAML that you may read"
        ) from error
    try:
        content = _parse(text)
        _count(content)
    except DeepColorError as error:
        raise DeepColorError(f"{path}: {error}") from None
    except RecursionError:
        raise DeepColorError(f"{path}: {_TOO_DEEP}") from None
    except Exception as error:  # PyYAML raises nearly anything for values such as !!bool x.
        raise DeepColorError(f"{path}{_fault(error)}") from error
    if not isinstance(content, dict) or not content:
        raise DeepColorError(f"{path}: no keys; write lines such as 'seed: 0'")
    if "__use_yte__" in content:  # Snakemake would run the Python in it.
        raise DeepColorError(f"{path}: unknown key '__use_yte__'; take it out")
    return content


_TOO_DEEP = f"more than {MAX_DEPTH} maps and lists inside each other; nest fewer"


class _Loader(yaml.SafeLoader):
    """A loader that refuses duplicate keys, of which YAML's own takes the last one."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[Hashable] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"duplicate key '{key.value}'; keep one", problem_mark=key.start_mark
                    )
                seen.add((key.tag, key.value))
        return node


def _parse(text: str) -> Any:
    """Read a text as JSON or else as YAML, which is the order that Snakemake takes."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        pass
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):  # Reading deep ones takes Python's stack.
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise DeepColorError(_TOO_DEEP)
    return yaml.load(text, _Loader)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a map of the keys and values of a JSON object."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        key = next(key for key in keys if keys.count(key) > 1)
        raise DeepColorError(f"duplicate key '{key}'; keep one")
    return content


def _count(value: Any, depth: int = 0, count: int = 0) -> int:
    """Return `count` and the number of values in `value`, each as often as aliases repeat it."""
    if depth > MAX_DEPTH:
        raise DeepColorError(_TOO_DEEP)
    count += 1
    if count > MAX_VALUES:
        raise DeepColorError(
            f"more than {MAX_VALUES:,} values, with those that aliases (*name) repeat; write fewer"
        )
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            count = _count(part, depth + 1, count)
    return count


def _fault(error: Exception) -> str:
    """Say in one line what is wrong with a file, and where."""
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark else ""
    parts = [getattr(error, name, None) for name in ("context", "problem")]
    message = ", ".join(filter(None, parts)) or first_line(error)
    hint = "; indent with spaces, not tabs" if "'\\t'" in message else ""
    if message.startswith("duplicate key"):
        return f"{where}: {message}"
    return f"{where}: not valid YAML: {message}{hint}"


def merge(config: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Lay one map over another: maps are merged, everything else is replaced."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value
