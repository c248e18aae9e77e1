"""The finished report in a browser."""

import csv
import re
from pathlib import Path

import pytest
from conftest import Copy
from playwright.sync_api import Browser
from support import hostile

from browser.checks import A4, LOOKS, cut, overflow, shift, violations
from browser.conftest import Open


@pytest.fixture(scope="session")
def report(finished: Copy) -> Path:
    """The report of the copy in which `make report` has run."""
    return finished.folder / "results" / "report.html"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(open_page: Open, report: Path, width: int, scheme: str) -> None:
    page = open_page(report, width=width, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert violations(page) == []
    assert overflow(page) == 0


def test_every_column_sorts_and_no_row_is_lost(open_page: Open, report: Path) -> None:
    page = open_page(report)
    told = page.locator("table.sortable thead button").evaluate_all(
        """buttons => buttons.map((button) => {
            const header = button.closest("th");
            const rows = () => [...button.closest("table").querySelectorAll("tbody tr")];
            const before = new Set(rows());
            const orders = [1, 2].map(() => { button.click(); return header.ariaSort; });
            const after = rows();
            const same = after.length === before.size && after.every((row) => before.has(row));
            return [...orders, same];
        })"""
    )
    assert len(told) > 5
    assert all(each == ["ascending", "descending", True] for each in told)


def test_results_sort_by_psnr(open_page: Open, report: Path) -> None:
    page = open_page(report)
    table = page.locator("#results table.sortable").first
    values = """(table) => {
        const heads = [...table.tHead.rows[0].cells];
        const column = heads.findIndex((head) => head.ariaSort);
        return [...table.tBodies[0].rows].map((row) => row.cells[column])
            .map((cell) => cell.dataset.value ?? cell.textContent);
    }"""
    button = table.get_by_role("button", name=re.compile("^PSNR")).first
    button.click()
    rising = [float(text) for text in table.evaluate(values) if text]
    assert rising == sorted(rising) and len(rising) > 2
    button.click()
    assert [float(text) for text in table.evaluate(values) if text] == rising[::-1]


def test_a_run_is_hidden_everywhere(open_page: Open, report: Path) -> None:
    page = open_page(report)
    for summary in page.locator(".run-choice summary").all():
        summary.click()
    box = page.locator(".run-choice input").first
    key = box.get_attribute("value") or ""
    keys = "element => element.dataset.run ?? element.dataset.column"
    marked = page.locator("[data-run], [data-column]")
    assert key in marked.evaluate_all(f"all => all.map({keys})")
    box.uncheck()
    left = f"all => all.filter((element) => element.checkVisibility()).map({keys})"
    assert key not in marked.evaluate_all(left)
    page.get_by_role("button", name="All", exact=True).click()
    assert key in marked.evaluate_all(left)


def test_every_run_can_be_chosen(open_page: Open, report: Path, finished: Copy) -> None:
    page = open_page(report)
    with (finished.folder / "results/tables/training.csv").open(encoding="utf-8") as file:
        runs = {row["run"] for row in csv.DictReader(file)}
    keys = page.locator(".run-choice input").evaluate_all("all => all.map((box) => box.value)")
    assert set(keys) == runs and len(keys) == len(runs)


def test_pictures_are_compared_by_keyboard(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator(".pictures td button").nth(1).focus()
    page.keyboard.press("Enter")
    left = page.locator(".viewer .stage img.left")
    cell = page.locator(".pictures td img").nth(1)
    assert left.get_attribute("src") == cell.get_attribute("src")
    clips = []
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
        clips.append(left.evaluate("image => image.style.clipPath"))
    assert [re.findall(r"\d+(?=%)", clip) for clip in clips] == [["100"], ["99"], ["98"]]
    photograph = page.locator(".pictures th[data-kind=photograph]").get_attribute("data-column")
    assert page.locator("[data-choice=right]").input_value() == photograph


def test_pictures_are_compared_by_mouse(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator(".pictures td button").nth(1).click()
    box = page.locator(".viewer .stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.up()
    clip = page.locator(".viewer .stage img.left").evaluate("image => image.style.clipPath")
    (share,) = re.findall(r"\d+(?=%)", clip)
    assert abs(int(share) - 75) <= 1


def test_without_scripts_all_is_there_and_no_dead_control(open_page: Open, report: Path) -> None:
    with_scripts = open_page(report).locator("main table:visible").count()
    page = open_page(report, java_script_enabled=False)
    for control in ("button", "select", "input", ".viewer", ".run-choice"):
        assert page.locator(f"{control}:visible").count() == 0
    assert page.locator("main table:visible").count() == with_scripts
    assert page.locator("main [hidden]:not(.viewer, .run-choice, .viewer *, .run-choice *)").count() == 0
    assert page.locator(".pictures td img:visible").count() == page.locator(".pictures td").count() > 0


def test_nothing_is_cut_in_print(open_page: Open, report: Path) -> None:
    page = open_page(report, width=A4)
    page.emulate_media(media="print")
    assert cut(page) == []
    assert page.locator(".viewer:visible").count() == 0
    assert page.locator(".pictures td img:visible").count() > 0


def test_links_within_the_page_lead_somewhere(open_page: Open, report: Path) -> None:
    page = open_page(report)
    targets = page.locator("a[href^='#']").evaluate_all("all => all.map((link) => link.hash.slice(1))")
    ids = page.locator("[id]").evaluate_all("all => all.map((element) => element.id)")
    assert targets and set(targets) <= set(ids) and len(ids) == len(set(ids))


def test_nothing_moves_by_itself(open_page: Open, report: Path) -> None:
    assert shift(open_page(report)) < 0.01


def test_snakemakes_report_runs_no_script_of_the_configuration(browser: Browser, finished: Copy) -> None:
    finished.write("hostile.yaml", hostile.CONFIG)
    made = finished.run("snakemake --configfile hostile.yaml --report provenance.html")
    (finished.folder / "hostile.yaml").unlink()
    assert made.returncode == 0, made.stdout
    page = browser.new_page()
    page.goto((finished.folder / "provenance.html").as_uri())
    (finished.folder / "provenance.html").unlink()
    page.evaluate("app.showResultInfo('results/report.html')")
    page.get_by_text("window.ran").wait_for()  # As a text of the configuration.
    assert page.evaluate("window.ran") is None
    page.close()
