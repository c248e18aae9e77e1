"""The counts of images in an epoch that weights of data sets ask for."""

import numpy as np
import pytest
from deepcolor.config.sampling import epoch_counts, sampling_of
from deepcolor.errors import DeepColorError
from scipy.optimize import brentq


def drawn(rng: np.random.Generator) -> tuple[dict[str, float], dict[str, int]]:
    """Weights of some data sets, and the images of all."""
    images = {f"d{number}": int(rng.integers(500, 20_000)) for number in range(rng.integers(1, 7))}
    weights = {name: float(rng.uniform(0.2, 4)) for name in images if rng.random() < 0.7}
    return weights, images


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_in_proportion_to_weights_below_the_largest_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, images = drawn(rng)
    largest = float(rng.uniform(1 / len(images), 1)) + 1e-9
    counts = epoch_counts({**weights, "max_share": min(1, largest)}, images)
    total = sum(images.values())
    assert list(counts) == list(images) and sum(counts.values()) == total
    asked = np.array([weights.get(name, 1) * images[name] for name in images])

    def shares(scale: float) -> np.ndarray:
        return np.minimum(largest, scale * asked / asked.sum())

    scale = brentq(lambda scale: shares(scale).sum() - 1, 0, 1e6, xtol=1e-12)
    assert np.abs(np.array([*counts.values()]) - total * shares(scale)).max() <= 1 + 1e-3


def test_without_weights_each_image_is_shown_once() -> None:
    images = {"a": 7, "b": 1_234_567, "c": 31}
    assert epoch_counts({}, images) == epoch_counts({"max_share": 1}, images) == images


@pytest.mark.parametrize("count", range(2, 13))
def test_the_smallest_largest_share_makes_all_alike(count: int) -> None:
    images = {f"d{number}": 10 * (number + 1) for number in range(count)}
    with pytest.raises(DeepColorError) as caught:
        epoch_counts({"max_share": 0.99 / count}, images)
    message = str(caught.value)
    assert message.startswith("training.sampling.max_share: ") and f"with {count} data sets" in message
    least = float(message.split("set it to ")[1].split()[0])
    counts = epoch_counts({"max_share": least}, images)
    assert max(counts.values()) <= least * sum(images.values()) + 1
    assert min(counts.values()) >= (1 - (count - 1) * least) * sum(images.values()) - 1


def test_a_data_set_that_is_never_shown_is_refused() -> None:
    with pytest.raises(DeepColorError) as caught:
        epoch_counts({"few": 0.001}, {"many": 900, "few": 100}, "models.unet.training.sampling")
    assert str(caught.value) == (
        "models.unet.training.sampling: an epoch of 1000 images shows none of 'few'; raise its weight, "
        "lower the others, or take it out of 'train_on'"
    )


def test_only_what_concerns_the_data_sets_is_kept_and_in_their_order() -> None:
    sampling = {"max_share": 0.6, "c": 3.0, "a": 2.0, "b": 1.5}
    assert list(sampling_of(sampling, ("a", "c", "d")).items()) == [
        ("a", 2.0), ("c", 3.0), ("max_share", 0.6),
    ]  # fmt: skip
