"""Photographs of one's own: by the README's commands, and as a target of the pipeline."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import photographs
import pytest
from conftest import Copy
from deepcolor.colorize.reading import read
from PIL import Image
from workflow.test_readme import COMMANDS

SHEET = "results/unet_2/colorized/contact_sheet.html"


@pytest.fixture
def album(finished: Copy) -> Iterator[Path]:
    """Old photographs beside a finished report; what is made of them goes again."""
    folder = finished.folder / "old-photographs"
    folder.mkdir()
    Image.fromarray(photographs.gray()).save(folder / "portrait.jpg")
    Image.fromarray(photographs.sepia()).save(folder / "print.png")
    yield folder
    finished.run("rm -r old-photographs colorized results/unet_2/colorized")


def test_the_commands_of_the_readme(finished: Copy, album: Path) -> None:
    commands = [each for each in COMMANDS if each.startswith("deepcolor") and "study" not in each]
    assert len(commands) == 2
    colorize, inspect = (each.replace("results-folder/unet_30", "results/unet_2") for each in commands)
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


def test_a_folder_as_a_target(finished: Copy, album: Path) -> None:
    command = f"snakemake --cores 2 --config 'colorize={{folder: old-photographs}}' -- {SHEET}"
    result = finished.run(command)
    assert result.returncode == 0, result.stdout
    folder = finished.folder / "results/unet_2/colorized"
    assert "portrait.jpg" in (folder / "contact_sheet.html").read_text("utf-8")
    assert "Nothing to be done" in finished.run(command).stdout
    # Another photograph is done, the others are kept; one that is none is named, and spoils nothing.
    Image.fromarray(photographs.colored()).save(album / "later.tif")
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


def test_no_folder_is_said_in_a_line(finished: Copy) -> None:
    result = finished.run(f"snakemake --cores 2 {SHEET}")
    assert result.returncode
    assert "Error: colorize.folder names no folder with photographs; name one" in result.stdout
    assert "Traceback" not in result.stdout
    gone = finished.run(f"snakemake --cores 2 --config 'colorize={{folder: gone}}' -- {SHEET}")
    assert "Error: colorize.folder: there is no folder gone" in gone.stdout
    wrong = finished.run("snakemake --cores 2 --config 'colorize={tint: true}' -- all")
    assert "unknown key 'tint' in 'colorize'" in wrong.stdout
