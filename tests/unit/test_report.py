"""The report, fed with names that a browser must not take for markup."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deepcolor import figures, report

HOSTILE = "<script>alert('x')</script>\"&"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(tmp_path: Path) -> Page:
    runs = {"grayscale-copy": 20.0, "unet_1": 19.0, "unet_2": 22.5}
    for run, psnr in runs.items():
        (tmp_path / run).mkdir()
        scores = pd.DataFrame({"data_set": ["d"] * 2, "id": ["a", "b"], "psnr": [psnr, psnr]})
        scores.to_csv(tmp_path / run / "per_image.csv", index=False)
        (tmp_path / run / "training.json").write_text(json.dumps({"versions": {"keras": "3"}}))
    pd.DataFrame(
        [
            {"run": run, "data_set": "all", "n": 2, "mse": 0.01, "psnr": psnr, "psnr_of_mean_mse": psnr}
            for run, psnr in runs.items()
        ]
    ).to_csv(tmp_path / "metrics.csv", index=False)
    pd.DataFrame(
        [
            {
                "run": f"unet_{epochs}", "model": "unet", "architecture": "unet", "epochs": epochs,
                "weights": "no encoder", "parameters": 1, "optimizer": "adam", "loss": "mse",
                "learning_rate": 0.1, "batch_size": 1, "augmentation": "", "seconds": 1.0,
                "images_per_second": 1.0, "peak_memory_mib": 1, "device": "CPU",
            }
            for epochs in (1, 2)
        ]
    ).to_csv(tmp_path / "training.csv", index=False)  # fmt: skip
    pd.DataFrame(
        [
            {
                "data_set": "d", "training": 1, "validation": 2, "test": 0, "asked": 3, "delivered": 3,
                "photographs": 1, "rejected": 0, "reasons": "", "licenses": HOSTILE,
                "near_duplicates": 7, "revision": HOSTILE, "terms": HOSTILE, "about": HOSTILE,
                "good_for": HOSTILE,
            }
        ]
    ).to_csv(tmp_path / "data.csv", index=False)  # fmt: skip
    pd.DataFrame(
        [
            {
                "data_set": "d", "photograph": HOSTILE, "source": HOSTILE, "license": "", "credit": "",
                "images": 1,
            }
        ]
        * 60
    ).to_csv(tmp_path / "credits.csv", index=False)  # fmt: skip
    figures.plot_grid([(HOSTILE, np.zeros((1, 4, 4, 3), np.uint8))], {}, tmp_path / "grid.png")
    figures.plot_preprocessing(
        [np.zeros((4, 6, 3), np.uint8)],
        [(6, 4)],
        [np.zeros((4, 4, 3), np.uint8)],
        tmp_path / "preprocessing.png",
    )
    columns = {name: [0.1, 0.2] for name in ("loss", "accuracy", "psnr")}
    history = pd.DataFrame({"epoch": [1, 2], **columns, **{f"val_{k}": v for k, v in columns.items()}})
    figures.plot_curves(history, [1, 2], tmp_path / "curves.svg")
    report.render(
        tmp_path / "report.html",
        title=HOSTILE,
        config={"title": HOSTILE, "image_size": 32, "evaluation": {"split": "test"}},
        metrics=tmp_path / "metrics.csv",
        training=tmp_path / "training.csv",
        data=tmp_path / "data.csv",
        credits=tmp_path / "credits.csv",
        scores=[tmp_path / run / "per_image.csv" for run in runs],
        records=[tmp_path / "unet_1" / "training.json"],
        as_published=["unet_1"],
        preprocessing={"d": tmp_path / "preprocessing.png"},
        comparison=tmp_path / "grid.png",
        epochs={"unet": tmp_path / "grid.png"},
        curves={"unet": tmp_path / "curves.svg"},
    )
    page = Page()
    page.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    return page


def test_names_are_not_markup(page: Page) -> None:
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 60


def test_the_page_needs_nothing_else(page: Page) -> None:
    remote = [each for each in page.addresses if each.startswith(("http", "//"))]
    assert remote == []
    assert page.tags.count("img") == 4
    assert len([each for each in page.addresses if each.startswith("data:image/")]) == 4


def test_findings_are_computed(page: Page) -> None:
    assert "unet, 2 epochs: 22.50 dB, 2.50 dB above the grayscale copy" in page.text
    assert "closer to the photograph than it on 2 of 2 images" in page.text
    assert "Training unet for 2 epochs instead of 1 changes its PSNR by +3.50 dB" in page.text


def test_data_sets_are_counted(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "unchanged scores 20.00 dB on the 2 test images" in text
    assert "7 are in the same split as their twin" in text


def test_long_credits_are_cut_and_counted(page: Page) -> None:
    assert "10 more are in" in " ".join(page.text.split())


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
    for kind in ("svg", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
