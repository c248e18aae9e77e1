"""Bad input ends in one line that says what to do, an exit code, and nothing lost."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import Copy, errors


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("training: {epohcs: [1]}", "unknown key 'epohcs' in 'training'; did you mean 'epochs'?"),
        *(
            pytest.param(config, message, marks=pytest.mark.slow)  # Unit tests have every message.
            for config, message in {
                "image_size: 33": "image_size: 33 is not a multiple of 32",
                "models: {a: {architecture: unett}}": "there is no 'unett'; did you mean 'unet'?",
                "data_sets: {photographs: {source: folders}}": "there is no 'folders'; did you mean",
                "colorize: {tint: true}": "unknown key 'tint' in 'colorize'",
            }.items()
        ),
    ],
)
def test_bad_configuration(finished: Copy, config: str, said: str) -> None:
    finished.write("overlay.yaml", config)
    result = finished.run("snakemake --cores 2 --dry-run --configfile overlay.yaml")
    (finished.folder / "overlay.yaml").unlink()
    assert result.returncode != 0
    # Before it stands what Snakemake says of --configfile.
    assert said in result.stdout.splitlines()[-1]
    assert len(result.stdout.splitlines()) == 2, result.stdout


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "results/unett_2/metrics.json",
            "Unknown run 'unett_2'; did you mean 'unet_2'? Known runs: unet_1",
        ),
        pytest.param("results/unet_7/model.keras", "Unknown run 'unet_7'", marks=pytest.mark.slow),
        pytest.param("results/unet/history.csv", "Unknown run 'unet'", marks=pytest.mark.slow),
        ("data/coco/manifest.csv", "Unknown data set 'coco'. Data sets in use"),
        (
            "results/figures/curves-unett.svg",
            "Unknown model 'unett'. Known models: unet, unet-lab.",
        ),
    ],
)
def test_unknown_target(finished: Copy, target: str, said: str) -> None:
    result = finished.run(f"snakemake --cores 2 --dry-run {target}")
    assert result.returncode != 0
    assert said in result.stdout
    assert "Traceback" not in result.stdout


def test_started_elsewhere(finished: Copy, tmp_path: Path) -> None:
    result = finished.run(f"snakemake --cores 2 --dry-run --directory {tmp_path}")
    assert result.returncode != 0
    assert "DeepColor runs in its own folder: cd " in result.stdout
    assert "Traceback" not in result.stdout


INDEX = "data/shards/photographs-32/index.json"


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["altered", "short"])
def test_a_shard_that_is_not_whole(finished: Copy, fault: str) -> None:
    shard = finished.folder / "data/shards/photographs-32/training-00000-of-00002.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-9] if fault == "short" else content[:99] + b"x" + content[100:])
    result = finished.run("make report")
    shard.unlink()  # As the line says.
    assert finished.run(f"snakemake --cores 2 {INDEX}").returncode == 0
    assert shard.read_bytes() == content
    assert finished.run("make report").stdout == "Report: results/report.html\n"
    assert result.returncode != 0
    line = next(line for line in errors(result.stdout) if "checksum" in line)
    assert re.search(r"error: data/shards/.*00000-of-00002.tfrecord is not as it was written", line)
    assert "Traceback" not in result.stdout


@pytest.mark.slow
def test_a_crop_that_was_altered(finished: Copy) -> None:
    crop = next((finished.folder / "data/photographs/images").glob("*.png"))
    content = crop.read_bytes()
    shards = finished.folder / "data/shards/photographs-32"
    whole = {path.name: path.read_bytes() for path in shards.iterdir()}
    crop.write_bytes(content[:-1])
    command = f"snakemake --cores 2 --forcerun write_shards -- {INDEX}"
    result = finished.run(command)
    assert result.returncode != 0
    line = next(line for line in errors(result.stdout) if "has changed since" in line)
    assert crop.name in line
    said = "delete data/photographs/manifest.csv and the folder data/photographs/ranges and run"
    assert said in line
    (finished.folder / "data/photographs/manifest.csv").unlink()
    shutil.rmtree(finished.folder / "data/photographs/ranges")
    assert finished.run(command).returncode == 0
    assert crop.read_bytes() == content
    assert {path.name: path.read_bytes() for path in shards.iterdir()} == whole
    assert finished.run("make report").stdout == "Report: results/report.html\n"
