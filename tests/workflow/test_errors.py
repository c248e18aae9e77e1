"""What goes wrong ends in one line that says what to do, and a non-zero exit code."""

import re
import signal
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from conftest import Copy, errors, mounted
from deepcolor.config import environment
from deepcolor.errors import DeepColorError
from soak import disturbed


def own_pictures(copy: Copy, good: int) -> None:
    """Let the copy train on a folder with some pictures and one file that is none."""
    crops = sorted((copy.folder / "data/photographs/images").iterdir()) if good else []
    (copy.folder / "mine").mkdir()
    for crop in crops[:good]:
        (copy.folder / "mine" / crop.name).write_bytes(crop.read_bytes())
    (copy.folder / "mine" / "notes.jpg").write_text("no picture")
    copy.write(
        "mine.yaml",
        "data_sets: {mine: {source: folder, folder: mine, training: 4, validation: 2, checks: "
        "{min_chroma: 0, near_duplicates: 0}}}\n"  # Crops of one photograph look alike.
        "compare: {data_sets: [mine]}\n",
    )


@pytest.mark.slow
def test_folder_with_a_file_that_is_no_image(copy: Copy) -> None:
    assert copy.run("snakemake --cores 2 data/photographs/manifest.csv").returncode == 0
    own_pictures(copy, good=6)
    result = copy.run("snakemake --cores 2 --configfile mine.yaml -- data/mine/manifest.csv")
    assert result.returncode == 0, result.stdout
    assert copy.read("data/mine/manifest.csv").count("\n") == 7
    # It may stand behind all that are needed; with one picture less it cannot.
    next((copy.folder / "mine").glob("*.png")).unlink()
    result = copy.run("snakemake --cores 2 --configfile mine.yaml -- data/mine/manifest.csv")
    assert result.returncode != 0
    assert "write_manifest: error: data set 'mine' has too few" in errors(result.stdout)[0]
    said = "cannot be read: no image, or of an unknown format"
    assert said in copy.read("data/mine/rejected.csv")


@pytest.mark.slow
def test_folder_without_any_image(copy: Copy) -> None:
    own_pictures(copy, good=0)
    result = copy.run("make report CONFIGFILE=mine.yaml")
    assert result.returncode != 0
    said = (
        "write_manifest: error: data set 'mine' has too few usable photographs: 0 of 4 for "
        "training, 0 of 2 for validation; 1 rejected, listed in data/mine/rejected.csv"
    )
    assert said in result.stdout
    assert "Traceback" not in result.stdout


def test_a_full_disk(copy: Copy) -> None:
    with mounted(copy.folder / "results", "size=1m"):
        (copy.folder / "results" / "filler").write_bytes(bytes(900_000))
        result = copy.run("make report")
        assert result.returncode != 0
        assert "the disk is full; free some space and run the same command again" in result.stdout
        assert "Traceback" not in result.stdout
        assert list((copy.folder / "results").rglob(".partial.*")) == []


def test_a_read_only_results_folder(copy: Copy) -> None:
    with mounted(copy.folder / "results", "size=1m,ro"):
        result = copy.run("make report")
        assert result.returncode != 0
        assert "/results is read-only; make it writable, or set 'results'" in result.stdout
        assert "Traceback" not in result.stdout


def test_a_damaged_record_of_snakemake(copy: Copy) -> None:
    copy.write("data/photographs/manifest.csv", "id")
    name = urlsafe_b64encode(b"data/photographs/manifest.csv").decode()
    copy.write(f".snakemake/metadata/{name}", "")
    (copy.folder / ".snakemake/metadata" / name).write_bytes(b'{"rule": "\xff"}')
    result = copy.run("snakemake --cores 1 --dry-run data/photographs/manifest.csv")
    assert result.returncode == 1
    assert f"Error: .snakemake/metadata/{name} is damaged" in errors(result.stdout)[0]
    assert "Traceback" not in result.stdout


def test_a_read_only_project_is_named_before_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "project", "size=1m,ro"):
        monkeypatch.chdir(tmp_path / "project")
        with pytest.raises(DeepColorError, match="project is read-only; make it writable, or copy"):
            environment.check_writable(["results", "data"])
        monkeypatch.undo()


def test_what_snakemake_itself_has_to_say_is_not_hidden(copy: Copy) -> None:
    rules = copy.read("rules/data.smk")
    copy.write("rules/data.smk", f"{rules}\n\nrule broken:\n    outptu: 'x'\n")
    result = copy.run("make report")
    assert result.returncode != 0
    assert "SyntaxError" in result.stdout and "outptu" in result.stdout


def test_a_configuration_that_is_no_yaml(copy: Copy) -> None:
    copy.write("config.yaml", "models: [")
    result = copy.run("make report")
    assert result.returncode != 0
    assert "Error: config.yaml, line 1: not valid YAML: while parsing" in result.stdout
    assert "Traceback" not in result.stdout


def kill_and_resume(copy: Copy, first: str, then: str) -> str:
    """Kill a command with all that it has started, type what is said, and give what then follows."""
    started = disturbed.start(copy, first)
    while not re.search(r"Epoch 7/60", started.said()):
        assert started.process.poll() is None, started.said()
        time.sleep(0.05)
    while members := started.members():
        disturbed.send(members, signal.SIGKILL)
    started.wait()
    assert not list(copy.folder.glob("*/unet_60/model.keras"))
    locked = copy.run(then)
    assert locked.returncode != 0
    assert "If none is, type: make unlock" in locked.stdout
    assert copy.run("make unlock").returncode == 0
    result = copy.run(then)
    resumed = re.search(r"train_model unet_60: resuming after epoch (\d+)", result.stdout)
    assert resumed and 7 <= int(resumed[1]) < 60, result.stdout
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_a_single_target_that_was_killed_goes_on_where_it_was(copy: Copy) -> None:
    config = copy.read("config.yaml").replace("epochs: [1, 2]", "epochs: [60]")
    copy.write("config.yaml", f"{config}compare: {{models: [unet]}}\n")
    target = "results/unet_60/metrics.json"
    log = kill_and_resume(copy, f"snakemake --cores 2 {target}", f"make report TARGET={target}")
    rules = set(re.findall(r"^([a-z]+_[a-z_]+)[ :]", log, flags=re.MULTILINE))
    assert rules == {"train_model", "predict_images", "score_predictions"}, log
    # It needs a network, shards and photographs, and nothing else has been made.
    assert {path.name for path in (copy.folder / "results").iterdir()} == {
        "README.md", "benchmarks", "logs", "unet_60",
    }  # fmt: skip
    assert (copy.folder / target).exists()


@pytest.mark.slow
def test_killed_as_a_whole_it_goes_on_where_it_was(copy: Copy) -> None:
    """With names that a shell and Snakemake could take for something else."""
    config = copy.read("config.yaml").replace("epochs: [1, 2]", "epochs: [2, 60]")
    copy.write(
        "config.yaml",
        f"{config}title: --a {{title}}\nresults: it's mine\ncompare: {{models: [unet]}}\n",
    )
    assert "train_model unet_2:" not in kill_and_resume(copy, "make report", "make report")
    assert "--a {title}</title>" in copy.read("it's mine/report.html")


def test_no_core_is_refused_instead_of_waiting_forever(copy: Copy) -> None:
    result = copy.run("snakemake --cores 0 results/rules.json", timeout=100)
    assert result.returncode == 1
    line = "Error: --cores 0: no job could start; give a number of 1 or more"
    assert result.stdout.splitlines() == [line]


@pytest.mark.slow
def test_many_sigterm_let_a_job_finish(copy: Copy) -> None:
    """Snakemake's own handler waits forever for a lock where a signal interrupts what holds it."""
    started = disturbed.start(copy, "snakemake --cores 2 --quiet all -- results/rules.json")
    assert disturbed.until_job(started)
    snakemakes = disturbed.snakemakes(started)
    end = time.monotonic() + 100
    while started.process.poll() is None and time.monotonic() < end:
        disturbed.send(snakemakes, signal.SIGTERM)
        time.sleep(0.002)
    hangs = started.process.poll() is None
    disturbed.send(started.members(), signal.SIGKILL)
    assert not hangs, started.said()
    assert (copy.folder / "results/rules.json").exists()
    again = copy.run("snakemake --cores 2 results/rules.json")
    assert "Nothing to be done" in again.stdout, again.stdout
