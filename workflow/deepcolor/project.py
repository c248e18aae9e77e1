"""The project's folder: what the rules need to know of it. Standard library only."""

import os
import sys
from collections.abc import Iterable
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

from deepcolor.errors import DeepColorError

WORKFLOW = Path(__file__).parent.parent


def check_writable(folders: Iterable[str]) -> None:
    """Make sure that files can be written into folders, or the folders be made.

    Raises:
        DeepColorError: A folder is read-only.
    """
    for folder in folders:
        there = Path(folder).absolute()
        while not there.exists():
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
    roots = [WORKFLOW / f"{script}.py"]
    roots += [WORKFLOW / (each.split(":")[0].replace(".", "/") + ".py") for each in modules]
    found = set(roots)
    for root in roots:
        finder = ModuleFinder(path=[str(WORKFLOW)])
        finder.run_script(str(root))
        files = [getattr(each, "__file__", None) for each in finder.modules.values()]
        found |= {Path(file) for file in files if file}
        # A module given by its name is imported through its packages.
        for package in root.relative_to(WORKFLOW).parents:
            if package != Path():
                found.add(WORKFLOW / package / "__init__.py")
    return sorted(str(path.relative_to(WORKFLOW.parent)) for path in found)
