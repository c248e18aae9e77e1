"""The packages: one lock, and conda environments that say the same."""

import importlib.util
import re
from importlib.metadata import version

import pytest
import yaml
from conftest import PROJECT
from deepcolor.registry import SOURCES

ENVS = PROJECT / "envs"
_spec = importlib.util.spec_from_file_location("writer", ENVS / "write_conda_environments.py")
assert _spec and _spec.loader
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)


LOCKS = ["requirements", *writer.CLIENTS]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_every_package_with_hashes(name: str) -> None:
    lock = (ENVS / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    assert len(entries) == len(writer.pins(name)) > 30
    assert all("--hash=sha256:" in entry for entry in entries)
    # The locks go together, as they are installed together.
    everywhere = writer.pins()
    assert all(everywhere.get(package, pin) == pin for package, pin in writer.pins(name).items())


@pytest.mark.parametrize("name", LOCKS)
def test_this_environment_is_the_locked_one(name: str) -> None:
    installed = {package: version(package) for package in writer.pins(name)}
    assert installed == writer.pins(name)


def test_the_embedded_default_does_not_pay_for_clients() -> None:
    for client in writer.CLIENTS:
        assert not set(writer.direct(client)) & writer.pins().keys()


@pytest.mark.parametrize("name", writer.ENVIRONMENTS + writer.CLIENTS)
def test_conda_environment_is_the_lock(name: str) -> None:
    text = (ENVS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text == writer.environment(name), "run make lock"
    content = yaml.safe_load(text)
    assert content["channels"] == ["conda-forge", "nodefaults"]
    python, pip, listed = content["dependencies"]
    assert (python, pip) == ("python =3.11", "pip")
    pins = dict(line.split("==") for line in listed["pip"])
    assert set(writer.direct(name)) <= pins.keys()
    lock = writer.pins(name if name in writer.CLIENTS else "requirements")
    assert {package: lock[package] for package in pins} == pins


def test_every_rule_names_an_environment_that_there_is() -> None:
    named: set[str] = set()
    for rules in (PROJECT / "rules").glob("*.smk"):
        text = rules.read_text(encoding="utf-8")
        found = re.findall(r'conda:\n\s+(?:"\.\./envs/(\w+)\.yaml"|environment_of)', text)
        assert len(found) == text.count("\nrule ")
        named |= set(found) - {""}
    assert named == set(writer.ENVIRONMENTS)
    # A client is named like the source that needs it.
    assert set(writer.CLIENTS) <= SOURCES.keys()
    asked = {path.stem for path in ENVS.glob("*.in")}
    assert asked == named | {"dev", "workflow", *writer.CLIENTS}


def test_every_package_that_is_asked_for_is_explained() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Packages") :]
    for path in ENVS.glob("*.in"):
        for package in writer.direct(path.stem):
            assert re.search(rf"\b{package}\b", table), f"{package} is not in the README's table"
