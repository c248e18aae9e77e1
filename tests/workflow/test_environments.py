"""The packages: one lock, and conda environments that say the same."""

import ast
import importlib.util
import re
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from conftest import PROJECT, TINY, Copy
from deepcolor.compute import devices
from deepcolor.config import configuration
from deepcolor.config.registry import SOURCES

ENVS = PROJECT / "envs"


def load(script: str) -> ModuleType:
    """A script of envs/ as a module."""
    spec = importlib.util.spec_from_file_location(script, ENVS / f"{script}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


writer = load("write_conda_environments")

CLUSTERS = ["kubernetes", "slurm"]
OVER = ["c2pa", *CLUSTERS]  # What goes over the environment, and serves no rule.
LOCKS = ["requirements", "uv", *OVER, *writer.CLIENTS]


@pytest.mark.parametrize("name", [*LOCKS, "cuda", "torch"])
def test_lock_pins_every_package_with_hashes(name: str) -> None:
    lock = (ENVS / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    assert len(entries) == len(writer.pins(name)) >= (1 if name == "uv" else 20)
    assert all("--hash=sha256:" in entry for entry in entries)
    # The locks go together, as they are installed together.
    everywhere = writer.pins()
    assert all(everywhere.get(package, pin) == pin for package, pin in writer.pins(name).items())


@pytest.mark.parametrize(
    "name",
    # Snakemake imports what submits jobs at every start, so `make test` does without.
    [pytest.param(name, marks=[pytest.mark.slow] if name in CLUSTERS else []) for name in LOCKS],
)
def test_this_environment_is_the_locked_one(name: str) -> None:
    installed = {package: version(package) for package in writer.pins(name)}
    assert installed == writer.pins(name)


def test_the_embedded_default_does_not_pay_for_clients() -> None:
    for client in [*OVER, *writer.CLIENTS]:
        assert not set(writer.direct(client)) & writer.pins().keys()


def test_cuda_is_the_training_environment_with_its_libraries() -> None:
    ours, everywhere = writer.pins("cuda"), writer.pins()
    libraries = ours.keys() - everywhere.keys()
    assert len(libraries) > 10 and all(name.startswith("nvidia-") for name in libraries)
    assert set(writer.closure(writer.direct("tensorflow"))) == ours.keys() - libraries
    asked = (ENVS / "cuda.in").read_text(encoding="utf-8")
    assert f"tensorflow[and-cuda]=={everywhere['tensorflow']}" in asked


@pytest.mark.parametrize("name", writer.ENVIRONMENTS + writer.OWN_LOCKS)
def test_conda_environment_is_the_lock(name: str) -> None:
    text = (ENVS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text == writer.environment(name), "run make lock"
    content = yaml.safe_load(text)
    assert content["channels"] == ["conda-forge", "nodefaults"]
    python, pip, listed = content["dependencies"]
    assert (python, pip) == ("python =3.11", "pip")
    entries = [line.split() for line in listed["pip"]]
    pins = dict(requirement.split("==") for requirement, *_ in entries)
    assert set(writer.direct(name)) <= pins.keys()
    lock = name if name in writer.OWN_LOCKS else "requirements"
    assert {package: writer.pins(lock)[package] for package in pins} == pins
    # Requirements with all their hashes, as the lock has them.
    locked = (ENVS / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    assert {" ".join(entry) for entry in entries} <= {" ".join(line.split()) for line in locked}


def imported(path: Path, seen: set[Path]) -> set[str]:
    """The packages that a file imports as it is loaded, and the files of the library that it loads."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
    files = {PROJECT / "workflow" / f"{name.replace('.', '/')}.py" for name in names}
    for file in {file for file in files if file.exists()} - seen:
        seen.add(file)
        names |= imported(file, seen)
    return {name.partition(".")[0] for name in names} - {"deepcolor"}


def test_pytorch_s_environment_has_what_its_tests_import() -> None:
    packages = imported(PROJECT / "tests/unit/training/test_backends.py", set())
    names = packages_distributions()
    needed = {name for package in packages for name in names.get(package, [])}
    assert {"keras", "opencv-python-headless"} <= needed <= writer.pins("torch").keys()


def test_every_rule_names_an_environment_that_there_is() -> None:
    named: set[str] = set()
    for rules in (PROJECT / "rules").glob("*.smk"):
        text = rules.read_text(encoding="utf-8")
        found = re.findall(r'conda:\n\s+(?:"\.\./envs/(\w+)\.yaml"|\w+_of|\w+_environment)\n', text)
        assert len(found) == text.count("\nrule ")
        named |= set(found) - {""}
    assert named == set(writer.ENVIRONMENTS)
    # A client is named like the source that needs it.
    assert set(writer.CLIENTS) <= SOURCES.keys()
    asked = {path.stem for path in ENVS.glob("*.in")}
    # No rule serves the study.
    assert asked == named | {"dev", "study", "torch", "uv", *OVER, *writer.OWN_LOCKS}


def test_every_package_that_is_asked_for_is_explained() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Packages") :]
    for path in ENVS.glob("*.in"):
        for package in writer.direct(path.stem):
            assert re.search(rf"\b{package}\b", table), f"{package} is not in the README's table"


def test_a_gpu_is_asked_for_in_one_word(copy: Copy) -> None:
    for target in ("report", "check"):
        asked = copy.run(f"make --dry-run {target} GPU=1").stdout
        assert "install_clients.py --gpu" in asked and "--config accelerator=cuda -- " in asked
        assert not re.search("gpu|cuda", copy.run(f"make --dry-run {target}").stdout)
    result = copy.run("make check GPU=1", CUDA_VISIBLE_DEVICES="")
    assert result.returncode and result.stdout.startswith("Error: no NVIDIA GPU is visible")
    assert "GPU is 1 or 0, not 2" in copy.run("make check GPU=2").stdout


def test_only_rules_in_which_networks_compute_take_a_gpu() -> None:
    rules = [
        rule
        for path in (PROJECT / "rules").glob("*.smk")
        for rule in re.split(r"^rule ", path.read_text(encoding="utf-8"), flags=re.M)[1:]
    ]
    taking = {rule.split(":")[0] for rule in rules if re.search(r"_GPUS?\b|\bgpu=", rule)}
    compute = {"check_training", "extract_features", "measure_certainty", "predict_images"}
    assert taking == {*compute, "train_model"}


def test_trainings_share_no_gpu_and_all_cores(copy: Copy) -> None:
    copy.write("bin/nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-1)'\n")
    (copy.folder / "bin/nvidia-smi").chmod(0o755)
    command = "snakemake results/unet_1/model.keras --cores 4 --dry-run --printshellcmds"
    with_gpu = f'PATH="$PWD/bin:$PATH" {command}'
    for line, threads in ((with_gpu, 4), (f"{with_gpu} --config accelerator=cpu", 1)):
        result = copy.run(line)
        assert result.returncode == 0, result.stdout
        asked = re.search(r"train_model\.py .*?--threads (\d+)", result.stdout, flags=re.S)
        assert asked and int(asked[1]) == threads


def test_cuda_is_installed_where_the_configuration_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    installer = load("install_clients")
    config = {**configuration.read(TINY), "accelerator": "auto"}
    monkeypatch.setattr(devices, "visible_gpus", lambda: ["NVIDIA H200"])
    assert "cuda" not in installer.needed(config)
    assert installer.needed(config, gpu=True)[-1] == "cuda"
    assert installer.needed({**config, "accelerator": "cuda"})[-1] == "cuda"


def test_training_environment_follows_the_accelerator() -> None:
    rules = (PROJECT / "rules" / "inputs.smk").read_text(encoding="utf-8")
    (function,) = re.findall(r"^def training_environment.*?(?=\n\n\n)", rules, flags=re.M | re.S)
    for accelerator, name in {"cuda": "cuda", "auto": "tensorflow", "cpu": "tensorflow"}.items():
        names = {"config": {"accelerator": accelerator}}
        exec(function, names)
        assert names["training_environment"](None) == f"../envs/{name}.yaml"  # type: ignore[operator]
