"""The packages: one lock, and conda environments that say the same."""

import importlib.util
import re
from importlib.metadata import version

import pytest
import yaml
from conftest import PROJECT

ENVS = PROJECT / "envs"
_spec = importlib.util.spec_from_file_location("writer", ENVS / "write_conda_environments.py")
assert _spec and _spec.loader
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)


def test_lock_pins_every_package_with_hashes() -> None:
    lock = (ENVS / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", lock[lock.index("\nabsl") + 1 :])
    assert len(entries) == len(writer.pins()) > 80
    assert all("--hash=sha256:" in entry for entry in entries)


def test_this_environment_is_the_locked_one() -> None:
    installed = {package: version(package) for package in writer.pins()}
    assert installed == writer.pins()


@pytest.mark.parametrize("name", writer.ENVIRONMENTS)
def test_conda_environment_is_the_lock(name: str) -> None:
    text = (ENVS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text == writer.environment(name), "run make lock"
    content = yaml.safe_load(text)
    assert content["channels"] == ["conda-forge", "nodefaults"]
    python, pip, listed = content["dependencies"]
    assert (python, pip) == ("python =3.11", "pip")
    pins = dict(line.split("==") for line in listed["pip"])
    assert set(writer.direct(name)) <= pins.keys()
    assert {package: writer.pins()[package] for package in pins} == pins


def test_every_rule_names_an_environment_that_there_is() -> None:
    named: set[str] = set()
    for rules in (PROJECT / "rules").glob("*.smk"):
        text = rules.read_text(encoding="utf-8")
        found = re.findall(r'conda:\n\s+"\.\./envs/(\w+)\.yaml"', text)
        assert len(found) == text.count("\nrule ")
        named |= set(found)
    assert named == set(writer.ENVIRONMENTS)
    asked = {path.stem for path in ENVS.glob("*.in")}
    assert asked == named | {"dev", "workflow"}


def test_every_package_that_is_asked_for_is_explained() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Packages") :]
    for path in ENVS.glob("*.in"):
        for package in writer.direct(path.stem):
            assert re.search(rf"\b{package}\b", table), f"{package} is not in the README's table"
