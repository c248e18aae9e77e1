"""The estimated cost of a run."""

from pathlib import Path
from typing import Any

import pytest
from deepcolor.config.preflight import Costs, Plan, describe, estimate

MODEL: dict[str, Any] = {
    "name": "unet", "problem": None, "batch_size": 8, "parameters": 3_478_083,
    "startup_seconds": 20.0, "images_per_second": 4000.0, "memory": 10**9, "device": "GPU",
    "device_memory": 10**11,
}  # fmt: skip


def costs(folder: Path, *epochs: int) -> Costs:
    """Return the costs of runs of U-Net of so many epochs."""
    runs = [{"model": "unet", "epochs": count, "training": 900, "validation": 300} for count in epochs]
    images = {"training": 900, "validation": 300}
    return estimate([], [MODEL], Plan(images, runs, 4, "validation", 64, [folder]))


def test_each_run_starts_once(tmp_path: Path) -> None:
    one, two = (costs(tmp_path, *epochs).models[0]["seconds"] for epochs in ([4000], [1000, 3000]))
    assert one == pytest.approx(20 + 4000 * (900 + 300 / 3) / 4000)
    assert two == pytest.approx(one + 20)


def test_costs_name_start_and_speed(tmp_path: Path) -> None:
    (line,) = [line for line in describe(costs(tmp_path, 4000)) if line.startswith("model unet")]
    assert "20 s to start, 4,000 images/s on the GPU, about 17 min" in line
