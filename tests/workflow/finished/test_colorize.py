"""Photographs of one's own: by the README's commands, and as a target of the pipeline."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Copy
from deepcolor.colorize.read import read
from PIL import Image
from support import sample_photographs
from support.readme import command

SHEET = "results/unet_2/colorized/contact_sheet.html"


@pytest.fixture
def album(finished: Copy) -> Iterator[Path]:
    """Old photographs beside a finished report; what is made of them goes again."""
    folder = finished.folder / "old-photographs"
    folder.mkdir()
    Image.fromarray(sample_photographs.gray()).save(folder / "portrait.jpg")
    Image.fromarray(sample_photographs.sepia()).save(folder / "print.png")
    yield folder
    finished.run("rm -r old-photographs colorized results/unet_2/colorized")


def test_the_commands_of_the_readme(finished: Copy, album: Path) -> None:
    # Without --model the bundled network colorizes.
    result = finished.run(command("deepcolor colorize "))
    assert result.returncode == 0, result.stdout
    assert "of 24,797 photographs" in result.stdout and "2 colorized" in result.stdout
    result = finished.run(command("deepcolor inspect "))
    assert result.returncode == 0 and "colorized by DeepColor" in result.stdout
    assert finished.run("rm -r colorized").returncode == 0
    colorize = command("deepcolor colorize old-photographs --model").replace(
        "results-folder/lite_10 --output colorized-again", "results/unet_2 --output colorized"
    )
    inspect = command("deepcolor inspect ")
    result = finished.run(colorize)
    assert result.returncode == 0, result.stdout
    # What the network is, from its model card, comes first.
    assert result.stdout.startswith(
        "colorize: unet_2: U-Net, 2 epochs, 32×32 pixels, trained on 12 images"
    )
    assert "colorize: It is for trying the machinery only" in result.stdout
    assert (
        "colorize: 2 colorized, 0 done before, 0 failed: colorized/contact_sheet.html" in result.stdout
    )
    for name in ("portrait.jpg", "print.png"):
        before = read((album / name).read_bytes())
        after = read((finished.folder / "colorized" / name).read_bytes())
        assert np.abs(after.luminance.astype(int) - before.luminance).mean() < 0.5
    result = finished.run(inspect)
    assert result.returncode == 0 and "colorized by DeepColor" in result.stdout
    assert "with unet_2 (SHA-256" in result.stdout
    assert "2 done before" in finished.run(colorize).stdout


@pytest.mark.slow
def test_a_folder_as_a_target(finished: Copy, album: Path) -> None:
    command = f"snakemake --cores 2 --config 'colorize={{folder: old-photographs}}' -- {SHEET}"
    result = finished.run(command)
    assert result.returncode == 0, result.stdout
    folder = finished.folder / "results/unet_2/colorized"
    assert "portrait.jpg" in (folder / "contact_sheet.html").read_text("utf-8")
    assert "Nothing to be done" in finished.run(command).stdout
    # Another photograph is done, the others are kept; one that is none is named, and spoils nothing.
    Image.fromarray(sample_photographs.colored()).save(album / "later.tif")
    (album / "letter.jpg").write_text("Dear all")
    result = finished.run(command)
    assert result.returncode
    assert "1 colorized, 2 done before, 1 failed" in result.stdout
    assert "colorize: error: old-photographs/letter.jpg: no image" in result.stdout
    assert (folder / "later.tif").exists() and not (folder / "contact_sheet.html").exists()
    (album / "letter.jpg").unlink()
    result = finished.run(command)
    assert result.returncode == 0 and "0 colorized, 3 done before" in result.stdout
    listed = json.loads((folder / "colorized.json").read_text("utf-8"))
    assert {each["model"] for each in listed["photographs"]} == {"unet_2"}
    assert "It is for trying the machinery only" in " ".join(listed["trained_on"])
    # Another saturation makes all of them again.
    finished.write("pale.yaml", "colorize: {folder: old-photographs, saturation: 0.5}")
    result = finished.run(f"snakemake --cores 2 --configfile pale.yaml -- {SHEET}; rm pale.yaml")
    assert "3 colorized, 0 done before" in result.stdout


@pytest.mark.slow
def test_a_run_elsewhere_scores_what_the_pipeline_scored(finished: Copy, tmp_path: Path) -> None:
    """The folder of a run, copied, and the photographs: neither shards nor the project's folder."""
    for folder in ("results/unet_2", "data/photographs"):
        shutil.copytree(finished.folder / folder, tmp_path / folder)
    command = (
        "deepcolor evaluate data/photographs/images --model results/unet_2 --output metrics.json "
        "--per-image all.csv --manifest data/photographs/manifest.csv --split validation"
    )
    elsewhere = Copy(tmp_path)
    result = elsewhere.run(command)
    assert result.returncode == 0, result.stdout
    assert "12 photographs are of other splits" in result.stdout and "6 scored" in result.stdout
    run = finished.folder / "results/unet_2"
    for ours, theirs in {"metrics.json": "metrics.json", "all.csv": "per_image.csv"}.items():
        assert (tmp_path / ours).read_bytes() == (run / theirs).read_bytes()
    # What the folder says of itself is right anywhere.
    for name in ("MODEL_CARD.md", "model_card.json"):
        assert str(finished.folder) not in (run / name).read_text("utf-8")
    # The exported network makes the same pictures, but for rounding.
    result = finished.run("snakemake --cores 2 results/unet_2/export")
    assert result.returncode == 0, result.stdout
    model = run / "export/model.onnx"
    result = elsewhere.run(command.replace("results/unet_2", str(model)))
    assert result.returncode == 0, result.stdout
    theirs, ours = (pd.read_csv(path) for path in (run / "per_image.csv", tmp_path / "all.csv"))
    pd.testing.assert_frame_equal(ours, theirs, rtol=0.001, atol=0.001)
    # So does the rule's own script, with a network that lies elsewhere.
    shutil.rmtree(run / "export")
    result = finished.run(
        "python workflow/scripts/predict_images.py --run unet_2 "
        f"--model {tmp_path}/results/unet_2/model.keras "
        "--indexes data/shards/photographs-32/index.json --split validation --threads 2 "
        f"--predictions {tmp_path}/again.npy"
    )
    assert result.returncode == 0, result.stdout
    assert (tmp_path / "again.npy").read_bytes() == (run / "predictions.npy").read_bytes()


def test_no_folder_is_said_in_a_line(finished: Copy) -> None:
    result = finished.run(f"snakemake --cores 2 {SHEET}")
    assert result.returncode
    assert "Error: colorize.folder names no folder with photographs; name one" in result.stdout
    assert "Traceback" not in result.stdout
    gone = finished.run(f"snakemake --cores 2 --config 'colorize={{folder: gone}}' -- {SHEET}")
    assert "Error: colorize.folder: there is no folder gone" in gone.stdout
