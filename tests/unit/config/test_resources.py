"""Resources that jobs ask a cluster for."""

import pkgutil
from dataclasses import astuple
from typing import Any

import pytest
from deepcolor.config import resources
from deepcolor.config.registry import ARCHITECTURES
from deepcolor.models.macs import multiply_adds

SMALL: dict[str, Any] = {
    "images": 5000, "epochs": 1, "batch_size": 8, "image_size": 64, "threads": 2, "gpus": 0,
    "scratch": False,
}  # fmt: skip


def training(architecture: str, job: dict[str, Any]) -> resources.Resources:
    """Return the resources to train an architecture."""
    return resources.training(resources.TrainingJob(architecture, **job))


def test_every_architecture_is_known() -> None:
    assert resources.FOOTPRINTS.keys() == ARCHITECTURES.keys()


def test_one_s_own_architecture_counts_as_the_most_expensive() -> None:
    own = training("mynet", SMALL)
    for architecture in ARCHITECTURES:
        known = training(architecture, SMALL)
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
    base = training("unet", SMALL)
    found = training("unet", {**SMALL, **more})
    assert (found.memory > base.memory, found.minutes > base.minutes, found.disk > base.disk) == (
        memory,
        minutes,
        disk,
    )


def test_memory_stays_bounded_however_many_images_there_are() -> None:
    many, more = (training("unet", {**SMALL, "images": images}).memory for images in (10**6, 10**8))
    assert many == more


def test_on_a_gpu_a_batch_is_not_in_the_host_s_memory() -> None:
    on_gpu = {**SMALL, "gpus": 1}
    assert training("unet", on_gpu).memory == training("unet", {**on_gpu, "batch_size": 512}).memory


# Measured on two cores: images a second, by threads, at 64×64 in batches of 8; of U-Net also of 32.
MEASURED = [
    ("unet", 1, 53), ("unet", 2, 69), ("unet", 2, 126), ("mobilenet", 1, 26), ("mobilenet", 2, 33),
    ("densenet", 2, 20),
]  # fmt: skip


@pytest.mark.parametrize(("architecture", "threads", "speed"), MEASURED)
def test_a_training_asks_for_up_to_four_times_what_it_takes(
    architecture: str, threads: int, speed: float
) -> None:
    job = {**SMALL, "images": 29_000, "epochs": 30, "threads": threads}
    asked = training(architecture, job).minutes - 2 * resources.STARTUP_MINUTES
    assert 1 <= asked / (29_000 * 30 / speed / 60) <= 4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_gpu_is_asked_for_less_time_than_many_cores(architecture: str) -> None:
    large = {**SMALL, "images": 15_000, "epochs": 30, "image_size": 256, "threads": 16}
    asked = [training(architecture, {**large, "gpus": gpus}).minutes for gpus in (0, 1, 2)]
    assert asked[0] > 4 * asked[1] > 4 * asked[2] > 0
    # Of the published study, no more than a night.
    assert asked[1] < 8 * 60
    predicting = [resources.predicting(architecture, 15_000, 256, gpus).minutes for gpus in (0, 1)]
    assert predicting[0] > predicting[1]


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(name, marks=[] if name in ("unet", "mobilenet") else [pytest.mark.slow])
        for name in sorted(ARCHITECTURES)
    ],
)
def test_multiply_adds_are_those_of_the_network(architecture: str) -> None:
    options: dict[str, Any] = {} if architecture == "unet" else {"weights": "none"}
    if architecture == "koalarization":
        options["freeze_encoder"] = False
    network = pkgutil.resolve_name(ARCHITECTURES[architecture])(256, **options)
    listed = resources.footprint(architecture).multiply_adds
    assert listed == pytest.approx(multiply_adds(network) / 256**2, rel=0.01)


def test_tables_follow_what_is_scored_and_hardly_what_is_only_listed() -> None:
    small = resources.tabulating(1000, runs=6, listed=10_000)
    many_listed = resources.tabulating(1000, runs=6, listed=1_000_000)
    many_scored = resources.tabulating(100_000, runs=6, listed=1_000_000)
    assert small.memory < many_listed.memory < 2 * small.memory + 1000 < many_scored.memory + 1000
    assert small.minutes < many_listed.minutes < 30 < many_scored.minutes


def test_predictions_and_scores_follow_the_images() -> None:
    # Seconds measured at 256×256 on one core: 1/74 for a training image, 0.4 for one that is scored.
    for trained, scored in ((980_000, 20_000), (1_000, 20_000), (4_000, 1_000)):
        predicting = resources.predicting_without_network(trained, scored, 256).minutes
        margin = 3 * resources.STARTUP_MINUTES
        assert trained / 74 / 60 < predicting < (trained / 74 + 0.4 * scored) / 30 + margin
        scoring = resources.scoring(scored, 256).minutes
        assert 0.4 * scored / 60 < scoring < 0.4 * scored / 30 + margin


def test_small_batches_take_few_threads_whatever_the_cores() -> None:
    small, large = 8 * 64**2, 383 * 256**2
    assert {resources.training_threads(None, small, cores) for cores in (1, 2, 64)} == {1}
    assert [resources.training_threads(None, large, cores) for cores in (1, 2, 64)] == [1, 2, 64]
    threads = [resources.training_threads(None, small * factor, 64) for factor in range(1, 70)]
    assert threads == sorted(threads) and threads[3] == 4
    assert resources.training_threads(3, small, 64) == resources.training_threads(3, large, 64) == 3
