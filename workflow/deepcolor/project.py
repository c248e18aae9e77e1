"""The project's folder: what the rules need to know of it. Standard library only."""

import ast
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from deepcolor.errors import DeepColorError

WORKFLOW = Path(__file__).parent.parent

# Variables with which Python or Matplotlib would fail, wait for input or print something else.
UNSET = (
    "MPLBACKEND",
    "PYTHONDEVMODE",
    "PYTHONINSPECT",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONVERBOSE",
    "PYTHONWARNINGS",
)


def check_writable(folders: Iterable[str]) -> None:
    """Make sure that files can be written into folders, or the folders be made.

    Args:
        folders: Configured folders. The project's, where Snakemake keeps its notes, is checked before.

    Raises:
        DeepColorError: A folder is read-only.
    """
    if not os.access(".snakemake" if Path(".snakemake").exists() else ".", os.W_OK | os.X_OK):
        raise DeepColorError(
            f"{Path.cwd()} is read-only; make it writable, or copy the project elsewhere"
        )
    for folder in folders:
        there = Path(folder).absolute()
        while not there.exists():
            if there.is_symlink():
                raise DeepColorError(
                    f"{there} is a link to no folder; make the folder, or delete the link"
                )
            there = there.parent
        if not there.is_dir():
            raise DeepColorError(f"{there} is a file, and '{folder}' should be a folder; rename it")
        if not os.access(there, os.W_OK | os.X_OK):
            raise DeepColorError(
                f"{there} is read-only; make it writable, or set 'results' and 'data' in "
                "config.yaml to other folders"
            )


def use_this_python() -> None:
    """Let jobs find the interpreter that runs Snakemake first, be its environment active or not.

    A conda environment, which a job activates later, still goes before it.
    """
    here = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def isolate_jobs() -> None:
    """Let jobs give the same results whatever a user has set for Python and Matplotlib elsewhere.

    A job that is run by hand is not isolated from variables that Python itself reads.
    """
    for name in UNSET:
        os.environ.pop(name, None)
    # Text in UTF-8 in any locale, and no matplotlibrc of the home folder.
    os.environ |= {"PYTHONUTF8": "1", "MATPLOTLIBRC": os.devnull}


@cache
def sources_of(script: str, modules: tuple[str, ...] = ()) -> list[str]:
    """The source files that decide what a script does.

    Args:
        script: Its name in `workflow/`, without `.py`.
        modules: "module" or "module:function" names that the script gets on its command line.

    Returns:
        Paths from the project's folder, sorted: the script, the given modules, and all modules of
        the library that these import, directly or not.
    """
    found: set[Path] = set()
    waiting = {WORKFLOW / f"{script}.py"}.union(*(_files(each.split(":")[0]) for each in modules))
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
    return frozenset(file for file in files if file.is_file())
