"""The options of architectures and sources, read from the signatures of their functions."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError

LIBRARY = Path(__file__).parents[1]

REQUIRED = object()  # An option without a default.


@cache
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
    raise DeepColorError(
        f"{path} has no function '{function}', which deepcolor/config/registry.py names"
    )


def targets_of(reference: str) -> tuple[str, ...] | None:
    """Return TARGETS of the module of a "module:function": what it can predict; None without."""
    path = LIBRARY.parent / (reference.split(":")[0].replace(".", "/") + ".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TARGETS":
            return tuple(ast.literal_eval(node.value))
    return None


def options(reference: str, entry: dict[str, Any]) -> dict[str, Any]:
    """All options of a "module:function", as an entry of the configuration gives or leaves them."""
    return {key: entry.get(key, default) for key, default in sorted(options_of(reference).items())}
