"""The report as a page: what it shows, what it links to, and names that are not markup."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from deepcolor.files import read_json
from deepcolor.report import provenance
from deepcolor.report.context import MAX_CREDITS
from deepcolor.report.sections import FIGURES_BUDGET
from support.html_reader import Page
from support.synthetic_records import HOSTILE, HOSTILE_DATA_SET, record
from support.synthetic_results import Results, fewer_resamples, render, summarize, write_results

MINUS = "\N{MINUS SIGN}"
UNET = [record("unet", 1), record("unet", 2, continued_from="unet_1")]
LEVELS = {"unet_1": 19.0, "unet_2": 22.5}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_resamples(monkeypatch)


Reported = Callable[..., Page]


@pytest.fixture
def reported(tmp_path: Path) -> Reported:
    """A function that writes results, renders them and reads the page."""
    return lambda *runs, **options: Page(render(write_results(tmp_path, *runs, **options)))


@pytest.fixture
def hostile(tmp_path: Path) -> Results:
    """Results in which all that has a name is called so that a browser may take it for markup."""
    early = {"training": {"early_stopping": 1}, "best_epoch": 1}
    return write_results(
        tmp_path,
        [
            record(HOSTILE, 1, train_on=[HOSTILE_DATA_SET]),
            record(HOSTILE, 2, restart_reason=HOSTILE, device=HOSTILE, **early),
            record("variant", 2, varies=HOSTILE, options={"weights": HOSTILE}, versions={HOSTILE: "1"}),
            record("failed", 2, collapses=[{"epoch": 2, "collapse": HOSTILE}]),
        ],
        {f"{HOSTILE}_1": 21.0, f"{HOSTILE}_2": 22.0, "variant_2": 23.0, "failed_2": 5.0, HOSTILE: 22.5},
        pictures=[HOSTILE],
        data_sets=[HOSTILE_DATA_SET, "b"],
        words=HOSTILE,
        ids=HOSTILE,
        title=HOSTILE,
        distances=True,
        sure=[f"{HOSTILE}_2"],
        as_published=[f"{HOSTILE}_1"],
    )


def test_names_are_not_markup(hostile: Results) -> None:
    page = Page(render(hostile))
    # Its own scripts: one of the page, one each for the viewer and the choice of runs.
    assert page.tags.count("script") == 3
    assert "b" not in page.tags and "i" not in page.tags
    assert [name for _, name, _ in page.attributes if name.startswith("on")] == []
    assert "x" not in page.addresses("src")
    assert page.text.count(HOSTILE) > 100
    assert HOSTILE_DATA_SET in page.text
    # Nor do they leave an attribute: what they are called there is what they are called.
    assert HOSTILE in page.addresses("data-run") and HOSTILE in page.addresses("value")
    assert any(value.startswith(f"Prediction of {HOSTILE}-") for value in page.addresses("alt"))


def test_a_summary_holds_no_markup_and_no_broken_row(hostile: Results) -> None:
    content, text = summarize(hostile)
    assert HOSTILE in [row["run"] for row in content["runs"]] and content["title"] == HOSTILE
    assert "<" not in text and "&lt;script>" not in text and "&lt;script&gt;" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4 + 5
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}


def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(hostile: Results) -> None:
    summarize(hostile)
    page = Page(render(hostile))
    images = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert len(images) == page.tags.count("img") > 50
    assert all(value.startswith("data:image/") for value in images)
    assert [value for tag, name, value in page.attributes if tag != "img" and name == "src"] == []
    links = [value for value in page.addresses("href") if value != "data:,"]
    inside = [value[1:] for value in links if value.startswith("#")]
    assert set(inside) <= set(page.ids) and len(inside) > 15
    assert len(page.ids) == len(set(page.ids))
    files = {unquote(value) for value in links if not value.startswith("#")}
    assert {value for value in files if not (hostile.folder / value).is_file()} == set()
    assert not any(value.startswith(("/", "..")) or ":" in value for value in files)
    assert {"summary.json", "tables/comparisons.csv", f"figures/extremes-{HOSTILE}.png"} <= files
    policy = [
        value for _, name, value in page.attributes if name == "content" and "default-src" in value
    ]
    assert policy and policy[0].startswith("default-src 'none'; img-src data:;")


def test_figures_are_those_of_the_tables(tmp_path: Path) -> None:
    results = write_results(tmp_path, UNET, LEVELS, per_photograph=2)
    page = Page(render(results))
    metrics = results.table("metrics")
    for caption, luminance in {"Predictions as": "predicted", "The predictions' chroma": "kept"}.items():
        chosen = metrics[(metrics["data_set"] == "all") & (metrics["luminance"] == luminance)]
        rows = page.table(caption)[1:]
        assert len(rows) == len(chosen) == 6
        for cells, row in zip(rows, chosen.to_dict("records"), strict=True):
            digits = {"psnr": 2, "colorfulness": 1, "ssim": 3, "ciede2000": 2, "chroma_rmse": 2,
                      "chroma_deficit": 2, "mse": 4, "psnr_of_mean_mse": 2,
                      "dominant_channel_accuracy": 3}  # fmt: skip
            assert cells[1:] == [
                f"{row[name]:.{n}f} {row[f'{name}_low']:.{n}f} to {row[f'{name}_high']:.{n}f}".replace(
                    "-", MINUS
                )
                for name, n in digits.items()
            ]
    (values,) = [rows for caption, rows in page.values.items() if caption.startswith("Predictions as")]
    # What a column is sorted by is the unrounded figure.
    psnr = metrics[(metrics["data_set"] == "all") & (metrics["luminance"] == "predicted")]["psnr"]
    assert [float(row[1]) for row in values[1:]] == pytest.approx(list(psnr))
    assert "20 test images of 10 photographs" in page.text


def test_pairs_are_those_of_the_table(tmp_path: Path) -> None:
    results = write_results(
        tmp_path, [*UNET, record("other", 2)], {**LEVELS, "other_2": 24.0, "app": 21.0}, pictures=["app"]
    )
    page = Page(render(results))
    table = results.table("comparisons")
    told = table[(table["kind"] == "network") & (table["luminance"] == "predicted")]
    rows = page.table("The longest run of every network, all pairs")[1:]
    assert [row[:2] for row in rows] == [
        ["unet, 2 epochs", "other, 2 epochs"], ["unet, 2 epochs", "app"], ["other, 2 epochs", "app"],
    ]  # fmt: skip
    first = told[(told["run"] == "unet_2") & (told["other"] == "other_2")].set_index("measure")
    psnr, color = first.loc["psnr"], first.loc["ciede2000"]
    assert rows[0][2] == (
        f"{MINUS}1.50 {psnr['low']:.2f} to {psnr['high']:.2f} worse".replace("-", MINUS)
    )
    assert rows[0][4] == f"1.50 {color['low']:.2f} to {color['high']:.2f} worse".replace(
        "1.50", "+1.50", 1
    )
    assert rows[0][7] == f"{color['p_holm']:.2g}" and rows[0][8:] == ["1.00", "0 %"]
    kept = table[(table["kind"] == "network") & (table["luminance"] == "kept")]
    kept = kept[(kept["run"] == "unet_2") & (kept["other"] == "other_2")].set_index("measure")
    assert rows[0][5].startswith(f"{kept.loc['psnr', 'difference']:+.2f} ".replace("-", MINUS))
    assert rows[0][6].startswith(f"{kept.loc['ciede2000', 'difference']:+.2f} ".replace("-", MINUS))
    assert rows[1][2].startswith("+1.50") and rows[1][2].endswith("better")
    assert (rows[1][8:]) == [f"{MINUS}1.00", "100 %"]


def test_of_many_pairs_those_with_the_best_are_shown(reported: Reported) -> None:
    models = [f"net-{number:02}" for number in range(11)]
    levels = {f"{model}_1": 20 + 0.1 * place for place, model in enumerate(models)}
    page = reported([record(model, 1) for model in models], levels, photographs=8)
    rows = page.table("The network of the smallest CIEDE2000 against all others; all 55 pairs are in")
    assert len(rows) == 11
    assert all("net-10, 1 epoch" in row[:2] for row in rows[1:])


@pytest.mark.parametrize("split", ["validation", "test"])
def test_early_stopping_is_said(reported: Reported, split: str) -> None:
    early = {"best_epoch": 2, "stopped_after": 3, "training": {"early_stopping": 1}}
    reason = "early stopping may end the shorter run"
    collapses = [{"epoch": 3, "collapse": "gray"}]
    page = reported(
        [record("unet", 2), record("unet", 5, restart_reason=reason, collapses=collapses, **early)],
        {"unet_2": 21.0, "unet_5": 22.0},
        split=split,
    )
    assert page.row("How the trainings went", "unet, 5")[4:6] == [
        f"anew, as {reason}", "3 of 5; the best, 2, is kept",
    ]  # fmt: skip
    assert ("flatter these runs" in page.text) == (split == "validation")
    chosen = "unet, 5 epochs epoch 2 of 3 is kept, chosen on these images"
    assert (page.row("Predictions as", "unet, 5")[0] == chosen) == (split == "validation")
    assert f"{split.capitalize()} images, drawn with the seed 1" in page.text
    # The collapse came after the epoch that is kept.
    assert "No training ended with collapsed pictures." in page.text
    assert "Found, with the epochs: unet_5 (gray 3)." in page.text


def test_published_figures_stand_beside_published_networks_alone(reported: Reported) -> None:
    runs = [record("unet", 10), record("other", 10), record("dense", 30, architecture="densenet")]
    levels = {"unet_10": 22.0, "other_10": 23.0, "dense_30": 21.0}
    page = reported(runs, levels, as_published=["unet_10", "dense_30"])
    rows = page.table("Table 1 of the published study")[2:]
    assert [row[:3] for row in rows] == [
        ["unet, 10 epochs", "0.006", "23.23"],
        ["dense, 30 epochs", "0.013", "19.47"],
        ["Grayscale copy", "–", "–"],
    ]
    assert [row[4:] for row in rows] == [["22.00", "+2.00"], ["21.00", "+1.00"], ["20.00", "–"]]


def test_without_published_networks_no_published_figure_is_shown(reported: Reported) -> None:
    page = reported([record("unet", 10)], {"unet_10": 22.0})
    assert "Deep Koalarization" in page.text and "Table 1" not in page.text
    assert not any("published" in each for each in page.tables)
    assert "No run here is one of the published study" in page.text


def test_what_a_report_has_no_runs_for_is_said(reported: Reported) -> None:
    page = reported([record("unet", 2)], {"unet_2": 22.0})
    for words in (
        "There is one network: nothing to set it beside but the baselines",
        "One data set is in use, a:",
        "Every network was trained for one number of epochs.",
        "No network varies another here.",
        "Every network was trained once,",
        "No training ended with collapsed pictures.",
        "None was found after any epoch.",
    ):
        assert words in page.text
    assert "FID" not in page.text and "Early stopping" not in page.text
    assert "All networks" not in page.text


def test_other_programs_pictures_stand_beside_networks(reported: Reported) -> None:
    page = reported(UNET, {**LEVELS, "app": 23.0}, pictures=["app"], data_sets=["a", "b"])
    assert page.row("Predictions as", "app")[0] == "app another program's"
    assert page.row("PSNR (dB) by data set", "app")[1] == "–"
    # Four in the grid, and the two best and the two worst ones.
    assert len([value for value in page.addresses("alt") if value.startswith("app of image-")]) == 4
    assert len(page.table("How the trainings went")) == 3
    assert page.addresses("value") == ["unet_1", "unet_2", "app", "50"]
    # A row of the table is not taken for a grid of pictures.
    assert [tag for tag, name, value in page.attributes if (name, value) == ("class", "pictures")] == [
        "table"
    ]


def test_distances_are_shown_with_what_they_say_of_themselves(reported: Reported) -> None:
    page = reported(UNET, LEVELS, distances=True)
    assert page.table("Not comparable with published figures") == [
        ["Run", "FID", "LPIPS"],
        ["unet, 1 epoch", "– too few images", "0.25 of its own network"],
        ["unet, 2 epochs", "– too few images", "0.25 of its own network"],
    ]


def test_certainty_is_shown_of_runs_that_predict_classes_alone(tmp_path: Path) -> None:
    results = write_results(tmp_path, UNET, LEVELS, sure=["unet_2"])
    page = Page(render(results))
    (row,) = page.table("Color classes on the test images")[1:]
    content = read_json(results.arguments["certainty"]["unet_2"])
    names = ("confidence", "accuracy", "expected_calibration_error", "encoded_calibration_error")
    assert row[:5] == ["unet, 2 epochs", *(f"{100 * content[name]:.1f}" for name in names)]
    assert row[5:] == [f"{content[name]:.2f}" for name in ("entropy", "negative_log_likelihood")]
    # In the grid, next to its run, and shown and hidden with it.
    (heads,) = [rows[0] for caption, rows in page.tables.items() if not caption]
    assert heads == ["Picture", "Input", "unet, 2 epochs", "How sure: unet, 2 epochs", "Photograph"]
    drawn = ("td", "data-run", "unet_2")
    assert page.attributes.count(drawn) == 2 * 4


def test_gray_is_shown_to_be_gray_beside_its_psnr(tmp_path: Path) -> None:
    gray = {"psnr": 22.5, "colorfulness": 1.5, "colorfulness_difference": -28.5}
    results = write_results(tmp_path, UNET, {"unet_1": 19.0, "unet_2": gray})
    page = Page(render(results))
    for caption in ("Predictions as", "The predictions' chroma"):
        assert page.table(caption)[0][1:3] == ["PSNR (dB)", "Colorfulness"]
    assert page.row("Predictions as", "unet, 2")[2].startswith("1.5 ")
    assert page.text.count("whose own colorfulness is 30.0") == 2
    # No network predicts color classes here.
    assert "How sure" not in page.text and "ntropy" not in page.text
    content, text = summarize(results)
    assert content["photographs_colorfulness"] == pytest.approx(30)
    (run,) = [row for row in content["runs"] if row["run"] == "unet_2"]
    assert run["predicted"]["colorfulness"]["value"] == pytest.approx(1.5)
    assert "| unet, 2 epochs | 22.50 | 1.5 |" in text and "colorfulness is 30.0" in text


def test_collapses_are_shown(reported: Reported) -> None:
    black = [{"epoch": epoch, "collapse": "black"} for epoch in (1, 2, 3)]
    page = reported(
        [
            record("failed", 4, collapses=[*black, {"epoch": 4, "collapse": "noise"}]),
            record("recovered", 5, collapses=[*black, {"epoch": 4, "collapse": "gray"}]),
            record("variant", 4, varies="failed"),
        ],
        {"failed_4": 10.0, "recovered_5": 21.0, "variant_4": 22.0},
    )
    assert page.row("Predictions as", "failed")[0] == "failed, 4 epochs collapsed: noise"
    assert page.row("How the trainings went", "failed")[6] == "black 1-3, noise 4 at the end"
    assert page.row("How the trainings went", "recovered")[6] == "black 1-3, gray 4"
    row = page.row("Each variant beside", "variant")
    assert row[1:5] == ["failed, 4 epochs collapsed: noise", "nothing", "22.00", "10.00"]
    assert row[5].startswith("+12.00")
    shown = [value for value in page.addresses("alt") if value.startswith("failed, 4 epochs of")]
    # Four drawn pictures in the grid, and again under the collapse.
    assert len(shown) == 8


def test_long_credits_are_cut_and_counted(reported: Reported) -> None:
    page = reported(UNET, LEVELS)
    assert len(page.table("Photographs, their licenses")) == 1 + MAX_CREDITS
    assert "10 more are in tables/credits.csv" in page.text


def test_settings_are_said_once_or_side_by_side(reported: Reported) -> None:
    page = reported(
        [record("unet", 2), record("other", 2, training={"learning_rate": 0.0003})],
        {"unet_2": 21.0, "other_2": 22.0},
    )
    assert "All networks: train_on: a, optimizer: adam, schedule: constant" in page.text
    assert "augmentation: none, early_stopping: 0, deterministic: true" in page.text
    assert "learning_rate: " not in page.text
    options = "target rgb, filters [4, 8], skip_connections true, dropout 0.5, weights none"
    assert page.table("What was trained, and how") == [
        ["Network", "Architecture", "Options", "learning_rate"],
        ["unet", "unet", options, "0.001"],
        ["other", "unet", options, "0.0003"],
    ]


def test_costs_are_shown(reported: Reported) -> None:
    page = reported(UNET, LEVELS)
    assert page.row("What networks are", "unet")[1:] == ["3", "2.99", "260", "36"]
    costs = page.row("What trainings took", "unet, 2")[1:]
    assert costs == ["70", "200", "1.5 s", "3 s", "1,024", "–", "CPU, 2 threads"]
    # Benchmarks by rule; of a job that was too short, Snakemake knows no memory.
    jobs = page.row("Time and memory of the jobs", "train_model")
    assert jobs == ["train_model", "2", "2.52 min", "2.5 min", "200"]


def test_equal_results_give_equal_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "commit", lambda folder: "0" * 40)
    pages = []
    for place in ("one", "other"):
        results = write_results(tmp_path / place, UNET, LEVELS, real_figures=True, sure=["unet_2"])
        pages.append(render(results))
        assert render(results) == pages[-1]
        pages[-1] += "".join(map(str, summarize(results)))
    assert pages[0] == pages[1]
    assert str(tmp_path) not in pages[0]


def test_figures_that_do_not_fit_are_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = write_results(tmp_path, UNET, LEVELS)
    curves = tmp_path / "figures" / "curves-unet.svg"
    curves.write_text("<!-- " + "x" * FIGURES_BUDGET + " -->")
    text = render(results)
    assert len(text) < FIGURES_BUDGET
    page = Page(text)
    assert "Left out here, to keep the page small: figures/curves-unet.svg." in page.text
    # One that is too large takes no others with it.
    assert page.text.count("Left out here") == 1


def test_names_stay_what_they_are(tmp_path: Path) -> None:
    results = write_results(tmp_path, UNET, LEVELS, data_sets=["007"], extremes=5)
    for file in results.arguments["scores"].values():
        file.write_text(file.read_text().replace("007,image-0-0,", "007,null,"))
    page = Page(render(results))
    # Best and worst are all ten images, one of which is called so.
    assert "Prediction of null" in page.addresses("alt")
    assert "null, 007" in page.text
    assert "One data set is in use, 007" in page.text
