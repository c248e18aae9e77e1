"""Colorizing many files: each once, whole or not at all, and none of the inputs."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT, mounted
from deepcolor.colorize import batch, batch_file, xmp
from deepcolor.colorize.batch import Summary, colorize_files
from deepcolor.colorize.batch_file import BatchOptions
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.network import Network
from deepcolor.colorize.room import Room
from deepcolor.colorize.settings import Settings
from deepcolor.errors import DeepColorError
from PIL import Image
from support import sample_photographs
from support.tiny_onnx import write_onnx

CARD = {"run": "unet_30", "in_short": ["Trained on six photographs.", "For trying only."]}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = write_onnx(tmp_path_factory.mktemp("run") / "unet_30" / "export" / "model.onnx", card=CARD)
    return open_network(path, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of photographs, one of them in a folder of its own, and files that are none."""
    folder = tmp_path / "album"
    (folder / "1931 – Zoë").mkdir(parents=True)
    shades = Image.fromarray(sample_photographs.gray())
    shades.save(folder / "a.jpg")
    shades.save(folder / "b.PNG")
    Image.fromarray(sample_photographs.sepia()).save(folder / "1931 – Zoë" / "a #1?.tif")
    Image.fromarray(sample_photographs.colored()).save(folder / "c.bmp")
    (folder / "notes.txt").write_text("no picture")
    return folder


def run(named: list[Path | str], output: Path, network: Network, **options: object) -> Summary:
    settings = options.pop("settings", Settings())
    names = [str(each) for each in named]
    batch_options = BatchOptions(threads=2, **options)  # type: ignore[arg-type]
    return colorize_files(names, output, network, settings, batch_options)  # type: ignore[arg-type]


def made(output: Path) -> dict[str, bytes]:
    """The pictures in a folder, by name."""
    lists = {"colorized.json", "contact_sheet.html", ".lock"}
    return {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and "contact_sheet_files" not in path.parts and path.name not in lists
    }


def test_a_folder_keeps_its_names_and_its_folders(
    tmp_path: Path, folder: Path, network: Network
) -> None:
    output = tmp_path / "colorized"
    summary = run([folder], output, network)
    assert set(made(output)) == {"a.jpg", "b.PNG", "c.bmp.png", "1931 – Zoë/a #1?.tif"}
    assert (len(summary.done), summary.kept, summary.failed) == (4, [], {})
    manifest = json.loads((output / "colorized.json").read_text("utf-8"))
    assert manifest["trained_on"] == CARD["in_short"] and manifest["failed"] == []
    entries = {each["output"]: each for each in manifest["photographs"]}
    assert list(entries) == sorted(made(output))
    entry = entries["1931 – Zoë/a #1?.tif"]
    assert entry["model"] == "unet_30" and entry["model_sha256"] == network.sha256
    assert entry["input"] == str(folder / "1931 – Zoë" / "a #1?.tif")
    assert entry["settings"] == json.loads(Settings().text()) and entry["time"].endswith("Z")
    assert entry["kind"] == "toned" and entry["notes"] == ["its tint is removed"]
    noted = xmp.noted(xmp.packet_of(output / "1931 – Zoë" / "a #1?.tif"))
    assert noted["InputSHA256"] == entry["input_sha256"]
    sheet = (output / "contact_sheet.html").read_text("utf-8")
    assert (
        "1931%20%E2%80%93%20Zo%C3%AB/a%20%231%3F.tif" in sheet and "Trained on six photographs." in sheet
    )
    assert not list(output.rglob(".partial*"))


def test_what_is_done_is_kept(tmp_path: Path, folder: Path, network: Network) -> None:
    output = tmp_path / "colorized"
    run([folder], output, network)
    first = made(output)
    times = {name: (output / name).stat().st_mtime_ns for name in first}
    again = run([folder], output, network)
    assert (len(again.done), len(again.kept)) == (0, 4)
    assert {name: (output / name).stat().st_mtime_ns for name in first} == times
    # Another photograph of that name, and only that one, is done again.
    Image.fromarray(255 - sample_photographs.gray()).save(folder / "a.jpg")
    assert [each["output"] for each in run([folder], output, network).done] == ["a.jpg"]
    # So are all with other settings, or if asked for.
    assert len(run([folder], output, network, settings=Settings(saturation=0.5)).done) == 4
    assert (
        len(run([folder], output, network, settings=Settings(saturation=0.5), overwrite=True).done) == 4
    )
    other = write_onnx(tmp_path / "other.onnx", biases=(0.1, 0.2, 0.3))
    assert (
        len(run([folder], output, open_network(other, 1), settings=Settings(saturation=0.5)).done) == 4
    )


def test_lists_are_made_again_from_the_pictures(tmp_path: Path, folder: Path, network: Network) -> None:
    output = tmp_path / "colorized"
    run([folder], output, network)
    before = json.loads((output / "colorized.json").read_text("utf-8"))["photographs"]
    (output / "colorized.json").unlink()
    shutil.rmtree(output / "contact_sheet_files")
    assert len(run([folder], output, network).kept) == 4
    after = json.loads((output / "colorized.json").read_text("utf-8"))["photographs"]
    same = ("input", "input_sha256", "output", "output_sha256", "model_sha256", "settings", "time")
    for key in same:
        assert [each[key] for each in after] == [each[key] for each in before]
    assert len(list((output / "contact_sheet_files").rglob("*.jpg"))) == 8
    # A picture that was named before stays in the lists when another one alone is named.
    run([folder / "a.jpg"], output, network)
    assert len(json.loads((output / "colorized.json").read_text("utf-8"))["photographs"]) == 4


def test_the_rest_goes_on_after_what_fails(tmp_path: Path, folder: Path, network: Network) -> None:
    (folder / "letter.jpg").write_text("Dear all")
    (folder / "half.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-300])
    Image.new("1", (20000, 20000)).save(folder / "bomb.png")
    (folder / "empty.png").touch()
    output = tmp_path / "colorized"
    summary = run([folder, tmp_path / "gone", tmp_path / "*.webp"], output, network)
    assert len(summary.done) == 4
    reasons = {Path(name).name: reason for name, reason in summary.failed.items()}
    assert set(reasons) == {"letter.jpg", "half.jpg", "bomb.png", "empty.png", "gone", "*.webp"}
    assert reasons["letter.jpg"] == reasons["empty.png"] == "no image, or of an unknown format"
    assert "400 megapixels; --most-megapixels" in reasons["bomb.png"]
    assert reasons["gone"] == "there is no such file or folder"
    assert reasons["*.webp"] == "no picture matches this pattern"
    manifest = json.loads((output / "colorized.json").read_text("utf-8"))
    assert {each["reason"] for each in manifest["failed"]} == set(reasons.values())
    assert len(made(output)) == 4


def test_inputs_are_never_written_over(tmp_path: Path, folder: Path, network: Network) -> None:
    before = made(folder)
    summary = run([folder], folder, network, overwrite=True)
    assert [each["output"] for each in summary.done] == ["c.bmp.png"]
    assert len(summary.failed) == 3
    # Nor where one input has the name of another one's output.
    (tmp_path / "second").mkdir()
    shutil.copy(folder / "b.PNG", tmp_path / "second" / "a.jpg")
    named = [folder / "a.jpg", tmp_path / "second" / "a.jpg"]
    kept = named[1].read_bytes()
    assert len(run(list(named), tmp_path / "second", network, overwrite=True).failed) == 2
    assert named[1].read_bytes() == kept
    summary = run([folder / "a.jpg", folder / "b.PNG"], folder, network, overwrite=True)
    assert all("is an input; name another --output" in reason for reason in summary.failed.values())
    assert {name: content for name, content in made(folder).items() if name in before} == before
    # Not by another name either.
    output = tmp_path / "links"
    output.mkdir()
    os.link(folder / "a.jpg", output / "a.jpg")
    (output / "b.PNG").symlink_to(folder / "b.PNG")
    summary = run([folder], output, network, overwrite=True)
    assert {each["output"] for each in summary.done} == {"c.bmp.png", "1931 – Zoë/a #1?.tif"}
    assert {name: content for name, content in made(folder).items() if name in before} == before


def test_files_of_others_are_not_written_over(tmp_path: Path, folder: Path, network: Network) -> None:
    output = tmp_path / "colorized"
    output.mkdir()
    (output / "a.jpg").write_bytes(b"mine")
    summary = run([folder], output, network)
    (reason,) = summary.failed.values()
    assert "was not made by DeepColor" in reason and (output / "a.jpg").read_bytes() == b"mine"
    assert not run([folder], output, network, overwrite=True).failed
    with pytest.raises(DeepColorError, match="file exists; name another folder"):
        run([folder], output / "a.jpg", network)


def test_outputs_inside_the_folder_are_no_inputs(folder: Path, network: Network) -> None:
    for _ in range(2):
        run([folder], folder / "colorized", network)
    assert len(made(folder / "colorized")) == 4


def test_the_same_name_twice(tmp_path: Path, folder: Path, network: Network) -> None:
    shutil.copytree(folder, tmp_path / "second")
    named = [folder / "a.jpg", tmp_path / "second" / "a.jpg", folder / "a.jpg"]
    summary = run(list(named), tmp_path / "colorized", network)
    assert len(summary.done) == 1
    assert summary.failed == {
        str(named[1]): f"{named[0]} has the same name; give them different outputs"
    }


def test_patterns(tmp_path: Path, folder: Path, network: Network) -> None:
    summary = run([f"{folder}/**/*"], tmp_path / "colorized", network)
    assert {each["output"] for each in summary.done} == {"a.jpg", "b.PNG", "c.bmp.png", "a #1?.tif"}


def test_a_full_disk_is_said_and_leaves_nothing_half(
    tmp_path: Path, folder: Path, network: Network
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400), np.uint8)
    Image.fromarray(noise).save(folder / "large.png")
    output = tmp_path / "small"
    with mounted(output, "size=300k"):
        summary = run([folder], output, network)
        full = "no space left on device; free some space and run the same command again"
        assert summary.failed == {str(folder / "large.png"): full}
        assert set(made(output)) == {"a.jpg", "b.PNG", "c.bmp.png", "1931 – Zoë/a #1?.tif"}
    with mounted(output, "size=8k"):
        summary = run([folder], output, network)
        # Not even the lists can be written: that is said, too.
        assert len(summary.failed) == 6 and str(output / "contact_sheet.html") in summary.failed


def test_a_read_only_folder_is_said_with_what_helps(
    tmp_path: Path, folder: Path, network: Network
) -> None:
    output = tmp_path / "closed"
    with mounted(output, "ro"):
        summary = run([folder / "a.jpg"], output, network)
        assert set(summary.failed.values()) == {"read-only file system; name another --output"}
        assert not summary.done
        with pytest.raises(DeepColorError, match="read-only file system; name another folder"):
            run([folder], output / "new", network)


def test_interrupted_what_was_done_is_listed(
    tmp_path: Path, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def interrupted(self: object, count: int = 1) -> None:
        seen.append(count)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch.Progress, "add", interrupted)
    output = tmp_path / "colorized"
    with pytest.raises(KeyboardInterrupt):
        run([folder], output, network)
    listed = json.loads((output / "colorized.json").read_text("utf-8"))["photographs"]
    assert listed and {each["output"] for each in listed} == set(made(output))


def test_two_commands_at_once_take_turns(tmp_path: Path, folder: Path, network: Network) -> None:
    output = tmp_path / "colorized"
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run([folder], output, network), range(2)))
    assert sorted((len(each.done), len(each.kept)) for each in both) == [(0, 4), (4, 0)]
    assert not any(each.failed for each in both)


def test_what_a_contact_sheet_shows_is_no_photograph(
    tmp_path: Path, folder: Path, network: Network
) -> None:
    run([folder], tmp_path / "once", network)
    summary = run([tmp_path / "once"], tmp_path / "twice", network)
    assert len(summary.done) == 4 and summary.passed_over == 2 and not summary.failed


def test_odd_files_and_folders(tmp_path: Path, folder: Path, network: Network) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "photo").write_bytes((folder / "a.jpg").read_bytes())
    long = folder / f"{'x' * 250}.jpg"
    long.write_bytes((folder / "a.jpg").read_bytes())
    output = tmp_path / "colorized"
    summary = run([folder / "pipe.jpg", folder / "photo", long], output, network)
    assert summary.failed == {str(folder / "pipe.jpg"): "it is neither a file nor a folder"}
    assert {each["output"] for each in summary.done} == {"photo", long.name}
    assert Image.open(output / "photo").format == "JPEG"
    with pytest.raises(DeepColorError, match=r"--output .*: not a directory; name another folder"):
        run([folder], folder / "a.jpg" / "sub", network)
    # An earlier list that is none of ours is no reason to fail.
    (output / "colorized.json").write_text('{"photographs": [{"output": "photo"}, 3]}')
    assert len(run([folder / "photo"], output, network).kept) == 1


def test_unsigned_files_are_signed(tmp_path: Path, folder: Path, network: Network) -> None:
    run([folder / "a.jpg"], tmp_path / "out", network)
    signed: list[Path] = []

    class Noting:
        def sign(self, path: Path, source: Path, photograph: object) -> None:
            signed.append(source)

    assert len(run([folder / "a.jpg"], tmp_path / "out", network, signer=Noting()).done) == 1
    assert signed == [folder / "a.jpg"]


def test_a_photograph_that_changes_while_it_is_read(
    tmp_path: Path, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batch_file.sha256

    def changes(path: Path) -> str:
        checksum = real(path)
        if path == folder / "a.jpg":
            shutil.copy(folder / "b.PNG", path)
        return checksum

    monkeypatch.setattr(batch_file, "sha256", changes)
    summary = run([folder / "a.jpg"], tmp_path / "out", network)
    assert "it was changed while it was read" in summary.failed[str(folder / "a.jpg")]


def test_room_is_shared() -> None:
    room = Room(100)
    with room.of(60), room.of(40):
        pass
    with room.of(5000):  # One photograph may have more.
        pass


def test_networks_of_another_kind_are_refused(tmp_path: Path) -> None:
    keras_file, text = tmp_path / "model.keras", tmp_path / "model.onnx"
    for path in (keras_file, text):
        path.write_text("no network")
        with pytest.raises(DeepColorError, match=f"{path.name} cannot be ") as error:
            open_network(path, 1)
        assert "\n" not in str(error.value)
    with pytest.raises(DeepColorError, match="there is no such file; train one"):
        open_network(tmp_path / "gone.onnx", 1)
    (tmp_path / "model.h5").touch()
    with pytest.raises(DeepColorError, match=r"name a .keras file, or an exported .onnx file"):
        open_network(tmp_path / "model.h5", 1)
    exploded = write_onnx(tmp_path / "exploded.onnx", biases=(float("nan"), 0, 0))
    with pytest.raises(DeepColorError, match="it predicts what are no numbers"):
        open_network(exploded, 1)
    import onnx

    other = onnx.load(write_onnx(tmp_path / "other.onnx"))
    other.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 16
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(
        DeepColorError, match=r"it maps \('n', 16, 32, 1\) to .*, and a network that color"
    ):
        open_network(tmp_path / "other.onnx", 1)


def test_a_network_says_what_it_was_trained_on(tmp_path: Path, network: Network) -> None:
    assert (network.name, network.size, network.notes) == ("unet_30", 32, tuple(CARD["in_short"]))
    plain = open_network(write_onnx(tmp_path / "results" / "mine_5" / "export" / "model.onnx"), 1)
    assert plain.name == "mine_5" and "No model card says" in plain.notes[0]


def test_the_command(tmp_path: Path, folder: Path) -> None:
    """`deepcolor colorize` and `inspect`, as they are typed; TensorFlow is not even imported."""
    write_onnx(tmp_path / "unet_30" / "export" / "model.onnx", card=CARD)
    (folder / "letter.jpg").write_text("Dear all")
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT / "workflow"),
        "PYTHONPROFILEIMPORTTIME": "1",
        "HOME": str(home),
    }

    def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deepcolor.cli.main", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    given = ["colorize", "album", "--model", "unet_30/export/model.onnx", "--output", "out"]
    result = typed(*given, "--saturation", "0.8", "--tiles", "2", "--flip-average", "--label")
    assert result.returncode == 1
    assert "colorize: Trained on six photographs.\ncolorize: For trying only.\n" in result.stdout
    assert "colorize: 4 colorized, 0 done before, 1 failed: out/contact_sheet.html" in result.stdout
    assert "colorize: error: album/letter.jpg: no image" in result.stderr
    assert "numpy" in result.stderr
    for heavy in ("tensorflow", "keras", "pandas", "snakemake", "jax", "torch", "scipy", "flask"):
        assert f" {heavy}\n" not in result.stderr
    # Nothing is noted anywhere else, by no package either.
    assert list(home.rglob("*")) == []
    (folder / "letter.jpg").unlink()
    assert (
        typed(*given, "--saturation", "0.8", "--tiles", "2", "--flip-average", "--label").returncode == 0
    )
    told = typed("inspect", "out/a.jpg", "album/a.jpg")
    assert told.returncode == 0
    assert "out/a.jpg: colorized by DeepColor" in told.stdout and "saturation 0.8" in told.stdout
    assert "album/a.jpg: no mark" in told.stdout
    told = typed("inspect", "album/notes.txt")
    assert told.returncode == 1 and "inspect: error: album/notes.txt" in told.stderr
    for wrong in ("--saturation=-1", "--tiles=x", "--quality=101", "--saturation=nan"):
        assert typed(*given, wrong).returncode == 2
    assert "go together" in typed(*given, "--sign-with", "chain.pem").stderr
    piped = f"{sys.executable} -m deepcolor.cli.main inspect out/a.jpg out/b.PNG | true"
    told = subprocess.run(
        ["bash", "-c", piped], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in told.stderr
