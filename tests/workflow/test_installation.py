"""Locked packages are installed by uv under pip's settings, and by pip where uv cannot."""

import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT
from workflow.test_environments import load, writer

SCRIPT = PROJECT / "envs" / "install_packages.py"
installer = load("install_packages")
METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "",
}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with one wheel, and the lock that names it."""
    folder = tmp_path / "the wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "VERSION = '1.0'\n")
        for name, text in METADATA.items():
            wheel.writestr(f"tiny-1.0.dist-info/{name}", text)
    digest = hashlib.sha256((folder / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (tmp_path / "lock.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n", "utf-8")
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of a fresh environment, which finds pip and uv where the tests have them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return tmp_path / "venv" / "bin" / "python"


def run(python: Path, lock: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Install a lock; without the lines that say that a slow installation is not at its end yet."""
    result = subprocess.run(
        [python, SCRIPT, lock],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    result.stdout = re.sub(r"^Installing 1 package: .*\n", "", result.stdout, flags=re.MULTILINE)
    return result


def test_uv_looks_where_pip_is_told_to_look(python: Path, wheels: Path, tmp_path: Path) -> None:
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri()}
    result = run(python, tmp_path / "lock.txt", **settings)
    assert (result.returncode, result.stdout) == (0, "")
    # Compiled, as pip would, for those who let Python write nothing.
    assert list((tmp_path / "venv").glob("lib/*/site-packages/__pycache__/tiny.*.pyc"))
    by = (tmp_path / "venv").glob("lib/*/site-packages/tiny-1.0.dist-info/INSTALLER")
    assert [path.read_text("utf-8").strip() for path in by] == ["uv"]


def test_pip_does_what_uv_cannot(python: Path, wheels: Path, tmp_path: Path) -> None:
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "UV_CONSTRAINT": "nowhere.txt"}
    result = run(python, tmp_path / "lock.txt", **settings)
    assert result.returncode == 0
    (line,) = result.stdout.splitlines()
    assert line.startswith("uv: ") and line.endswith("; installing with pip")
    by = (tmp_path / "venv").glob("lib/*/site-packages/tiny-1.0.dist-info/INSTALLER")
    assert [path.read_text("utf-8").strip() for path in by] == ["pip"]


def test_a_file_with_another_hash_is_refused(python: Path, wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n", "utf-8")
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri()}
    result = run(python, tmp_path / "lock.txt", **settings)
    assert result.returncode == 1 and "hash" in result.stdout.lower()
    assert not list((tmp_path / "venv").glob("lib/*/site-packages/tiny*"))


def test_settings_that_uv_does_not_know_are_left_to_pip(
    python: Path, wheels: Path, tmp_path: Path
) -> None:
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PIP_ONLY_BINARY": ":all:"}
    result = run(python, tmp_path / "lock.txt", **settings)
    assert result.returncode == 0
    assert result.stdout == "uv: not used, as pip has the setting 'only-binary'; installing with pip\n"


@pytest.mark.parametrize("fault", [False, True], ids=["right-hash", "wrong-hash"])
def test_conda_environments_are_installed_by_their_hashes(
    fault: bool, python: Path, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = (tmp_path / "lock.txt").read_text("utf-8").replace(" --hash", " \\\n    --hash")
    (tmp_path / "tiny.txt").write_text(lock[:-9] + "0" * 8 + "\n" if fault else lock, "utf-8")
    monkeypatch.setattr(writer, "ENVS", tmp_path)
    monkeypatch.setattr(writer, "OWN_LOCKS", ["tiny"])
    # What conda does with the section `pip:`, and the command that it runs.
    *_, listed = yaml.safe_load(writer.environment("tiny"))["dependencies"]
    (tmp_path / "condaenv.requirements.txt").write_text("\n".join(listed["pip"]), "utf-8")
    command = "-m pip install --no-index -U -r condaenv.requirements.txt --exists-action=b --find-links"
    result = subprocess.run(
        [python, *command.split(), wheels], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode != 0) == fault, result.stderr
    assert ("DO NOT MATCH THE HASHES" in result.stderr) == fault


def test_settings_of_pip_become_variables_of_uv() -> None:
    listed = (
        "global.index-url='https://a.example/simple'\nglobal.timeout='5'\n"
        "install.index-url='https://b.example/simple'\nglobal.extra-index-url='https://c https://d'\n"
        "freeze.timeout='9'\n:env:.find-links='/x /y'\n"
    )
    variables = installer.uv_environment(installer.pip_settings(listed), {"UV_HTTP_TIMEOUT": "7"})
    assert variables["UV_DEFAULT_INDEX"] == "https://b.example/simple"
    assert variables["UV_INDEX"] == "https://c https://d"
    assert variables["UV_FIND_LINKS"] == "/x,/y"
    assert variables["UV_HTTP_TIMEOUT"] == "7"  # What is set for uv itself takes precedence.


# As the two print it where there is no terminal.
UV = """\
Using Python 3.11.7 environment at: .venv
Resolved 142 packages in 3.34s
Downloading tensorflow (545.9MiB)
Downloading grpcio (7.0MiB)
Downloading snakemake (1.1MiB)
Downloading shfmt-py (900.0KiB)
   Building connection-pool==0.0.3
 Downloaded snakemake
>
      Built connection-pool==0.0.3
 Downloaded grpcio
 Downloaded shfmt-py
>
 Downloaded tensorflow
Prepared 140 packages in 23.55s
>
Uninstalled 1 package in 478ms
Installed 141 packages in 1.31s
>
Bytecode compiled 13925 files in 1m 00s
 + absl-py==2.5.1
 ~ deepcolor==0.1
"""
PIP = """\
Collecting onnx==1.20 (from -r envs/requirements.txt (line 7))
  Downloading onnx-1.20-cp311-cp311-manylinux.whl (8.5 MB)
>
Collecting six==1.17.0 (from -r envs/requirements.txt (line 9))
  Downloading https://packages.example/six-1.17.0-py2.py3-none-any.whl (11 kB)
>
Installing collected packages: six, onnx
>
"""


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (
            UV,
            [
                "downloading tensorflow (545.9 MiB), grpcio (7.0 MiB), shfmt-py (900.0 KiB)",
                "downloading tensorflow (545.9 MiB)",
                "installing",
                "compiling",
            ],
        ),
        (
            PIP,
            [
                "downloading onnx-1.20-cp311-cp311-manylinux.whl (8.5 MB)",
                "downloading six-1.17.0-py2.py3-none-any.whl (11 kB)",
                "installing",
            ],
        ),
    ],
    ids=["uv", "pip"],
)
def test_what_is_being_installed_is_read_from_the_installer(printed: str, lines: list[str]) -> None:
    progress = installer.Progress(142)
    shown = []
    for line in printed.splitlines():
        if line == ">":
            shown.append(str(progress))
        else:
            assert progress.read(line)
    assert shown == [f"Installing 142 packages: {line}" for line in lines]
    assert not progress.read("error: Failed to fetch: `https://packages.example/six/`")


def test_many_downloads_are_counted_and_the_largest_named() -> None:
    progress = installer.Progress(9)
    progress.read("Resolved 9 packages in 1s")
    for number in range(9):
        progress.read(f"Downloading package-{number} ({number + 1}.0MiB)")
    named = "package-8 (9.0 MiB), package-7 (8.0 MiB), package-6 (7.0 MiB) and 6 more"
    assert str(progress).endswith(f": downloading {named}")


def test_every_package_of_a_lock_is_counted() -> None:
    lock = PROJECT / "envs" / "requirements.txt"
    assert installer.count([lock]) == len(writer.pins())
