"""The model card: computed from the run's files, honest about them, and no markup in any name."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from deepcolor.files import sha256
from deepcolor.report import card_limits
from deepcolor.report.card_evaluation import LUMINANCE_WORDS, TO_BEAT
from deepcolor.report.markdown import escape_markdown
from deepcolor.report.model_card import CardInputs, write_model_card
from markdown_it import MarkdownIt
from support.html_reader import Page
from support.synthetic_records import HOSTILE, HOSTILE_DATA_SET, record
from support.synthetic_results import fewer_resamples, write_results

Card = Callable[..., tuple[dict[str, Any], str]]


def refused(constant: str) -> None:
    raise AssertionError(f"{constant} in model_card.json")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    """A function that writes results with one run, and its card, and gives both files' content."""
    fewer_resamples(monkeypatch)

    def write(
        trained: dict[str, Any], level: float = 22.0, data_sets: Sequence[str] = ("a",), **options: Any
    ) -> tuple[dict[str, Any], str]:
        run, folder = trained["run"], tmp_path / f"results{len(list(tmp_path.iterdir()))}"
        write_results(folder, [trained], {run: level}, data_sets=data_sets, **options)
        places = {run: folder / run}
        places |= {name: folder / "baselines" / name for name in TO_BEAT}
        files = [tmp_path / "model_card.json", tmp_path / "MODEL_CARD.md"]
        inputs = CardInputs(
            record=folder / run / "training.json",
            model=folder / run / "model.keras",
            metrics={name: place / "metrics.json" for name, place in places.items()},
            scores={name: place / "per_image.csv" for name, place in places.items()},
            about=[folder / "data" / f"{number}.json" for number in range(len(data_sets))],
            manifests=[folder / "data" / f"{number}.csv" for number in range(len(data_sets))],
            split="test",
        )
        written = write_model_card(files[0], files[1], inputs)
        content, text = (file.read_text(encoding="utf-8") for file in files)
        assert json.loads(content, parse_constant=refused) == written
        assert written["model_sha256"] == sha256(folder / run / "model.keras")
        return written, text

    return write


def page(text: str) -> Page:
    """A Markdown text as a reader sees it."""
    return Page(MarkdownIt("commonmark").enable("table").render(text))


def test_it_says_what_the_network_is_and_learned_from(card: Card) -> None:
    found, text = card(record("unet", 2), data_sets=["a", "b"], photographs=40)
    assert (found["run"], found["architecture"], found["target"]) == ("unet_2", "unet", "rgb")
    assert (found["image_size"], found["epochs"], found["seed"]) == (32, 2, 0)
    # It was scored on both, and learned from the first.
    assert found["evaluation"]["data_sets"] == {"a": 40, "b": 40}
    (learned,) = found["data_sets"]
    assert {key: learned[key] for key in ("name", "training", "photographs", "credited")} == {
        "name": "a", "training": 60, "photographs": 60, "credited": 1,
    }  # fmt: skip
    assert learned["licenses"] == ["Something."] and learned["terms"] == "Something."
    assert found["in_short"] == [
        "unet_2: U-Net, 2 epochs, 32×32 pixels, trained on 60 images of 60 photographs (a).",
        "It is for trying the machinery only: train on your own photographs first.",
    ]
    for words in (
        "3,000,000, of which 2,990,000 were trained", "260,000,000", "(batch, 32, 32, 1)", "none: it",
        "It learned from 60 images of 60 photographs.", "arXiv 2202.08143", found["model_sha256"],
        learned["manifest_sha256"], *found["in_short"], *found["limits"], "80 test images of 80",
    ):  # fmt: skip
        assert words in page(text).text, words


def test_its_figures_are_those_of_the_metrics(card: Card) -> None:
    found, text = card(record("unet", 2), photographs=40)
    rows = found["evaluation"]["rows"]
    assert [row["run"] for row in rows] == ["unet_2", "grayscale-copy", "mean-chroma"]
    for key, words in LUMINANCE_WORDS.items():
        part = text.split(f"\n{words}:\n")[1].strip().split("\n\n")[0].splitlines()[2:]
        assert len(part) == 3
        for line, row in zip(part, rows, strict=True):
            psnr = row[key]["psnr"]
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert cells[0] == row["label"]
            assert cells[1] == f"{psnr['value']:.2f} ({psnr['low']:.2f} to {psnr['high']:.2f})"


@pytest.mark.parametrize(
    ("level", "photographs", "beaten", "verdict"),
    [
        (
            22.0,
            40,
            ["grayscale-copy", "mean-chroma"],
            "it is better than the grayscale copy and the training set's mean chroma, on these images.",
        ),
        (
            20.25,
            40,
            ["grayscale-copy"],
            "it is better than the grayscale copy, and is not shown to be better than the training "
            "set's mean chroma, on these images.",
        ),
        (19.0, 40, [], "it is not shown to be better than the grayscale copy and the training set's"),
        (25.0, 7, [], "on images of only 7 photographs: nothing is tested, nothing called better"),
    ],
)
def test_it_calls_a_network_better_only_where_it_is(
    card: Card, level: float, photographs: int, beaten: list[str], verdict: str
) -> None:
    found, text = card(record("unet", 2), level, photographs=photographs)
    assert found["evaluation"]["beaten"]["luminance_kept"] == beaten
    assert verdict in found["evaluation"]["verdict"] and found["evaluation"]["verdict"] in text
    assert found["evaluation"]["verdict"] in found["limits"]
    (against, _) = found["evaluation"]["compared"]
    assert against.startswith("Against the grayscale copy, with the input's luminance kept: ")
    assert ("better" in against) == bool(beaten)


def test_with_enough_photographs_it_is_not_for_trying_alone(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_limits, "MIN_TRIAL_PHOTOGRAPHS", 60)
    found, text = card(record("unet", 2), photographs=40)
    assert found["in_short"][1].startswith("These are few to learn from") and "machinery" not in text
    monkeypatch.setattr(card_limits, "MIN_TRAINING_PHOTOGRAPHS", 60)
    found, text = card(record("unet", 2), photographs=40)
    assert len(found["in_short"]) == 1 and "machinery" not in text
    found, _ = card(record("unet", 2), 19.0, photographs=40)
    assert found["in_short"][1].startswith("On 40 images kept aside it is not shown to be better")


def test_a_collapsed_network_is_called_that(card: Card) -> None:
    found, text = card(record("unet", 2, collapses=[{"epoch": 2, "collapse": "uniform"}]))
    said = "Its training collapsed: its pictures are uniform."
    assert said in found["in_short"] and f"{said} It is of no use." in text
    found, text = card(record("unet", 2, collapses=[{"epoch": 1, "collapse": "gray"}]))
    assert "and after which epochs: gray 1." in text and len(found["in_short"]) == 2


def test_a_chosen_epoch_is_named(card: Card) -> None:
    early = {"training": {"early_stopping": 1}, "best_epoch": 7, "stopped_after": 8}
    found, text = card(record("unet", 30, **early))
    assert "unet_30: U-Net, epoch 7 of at most 30, 32" in found["in_short"][0]
    assert "30 epochs, stopped after 8, of which epoch 7 is kept" in text


@pytest.mark.parametrize(
    ("weights", "name", "terms"),
    [
        ("imagenet", "imagenet", "non-commercial research"),
        ("/home/me/own.weights.h5", "own.weights.h5", "of whoever made it"),
    ],
)
def test_terms_of_weights_are_named(card: Card, weights: str, name: str, terms: str) -> None:
    found, text = card(record("densenet", 2, architecture="densenet", options={"weights": weights}))
    assert found["encoder_weights"]["weights"] == name and terms in found["encoder_weights"]["terms"]
    assert terms in text and "weights that its encoder started from" in text


def test_names_are_no_markup(card: Card) -> None:
    trained = record(
        HOSTILE, 2, train_on=[HOSTILE_DATA_SET], versions={HOSTILE: "*1*"},
        options={"weights": HOSTILE, HOSTILE: "a_*b*_ [c](d) `e` ~f~ # $g$"},
        collapses=[{"epoch": 2, "collapse": HOSTILE}],
    )  # fmt: skip
    _, text = card(trained, data_sets=[HOSTILE_DATA_SET, "b"], words=HOSTILE, ids=HOSTILE, photographs=3)
    assert "<" not in text
    shown = page(text)
    assert not {"img", "script", "a", "b", "em", "strong", "del"} & set(shown.tags)
    assert "a_*b*_ [c](d) `e` ~f~ # $g$" in shown.text and HOSTILE in shown.text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({re.sub(r"\\\|", "", line).count("|") for line in table.splitlines()}) == 1, table


def test_equal_runs_give_equal_bytes_and_speed_is_no_part_of_it(card: Card) -> None:
    first = card(record("unet", 2))
    assert card(record("unet", 2, seconds=9.0, device="GPU", threads=9, peak_memory_bytes=1)) == first


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unet_30", "unet_30"), ("_a_ b_", "\\_a\\_ b\\_"), ("a|b", "a\\|b"), ("<b>", "&lt;b&gt;"),
        ("*a*\n`b`", "\\*a\\* \\`b\\`"), ("&amp;", "&amp;amp;"),
    ],
)  # fmt: skip
def test_plain_text(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected
    assert page(escape_markdown(text)).text.strip() == " ".join(text.split())
