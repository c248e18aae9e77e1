"""Reports of extreme results in a browser: forty runs of everything, and a single one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.html_reader import Page as Source
from support.simulated_answers import add_acceptance, simulate, write_study
from support.synthetic_records import HOSTILE, HOSTILE_DATA_SET, forty_runs, record
from support.synthetic_results import fewer_resamples, render, summarize, write_results

from browser.checks import A4, LOOKS, cut, overflow, shift, violations
from browser.conftest import Open

MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report of forty runs on five data sets, with names that are markup, at 256×256."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        fewer_resamples(monkeypatch)
        records, levels = forty_runs()
        results = write_results(
            tmp_path_factory.mktemp("forty"),
            records,
            {**levels, "other-program": 24.0, "<i>program": 22.0},
            pictures=["other-program", "<i>program"],
            data_sets=["a", "b", HOSTILE_DATA_SET, "data-set-of-a-rather-long-name", "e"],
            photographs=3,
            size=256,
            split="validation",
            drawn=8,
            as_published=["network-03_30"],
            distances=True,
            sure=["network-03_30", f"{HOSTILE}_30"],
            real_figures=True,
            words=HOSTILE,
            ids=HOSTILE,
            title=HOSTILE,
        )
        summarize(results)
        runs = results.arguments["compared"]
        study = write_study(results.folder / "drawn", runs=runs, images=70, data_sets=["a", HOSTILE])
        add_acceptance(results, simulate(study, 6))
        render(results)
    yield results.folder / "report.html"
    # They are large, and pytest would keep them.
    for file in results.folder.rglob("*.np[yz]"):
        file.unlink()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one run on one data set."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        fewer_resamples(monkeypatch)
        results = write_results(
            tmp_path_factory.mktemp("one"), [record("unet", 1)], {"unet_1": 21.0}, real_figures=True
        )
        study = write_study(results.folder / "drawn", "rating", runs=["unet_1"], images=6)
        add_acceptance(results, simulate(study, 4))
        render(results)
    return results.folder / "report.html"


@pytest.fixture(params=[pytest.param("forty", marks=pytest.mark.slow), "one"])
def report(request: pytest.FixtureRequest) -> Path:
    """The largest report, and the smallest."""
    return Path(request.getfixturevalue(request.param))


@pytest.mark.slow
def test_forty_runs_stay_a_page_that_can_be_sent(forty: Path) -> None:
    assert forty.stat().st_size <= MOST_BYTES
    page = Source(forty.read_text(encoding="utf-8"))
    assert "In this page pictures are stored as JPEG of quality " in page.text
    assert "pixels wide. File: figures/grid-all_models.png" in page.text
    # Nothing is left out without a word: of every run that is compared there is a column.
    assert page.text.count("Left out here, to keep the page small: ") > 0
    columns = [value for tag, name, value in page.attributes if (tag, name) == ("th", "data-column")]
    assert len(columns) == 2 + 34 + 2  # Two runs have maps of how sure they are.


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(open_page: Open, report: Path, width: int, scheme: str) -> None:
    page = open_page(report, width=width, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert overflow(page) == 0
    assert violations(page) == []


def test_nothing_is_cut_in_print(open_page: Open, report: Path) -> None:
    page = open_page(report, width=A4)
    page.emulate_media(media="print")
    assert cut(page) == []


@pytest.mark.slow
def test_names_run_no_script(open_page: Open, forty: Path) -> None:
    page = open_page(forty)
    assert page.title() == HOSTILE
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("main i, main b, main script script").count() == 0
    assert page.locator("img:not([src^='data:image/'])").count() == 0


def test_all_pictures_can_be_seen(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    broken = page.locator("img").evaluate_all(
        """async (all) => {
            all.forEach((image) => { image.loading = "eager"; });
            await Promise.allSettled(all.map((image) => image.decode()));
            return all.filter((image) => !image.naturalWidth).map((image) => image.alt);
        }"""
    )
    assert broken == []


@pytest.mark.slow
def test_every_column_sorts_and_a_run_is_hidden_everywhere(open_page: Open, forty: Path) -> None:
    page = open_page(forty)
    orders = page.locator("table.sortable thead button").evaluate_all(
        """buttons => buttons.map((button) => {
            const header = button.closest("th");
            const body = button.closest("table").tBodies[0];
            const before = body.rows.length;
            return [...[1, 2].map(() => { button.click(); return header.ariaSort; }),
                body.rows.length === before];
        })"""
    )
    assert len(orders) > 50 and all(each == ["ascending", "descending", True] for each in orders)
    page.locator(".run-choice summary").click()
    keys = page.locator(".run-choice input").evaluate_all("all => all.map((box) => box.value)")
    assert len(keys) == 42 and f"{HOSTILE}_30" in keys
    marked = page.locator("[data-run], [data-column]")
    seen = """all => all.filter((element) => element.checkVisibility())
        .map((element) => element.dataset.run ?? element.dataset.column)"""
    assert f"{HOSTILE}_30" in marked.evaluate_all(seen)
    page.get_by_role("checkbox", name=f"{HOSTILE}, 30 epochs", exact=True).uncheck()
    assert f"{HOSTILE}_30" not in marked.evaluate_all(seen)


def test_nothing_moves_by_itself(open_page: Open, report: Path) -> None:
    assert shift(open_page(report)) < 0.01
