"""Figures, and the pictures of the report: what is drawn, and how they are encoded."""

import base64
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plot_extremes
import plot_grid
import pytest
from deepcolor.files import read_json
from deepcolor.report import (
    certainty_maps,
    cost_figure,
    data_uris,
    figures,
    grid_figures,
    image_grids,
    reliability_figure,
    score_figure,
    tables,
)
from deepcolor.report.results import result_rows
from matplotlib.axes import Axes
from matplotlib.text import Text
from PIL import Image
from skimage.color import rgb2lab
from support.synthetic_records import record
from support.synthetic_results import (
    Results,
    fewer_resamples,
    photo_like,
    write_certainty,
    write_results,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_resamples(monkeypatch)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that are drawn, instead of their files."""
    found: list[Any] = []
    for module in (figures, cost_figure, reliability_figure, score_figure):
        monkeypatch.setattr(module, "save_figure", lambda figure, *_, **__: found.append(figure))
    return found


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two lengths of one network, and another program's pictures."""
    runs = [record("unet", 1), record("unet", 2), record("unet", 2, seed=1, run="unet-seed1_2")]
    levels = {"unet_1": 19.0, "unet_2": 22.0, "unet-seed1_2": 22.5, "app": 21.0}
    return write_results(tmp_path, runs, levels, pictures=["app"], size=8, sure=["unet_2"])


def test_figures_are_the_same_every_time(tmp_path: Path) -> None:
    history = pd.DataFrame({name: [1.0] for name in ("epoch", "loss", "accuracy", "psnr")})
    for name in ("loss", "accuracy", "psnr"):
        history[f"val_{name}"] = 2.0
    for name in ("a", "b"):
        figures.plot_curves(history, [1], tmp_path / f"{name}.svg")
        pictures = np.zeros((2, 4, 4, 3), np.uint8)
        figures.plot_grid([("Input", pictures, ["x", "y"])], tmp_path / f"{name}.png")
        cost_figure.plot_costs(costs(["unet", "other"]), 20.0, tmp_path / f"{name}-costs.svg")
    assert (tmp_path / "a-costs.svg").read_bytes() == (tmp_path / "b-costs.svg").read_bytes()
    for kind in ("svg", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def costs(models: Sequence[str]) -> pd.DataFrame:
    """Runs of models that cost and reach nearly the same."""
    return pd.DataFrame(
        [
            {
                "model": model, "epochs": epochs, "seed": seed, "psnr": 20 + 0.05 * number + epochs / 50,
                "multiply_adds": 1e9, "parameters": 3e6 + number, "seconds": epochs * (10 + number),
            }
            for number, model in enumerate(models)
            for seed in range(2)
            for epochs in (10, 30)
        ]
    )  # fmt: skip


def drawn(runs: pd.DataFrame, kept: list[Any]) -> list[Axes]:
    """The panels of the figure of costs."""
    cost_figure.plot_costs(runs, 20.0, Path("costs.svg"))
    kept[-1].draw_without_rendering()
    return list(kept[-1].axes)


def test_names_of_crowded_points_do_not_cover_one_another(kept: list[Any]) -> None:
    names = [f"network-{number}" for number in range(12)]
    for panel in drawn(costs(names), kept):
        assert [text.get_text() for text in panel.texts] == names
        boxes = [Text.get_window_extent(text) for text in panel.texts]
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)
        for box in boxes:
            inside = panel.get_window_extent()
            assert inside.contains(*box.min)
            assert inside.contains(*box.max)


def test_a_cost_of_nothing_has_no_point(kept: list[Any]) -> None:
    runs = costs(["unet", "other"])
    runs.loc[runs["model"] == "other", "multiply_adds"] = 0
    assert [len(panel.texts) for panel in drawn(runs, kept)] == [1, 2, 2]
    runs["multiply_adds"] = 0
    assert [len(panel.texts) for panel in drawn(runs, kept)] == [0, 2, 2]


def test_scores_are_points_with_their_intervals(results: Results, kept: list[Any]) -> None:
    rows = result_rows(results.table("metrics"), results.table("training"), [], "test")
    score_figure.plot_scores(rows, Path("scores.svg"))
    panels = kept[0].axes
    assert [label.get_text() for label in panels[0].get_yticklabels()][4:6] == [
        "unet, 1 epoch",
        "unet, 2 epochs",
    ]
    for panel, name in zip(panels, ("psnr", "ssim", "ciede2000"), strict=True):
        lines = [line.get_xdata() for line in panel.lines]
        for row in rows:
            for key in ("predicted", "kept"):
                figure = row[key][name]
                assert [figure["low"], figure["high"]] in [list(each) for each in lines]
                assert [figure["value"]] in [list(each) for each in lines]
    assert [panel.get_xlabel() for panel in panels] == [
        "PSNR (dB), higher is better", "SSIM, higher is better", "CIEDE2000, lower is better",
    ]  # fmt: skip
    # The first row is at the top.
    assert panels[0].get_ylim()[0] > panels[0].get_ylim()[1]


def test_best_and_worst_are_drawn_with_their_figures(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns: list[Any] = []
    monkeypatch.setattr(grid_figures, "plot_grid", lambda found, path: columns.extend(found))
    at = results.folder
    run = at / "unet_2"
    plot_extremes.main(
        run=run.name,
        extremes=at / "extremes.npz",
        predictions=run / "predictions.npy",
        scores=run / "per_image.csv",
        figure=at / "x.png",
    )
    scores = pd.read_csv(at / "unet_2" / "per_image.csv")["ciede2000"]
    best, worst = scores.nsmallest(2), scores.nlargest(2)
    assert columns[1][2] == [f"ΔE {value:.1f}" for value in best]
    assert columns[4][2] == [f"ΔE {value:.1f}" for value in worst]
    truth, predictions = photo_like("truth", 10, 8), photo_like("unet_2", 10, 8)
    for place, rows in {0: best.index, 3: worst.index}.items():
        assert (columns[place + 1][1] == predictions[rows]).all()
        assert (columns[place + 2][1] == truth[rows]).all()
        assert (columns[place][1] == columns[place][1][..., :1]).all()


def test_a_grid_has_the_figures_of_its_pictures(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns: list[Any] = []
    monkeypatch.setattr(grid_figures, "plot_grid", lambda found, path: columns.extend(found))
    at = results.folder
    runs = ["unet_1", "app"]
    plot_grid.main(
        samples=at / "samples.npz",
        baseline=at / "baselines/grayscale-copy/per_image.csv",
        runs=runs,
        predictions=[at / run / "predictions.npy" for run in runs],
        scores=[at / run / "per_image.csv" for run in runs],
        figure=at / "x.png",
    )
    assert [column[0] for column in columns] == ["Input", "unet\n1 epoch", "app", "Photograph"]
    rows = np.load(at / "samples.npz")["row"]
    assert (columns[2][1] == photo_like("app", 10, 8)[rows]).all()
    psnr = pd.read_csv(at / "app" / "per_image.csv")["psnr"].iloc[rows]
    assert columns[2][2] == [f"{value:.1f} dB" for value in psnr] and columns[3][2] == []


def decoded(uri: str) -> Image.Image:
    """The picture of a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def test_pictures_are_as_good_as_fits() -> None:
    pictures = {"a": photo_like("a", 3, 256), "b": photo_like("b", 3, 256)}
    found, side, words = data_uris.encode_pictures(pictures, 10**7)
    assert (side, words) == (256, "without loss")
    for name, batch in pictures.items():
        assert all(
            (np.asarray(decoded(uri)) == each).all()
            for uri, each in zip(found[name], batch, strict=True)
        )
    ways, sizes = [words], [sum(map(len, itertools.chain(*found.values())))]
    while sizes[-1] > 0 and len(ways) < len(data_uris.ENCODINGS):
        budget = sizes[-1] - 1
        found, side, words = data_uris.encode_pictures(pictures, budget)
        ways.append(words)
        sizes.append(sum(map(len, itertools.chain(*found.values()))))
        assert sizes[-1] <= budget and {decoded(uri).size for uri in found["b"]} == {(side, side)}
    # Each way was taken once, from the best to the smallest.
    assert ways == [words for _, _, words in data_uris.ENCODINGS]
    # The last is taken even where it does not fit: no picture is lost.
    found, side, words = data_uris.encode_pictures(pictures, 1)
    assert (side, words) == (40, ways[-1]) and [len(uris) for uris in found.values()] == [3, 3]


def test_small_pictures_are_not_made_larger() -> None:
    found, side, words = data_uris.encode_pictures({"a": photo_like("a", 1, 24)}, 1)
    assert side == 24 and decoded(found["a"][0]).size == (24, 24)


def test_a_picture_of_the_grid_is_the_right_one(results: Results) -> None:
    drawn_ = dict(np.load(results.arguments["samples"]))
    scores = {run: pd.read_csv(file) for run, file in results.arguments["scores"].items()}
    predictions, certainty = (results.arguments[name] for name in ("predictions", "certainty"))
    grid = image_grids.sample_grid(drawn_, predictions, scores, ["unet_2", "app"], certainty)
    columns = [(column["kind"], column["run"]) for column in grid["columns"]]
    assert columns == [
        ("input", ""), ("run", "unet_2"), ("certainty", "unet_2"), ("run", "app"), ("photograph", ""),
    ]  # fmt: skip
    assert (grid["how"], grid["side"], len(grid["rows"])) == ("without loss", 8, 4)
    for place, row in enumerate(grid["rows"]):
        at = drawn_["row"][place]
        assert row["id"] == scores["app"]["id"][at]
        cell = row["cells"][3]
        assert (np.asarray(decoded(cell["src"])) == photo_like("app", 10, 8)[at]).all()
        psnr, color = scores["app"].loc[at, ["psnr", "ciede2000"]]
        assert cell["caption"] == f"{psnr:.1f} dB, ΔE\N{NO-BREAK SPACE}{color:.1f}"
        assert row["cells"][4]["caption"] == ""


def test_entropy_maps_are_dark_where_a_network_is_sure(tmp_path: Path) -> None:
    certainty = write_certainty(tmp_path, 4, 8)
    pictures, words = certainty_maps.certainty_maps(certainty, np.array([3, 1]), 8)
    shares = np.load(certainty.with_suffix(".npy"))[[3, 1]] / 255
    assert words == [f"{np.log2(20) * each.mean():.1f} of 4.3\N{NO-BREAK SPACE}bits" for each in shares]
    assert pictures.shape == (2, 8, 8, 3) and pictures.dtype == np.uint8
    lightness = rgb2lab(pictures)[..., 0]
    # A cell is a square of 4×4 pixels.
    cells = lightness.reshape(2, 2, 4, 2, 4).transpose(0, 1, 3, 2, 4).reshape(8, 16)
    assert (np.ptp(cells, axis=1) == 0).all()
    assert (cells[:, 0].argsort() == shares.ravel().argsort()).all()


def test_reliability_is_drawn_with_the_calibrated_line(tmp_path: Path, kept: list[Any]) -> None:
    content = read_json(write_certainty(tmp_path, 10, 32))
    reliability_figure.plot_reliability({"unet_2": content}, Path("reliability.svg"))
    reliability, shares = kept[0].axes
    bins = [each for each in content["bins"] if each["cells"]]
    lines = [np.column_stack(line.get_data()).tolist() for line in reliability.lines]
    for key in ("accuracy", "encoded"):
        assert [[100 * each["confidence"], 100 * each[key]] for each in bins] in lines
    assert [[0, 0], [100, 100]] in lines
    hollow = [line.get_xdata()[0] for line in reliability.lines if line.get_mfc() == "white"]
    few = [each for each in bins if each["cells"] < 0.01 * content["cells"]]
    assert hollow == [100 * each["confidence"] for each in few] and 0 < len(few) < len(bins)
    (steps,) = shares.patches
    assert steps.get_data().values.sum() == pytest.approx(100)


def test_galleries_of_what_there_is_none_of_are_empty(results: Results) -> None:
    drawn_ = dict(np.load(results.arguments["samples"]))
    predictions = results.arguments["predictions"]
    training = results.table("training")
    assert image_grids.epoch_grids(drawn_, predictions, training[training["epochs"] == 2]) == []
    assert image_grids.collapsed_images(drawn_, predictions, {}) == {
        "side": 0,
        "runs": [],
        "left_out": 0,
    }


def test_epochs_are_those_of_the_first_seed(results: Results) -> None:
    drawn_ = dict(np.load(results.arguments["samples"]))
    (model,) = image_grids.epoch_grids(
        drawn_, results.arguments["predictions"], results.table("training")
    )
    assert model["model"] == "unet" and [run["run"] for run in model["runs"]] == ["unet_1", "unet_2"]
    assert len(model["ids"]) == len(model["runs"][0]["pictures"]) == 4


def test_galleries_say_what_they_leave_out(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_grids, "MAX_EXTREME_RUNS", 1)
    monkeypatch.setattr(image_grids, "MAX_COLLAPSED_RUNS", 1)
    predictions, samples = results.arguments["predictions"], results.arguments["samples"]
    scores = {run: tables.read_table(file) for run, file in results.arguments["scores"].items()}
    outermost = dict(np.load(results.arguments["extremes"]))
    found = image_grids.extreme_images(outermost, predictions, scores, ["unet_2", "app"])
    assert found["left_out"] == 1 and [run["run"] for run in found["runs"]] == ["unet_2"]
    best, worst = found["runs"][0]["best"], found["runs"][0]["worst"]
    assert [len(best), len(worst)] == [2, 2] and len(best[0]["pictures"]) == 3
    assert best[0]["ciede2000"] <= best[1]["ciede2000"] < worst[1]["ciede2000"] <= worst[0]["ciede2000"]
    truth = photo_like("truth", 10, 8)
    at = scores["unet_2"].index[scores["unet_2"]["id"] == worst[0]["id"]][0]
    assert (np.asarray(decoded(worst[0]["pictures"][2])) == truth[at]).all()
    collapses = {"unet_1": "black", "unet_2": "gray"}
    found = image_grids.collapsed_images(dict(np.load(samples)), predictions, collapses)
    assert found["left_out"] == 1 and found["runs"][0]["collapse"] == "black"
