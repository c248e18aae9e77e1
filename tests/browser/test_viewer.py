"""The viewer: two pictures of the grid, one over the other, by mouse, keyboard and touch."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from browser.conftest import HOSTILE, LONG, Open


def source(page: Page, side: str) -> str:
    """The picture at a side of the viewer."""
    return page.locator(f".stage img.{side}").get_attribute("src") or ""


def cell(page: Page, row: int, column: int) -> str:
    """The picture of a cell of the grid, counted from 0 without the names."""
    image = page.locator(".pictures tbody tr").nth(row).locator("img").nth(column)
    return image.get_attribute("src") or ""


def shown(page: Page) -> int:
    """The share of the left picture that is seen, in percent, as it is clipped."""
    clip = page.locator(".stage img.left").evaluate("image => getComputedStyle(image).clipPath")
    parts = clip.removeprefix("inset(").removesuffix(")").split()
    assert parts[0] == "0px" and len(parts) in (2, 4), clip
    return 100 - int(parts[1].removesuffix("%").removesuffix("px"))


def focused(page: Page) -> str:
    """The name of what has the focus."""
    said = "document.activeElement.ariaLabel || document.activeElement.querySelector('img').alt"
    return str(page.evaluate(said))


def test_it_begins_with_the_first_run_and_the_photograph(open_page: Open, components: Path) -> None:
    page = open_page(components)
    last = page.locator(".pictures tbody tr").first.locator("img").count() - 1
    assert source(page, "left") == cell(page, 0, 1) and source(page, "right") == cell(page, 0, last)
    assert page.locator("[data-said=left]").inner_text() == "Network 0 20.01 dB"
    assert page.locator("[data-said=right]").inner_text() == "Photograph"
    assert shown(page) == 50


def test_arrow_keys_move_the_divider(open_page: Open, small: Path) -> None:
    page = open_page(small)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == 51
    assert slider.get_attribute("aria-valuetext") == "51 % Network 0, 49 % Photograph"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert shown(page) == 48
    page.keyboard.press("Home")
    assert shown(page) == 0
    page.keyboard.press("End")
    assert shown(page) == 100


def test_dragging_on_the_picture_moves_the_divider(open_page: Open, small: Path) -> None:
    page = open_page(small)
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    assert shown(page) == 25
    page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=3)
    assert shown(page) == 75
    page.mouse.move(box["x"] + box["width"] + 500, middle)
    assert shown(page) == 100
    page.mouse.up()
    page.mouse.move(box["x"] + 5, middle)
    assert shown(page) == 100
    # What the eye sees is what is clipped: left of the divider the left picture, right of it the other.
    page.keyboard.press("ArrowLeft")
    assert shown(page) == 99


@pytest.mark.parametrize("key", ["Enter", "Space", "click"])
def test_a_picture_of_the_grid_opens_at_the_left(open_page: Open, small: Path, key: str) -> None:
    page = open_page(small)
    picture = page.get_by_role("button", name=f"{HOSTILE} of {LONG}", exact=True)
    if key == "click":
        picture.click()
    else:
        picture.focus()
        page.keyboard.press(key)
    assert source(page, "left") == cell(page, 2, 2) and source(page, "right") == cell(page, 2, 5)
    assert page.locator("[data-said=left]").inner_text() == f"{HOSTILE} 22.02 dB"
    assert focused(page) == "How much is seen of the left picture"
    box = page.locator(".window").bounding_box()
    assert box and box["y"] >= 0 and box["y"] + box["height"] <= 800
    page.keyboard.press("ArrowRight")
    assert shown(page) == 51
    page.keyboard.press("Escape")
    assert focused(page) == f"{HOSTILE} of {LONG}"


def test_the_photograph_is_not_set_beside_itself(open_page: Open, small: Path) -> None:
    page = open_page(small)
    page.get_by_role("button", name="Input of astronaut-001").click()
    page.get_by_role("button", name=f"Photograph of {LONG}").click()
    assert source(page, "left") == cell(page, 2, 0) and source(page, "right") == cell(page, 2, 5)
    page.get_by_role("combobox", name="Left", exact=True).select_option("Photograph")
    page.get_by_role("button", name="Photograph of astronaut-001").click()
    assert source(page, "left") == cell(page, 0, 1)


def test_arrow_keys_go_through_the_grid(open_page: Open, small: Path) -> None:
    page = open_page(small)
    assert page.locator(".pictures button[tabindex='0']").count() == 1
    page.locator(".pictures-scroll").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Input of astronaut-001"
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "Input of astronaut-001"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "Network 0 of astronaut-001"
    page.keyboard.press("ArrowDown")
    assert focused(page) == f"Network 0 of {HOSTILE}"
    page.keyboard.press("End")
    assert focused(page) == f"Photograph of {HOSTILE}"
    page.keyboard.press("Control+Home")
    assert focused(page) == "Input of astronaut-001"
    page.keyboard.press("ArrowRight")
    # The tab stop goes on when its run is hidden, and hidden runs are passed over.
    page.get_by_role("checkbox", name="Network 0").uncheck()
    page.locator(".pictures-scroll").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Input of astronaut-001"
    page.keyboard.press("ArrowRight")
    assert focused(page) == f"{HOSTILE} of astronaut-001"


def test_the_way_back_leads_past_hidden_runs(open_page: Open, small: Path) -> None:
    page = open_page(small)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Back to the grid").click()
    assert focused(page) == f"Network 0 of {HOSTILE}"
    page.get_by_role("checkbox", name="Network 0").uncheck()
    page.get_by_role("button", name="Back to the grid").click()
    assert focused(page) == f"Input of {HOSTILE}"


def test_pictures_and_sides_are_chosen(open_page: Open, small: Path) -> None:
    page = open_page(small)
    picture = page.locator("[data-choice=picture]")
    page.get_by_role("button", name="Next").click()
    assert source(page, "left") == cell(page, 1, 1) and picture.input_value() == "1"
    said = page.locator(".viewer [role=status]")
    assert said.text_content() == f"Picture 2 of 3: {HOSTILE} photographs"
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    assert source(page, "left") == cell(page, 0, 1)
    page.get_by_role("button", name="Previous").click()
    assert picture.input_value() == "2"
    page.get_by_role("combobox", name="Left", exact=True).select_option("Input")
    page.get_by_role("combobox", name="Right", exact=True).select_option("Network 3")
    assert source(page, "left") == cell(page, 2, 0) and source(page, "right") == cell(page, 2, 4)
    assert page.locator("[data-said=right]").inner_text() == "Network 3 22.04 dB"
    assert page.locator(".stage img.right").get_attribute("alt") == f"Network 3 of {LONG}"
    options = page.locator("[data-choice=left] option").all_inner_texts()
    assert options == ["Input", "Network 0", HOSTILE, LONG, "Network 3", "Photograph"]
    assert page.title() == "Components"


@pytest.mark.parametrize("width", [400, 1000])
def test_zooming_scrolls_inside_and_moves_nothing_else(open_page: Open, small: Path, width: int) -> None:
    page = open_page(small, width=width)
    window, stage = page.locator(".window"), page.locator(".stage")
    before = page.locator(".viewer").bounding_box()
    for zoom in (1, 2, 4, 8):
        page.get_by_role("button", name=f"{zoom}×", exact=True).click()
        box = stage.bounding_box()
        assert box and box["width"] == 64 * zoom
        pressed = page.locator("[data-zoom][aria-pressed=true]")
        assert pressed.all_inner_texts() == [f"{zoom}×"]
    scrolls = window.evaluate("element => element.scrollWidth > element.clientWidth")
    assert scrolls == (width == 400)
    # The middle stays in the middle.
    left = window.evaluate("element => element.scrollLeft + element.clientWidth / 2")
    assert left == pytest.approx(window.evaluate("element => element.scrollWidth / 2"), abs=1)
    page.get_by_role("button", name="Next").click()
    after = page.locator(".viewer").bounding_box()
    assert before and after and after["height"] - before["height"] < 64
    rendering = "image => getComputedStyle(image).imageRendering"
    assert stage.locator("img").first.evaluate(rendering) == "auto"
    page.get_by_label("Sharp pixels").check()
    assert stage.locator("img").first.evaluate(rendering) == "pixelated"


def swipe(page: Page, start: tuple[float, float], across: float) -> None:
    """Draw a finger over the page, sideways."""
    touch = page.context.new_cdp_session(page)
    x, y = start
    for step in range(6):
        points = [{"x": x + across * step / 5, "y": y}]
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_by_touch_the_divider_follows_the_finger(open_page: Open, small: Path) -> None:
    page = open_page(small, width=400, has_touch=True, is_mobile=True)
    stage = page.locator(".stage")
    stage.tap(position={"x": 64, "y": 100})
    assert shown(page) == 25
    box = stage.bounding_box()
    assert box and box["width"] == 256
    swipe(page, (box["x"] + 128, box["y"] + 50), 64)
    assert shown(page) == 75


def test_by_touch_a_zoomed_picture_is_scrolled_but_by_its_handle(open_page: Open, small: Path) -> None:
    page = open_page(small, width=400, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="8×").tap()
    window, line = page.locator(".window"), page.locator(".handle")
    window.scroll_into_view_if_needed()
    box = window.bounding_box()
    assert box
    before = window.evaluate("element => element.scrollLeft")
    swipe(page, (box["x"] + 50, box["y"] + 40), 100)
    assert shown(page) == 50
    page.wait_for_function(
        "before => document.querySelector('.window').scrollLeft < before - 50", arg=before
    )
    window.evaluate("element => element.scrollTo(100, 0)")
    grip = line.bounding_box()
    assert grip
    swipe(page, (grip["x"] + grip["width"] / 2, box["y"] + 40), 128)
    assert shown(page) == 75
    assert window.evaluate("element => element.scrollLeft") == 100


def test_the_page_holds_each_picture_once(small: Path) -> None:
    text = small.read_text(encoding="utf-8")
    assert text.count("data:image/png") == 3 * 6
