"""LPIPS of a finished run, from the features to the distances."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from conftest import Copy
from deepcolor.evaluation.lpips import NETWORKS

pytestmark = pytest.mark.slow

DISTANCES = "results/unet_2/distances.json"


@pytest.fixture(autouse=True)
def cleared(finished: Copy) -> Iterator[None]:
    """What is measured goes again."""
    yield
    for name in (DISTANCES, "lpips.npz"):
        (finished.folder / name).unlink(missing_ok=True)


def write_lpips_weights(copy: Copy) -> None:
    """Write random weights of LPIPS on AlexNet, as `convert_lpips` does."""
    generator, arrays, before, number = np.random.default_rng(0), {}, 3, 0
    for stage, (_, convolutions) in enumerate(NETWORKS["alex"], start=1):
        for filters, side, _, _ in convolutions:
            number += 1
            kernel = generator.normal(0, 0.05, (side, side, before, filters))
            arrays[f"conv{number}.kernel"] = kernel.astype(np.float32)
            arrays[f"conv{number}.bias"] = np.zeros(filters, np.float32)
            before = filters
        arrays[f"lin{stage}.weight"] = generator.random(before).astype(np.float32)
    np.savez(copy.folder / "lpips.npz", **arrays)  # type: ignore[arg-type]


def test_lpips_is_measured_from_features_that_do_not_stay(finished: Copy) -> None:
    write_lpips_weights(finished)
    weights = "--config 'evaluation={lpips_weights: lpips.npz}'"
    result = finished.run(f"snakemake {DISTANCES} --cores 2 {weights}")
    assert result.returncode == 0, result.stdout
    measured = json.loads(finished.read(DISTANCES))
    predictions = np.load(finished.folder / "results/unet_2/predictions.npy")
    assert measured["lpips"]["n"] == len(predictions) and measured["lpips"]["network"] == "alex"
    assert measured["lpips"]["value"] > 0
    assert not list((finished.folder / "results/unet_2").glob("features*"))
    # Nothing is extracted or measured again.
    again = finished.run(f"snakemake {DISTANCES} --cores 2 {weights} --dry-run")
    assert "Nothing to be done" in again.stdout
