"""Browsing a run in FiftyOne."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Copy
from deepcolor.errors import DeepColorError
from deepcolor.report import browse
from PIL import Image


@pytest.fixture(autouse=True)
def cleared(finished: Copy) -> Iterator[None]:
    """What is written to be browsed goes again."""
    yield
    shutil.rmtree(finished.folder / "results/unet_2/browse", ignore_errors=True)
    (finished.folder / "results/unet_2/certainty.npy").unlink(missing_ok=True)


def test_browsing_shows_the_runs_own_pictures(finished: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.folder)
    folder = Path("results/unet_2")
    # As if it predicted color classes.
    maps = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
    np.save(folder / "certainty.npy", maps)
    manifests = [Path("data/photographs/manifest.csv")]
    rows = browse.collect(folder, manifests, 32, folder / "certainty.npy")
    predictions = np.load(folder / "predictions.npy")
    for row in rows.itertuples():
        prediction = np.asarray(Image.open(str(row.prediction)))
        assert np.array_equal(prediction, predictions[row.Index])
        truth = np.asarray(Image.open(str(row.photograph)), float) / 255
        assert np.mean((truth - prediction / 255) ** 2) == pytest.approx(row.mse)
        assert Image.open(str(row.input)).mode == "L"
        assert np.array_equal(np.asarray(Image.open(str(row.how_sure))), maps[row.Index])
    # Maps that are measured again are drawn again; those of other images are no maps of these.
    np.save(folder / "certainty.npy", 255 - maps)
    os.utime(folder / "certainty.npy", (4e9, 4e9))
    (again, *_) = browse.collect(folder, manifests, 32, folder / "certainty.npy")["how_sure"]
    assert np.array_equal(np.asarray(Image.open(again)), 255 - maps[0])
    np.save(folder / "certainty.npy", maps[:-1])
    with pytest.raises(DeepColorError, match=r"certainty\.npy is of 5 images, and .* of 6; delete"):
        browse.collect(folder, manifests, 32, folder / "certainty.npy")


def test_browsing_needs_a_database_and_a_finished_run(finished: Copy) -> None:
    nowhere = {"FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500"}
    result = finished.run("make browse RUN=unet_2", **nowhere)
    assert result.returncode != 0
    assert "FiftyOne finds no MongoDB" in result.stdout and "python -m pip install" in result.stdout
    assert "Traceback" not in result.stdout
    result = finished.run("make browse RUN=unet_3")
    assert "Unknown run 'unet_3'; did you mean" in result.stdout
