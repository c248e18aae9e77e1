"""The code that a script depends on: its own and that of the library's modules that it imports."""

import ast
import hashlib
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).parents[2]
# Imports nothing, and hands the names of the notebook API out: what uses one depends on its module.
TOP = WORKFLOW / "deepcolor" / "__init__.py"


@cache
def code_digest(script: str, modules: tuple[str, ...] = ()) -> str:
    """Return a digest of the code of `sources_of`.

    It is taken of syntax trees without docstrings: comments, docstrings and formatting do not count.

    Args:
        script: Name of a script in `workflow/scripts/`, without `.py`.
        modules: "module" or "module:function" names that the script gets on its command line.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for source in sources_of(script, modules):
        digest.update(f"{source}\0{_code(WORKFLOW.parent / source)}\0".encode())
    return digest.hexdigest()[:16]


@cache
def _code(path: Path) -> str:
    """Return a digest of a file's syntax tree, without expressions that are texts alone."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        for name, field in ast.iter_fields(node):
            if isinstance(field, list):
                setattr(node, name, [item for item in field if not _is_text(item)])
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def sources_of(script: str, modules: tuple[str, ...] = ()) -> list[str]:
    """Return the source files that decide what a script does.

    Args:
        script: Its name in `workflow/scripts/`, without `.py`.
        modules: "module" or "module:function" names that the script gets on its command line.

    Returns:
        Paths from the project's folder, sorted: the script, the given modules, and all modules of
        the library that these import, directly or not.
    """
    found: set[Path] = set()
    waiting = {WORKFLOW / "scripts" / f"{script}.py"}.union(
        *(_files(each.split(":")[0]) for each in modules)
    )
    while waiting:
        found |= waiting
        waiting = set().union(*map(_imported, waiting)) - found
    return sorted(str(path.relative_to(WORKFLOW.parent)) for path in found)


@cache
def _imported(path: Path) -> frozenset[Path]:
    """The library's files that a file imports, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a package may be a module.
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset().union(*map(_files, names))


@cache
def _files(module: str) -> frozenset[Path]:
    """The file of a module of the library, and those of its packages; none of any other module."""
    parts = module.split(".")
    files = {WORKFLOW.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1)}
    files.add(WORKFLOW.joinpath(*parts).with_suffix(".py"))
    return frozenset(file for file in files - {TOP} if file.is_file())
