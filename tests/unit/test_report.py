"""The tables, figures and the report; names that a browser must not take for markup."""

import itertools
import statistics
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest
from deepcolor import figures, report, tables
from deepcolor.files import write_json
from matplotlib.axes import Axes
from matplotlib.text import Text

HOSTILE = "<script>alert('x')</script>\"&"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " " if tag in ("td", "th", "br") else ""
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


TRAINING = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "loss": "mse", "batch_size": 8,
    "augmentation": [], "early_stopping": 0, "deterministic": True,
}  # fmt: skip
OPTIONS = {"target": "rgb", "filters": [4, 8], "skip_connections": True, "dropout": 0.5}


def record(model: str, epochs: int, **changes: Any) -> dict[str, Any]:
    """What training.json says of a run; `options` and `training` are laid over the defaults."""
    settings = {
        "architecture": "deepcolor.models.unet:unet",
        "options": {**OPTIONS, **changes.pop("options", {})},
        "image_size": 32,
        "training": {**TRAINING, **changes.pop("training", {})},
    }
    found = {
        "run": f"{model}_{epochs}", "model": model, "epochs": epochs, "seed": 0, "varies": None,
        "train_on": ["a"], "continued_from": None, "anew": "", "settings": settings,
        "parameters": 3_000_000, "trainable_parameters": 2_990_000, "multiply_adds": 260_000_000,
        "model_bytes": 36_000_000, "images": {"training": 4, "validation": 2}, "shards": [],
        "steps_per_epoch": 1, "effective_batch_size": 8, "seconds": 1.5 * epochs,
        "seconds_per_epoch": 1.5, "images_per_second": 70.0, "inference_images_per_second": 200.0,
        "peak_memory_bytes": 2**30, "peak_device_memory_bytes": None, "device": "CPU", "devices": 1,
        "threads": 2, "backend": "tensorflow", "stopped_after": epochs, "best_epoch": None,
        "faults": [], "outputs": {}, "versions": {"keras": "3"},
    }  # fmt: skip
    return {**found, **changes}


def varies(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """By run of a variant, the model that it varies."""
    return {each["run"]: each["varies"] for each in records if each["varies"]}


def write_records(folder: Path, records: Sequence[dict[str, Any]]) -> list[Path]:
    """Write the training.json of runs."""
    files = [folder / each["run"] / "training.json" for each in records]
    for file, each in zip(files, records, strict=True):
        write_json(file, each)
    return files


def means(psnr: dict[str, float], data_sets: Sequence[str] = ("a",)) -> pd.DataFrame:
    """Metrics by run: on the first data set `psnr`, on each further one 1 dB more, "all" their mean."""
    rows = []
    for run, value in psnr.items():
        values = {name: value + number for number, name in enumerate(data_sets)}
        for name, each in {"all": float(np.mean(list(values.values()))), **values}.items():
            figures = {"n": 2, "mse": 10 ** (-each / 10), "psnr": each, "psnr_of_mean_mse": each}
            rows.append({"run": run, "data_set": name, **figures})
    return pd.DataFrame(rows)


class Report(Protocol):
    def __call__(
        self,
        records: Sequence[dict[str, Any]],
        psnr: dict[str, float],
        data_sets: Sequence[str] = ...,
        split: str = ...,
    ) -> Page: ...


@pytest.fixture
def rendered(tmp_path: Path) -> Report:
    """A function that renders a report of runs and reads it."""

    def render(
        records: Sequence[dict[str, Any]],
        psnr: dict[str, float],
        data_sets: Sequence[str] = ("a",),
        split: str = "test",
    ) -> Page:
        psnr = {"grayscale-copy": 20.0, **psnr}
        for run, value in psnr.items():
            (tmp_path / run).mkdir()
            scores = pd.DataFrame({"data_set": ["a"] * 2, "id": ["x", "y"], "psnr": [value, value]})
            scores.to_csv(tmp_path / run / "per_image.csv", index=False)
        files = write_records(tmp_path, records)
        metrics = means(psnr, data_sets)
        table = {
            "metrics": metrics,
            "training": tables.tabulate_training(files, varies(records)),
            "ablations": tables.tabulate_ablations(metrics, files, varies(records)),
            "seeds": tables.tabulate_seeds(metrics, files),
            "transfer": tables.tabulate_transfer(metrics, files),
            "data": pd.DataFrame(
                [
                    {
                        "data_set": name, "training": 1, "validation": 2, "test": 0, "asked": 3,
                        "delivered": 3, "photographs": 1, "rejected": 0, "reasons": "",
                        "licenses": HOSTILE, "near_duplicates": 7, "revision": HOSTILE, "terms": HOSTILE,
                        "about": HOSTILE, "good_for": HOSTILE,
                    }
                    for name in data_sets
                ]
            ),
            "credits": pd.DataFrame(
                [
                    {
                        "data_set": "a", "photograph": HOSTILE, "source": HOSTILE, "license": "",
                        "credit": "", "images": 1,
                    }
                ]
                * 60
            ),
        }  # fmt: skip
        for name, content in table.items():
            tables.write_table(tmp_path / f"{name}.csv", content)
        figures.plot_grid([(HOSTILE, np.zeros((1, 4, 4, 3), np.uint8))], {}, tmp_path / "grid.png")
        figures.plot_preprocessing(
            [np.zeros((4, 6, 3), np.uint8)],
            [(6, 4)],
            [np.zeros((4, 4, 3), np.uint8)],
            tmp_path / "preprocessing.png",
        )
        columns = {name: [0.1, 0.2] for name in ("loss", "accuracy", "psnr")}
        validation = {f"val_{name}": values for name, values in columns.items()}
        history = pd.DataFrame({"epoch": [1, 2], **columns, **validation})
        figures.plot_curves(history, [1, 2], tmp_path / "curves.svg")
        figures.plot_costs(
            table["training"].assign(psnr=20.0), baseline=19.0, path=tmp_path / "costs.svg"
        )
        models = list(dict.fromkeys(each["model"] for each in records))
        report.render(
            tmp_path / "report.html",
            title=HOSTILE,
            config={
                "title": HOSTILE,
                "image_size": 32,
                "evaluation": {"split": split},
                "training": {"epochs": [1, 2], "seeds": [], **TRAINING},
            },
            tables={name: tmp_path / f"{name}.csv" for name in table},
            scores=[tmp_path / run / "per_image.csv" for run in psnr],
            records=files,
            as_published=["unet_1"],
            comparison=tmp_path / "grid.png",
            costs=tmp_path / "costs.svg",
            preprocessing=dict.fromkeys(data_sets, tmp_path / "preprocessing.png"),
            epochs=dict.fromkeys(models, tmp_path / "grid.png"),
            curves=dict.fromkeys(models, tmp_path / "curves.svg"),
        )
        page = Page()
        page.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
        page.text = " ".join(page.text.split())
        return page

    return render


@pytest.fixture
def page(rendered: Report) -> Page:
    return rendered(
        [record("unet", 1), record("unet", 2, continued_from="unet_1")], {"unet_1": 19.0, "unet_2": 22.5}
    )


def test_names_are_not_markup(page: Page) -> None:
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 60


def test_the_page_needs_nothing_else(page: Page) -> None:
    remote = [each for each in page.addresses if each.startswith(("http", "//"))]
    assert remote == []
    assert page.tags.count("img") == 5
    assert len([each for each in page.addresses if each.startswith("data:image/")]) == 5


def test_findings_are_computed(page: Page) -> None:
    assert "unet, 2 epochs: 22.50 dB, 2.50 dB above the grayscale copy" in page.text
    assert "closer to the photograph than it on 2 of 2 images" in page.text
    assert "Training unet for 2 epochs instead of 1 changes its PSNR by +3.50 dB" in page.text


def test_data_sets_are_counted(page: Page) -> None:
    assert "unchanged scores 20.00 dB on the 2 test images" in page.text
    assert "7 are in the same split as their twin" in page.text


def test_long_credits_are_cut_and_counted(page: Page) -> None:
    assert "10 more are in" in page.text


def test_what_a_report_has_no_runs_for_is_left_out(page: Page) -> None:
    for words in (
        "What a change does",
        "deviation",
        "Data sets compared",
        "collapsed",
        "Early stopping",
    ):
        assert words not in page.text
    assert {"#changes", "#seeds", "#transfer"}.isdisjoint(page.addresses)
    assert "#cost" in page.addresses


def test_settings_are_said_once_or_side_by_side(rendered: Report) -> None:
    page = rendered(
        [record("unet", 2), record("other", 2, training={"learning_rate": 0.0003})],
        {"unet_2": 21.0, "other_2": 22.0},
    )
    assert "optimizer: adam, schedule: constant" in page.text
    assert "augmentation: none, early_stopping: 0, deterministic: true" in page.text
    assert "learning_rate: " not in page.text
    assert "0.0003" in page.text
    assert "target rgb, filters [4, 8], skip_connections true, dropout 0.5" in page.text


def test_costs_are_shown(page: Page) -> None:
    assert "3 2.99 260 36" in page.text  # Millions of parameters and multiply-adds, MB.
    assert "70 200 1.5 s 3 s 1,024 – CPU, 2 threads" in page.text


def test_a_training_is_a_row(tmp_path: Path) -> None:
    faults = [
        {"epoch": epoch, "fault": fault} for epoch, fault in ((1, "gray"), (2, "gray"), (4, "noise"))
    ]
    runs = [
        record("unet", 4, training={"augmentation": ["flip", "rotate"]}, train_on=["a", "b"]),
        record("unet", 6, faults=faults, best_epoch=4, peak_device_memory_bytes=3 * 2**20),
    ]
    table = tables.tabulate_training(write_records(tmp_path, runs), varies(runs))
    tables.write_table(tmp_path / "training.csv", table)
    first, second = tables.read_table(tmp_path / "training.csv").to_dict("records")
    assert (first["model"], first["architecture"], first["epochs"]) == ("unet", "unet", 4)
    assert (first["train_on"], first["augmentation"]) == ("a b", "flip rotate")
    assert (first["best_epoch"], first["fault"], first["faults"]) == ("", "", "")
    assert first["peak_device_memory_mib"] == ""
    assert (second["best_epoch"], second["fault"]) == ("4", "noise")
    assert second["faults"] == "gray 1-2, noise 4"
    assert second["peak_device_memory_mib"] == "3"
    assert second["options"] == "target rgb, filters [4, 8], skip_connections true, dropout 0.5"


def test_variants_stand_beside_what_they_vary(rendered: Report, tmp_path: Path) -> None:
    records = [
        record("unet", 1),
        record("unet", 2),
        record("noskip", 2, varies="unet", options={"skip_connections": False}),
        record("lab", 2, varies="unet", options={"target": "lab"}, training={"loss": "huber"}),
        record("alone", 4, varies="unet"),
    ]
    page = rendered(
        records, {"unet_1": 19.0, "unet_2": 21.0, "noskip_2": 20.5, "lab_2": 22.5, "alone_4": 20.0}
    )
    assert "skip_connections: false instead of true 20.50 21.00 −0.50" in page.text
    assert "target: lab instead of rgb; loss: huber instead of mse 22.50 21.00 +1.50" in page.text
    assert "2 changes to networks change their PSNR by −0.50 dB (noskip beside unet" in page.text
    assert "to be set beside: alone (varies unet)" in page.text
    assert "trained once: how much of a difference is chance cannot be said" in page.text
    # The best network is named, variant or not; other variants only beside what they vary.
    assert "lab, 2 epochs: 22.50 dB, 2.50 dB above" in page.text
    assert "noskip, 2 epochs: " not in page.text
    table = tables.read_table(tmp_path / "ablations.csv")
    assert list(table["run"]) == ["noskip_2", "lab_2"]
    assert list(table["varied_run"]) == ["unet_2", "unet_2"]


def test_a_variant_stands_beside_the_same_seed(tmp_path: Path) -> None:
    records = [
        record("unet", 2),
        record("unet", 2, seed=1, run="unet-seed1_2"),
        record("lab", 2, varies="unet", seed=1, options={"target": "lab"}),
        record("lab", 2, varies="unet", seed=5, run="lab-seed5_2", train_on=["a", "b"]),
    ]
    psnr = {"unet_2": 20.0, "unet-seed1_2": 20.5, "lab_2": 22.0, "lab-seed5_2": 23.0}
    table = tables.tabulate_ablations(means(psnr), write_records(tmp_path, records), varies(records))
    assert list(table["varied_run"]) == ["unet-seed1_2", "unet_2"]
    assert list(table["differs"]) == [
        "target: lab instead of rgb",
        "train_on: a, b instead of a; seed: 5 instead of 0",
    ]
    assert list(table["difference"]) == [1.5, 3.0]


def test_tables_of_nothing_have_a_header(tmp_path: Path) -> None:
    files = write_records(tmp_path, [record("unet", 2)])
    tables.write_table(
        tmp_path / "empty.csv", tables.tabulate_ablations(means({"unet_2": 20.0}), files, {})
    )
    assert (tmp_path / "empty.csv").read_text().startswith("run,model,varies,epochs,seed,varied_run,")
    assert len(tables.read_table(tmp_path / "empty.csv")) == 0


def test_seeds_are_a_mean_and_a_spread(rendered: Report, tmp_path: Path) -> None:
    psnr = {"unet_2": 21.0, "unet-seed1_2": 22.0, "unet-seed7_2": 22.6, "other_2": 20.0}
    page = rendered(
        [
            record("unet", 2),
            record("unet", 2, seed=1, run="unet-seed1_2"),
            record("unet", 2, seed=7, run="unet-seed7_2"),
            record("other", 2),
        ],
        psnr,
        ("a", "b"),
    )
    table = tables.read_table(tmp_path / "seeds.csv").set_index(["model", "data_set"])
    values = [psnr["unet_2"], psnr["unet-seed1_2"], psnr["unet-seed7_2"]]
    row = table.loc["unet", "a"]
    assert row["seeds"] == 3
    assert row["psnr_mean"] == pytest.approx(statistics.mean(values))
    assert float(row["psnr_sd"]) == pytest.approx(statistics.stdev(values))
    assert (row["psnr_min"], row["psnr_max"]) == (21.0, 22.6)
    assert row["mse_max"] == pytest.approx(10**-2.1)
    assert table.loc["other", "all"]["psnr_sd"] == ""
    # Over both data sets, of which one is 1 dB easier.
    assert "unet 2 3 22.37 0.81 21.50 23.10" in page.text
    assert "3 trainings of unet for 2 epochs that differ in nothing but the seed reach 21.50 to" in (
        page.text
    )
    # The model is what it is called, not what the name of a repetition begins with.
    assert "unet-seed7, 2 epochs: " not in page.text


def test_data_sets_that_a_network_never_saw_are_marked(rendered: Report, tmp_path: Path) -> None:
    page = rendered(
        [record("both", 2, train_on=["a", "b"]), record("one", 2, train_on=["b"])],
        {"both_2": 21.0, "one_2": 22.0},
        ("a", "b"),
    )
    assert "Grayscale copy – 20.00 21.00 both, 2 epochs a, b 21.00 22.00" in page.text
    assert "one, 2 epochs b † 22.00 23.00" in page.text
    table = tables.read_table(tmp_path / "transfer.csv")
    assert list(table["seen"]) == [True, True, False, True]


def test_collapses_are_said(rendered: Report) -> None:
    faults = [{"epoch": epoch, "fault": "black"} for epoch in (1, 2, 3)]
    page = rendered(
        [
            record("failed", 4, faults=[*faults, {"epoch": 4, "fault": "noise"}]),
            record("recovered", 5, faults=[*faults, {"epoch": 4, "fault": "gray"}]),
            record("variant", 4, varies="failed"),
        ],
        {"failed_4": 10.0, "recovered_5": 21.0, "variant_4": 22.0},
    )
    assert "The pictures of failed_4 are noise at the end of training: its figures are those of" in (
        page.text
    )
    assert "on the way, after the epochs named, and recovered: recovered_5 (black 1-3, gray 4)" in (
        page.text
    )
    assert "failed, 4 epochs collapsed: noise" in page.text
    assert "black 1-3, noise 4 at the end" in page.text
    assert "four kinds of collapse" in page.text
    # 12 dB more than a network that failed are in the table, marked, and no finding.
    assert "variant, 4 epochs failed, 4 epochs collapsed: noise nothing 22.00 10.00 +12.00" in page.text
    assert "A change to a network" not in page.text


@pytest.mark.parametrize("split", ["validation", "test"])
def test_early_stopping_is_said(rendered: Report, split: str) -> None:
    faults = [{"epoch": 3, "fault": "gray"}]
    early = {"best_epoch": 2, "stopped_after": 3, "training": {"early_stopping": 1}, "faults": faults}
    page = rendered(
        [record("unet", 2), record("unet", 5, anew="early stopping may end the shorter run", **early)],
        {"unet_2": 21.0, "unet_5": 22.0},
        split=split,
    )
    assert "anew, as early stopping may end the shorter run" in page.text
    assert "3 of 5; the best, 2, is kept" in page.text
    assert ("flatter these runs" in page.text) == (split == "validation")
    # The collapse came after the epoch that is kept; the run was no longer than it was.
    assert "are gray" not in page.text
    assert "for 5 epochs instead of" not in page.text


def test_figures_are_the_same_every_time(tmp_path: Path) -> None:
    history = pd.DataFrame({name: [1.0] for name in ("epoch", "loss", "accuracy", "psnr")})
    for name in ("loss", "accuracy", "psnr"):
        history[f"val_{name}"] = 2.0
    for name in ("a", "b"):
        figures.plot_curves(history, [1], tmp_path / f"{name}.svg")
        figures.plot_grid(
            [("Input", np.zeros((2, 4, 4, 3), np.uint8))],
            {"Input": ["x", "y"]},
            tmp_path / f"{name}.png",
        )
        figures.plot_costs(costs(["unet", "other"]), 20.0, tmp_path / f"{name}-costs.svg")
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


def drawn(runs: pd.DataFrame, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The panels of the figure of costs."""
    kept: list[Any] = []
    monkeypatch.setattr(figures, "_save", lambda figure, *_, **__: kept.append(figure))
    figures.plot_costs(runs, 20.0, path)
    kept[0].draw_without_rendering()
    return kept[0].axes


def test_names_of_crowded_points_do_not_cover_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"network-{number}" for number in range(12)]
    for panel in drawn(costs(names), tmp_path / "costs.svg", monkeypatch):
        assert [text.get_text() for text in panel.texts] == names
        boxes = [Text.get_window_extent(text) for text in panel.texts]
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)
        for box in boxes:
            inside = panel.get_window_extent()
            assert inside.contains(*box.min)
            assert inside.contains(*box.max)


def test_a_cost_of_nothing_has_no_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = costs(["unet", "other"])
    runs.loc[runs["model"] == "other", "multiply_adds"] = 0
    panels = drawn(runs, tmp_path / "costs.svg", monkeypatch)
    assert [len(panel.texts) for panel in panels] == [1, 2, 2]
    runs["multiply_adds"] = 0
    panels = drawn(runs, tmp_path / "costs.svg", monkeypatch)
    assert [len(panel.texts) for panel in panels] == [0, 2, 2]
