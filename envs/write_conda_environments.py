"""Write envs/*.yaml for `--use-conda` from the lock: `make lock` runs this.

Each environment is Python and pip from conda-forge; everything else, with all that it needs, is listed
under `pip:` with the versions and hashes of envs/requirements.txt, or of the lock that some have of
their own. conda writes that list into a requirements file, in which pip demands hashes of all packages
if one has some.
"""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVS = Path(__file__).parent
ENVIRONMENTS = ["colorize", "data", "export", "report", "tensorflow", "workflow"]
CLIENTS = ["fiftyone", "huggingface"]
OWN_LOCKS = [*CLIENTS, "cuda"]


def pins(lock: str = "requirements") -> dict[str, str]:
    """The versions in a lock, by package."""
    text = (ENVS / f"{lock}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, flags=re.MULTILINE))


def hashes(lock: str = "requirements") -> dict[str, list[str]]:
    """The options with which a lock names the hashes of a package's files, by package."""
    text = (ENVS / f"{lock}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([a-z0-9-]+)==\S+((?: \\\n +--hash=\S+)+)", text, flags=re.MULTILINE)
    return {package: re.findall(r"--hash=\S+", options) for package, options in entries}


def direct(name: str) -> list[str]:
    """The packages that an environment asks for in its `.in` file."""
    lines = (ENVS / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if not line.startswith("-r")]
    return [canonicalize_name(Requirement(line).name) for line in wanted if line]


def closure(packages: list[str]) -> list[str]:
    """The packages with all that they need, as their installed metadata says."""
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            needs = [Requirement(line) for line in requires(package) or []]
            waiting += [
                canonicalize_name(need.name)
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return sorted(found)


def environment(name: str) -> str:
    """The content of an environment's conda file."""
    lock = name if name in OWN_LOCKS else "requirements"
    versions, options = pins(lock), hashes(lock)
    packages = list(versions) if name in OWN_LOCKS else closure(direct(name))
    listed = "".join(
        f"      - {package}=={versions[package]}\n"
        + "".join(f"        {option}\n" for option in options[package])
        for package in packages
    )
    return (
        "# Written by envs/write_conda_environments.py from the lock. Do not edit.\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        f"dependencies:\n  - python =3.11\n  - pip\n  - pip:\n{listed}"
    )


if __name__ == "__main__":
    for each in ENVIRONMENTS + OWN_LOCKS:
        (ENVS / f"{each}.yaml").write_text(environment(each), encoding="utf-8")
