"""The page with the report's components: for all who read it, on all that it is read on."""

from pathlib import Path

import pytest

from browser.checks import A4, LOOKS, WIDTHS, cut, overflow, shift, violations
from browser.conftest import HOSTILE, LONG, Open


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(open_page: Open, small: Path, width: int, scheme: str) -> None:
    page = open_page(small, width=width, color_scheme=scheme)
    page.get_by_role("button", name="PSNR").click()
    page.get_by_role("button", name="Next").click()
    assert violations(page) == []
    assert overflow(page) == 0


@pytest.mark.slow
def test_nothing_keeps_people_out_of_forty_runs(open_page: Open, large: Path) -> None:
    page = open_page(large, width=400)
    page.locator("summary").click()
    assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0


def test_nothing_moves_by_itself(open_page: Open, components: Path) -> None:
    page = open_page(components)
    assert shift(page) == 0
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].map((element) => getComputedStyle(element))
            .filter((style) => style.transitionDuration !== "0s" || style.animationName !== "none")
            .length"""
    )
    assert moving == 0


def test_without_scripts_all_is_there_and_no_dead_control(open_page: Open, components: Path) -> None:
    page = open_page(components, java_script_enabled=False)
    for control in ("button", "select", "input", ".viewer", ".run-choice"):
        assert page.locator(f"{control}:visible").count() == 0
    runs = page.locator("#results tbody tr:visible").count() - 1
    assert runs in (4, 40)
    assert page.locator(".pictures td img:visible").count() == 3 * (runs + 2)
    assert page.locator(".pictures thead th:visible").count() == runs + 3
    names = page.locator(".pictures thead .label").all_inner_texts()
    assert names[2:4] == [HOSTILE, LONG] and page.title() == "Components"


def test_names_run_no_script(open_page: Open, components: Path) -> None:
    page = open_page(components)
    page.get_by_role("button", name=f"{HOSTILE} of {HOSTILE}", exact=True).click()
    assert page.title() == "Components" and page.locator("script").count() == 3


def test_print_has_the_grid_whole_and_not_the_viewer(open_page: Open, components: Path) -> None:
    page = open_page(components, width=A4)
    page.emulate_media(media="print")
    assert cut(page) == []
    assert not page.locator(".viewer").is_visible() and not page.locator(".run-choice").is_visible()
    sides = """images => images.map((image) => image.getBoundingClientRect())
        .map((box) => [box.left, box.right, box.width])"""
    boxes = page.locator(".pictures td img").evaluate_all(sides)
    assert all(left >= 0 and right <= A4 and width == 96 for left, right, width in boxes)
    # Each says whose it is, as the head does not stand above a row that wraps.
    label = "cell => getComputedStyle(cell, '::before').content"
    assert page.locator(".pictures td").nth(1).evaluate(label) == '"Network 0"'


def test_pictures_out_of_sight_are_loaded_late_and_printed(open_page: Open, large: Path) -> None:
    count = large.read_text(encoding="utf-8").count('<img loading="lazy"')
    page = open_page(large, height=300)
    assert page.evaluate("document.images.length") >= count > 100
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth)"
    # Busy machines need a moment.
    assert any(page.evaluate(loaded) or page.wait_for_timeout(100) for _ in range(100))
    assert page.pdf(format="A4").count(b"/Subtype /Image") >= count
