"""Kernels that are compiled at the first start on a GPU, and where they are kept."""

import os
from pathlib import Path

import pytest
from deepcolor import messages
from deepcolor.compute import kernels
from deepcolor.config import environment

# What TensorFlow 2.21 says of its package: `tf.sysconfig.get_build_info()`.
COMPILED = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]


@pytest.mark.parametrize(
    ("gpus", "waits"),
    [
        ([], False),
        ([(7, 5)], False),  # T4
        ([(8, 0)], False),  # A100
        ([(8, 6)], False),  # A10
        ([(5, 2)], True),
        ([(9, 0)], True),  # H200
        ([(12, 0)], True),
        ([(8, 0), (9, 0)], True),
    ],
)
def test_first_start_on_a_gpu_without_kernels_is_announced_once(
    gpus: list[tuple[int, int]], waits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache" / "cuda"
    monkeypatch.setenv("CUDA_CACHE_PATH", str(folder))
    notice = kernels.compilation_notice(gpus, COMPILED)
    assert (str(folder) in notice, folder.is_dir()) == (waits, waits)
    if waits:
        (folder / "index").touch()
        assert kernels.compilation_notice(gpus, COMPILED) == ""


def test_folder_that_cannot_keep_kernels_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CUDA_CACHE_PATH", str(tmp_path / "file" / "cuda"))
    notice = kernels.compilation_notice([(9, 0)], COMPILED)
    assert f"{tmp_path}/file/cuda cannot be written" in notice and notice.count("\n") == 0


def test_without_a_choice_the_driver_has_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_CACHE_PATH", raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    assert kernels.cache_folder() == Path("/home/me/.nv/ComputeCache")


def test_jobs_keep_kernels_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_CACHE_PATH", "CUDA_CACHE_MAXSIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    environment.keep_kernels("data/cache")
    assert kernels.cache_folder() == tmp_path / "data" / "cache" / "cuda"
    assert int(os.environ["CUDA_CACHE_MAXSIZE"]) > 2**30  # The driver's own.
    monkeypatch.setenv("CUDA_CACHE_PATH", "/scratch/mine")
    environment.keep_kernels("data/cache")
    assert os.environ["CUDA_CACHE_PATH"] == "/scratch/mine"


def test_operation_without_deterministic_kernel_is_one_line() -> None:
    tf = pytest.importorskip("tensorflow")
    text = "GPU MaxPool gradient ops do not yet have a deterministic XLA implementation."
    said = messages.explain(
        tf.errors.UnimplementedError(None, None, f"Graph execution error:\n\n{text}")
    )
    assert said and "\n" not in said and "'deterministic: false'" in said
    assert messages.explain(tf.errors.UnimplementedError(None, None, "Cast string to float")) is None
