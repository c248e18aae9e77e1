"""What jobs ask a cluster for."""

from dataclasses import astuple
from typing import Any

import pytest
from deepcolor import demands
from deepcolor.registry import ARCHITECTURES

SMALL: dict[str, Any] = {
    "images": 5000, "epochs": 1, "batch_size": 8, "image_size": 64, "threads": 2, "gpus": 0,
    "scratch": False,
}  # fmt: skip


def test_every_architecture_is_known() -> None:
    assert demands.NETWORKS.keys() == ARCHITECTURES.keys()


def test_one_s_own_architecture_counts_as_the_most_expensive() -> None:
    own = demands.training("mynet", **SMALL)
    for architecture in ARCHITECTURES:
        known = demands.training(architecture, **SMALL)
        assert all(mine >= other for mine, other in zip(astuple(own), astuple(known), strict=True))


@pytest.mark.parametrize(
    ("more", "memory", "minutes", "disk"),
    [
        ({"images": 100_000}, True, True, False),  # Memory only until the windows are full.
        ({"epochs": 30}, False, True, False),
        ({"batch_size": 64}, True, False, False),
        ({"image_size": 256}, True, True, False),
        ({"images": 100_000, "scratch": True}, True, True, True),
    ],
)
def test_a_training_asks_for_more_where_there_is_more_to_do(
    more: dict[str, int], memory: bool, minutes: bool, disk: bool
) -> None:
    base = demands.training("unet", **SMALL)
    found = demands.training("unet", **{**SMALL, **more})
    assert (found.memory > base.memory, found.minutes > base.minutes, found.disk > base.disk) == (
        memory,
        minutes,
        disk,
    )


def test_memory_stays_bounded_however_many_images_there_are() -> None:
    many, more = (
        demands.training("unet", **{**SMALL, "images": images}).memory for images in (10**6, 10**8)
    )
    assert many == more


def test_on_a_gpu_a_batch_is_not_in_the_host_s_memory() -> None:
    on_gpu = {**SMALL, "gpus": 1}
    assert (
        demands.training("unet", **on_gpu).memory
        == demands.training("unet", **{**on_gpu, "batch_size": 512}).memory
    )
