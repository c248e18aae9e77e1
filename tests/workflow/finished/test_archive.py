"""A finished report moves to another machine, and is rendered again from its archive alone."""

import tarfile
from pathlib import Path

from conftest import Copy, errors


def test_a_report_moves_to_another_machine(finished: Copy, copy: Copy, tmp_path: Path) -> None:
    result = finished.run("make archive FILE=moved.tar.gz")
    assert result.returncode == 0 and "Archive: moved.tar.gz" in result.stdout, result.stdout
    (finished.folder / "moved.tar.gz").rename(copy.folder / "moved.tar.gz")
    result = copy.run("make restore FILE=moved.tar.gz")
    assert result.returncode == 0 and "Restored" in result.stdout, result.stdout
    # There is nothing to do, although every file of the code is newer than the results.
    result = copy.run("snakemake --cores 2 --dry-run all")
    assert "Nothing to be done" in result.stdout, result.stdout
    # From the archive alone, without photographs and shards, the report is rendered again.
    alone = Copy(tmp_path / "alone")
    with tarfile.open(copy.folder / "moved.tar.gz") as tar:
        tar.extractall(alone.folder, filter="data")
    before = alone.read("results/report.html")
    (alone.folder / "results/report.html").unlink()
    result = alone.run("snakemake --cores 2 all")
    assert result.returncode == 0, result.stdout
    assert "Render the report" in result.stdout and "Train" not in result.stdout
    assert len(alone.read("results/report.html")) > 0.9 * len(before)
    # Lost figures and tables, too.
    alone.run("rm results/figures/scores.svg results/tables/metrics.csv results/unet_2/MODEL_CARD.md")
    result = alone.run("snakemake --cores 2 all")
    assert result.returncode == 0 and "Train" not in result.stdout, result.stdout
    missing = alone.run("python workflow/scripts/archive_results.py unpack --archive gone.tar.gz")
    assert missing.returncode == 1 and "there is no archive gone.tar.gz" in missing.stdout


def test_an_archive_of_another_results_folder(copy: Copy) -> None:
    copy.write("mine.yaml", "results: results-mine\n")
    copy.write("results-mine/report.html", "<html>")
    assert copy.run("make archive CONFIGFILE=mine.yaml").returncode == 0
    (copy.folder / "results-mine/report.html").unlink()
    result = copy.run("make restore")
    assert result.returncode != 0 and "make restore PRESET=" in errors(result.stdout)[0]
    (copy.folder / "mine.yaml").unlink()
    result = copy.run("make restore CONFIGFILE=mine.yaml")
    command = "tar -xzf deepcolor.tar.gz mine.yaml"
    assert result.returncode != 0 and command in errors(result.stdout)[0]
    result = copy.run(f"{command} && make restore CONFIGFILE=mine.yaml")
    assert result.returncode == 0 and "Restored 1 files" in result.stdout
    assert copy.read("results-mine/report.html") == "<html>"
