"""Networks whose graph never ends or asks for too much end in one line; the next picture is done."""

import gc
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from deepcolor.colorize import app, onnx_process
from deepcolor.colorize.batch import colorize_files
from deepcolor.colorize.batch_file import BatchOptions
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.settings import Settings
from deepcolor.errors import DeepColorError
from PIL import Image
from support.sample_images import jpeg
from support.tiny_onnx import write_endless_onnx, write_huge_onnx, write_onnx, write_outside_onnx

BLACK, WHITE = (np.full((1, 32, 32, 1), value, np.float32) for value in (0, 1))


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network that finishes only black pictures; it is not waited for."""
    path = write_endless_onnx(tmp_path / "endless_1" / "model.onnx")
    monkeypatch.setattr(onnx_process, "PREDICTION_SECONDS", 5.0)
    monkeypatch.setattr(onnx_process, "PICTURE_SECONDS", 0.0)
    return path


def test_a_prediction_without_end_is_ended(endless: Path) -> None:
    network = open_network(endless, 1)
    with pytest.raises(ValueError, match=r"^the network did not finish within 5 seconds$"):
        network.predict(WHITE)
    np.testing.assert_array_equal(network.predict(BLACK), np.zeros((1, 32, 32, 3)))


def test_a_process_that_takes_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_process, "PREDICTION_SECONDS", 0.5)
    monkeypatch.setattr(onnx_process, "PICTURE_SECONDS", 0.0)
    loaded = onnx_process.Session(write_onnx(tmp_path / "model.onnx"), 1)
    os.kill(loaded._processes[0]._process.pid, signal.SIGSTOP)
    with pytest.raises(ValueError, match="did not finish"):
        loaded.predict(np.zeros((2000, 32, 32, 1), np.float32))  # More than a socket holds.


def test_nothing_is_imported_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_onnx(tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    for name in ("queue", "socket", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')\n")
    assert onnx_process.Session(path, 1).predict(WHITE).shape == (1, 32, 32, 3)
    assert not (tmp_path / "imported").exists()


def test_a_batch_goes_on_with_the_next_picture(endless: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, shade in (("a", 0), ("b", 200), ("c", 0)):
        Image.new("L", (40, 40), shade).save(folder / f"{name}.png")
    network = open_network(endless, 1)
    done = colorize_files([str(folder)], tmp_path / "out", network, Settings(), BatchOptions(threads=2))
    assert list(done.failed) == [str(folder / "b.png")] and len(done.done) == 2


def test_the_page_answers_the_next_request(endless: Path, tmp_path: Path) -> None:
    other = write_onnx(tmp_path / "other_1" / "model.onnx")
    runs = {"endless": endless, "other": other}
    client = app.create_app(runs, most_megabytes=1, most_megapixels=1, threads=1).test_client()
    sent = client.post("/colorize?run=endless", data=jpeg(1))
    assert sent.status_code == 422 and "did not finish" in sent.get_json()["error"]
    assert client.post("/colorize?run=other", data=jpeg(1)).status_code == 200


def test_a_network_is_loaded_again_after_its_process_was_ended(tmp_path: Path) -> None:
    loaded = onnx_process.Session(write_onnx(tmp_path / "model.onnx"), 1)
    expected = loaded.predict(WHITE)
    loaded._processes[0]._process.kill()
    with pytest.raises(ValueError, match="process was ended"):
        loaded.predict(WHITE)
    np.testing.assert_array_equal(loaded.predict(WHITE), expected)


def test_a_process_ends_with_its_network(tmp_path: Path) -> None:
    loaded = onnx_process.Session(write_onnx(tmp_path / "model.onnx"), 1)
    process = loaded._processes[0]._process
    assert process.poll() is None
    del loaded
    gc.collect()
    assert process.poll() is not None


@pytest.mark.parametrize("location", ["../../etc/passwd", "/etc/passwd", "/dev/zero", "weights.bin"])
def test_weights_in_other_files_are_refused(
    location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(np.ones(3, np.float32).tobytes())
    path = write_outside_onnx(tmp_path / "model.onnx", location)
    with pytest.raises(DeepColorError, match=r"cannot be used .*; name a network") as error:
        open_network(path, 1)
    assert "\n" not in str(error.value)


def test_more_memory_than_there_is_is_refused(tmp_path: Path) -> None:
    path = write_huge_onnx(tmp_path / "model.onnx", gigabytes=100_000)
    assert path.stat().st_size < 1000
    with pytest.raises(DeepColorError, match=r"cannot be used .*; name a network") as error:
        open_network(path, 1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [0, 200_000])
def test_pictures_of_an_absurd_size_are_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(DeepColorError, match=f"its pictures have {size} pixels a side"):
        open_network(write_huge_onnx(tmp_path / "model.onnx", 0, size), 1)
