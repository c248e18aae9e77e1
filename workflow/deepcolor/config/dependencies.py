"""The code that a script depends on: its own and that of the library's modules that it imports."""

import ast
import hashlib
from collections.abc import Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, DEDENT, INDENT, NEWLINE, NL, STRING, generate_tokens

from deepcolor.errors import DeepColorError, first_line

WORKFLOW = Path(__file__).parents[2]
# Not part of any script's code: the top file, which imports nothing, and the words of messages.
LEFT_OUT = {WORKFLOW / "deepcolor" / name for name in ("__init__.py", "messages.py")}
# Tokens of the layout of lines.
LAYOUT = (COMMENT, DEDENT, INDENT, NL)
# The call whose arguments are a message.
ERROR = "DeepColorError"


@cache
def code_digest(script: str, modules: tuple[str, ...] = ()) -> str:
    """Return a digest of the code of `sources_of`.

    It is taken of syntax trees without docstrings and without the texts of errors: comments,
    formatting and the words of a message do not count.

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


def rules_digest(paths: Sequence[str]) -> str:
    """Return a digest of files of rules, without comments, docstrings and the layout of lines.

    Args:
        paths: Paths of the files from the project's folder.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in paths:
        header, words = "", 0  # First word of the line before, and number of words of this one.
        first = ""
        for token in generate_tokens(StringIO((WORKFLOW.parent / path).read_text("utf-8")).readline):
            if token.type == NEWLINE:
                header, words = first, 0
            elif token.type not in LAYOUT:
                words += 1
                first = token.string if words == 1 else first
                # The first text of a file, a rule or a function.
                if not (token.type == STRING and words == 1 and header in ("", "rule", "def")):
                    digest.update(f"{token.string}\0".encode())
    return digest.hexdigest()[:16]


@cache
def _code(path: Path) -> str:
    """Return a digest of a file's syntax tree, without expressions that are texts alone."""
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == ERROR:
            node.args = []
        for name, field in ast.iter_fields(node):
            if isinstance(field, list):
                setattr(node, name, [item for item in field if not _is_text(item)])
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file.

    Raises:
        DeepColorError: The file is not Python.
    """
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise DeepColorError(
            f"{path.relative_to(WORKFLOW.parent)} is not Python ({first_line(error)}); correct it"
        ) from error


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
    """Return the files of the library that a file imports, in functions too."""
    names: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            # Dots stand for packages above the file.
            above = path.relative_to(WORKFLOW).parts[: -node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            # What is imported from a package may be a module.
            names |= {module, *(f"{module}.{name.name}" for name in node.names)}
    return frozenset().union(*map(_files, names))


@cache
def _files(module: str) -> frozenset[Path]:
    """Return the file of a module of the library, and those of its packages; none of other modules."""
    parts = module.split(".")
    files = {WORKFLOW.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1)}
    files.add(WORKFLOW.joinpath(*parts).with_suffix(".py"))
    return frozenset(file for file in files - LEFT_OUT if file.is_file())
