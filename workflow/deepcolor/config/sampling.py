"""How often training shows the images of each data set, as `training.sampling` gives it."""

import math
from collections.abc import Collection, Mapping
from itertools import accumulate, pairwise

from deepcolor.errors import DeepColorError

# Key next to the names of data sets, none of which has an underscore.
MAX_SHARE = "max_share"


def sampling_of(sampling: Mapping[str, float], train_on: Collection[str]) -> dict[str, float]:
    """Return the part of `training.sampling` that concerns some data sets, in their order."""
    return {key: sampling[key] for key in (*train_on, MAX_SHARE) if key in sampling}


def epoch_counts(
    sampling: Mapping[str, float], images: Mapping[str, int], where: str = "training.sampling"
) -> dict[str, int]:
    """Return how many images of each data set an epoch shows, as many in all as there are.

    Args:
        sampling: Weight of an image by data set, relative to the 1 of data sets that are not named;
            and `max_share`, the largest share of a data set in (0, 1].
        images: Number of training images by data set.
        where: Key that holds the weights, for messages.

    Returns:
        Counts by data set, rounded to whole images.

    Raises:
        DeepColorError: The data sets are too few for the largest share, or one would show no image.
    """
    total, largest = sum(images.values()), sampling.get(MAX_SHARE, 1)
    if largest * len(images) < 1:
        least = math.ceil(1000 / len(images)) / 1000
        raise DeepColorError(
            f"{where}.{MAX_SHARE}: {largest} cannot be reached with {len(images)} data sets "
            f"({', '.join(images)}); set it to {least:g} or more"
        )
    shares = _shares({name: sampling.get(name, 1) * images[name] for name in images}, largest)
    ends = [round(total * end) for end in accumulate(shares[name] for name in images)]
    counts = [stop - start for start, stop in pairwise([0, *ends])]
    if 0 in counts:
        name = [*images][counts.index(0)]
        raise DeepColorError(
            f"{where}: an epoch of {total} images shows none of '{name}'; raise its weight, lower the "
            "others, or take it out of 'train_on'"
        )
    return dict(zip(images, counts, strict=True))


def _shares(weights: Mapping[str, float], largest: float) -> dict[str, float]:
    """Return shares in proportion to weights, none above the largest one; their sum is 1."""
    shares: dict[str, float] = {}
    # From the heaviest on: what is cut off a data set goes to lighter ones.
    for name in sorted(weights, key=weights.__getitem__, reverse=True):
        rest = sum(weight for other, weight in weights.items() if other not in shares)
        shares[name] = min(largest, (1 - sum(shares.values())) * weights[name] / rest)
    return shares
