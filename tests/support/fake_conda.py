"""A stand-in for conda: the calls that Snakemake makes, without a channel.

Each environment is Python with links to the installed packages of the tests' own environment: those that
the `pip:` section of its file lists, at the listed versions, and no others. A job that imports a package
missing from its environment fails here as it would under conda. Solving and downloading are not tried.
"""

import json
import os
import re
import sys
from collections import Counter
from importlib.metadata import Distribution, distributions
from pathlib import Path

import yaml

VERSION = "26.1.0"
NOTES = Path(__file__).parents[1] / "workflow" / "notes" / "sitecustomize.py"
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


def install(prefix: Path) -> Path:
    """Write `conda` and `activate` and return the folder that belongs at the beginning of PATH."""
    folder = prefix / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text(ACTIVATE, "utf-8")
    conda = folder / "conda"
    call = f'CONDA_STAND_IN="$0" exec "{sys.executable}" "{__file__}" "$@"'
    conda.write_text(f"#!/bin/sh\n{call}\n", "utf-8")
    conda.chmod(0o755)
    return folder


def main(arguments: list[str]) -> int:
    """Answer one call."""
    if arguments == ["--version"]:
        print(f"conda {VERSION}")
    elif arguments[:2] == ["info", "--json"]:
        prefix = os.path.dirname(os.path.dirname(os.environ["CONDA_STAND_IN"]))
        print(json.dumps({"conda_prefix": prefix, "platform": "linux-64", "conda_version": VERSION}))
    elif arguments[:3] == ["config", "--get", "channel_priority"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ["env", "create"]:
        given = dict(zip(arguments, arguments[1:], strict=False))
        content = yaml.safe_load(Path(given["--file"]).read_text("utf-8"))
        *_, listed = content["dependencies"]
        create(Path(given["--prefix"]), pins(listed["pip"]))
    elif arguments[:1] != ["clean"]:
        print(f"conda: the stand-in does not know: {arguments}", file=sys.stderr)
        return 2
    return 0


def pins(listed: list[str]) -> dict[str, str]:
    """Return the versions by package that a `pip:` section lists; pip refuses one without a hash."""
    for line in listed:
        if not re.fullmatch(r"\S+==\S+(?: --hash=sha256:[0-9a-f]{64})+", line):
            sys.exit(f"conda: no version with hashes: {line}")
    return dict(line.split()[0].split("==") for line in listed)


def create(prefix: Path, pins: dict[str, str]) -> None:
    """Make an environment with the packages of some pins."""
    site = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").touch()
    base = Path(sys.base_prefix, "bin", "python3.11")
    for name in ("python", "python3"):
        (prefix / "bin" / name).symlink_to(base)
    (prefix / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n", "utf-8"
    )
    installed = {normal(each.name): each for each in distributions()}
    # Folders that belong to one package are linked as a whole, so that compiled files are shared.
    owners = Counter(top for each in installed.values() for top in tops(files(each)))
    # Snakemake unsets PYTHONPATH for conda jobs, and Debian's Python has its own sitecustomize.
    if "JOB_NOTES" in os.environ:
        (site / "job_notes.py").symlink_to(NOTES)
        (site / "job_notes.pth").write_text("import job_notes\n", "utf-8")
    for package, pin in pins.items():
        if normal(package) not in installed or installed[normal(package)].version != pin:
            sys.exit(f"conda: there is no {package}=={pin}")
        distribution = installed[normal(package)]
        alone = {top for top in tops(files(distribution)) if owners[top] == 1}
        shared = [path for path in files(distribution) if path.parts[0] not in alone]
        for path in [*map(Path, sorted(alone)), *shared]:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).symlink_to(Path(str(distribution.locate_file(path))))
        for entry in distribution.entry_points.select(group="console_scripts"):
            script = prefix / "bin" / entry.name
            script.write_text(
                f"#!{prefix}/bin/python\nimport sys\nfrom {entry.module} import {entry.attr}\n"
                f"sys.exit({entry.attr}())\n",
                "utf-8",
            )
            script.chmod(0o755)


def files(distribution: Distribution) -> list[Path]:
    """Return the paths of a package's files in site-packages, compiled files excluded."""
    paths = [Path(path) for path in distribution.files or [] if path.suffix != ".pyc"]
    return [path for path in paths if path.parts[0] not in ("..", "__pycache__")]


def tops(paths: list[Path]) -> set[str]:
    """Return the first parts of paths."""
    return {path.parts[0] for path in paths}


def normal(name: str) -> str:
    """Return the normalized name of a package."""
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
