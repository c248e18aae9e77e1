"""The bundled network as a start of trainings and as a reference, and how such a network is made."""

import hashlib
import json

import numpy as np
import pytest
from conftest import Copy

CONFIG = """
image_size: 96
data_sets:
  photographs: {source: photographs, crop_size: 96, training: 200, validation: 50}
models:
  bundled: {network: bundled}
  lite:
    architecture: lite
    weights: bundled
    training: {freeze_epochs: 0, unfreeze_from: stem_conv, unfrozen_learning_rate: 0.0002}
compare: {models: [lite, bundled]}
training: {epochs: [4], optimizer: adamw, schedule: cosine, batch_size: 16, augmentation: [flip]}
"""


@pytest.mark.slow
def test_200_photographs_improve_it_on_their_like(copy: Copy) -> None:
    copy.write("more.yaml", CONFIG)
    targets = "results/lite_4/metrics.json results/bundled/metrics.json results/lite_4/bundle"
    result = copy.run(f"snakemake --cores 2 --configfile more.yaml -- {targets}")
    assert result.returncode == 0, result.stdout
    trained, bundled = (
        json.loads(copy.read(f"results/{run}/metrics.json"))["all"] for run in ("lite_4", "bundled")
    )
    assert trained["n"] == bundled["n"] == 50
    for measure, better in (("psnr", 1), ("ciede2000", -1)):
        pair = [scores["luminance_kept"][measure]["value"] for scores in (trained, bundled)]
        assert better * (pair[0] - pair[1]) > 0, measure
    # What could come with DeepColor in its place.
    folder = copy.folder / "results/lite_4/bundle"
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text("ascii").splitlines()]
    files = {file.name for file in folder.iterdir() if not file.name.startswith(".snakemake")}
    assert files == {name for _, name in lines} | {"SHA256SUMS"}
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert (folder / "deepcolor.onnx").stat().st_size > 4e6
    assert np.load(folder / "photographs.npy").dtype == np.uint64
    result = copy.run("snakemake --cores 1 --configfile more.yaml -- results/bundled/bundle")
    assert result.returncode != 0 and "Unknown run 'bundled'" in result.stdout
