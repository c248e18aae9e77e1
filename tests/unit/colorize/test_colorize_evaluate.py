"""Scoring a network on photographs that lie anywhere."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import PROJECT
from deepcolor.colorize import evaluate
from deepcolor.colorize.evaluate import evaluate_photographs
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MIN_CHROMA
from deepcolor.data.manifest import COLUMNS, write_manifest
from deepcolor.data.order import Order
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import metrics, predict, score
from deepcolor.files import sha256
from deepcolor.imaging import color, decoding, lab
from PIL import Image
from support import sample_photographs
from support.sample_images import picture
from support.tiny_onnx import write_onnx


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has been exported, and whose model.keras was left behind."""
    folder = tmp_path_factory.mktemp("run") / "unet_30"
    write_onnx(folder / "export" / "model.onnx", card={"run": "unet_30", "in_short": ["Tried only."]})
    return folder


@pytest.fixture(scope="module")
def network(run: Path) -> Network:
    return open_network(run, 2)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of 40 color photographs."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(40):
        picture(number).save(folder / f"{number:02}.png")
    return folder


def command(*arguments: object) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "deepcolor.cli.main", "evaluate", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, cwd=PROJECT / "workflow", check=False)


def test_luminance_is_that_of_training_bit_for_bit() -> None:
    random = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3), np.uint8)
    assert np.array_equal(lab.luminance(random), np.asarray(color.to_luminance(random)))


def test_checks_are_those_of_the_configuration() -> None:
    text = (PROJECT / "workflow/schemas/config.schema.yaml").read_text("utf-8")
    data_set = yaml.safe_load(text)["properties"]["data_sets"]["additionalProperties"]["properties"]
    checks = {name: each["default"] for name, each in data_set["checks"]["properties"].items()}
    assert checks == {
        "min_side": None,  # image_size, the network's.
        "min_chroma": MIN_CHROMA,
        "toned": False,
        "near_duplicates": evaluate.NEAR_DUPLICATES,
    }


def test_scores_are_those_of_the_measures(album: Path, network: Network) -> None:
    files = sorted(album.iterdir())
    done = evaluate_photographs(files, network, threads=2)
    truth = np.stack([decoding.read_square(file, 32)[0] for file in files])
    assert len(truth) > predict.BATCH_SIZE
    predicted = lab.to_8bit(
        lab.luminance(truth) * np.array([0.6, 0.4, 0.2], np.float32)
        + np.array([0.3, 0.2, 0.1], np.float32)
    )
    expected = metrics.per_image(truth, predicted)
    pd.testing.assert_frame_equal(done.scores[list(expected.columns)], expected)
    gray = metrics.per_image(truth, lab.grayscale(truth))
    pd.testing.assert_frame_equal(done.baselines["grayscale-copy"][list(gray.columns)], gray)
    assert list(done.scores["id"]) == [str(file) for file in files]
    assert done.rejected == []


def test_what_is_unfit_is_named_with_the_reason(album: Path, network: Network) -> None:
    Image.fromarray(sample_photographs.gray()).save(album / "gray.png")
    Image.fromarray(sample_photographs.sepia()).save(album / "print.png")
    picture(1, 30, 90).save(album / "small.png")
    (album / "letter.jpg").write_text("Dear all")
    shutil.copy(album / "07.png", album / "again.png")
    picture(8).save(album / "eight.jpg", quality=90)
    picture(50).save(album / "line\nend.png")
    done = evaluate_photographs(sorted(album.iterdir()), network, threads=2)
    reasons = {Path(each.id).name: each.reason.split(":")[0] for each in done.rejected}
    assert reasons.pop("line\\nend.png'") == "unusable file name"
    assert reasons == {
        "gray.png": "gray",
        "print.png": "one tone",
        "small.png": "too small",
        "letter.jpg": "cannot be read",
        "again.png": f"duplicate of {album / '07.png'}",
    }
    # A near-duplicate counts, but not as a photograph of its own.
    summary = score.summarize(done.scores)["all"]
    assert (summary["n"], summary["photographs"]) == (41, 40)


def test_a_manifest_says_which_and_in_which_order(album: Path, network: Network, tmp_path: Path) -> None:
    Image.fromarray(sample_photographs.gray()).save(album / "gray.png")
    names = ["gray", *(f"{number:02}" for number in range(9, -1, -1))]
    rows: list[dict[str, object]] = [
        {
            **dict.fromkeys(COLUMNS, ""),
            **{
                "id": f"id-{place:02}",
                "split": "test" if place else "training",
                "width": 1,
                "height": 1,
            },
            **{"sha256": sha256(album / f"{name}.png"), "group": f"group-{place // 2}"},
        }
        for place, name in enumerate(names)
    ]
    manifest = tmp_path / "mine" / "manifest.csv"
    rows.append({**rows[-1], "id": "id-99", "sha256": "gone"})
    order = Order(0, "mine")
    write_manifest(manifest, rows, order)
    there = sorted(rows[1:-1], key=order.key)
    files = sorted(album.iterdir())
    done = evaluate_photographs(files, network, threads=2, manifest=manifest, split="test")
    assert list(done.scores["id"]) == [row["id"] for row in there]
    assert list(done.scores["group"]) == [row["group"] for row in there]
    assert set(done.scores["data_set"]) == {"mine"}
    assert (len(done.rejected), done.apart, done.missing) == (30, 1, 1)
    assert done.rejected[0].reason == f"not in {manifest}"
    # All splits: unchecked, the gray one is among them.
    assert len(evaluate_photographs(files, network, threads=1, manifest=manifest).scores) == 11
    with pytest.raises(DeepColorError, match="has test, training; name one of them"):
        evaluate_photographs(files, network, threads=1, manifest=manifest, split="validation")
    with pytest.raises(DeepColorError, match="no such file"):
        evaluate_photographs(files, network, threads=1, manifest=tmp_path / "gone.csv")


def test_the_command_prints_and_writes(album: Path, run: Path, tmp_path: Path) -> None:
    (album / "notes.txt").write_text("no picture")
    Image.fromarray(sample_photographs.gray()).save(album / "gray.png")
    out = tmp_path / "new" / "metrics.json"
    result = command(
        album, album / "0*.png", "--model", run, "--output", out, "--per-image", tmp_path / "all.csv"
    )
    assert result.returncode == 0, result.stderr
    assert f"evaluate: passed over: {album / 'gray.png'}: gray: mean chroma 0.00" in result.stderr
    assert "evaluate: 40 scored, 1 rejected\n" in result.stdout
    assert "evaluate: 1 other files in folders were passed over" in result.stdout
    assert "n = 40 images of 40 photographs" in result.stdout
    content = json.loads(out.read_text("utf-8"))
    table = pd.read_csv(tmp_path / "all.csv")
    assert content == json.loads(json.dumps(score.summarize(table)))
    psnr = content["all"]["as_predicted"]["psnr"]
    assert f"{psnr['value']:.2f} [{psnr['low']:.2f}, {psnr['high']:.2f}]" in result.stdout


def test_an_exported_network_needs_no_tensorflow(album: Path, run: Path) -> None:
    code = (
        "import sys\nfrom deepcolor.cli import main\nmain.main()\n"
        "assert 'deepcolor.colorize.onnx_process' in sys.modules\n"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()\n"
    )
    arguments = ["evaluate", str(album), "--model", str(run)]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=PROJECT / "workflow", check=False
    )
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.png"], "gone.png: there is no such file or folder"),
        (["{album}", "--split", "test"], "name it with --manifest"),
        (["{album}", "--output", "{album}"], "is a folder; name a file"),
        (["{album}", "--output", "{album}/00.png/x.json"], "name another file"),
        (["{album}", "--model", "{album}"], "has neither model.keras nor export/model.onnx"),
        (["{album}", "--output", "{album}/00.png"], "is an input; name another file"),
        (["{album}", "--per-image", "{run}/export/model.onnx"], "is an input; name another file"),
        (["{album}", "--output", "/dev/null"], "is no regular file; name another file"),
        (["{album}/gray.jpg"], "none of 1 photographs can be scored (first: "),
        (["{album}", "--manifest", "{album}/00.png"], "is no manifest"),
        (["{album}", "--manifest", "../config.yaml"], "config.yaml has no column credit"),
        (["{album}", "--output", "/proc/x.json"], "name another file"),
        (["{album}", "--output", "{album}/x", "--per-image", "{album}/x"], "name two files"),
        (["{album}", "--output", "../config.yaml", "--manifest", "../config.yaml"], "is the manifest"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    album: Path, run: Path, arguments: list[str], message: str
) -> None:
    Image.fromarray(sample_photographs.gray()).save(album / "gray.jpg")
    result = command("--model", run, *(each.format(album=album, run=run) for each in arguments))
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1] and "Traceback" not in result.stderr
