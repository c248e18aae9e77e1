"""Tables that sort, and the choice of runs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from browser.conftest import HOSTILE, LONG, Open


def order(page: Page) -> list[str]:
    """The rows of the table by the number in their names; the grayscale copy is "copy"."""
    names = page.locator("#results tbody th").all_inner_texts()
    short = {"Grayscale copy": "copy", HOSTILE: "1", LONG: "2"}
    return [short.get(name) or name.removeprefix("Network ") for name in names]


def sort_by(page: Page, name: str) -> str | None:
    """Press the button of a column; says what aria-sort is then."""
    header = page.locator("#results thead th", has=page.get_by_role("button", name=name))
    header.get_by_role("button").click()
    return header.get_attribute("aria-sort")


def test_columns_sort_by_number_with_what_is_empty_last(open_page: Open, small: Path) -> None:
    page = open_page(small)
    assert order(page) == ["copy", "0", "1", "2", "3"]
    # By data-value, which the head's spans must not confuse: 1000, 1037, 1074, and two without.
    assert sort_by(page, "most") == "ascending"
    assert order(page) == ["0", "1", "2", "copy", "3"]
    assert sort_by(page, "most") == "descending"
    assert order(page) == ["2", "1", "0", "copy", "3"]
    # By the text, which is no text to be sorted by letters: 0.3, 0e-3, 7e-3, 4e-3, 1e-3.
    assert sort_by(page, "least") == "ascending"
    assert order(page) == ["0", "3", "2", "1", "copy"]
    assert page.locator("#results [aria-sort]").count() == 1


def test_text_sorts_and_equal_rows_keep_their_order(open_page: Open, large: Path) -> None:
    page = open_page(large)
    assert sort_by(page, "PSNR") == "ascending"
    psnr = [float(text) for text in page.locator("#results tbody td:nth-child(4)").all_inner_texts()]
    assert psnr == sorted(psnr) and len(psnr) == 41
    sort_by(page, "Run")
    numbers = [int(name) for name in order(page) if name not in ("copy", "1", "2")]
    assert numbers == [0, *range(3, 40)]
    # Of equal figures, the row that stood first stands first in both directions.
    sort_by(page, "PSNR")
    assert sort_by(page, "PSNR") == "descending"
    rows = [name for name in order(page) if name in ("3", "13", "23", "33")]
    assert rows == ["3", "13", "23", "33"]


def test_a_column_without_an_order_has_no_button(open_page: Open, small: Path) -> None:
    page = open_page(small)
    assert page.locator("#results thead button").all_inner_texts() == [
        "Run",
        "PSNR\n(dB)",
        "least",
        "most",
    ]


def test_sorting_by_keyboard_keeps_the_focus(open_page: Open, small: Path) -> None:
    page = open_page(small)
    page.get_by_role("button", name="PSNR").focus()
    page.keyboard.press("Enter")
    assert order(page) == ["0", "2", "copy", "1", "3"]
    page.keyboard.press("Space")
    assert order(page) == ["3", "1", "copy", "2", "0"]
    assert page.evaluate("document.activeElement.innerText").startswith("PSNR")


def test_a_run_is_hidden_in_tables_and_grids(open_page: Open, small: Path) -> None:
    page = open_page(small)
    status = page.locator(".run-choice [role=status]")
    assert status.inner_text() == "4 of 4 runs are shown."
    box = page.get_by_role("checkbox", name=HOSTILE, exact=True)
    box.focus()
    page.keyboard.press("Space")
    assert status.inner_text() == "3 of 4 runs are shown."
    visible = page.locator(".pictures thead th:visible")
    assert visible.all_inner_texts() == [
        "Picture",
        "Input",
        "Network 0",
        LONG,
        "Network 3",
        "Photograph",
    ]
    assert page.locator(".pictures td:visible").count() == 3 * 5
    assert page.locator("#results tbody tr:visible").count() == 4
    page.get_by_role("button", name="None", exact=True).click()
    assert visible.all_inner_texts() == ["Picture", "Input", "Photograph"]
    assert page.locator("#results tbody tr:visible").all_inner_texts() == [
        "Grayscale copy\t0.3\t–\t21.50\tof all"
    ]
    page.get_by_role("button", name="All", exact=True).click()
    assert visible.count() == 7 and status.inner_text() == "4 of 4 runs are shown."


def test_many_runs_are_chosen_in_a_part_that_opens(open_page: Open, large: Path, small: Path) -> None:
    page = open_page(large)
    box = page.get_by_role("checkbox", name="Network 39")
    assert not box.is_visible()
    page.get_by_text("Choose among 40 runs").click()
    box.uncheck()
    assert page.locator(".run-choice [role=status]").inner_text() == "39 of 40 runs are shown."
    assert not page.locator("#results").get_by_text("Network 39").is_visible()
    assert open_page(small).locator("details").count() == 0


@pytest.mark.parametrize("width", [400, 1000])
def test_forty_runs_keep_head_and_names_in_sight(open_page: Open, large: Path, width: int) -> None:
    page = open_page(large, width=width, height=500)
    region = page.locator(".pictures-scroll")
    region.evaluate("element => element.scrollTo(3000, 200)")
    assert region.evaluate("element => element.scrollTop") > 50
    frame = region.bounding_box()
    assert frame
    for name in ("thead th:first-child", "tbody tr:nth-child(3) th"):
        box = page.locator(f".pictures {name}").bounding_box()
        assert box and box["x"] == pytest.approx(frame["x"] + 1)
    head = page.locator(".pictures thead th").last.bounding_box()
    assert head and head["y"] == pytest.approx(frame["y"] + 1)
    # Pictures of 64 pixels are shown larger than they are.
    picture = page.locator(".pictures img").first.bounding_box()
    assert picture and picture["width"] == 96
