"""Variants: runs of a model that varies another, as in an ablation."""

from collections.abc import Mapping, Sequence
from typing import Any


def varied_run(
    run: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], varies: str
) -> Mapping[str, Any] | None:
    """Return the run that a variant's run is compared with: the varied model after as many epochs.

    Args:
        run: Record of the variant's run, with `epochs` and `seed`.
        runs: Records of all runs, with `model`, `epochs` and `seed`; a model's first seed comes first.
        varies: Name of the model that the variant varies.

    Returns:
        The run with the same seed, else the one with the first seed; None if no run has as many epochs.
    """
    candidates = [
        other for other in runs if (other["model"], other["epochs"]) == (varies, run["epochs"])
    ]
    same_seed = [other for other in candidates if other["seed"] == run["seed"]]
    return next(iter([*same_seed, *candidates]), None)
