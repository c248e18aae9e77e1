"""Scoring a network on black-and-white pictures whose true colors are known."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from deepcolor.cli import main
from deepcolor.colorize.network import Network
from deepcolor.colorize.old_photographs import Pairs, evaluate_pairs, find_pairs, summarize_pairs
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import metrics
from deepcolor.imaging import decoding
from PIL import Image
from skimage import color
from support import sample_photographs
from support.sample_images import picture
from support.tiny_onnx import write_onnx

SIZE = 32
PAIRS = 5


def network(predict: object) -> Network:
    return Network("tried", "", SIZE, predict)  # type: ignore[arg-type]


def as_gray(luminance: np.ndarray) -> np.ndarray:
    """What a network without colors predicts."""
    return np.repeat(luminance, 3, axis=-1)


@pytest.fixture
def plates(tmp_path: Path) -> Path:
    """A folder with PAIRS color pictures, and their blue exposures, darkened, in another format."""
    folder = tmp_path / "plates"
    for name in ("black-and-white", "true-colors"):
        (folder / name / "sub").mkdir(parents=True)
    for number in range(PAIRS):
        # Colors so pale that they exist at other luminances, too: sRGB does not cut them off.
        pale = np.asarray(picture(number)) // 4 + 96
        place = f"sub/{number}" if number == 3 else str(number)
        Image.fromarray(pale).save(folder / f"true-colors/{place}.png")
        exposure = Image.fromarray((pale[..., 2] * 0.8).astype(np.uint8))
        exposure.save(folder / f"black-and-white/{place}.tif")
    return folder


def squares(plates: Path, side: str, pairs: Pairs) -> np.ndarray:
    files = [getattr(pair, side) for pair in pairs.pairs]
    return np.stack([decoding.read_square(file, SIZE)[0] for file in files])


def evaluate(*arguments: object) -> None:
    """Run `deepcolor evaluate` in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["deepcolor", "evaluate", *map(str, arguments)])
        main.main()


def test_network_sees_the_black_and_white_pictures(plates: Path) -> None:
    seen = []

    def spy(luminance: np.ndarray) -> np.ndarray:
        seen.append(luminance)
        return as_gray(luminance)

    pairs = find_pairs([], plates)
    evaluate_pairs(pairs, network(spy), threads=2)
    expected = squares(plates, "black_and_white", pairs)
    np.testing.assert_allclose(np.concatenate(seen)[..., 0] * 255, expected[..., 0], atol=1e-3)
    assert not np.allclose(expected, squares(plates, "true_colors", pairs), atol=5)


def test_true_chroma_on_the_wrong_luminance_is_perfect(plates: Path) -> None:
    pairs = find_pairs([], plates)
    truth = squares(plates, "true_colors", pairs)

    def oracle(luminance: np.ndarray) -> np.ndarray:
        planes = color.rgb2lab(truth)
        planes[..., 0] = color.rgb2lab(as_gray(luminance))[..., 0]
        return color.lab2rgb(planes).astype(np.float32)

    scores = evaluate_pairs(pairs, network(oracle), threads=2).scores
    assert len(scores) == PAIRS
    # But for the rounding of the prediction to 8 bits.
    assert scores["kept_psnr"].min() > 48 and scores["kept_ciede2000"].max() < 0.6
    assert scores["kept_colorfulness_difference"].abs().max() < 0.3
    assert scores["psnr"].max() < 25
    same = evaluate_pairs(pairs, network(lambda _: truth / np.float32(255)), threads=2).scores
    assert (same["kept_mse"] == 0).all()


def test_baselines_are_those_of_the_true_colors(plates: Path) -> None:
    pairs = find_pairs([], plates)
    truth = squares(plates, "true_colors", pairs)
    gray = color.rgb2lab(truth)
    gray[..., 1:] = 0
    gray = np.rint(color.lab2rgb(gray) * 255).astype(np.uint8)
    expected = metrics.per_image(truth, gray)
    done = evaluate_pairs(pairs, network(as_gray), threads=2)
    for measure in ("psnr", "ciede2000"):
        for scores in (done.scores, done.baselines["grayscale-copy"]):
            np.testing.assert_allclose(scores[f"kept_{measure}"], expected[measure], atol=0.02)
    # Whatever the network predicts.
    red = evaluate_pairs(pairs, network(lambda each: as_gray(each) * [1, 0, 0]), threads=2)
    for name, scores in done.baselines.items():
        pd.testing.assert_frame_equal(scores, red.baselines[name])
    figures = summarize_pairs(red)["baselines"]
    # The three channels of a gray are rounded one by one.
    assert figures["grayscale-copy"]["colorfulness"]["value"] == pytest.approx(0, abs=0.1)
    assert figures["true-chroma"]["ciede2000"]["value"] == pytest.approx(0, abs=1e-4)
    # Of all constants, the mean has the least squared error.
    errors = [figures[name]["chroma_rmse"]["value"] for name in figures]
    assert errors == sorted(errors, reverse=True)
    colorfulness = np.mean([metrics.colorfulness(each) for each in truth])
    assert figures["true-chroma"]["colorfulness"]["value"] == pytest.approx(colorfulness)


def test_unfit_pictures_are_named_and_the_others_scored(plates: Path) -> None:
    gray, colors = plates / "black-and-white", plates / "true-colors"
    picture(20).convert("L").save(gray / "alone.png")
    picture(21).save(colors / "nobody.png")
    for suffix in ("png", "bmp"):
        picture(22).save(colors / f"twice.{suffix}")
    picture(22).convert("L").save(gray / "twice.png")
    picture(23).convert("L").save(gray / "colorless.png")
    picture(23).convert("L").save(colors / "colorless.png")
    picture(24, 120, 94).convert("L").save(gray / "cropped.png")
    picture(24).save(colors / "cropped.png")
    picture(25, 121, 90).convert("L").save(gray / "one column more.png")
    picture(25).save(colors / "one column more.png")
    (gray / "broken.jpg").write_text("Dear all")
    picture(26).save(colors / "broken.png")
    picture(27).convert("L").save(gray / "torn.png")
    (colors / "torn.jpg").write_text("Dear all")
    picture(28, 30, 22).convert("L").save(gray / "small.png")
    picture(28).save(colors / "small.png")
    shutil.copy(gray / "0.tif", gray / "copy.tif")
    shutil.copy(colors / "0.png", colors / "copy.png")
    (gray / "notes.txt").write_text("no picture")
    done = evaluate_pairs(find_pairs([], plates), network(as_gray), threads=2)
    reasons = {
        str(Path(each.id).relative_to(plates)): re.split(":| in |,", each.reason)[0]
        for each in done.rejected
    }
    ambiguous = "1 black-and-white pictures and 2 true colors have this name"
    assert reasons == {
        "black-and-white/alone.png": "no true colors with this name",
        "true-colors/nobody.png": "no black-and-white picture with this name",
        "black-and-white/twice.png": ambiguous,
        "true-colors/twice.png": ambiguous,
        "true-colors/twice.bmp": ambiguous,
        "true-colors/colorless.png": "gray",
        "black-and-white/cropped.png": "120×94",
        "black-and-white/broken.jpg": "cannot be read",
        "true-colors/torn.jpg": "cannot be read",
        "black-and-white/small.png": "too small",
        "black-and-white/copy.tif": f"duplicate of {gray / '0.tif'}",
    }
    assert len(done.scores) == PAIRS + 1 and done.passed_over == 1


def test_turned_and_deep_pictures_are_paired_as_they_are_seen(tmp_path: Path) -> None:
    for folder in ("black-and-white", "true-colors"):
        (tmp_path / folder).mkdir()
    pixels = np.asarray(picture(0, 60, 45))
    deep = Image.fromarray(pixels[..., 1].astype(np.uint16) * 257)
    deep.save(tmp_path / "black-and-white/a.png")
    turned = Image.fromarray(np.rot90(pixels))
    turned.save(tmp_path / "true-colors/a.png", exif=sample_photographs.exif(6))
    pairs = find_pairs([], tmp_path)
    seen = []

    def spy(luminance: np.ndarray) -> np.ndarray:
        seen.append(luminance)
        return as_gray(luminance)

    done = evaluate_pairs(pairs, network(spy), threads=1)
    assert done.rejected == [] and len(done.scores) == 1
    green = decoding.resize(pixels, SIZE)[..., 1]
    np.testing.assert_allclose(seen[0][0, ..., 0] * 255, green, atol=1.01)
    truth = decoding.resize(pixels, SIZE)
    same = evaluate_pairs(pairs, network(lambda _: truth[None] / np.float32(255)), threads=1)
    assert same.scores["kept_mse"][0] == 0


def test_plates_of_the_same_true_colors_are_one_photograph(plates: Path) -> None:
    exposure = Image.open(plates / "black-and-white/0.tif").point(lambda value: value // 2)
    exposure.save(plates / "black-and-white/0 again.png")
    shutil.copy(plates / "true-colors/0.png", plates / "true-colors/0 again.png")
    done = evaluate_pairs(find_pairs([], plates), network(as_gray), threads=1)
    summary = summarize_pairs(done)["all"]
    assert (summary["n"], summary["photographs"]) == (PAIRS + 1, PAIRS)


def test_named_pictures_are_the_black_and_white_ones(plates: Path) -> None:
    gray, colors = plates / "black-and-white", plates / "true-colors"
    everything = find_pairs([], plates)
    assert len(everything.pairs) == PAIRS and everything.unpaired == []
    assert find_pairs([str(gray)], colors) == find_pairs([str(gray)], plates) == everything
    some = find_pairs([str(gray / "0.tif"), str(gray / "[01].tif")], plates)
    assert [pair.true_colors.name for pair in some.pairs] == ["0.png", "1.png"]
    assert some.unpaired == []
    for named in (gray / "sub" / "3.tif", gray / "sub"):
        for truth in (plates, colors):
            (pair,) = find_pairs([str(named)], truth).pairs
            assert pair.true_colors == colors / "sub" / "3.png"
    with pytest.raises(DeepColorError, match="named as its own true colors"):
        find_pairs([str(colors)], plates)


def test_command_prints_and_writes(plates: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The commands of the documentation, in a folder that has what they name."""
    here = plates.parent
    write_onnx(here / "results/unet_30/model.onnx", SIZE)
    picture(9).convert("L").save(plates / "black-and-white/alone.png")
    text = (PROJECT / "docs/old-photographs.md").read_text("utf-8")
    commands = re.findall(r"^```sh\n(.*?)\n```", text, flags=re.MULTILINE | re.DOTALL)
    outputs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        for command in commands:
            program, subcommand, *arguments = shlex.split(command)
            assert (program, subcommand) == ("deepcolor", "evaluate")
            evaluate(*arguments)
            out, err = capfd.readouterr()
            alone = "plates/black-and-white/alone.png: no true colors with this name"
            assert f"evaluate: passed over: {alone}" in err
            assert f"evaluate: {PAIRS} scored, 1 rejected\n" in out
            outputs.append(out)
    assert len(outputs) == 2 and outputs[0] == outputs[1]
    content = json.loads((here / "metrics.json").read_text("utf-8"))
    assert len(pd.read_csv(here / "per_image.csv")) == content["all"]["n"] == PAIRS
    [row] = [line for line in outputs[0].splitlines() if line.startswith("PSNR")]
    columns = [content["all"]["luminance_kept"], *content["baselines"].values()]
    assert re.findall(r"([\d.]+) \[", row) == [f"{each['psnr']['value']:.2f}" for each in columns]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name files or folders, or --truth FOLDER"),
        (["--truth", "{plates}/gone"], "gone: there is no such folder"),
        (["--truth", "{plates}/true-colors"], "has no folder black-and-white; name a folder with"),
        (["--truth", "{plates}", "--manifest", "x.csv"], "leave it out with --truth"),
        (["{plates}/gone", "--truth", "{plates}"], "there is no such file or folder"),
        (["{plates}/gray", "--truth", "{plates}"], "gray/a.png, no true colors with this name)"),
        (["--truth", "{plates}", "--output", "{plates}/true-colors/0.png"], "is an input"),
        (["{plates}/gray", "--truth", "{plates}/sepia"], "none of 1 pairs can be scored (first: "),
    ],
)
def test_mistakes_are_named_in_a_line(plates: Path, arguments: list[str], message: str) -> None:
    for kind in ("gray", "sepia"):
        (plates / kind).mkdir()
        Image.fromarray(getattr(sample_photographs, kind)()).save(plates / kind / "a.png")
    write_onnx(plates / "model.onnx", SIZE)
    named = [each.format(plates=plates) for each in arguments]
    # A text as the code of an exit is printed, and makes the code 1.
    with pytest.raises(SystemExit, match=re.escape(message)) as stop:
        evaluate(*named, "--model", plates / "model.onnx")
    assert isinstance(stop.value.code, str) and "\n" not in stop.value.code.strip()
