"""The benchmark for machines with a GPU, tried at toy size on whatever there is."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from benchmarks import gpu
from conftest import PROJECT
from deepcolor.models.macs import multiply_adds
from deepcolor.models.mobilenet import mobilenet
from deepcolor.models.unet import unet
from support.sample_images import picture

NETWORKS = {
    "unet-tf32": lambda: unet(32, filters=(4, 8)),
    "mobilenet-float32": lambda: mobilenet(32, weights="none"),
}


def run(folder: Path, *arguments: str) -> dict:
    """Run the script, and return what it reports."""
    script = PROJECT / "tests" / "benchmarks" / "gpu.py"
    command = [sys.executable, str(script), "--toy", "--output", str(folder / "gpu.json"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(json.loads((folder / "gpu.json").read_text()))


def test_case_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--toy"])
    assert gpu.result_of("densenet-float32", 0.2)["problem"].startswith("ended after")


def test_what_cannot_be_measured_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, "--seconds", "5", "--cases", "unet-float32", "unet-rgb")
    assert report["cases"] == {}
    assert report["left_out"] == {
        "unet-float32": "no time was left",
        "unet-rgb": "no photographs were given",
    }


@pytest.mark.slow
def test_every_kind_of_case_is_measured(tmp_path: Path) -> None:
    photographs = np.stack([np.asarray(picture(number).resize((32, 32))) for number in range(40)])
    np.save(tmp_path / "photographs.npy", photographs[..., :3].astype(np.uint8))
    cases = ("unet-tf32", "mobilenet-float32", "equal-bits", "unet-rgb", "unet-lab")
    given = ("--photographs", str(tmp_path / "photographs.npy"))
    measured = run(tmp_path, *given, "--cases", *cases)["cases"]
    assert list(measured) == list(cases) and not any("problem" in case for case in measured.values())
    for name in ("unet-tf32", "mobilenet-float32"):
        case = measured[name]
        assert case["images_per_second"] > 0 and case["precision"] == name.split("-")[1]
        assert case["blocks"] >= 1
        # Forward, and backward to the activations and to the weights; two operations each.
        operations = 6 * (multiply_adds(NETWORKS[name]()) * case["images_per_second"])
        assert case["teraflops"] == pytest.approx(operations / 1e12)
    assert measured["equal-bits"]["equal"] is True
    for target in ("rgb", "lab"):
        case = measured[f"unet-{target}"]
        assert (case["training_images"], case["validation_images"]) == (72, 4)
        assert len(case["val_psnr"]) == case["epochs"] == case["of_epochs"]
        network = keras.saving.load_model(tmp_path / case["network"], compile=False)
        assert network.output_shape == (None, 32, 32, 3)
    (tmp_path / "photographs.npy").write_text("no array")
    failed = run(tmp_path, *given, "--cases", "unet-rgb")["cases"]["unet-rgb"]
    assert list(failed) == ["problem"] and "\n" not in failed["problem"]
