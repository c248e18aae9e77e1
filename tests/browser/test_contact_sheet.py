"""The contact sheet in Chromium: pictures, order, filter, names of all kinds, and thousands of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from deepcolor.colorize import contact_sheet
from playwright.sync_api import Browser, BrowserContext, Page
from support.contact_sheets import HOSTILE, TRAINED_ON, entry, write_sheet

from browser.checks import A4, LOOKS, WIDTHS, cut, overflow, shift, violations

Open = Callable[..., Page]
MOST = 5000


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("colorized")
    return write_sheet(folder, [entry(name, number) for number, name in enumerate(HOSTILE)])


@pytest.fixture
def open_sheet(browser: Browser) -> Iterator[Open]:
    """Open a sheet in a context of its own: open_sheet(path, width=1000, **options of the context).

    A page that wants anything but its pictures, or says an error, fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(path: Path, width: int = 1000, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(10000)
        contexts.append(context)
        page = context.new_page()

        def heed(url: str) -> None:
            if not url.startswith((path.parent.as_uri() + "/", "data:")):
                faults.append(f"asks for {url[:200]}")

        page.on("request", lambda request: heed(request.url))
        page.on("requestfailed", lambda request: faults.append(f"not there: {request.url[:200]}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def places(page: Page) -> list[str]:
    """The files that the shown pairs lead to, in their order."""
    found = page.evaluate(
        """() => [...document.querySelectorAll(".sheet li")].filter((each) => each.checkVisibility())
            .map((each) => each.querySelector("a").getAttribute("href"))"""
    )
    return [os.fsdecode(unquote_to_bytes(each)) for each in found]


def colorfulness(page: Page) -> list[float]:
    return [
        float(each.get_attribute("data-colorfulness") or "")
        for each in page.locator(".sheet li").all()
        if each.is_visible()
    ]


def loaded(page: Page) -> int:
    """Wait until all pictures are there; how many."""
    every = "() => [...document.images].every((each) => each.complete && each.naturalWidth > 0)"
    page.wait_for_function(every)
    return int(page.evaluate("document.images.length"))


def test_every_picture_is_there_and_every_name_leads_to_its_file(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet)
    assert loaded(page) == 2 * len(HOSTILE)
    assert sorted(places(page)) == sorted(HOSTILE)
    for address in page.evaluate("[...document.links].map((each) => each.href)"):
        path = Path(os.fsdecode(unquote_to_bytes(urlsplit(address).path)))
        assert path.is_file() and path.is_relative_to(sheet.parent)
    assert page.title() == f"Contact sheet: {len(HOSTILE)} colorized photographs"
    for name in ("with blank", "inner", "caf"):
        page.get_by_role("link", name=name).click()
        page.wait_for_function(
            "() => document.images.length === 1 && document.images[0].naturalWidth > 0"
        )
        page.go_back()


def test_sorting(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet)
    order = page.get_by_label("Sort by")
    by_name = places(page)
    order.select_option("colorfulness, most first")
    found = colorfulness(page)
    assert found == sorted(found, reverse=True) and len(found) == len(HOSTILE)
    order.select_option("colorfulness, least first")
    assert colorfulness(page) == sorted(found)
    order.select_option("name, Z to A")
    assert places(page) == by_name[::-1]
    order.press("Home")  # By the keyboard alone.
    assert places(page) == by_name


def test_filtering(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet)
    text, status = page.get_by_label("Show only"), page.get_by_role("status")
    assert status.inner_text() == f"{len(HOSTILE)} shown"
    for words, count in (
        ("ZOE", 2),
        ("zoë", 2),
        ("東京", 1),
        ("very NAME", 1),
        ("#2/", 1),
        ("replaced", 7),
    ):
        text.fill(words)
        assert len(places(page)) == count, words
        assert status.inner_text() == f"{count} of {len(HOSTILE)} shown"
    text.fill("such a name is not there")
    assert places(page) == [] and page.get_by_text("No photograph fits this text.").is_visible()
    text.press("Enter")  # Sends nothing.
    text.fill("replaced")
    page.get_by_label("Sort by").select_option("colorfulness, most first")
    found = colorfulness(page)
    assert len(found) == 7 and found == sorted(found, reverse=True)
    text.fill("")
    assert len(places(page)) == len(HOSTILE)
    assert not page.get_by_text("No photograph fits this text.").is_visible()


def test_pairs_are_reached_by_the_keyboard_and_by_a_click_on_them(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet)
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.querySelector('.sheet a')")
    box = page.locator(".sheet li").nth(1).locator("img").first.bounding_box()
    assert box
    hit = "([x, y]) => document.elementFromPoint(x, y).closest('li').matches(':nth-child(2)')"
    assert page.evaluate(hit, [box["x"] + 9, box["y"] + 9])
    page.mouse.click(box["x"] + 9, box["y"] + 9)
    page.wait_for_url(lambda url: "contact_sheet" not in url)


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_even_and_nothing_is_cut(sheet: Path, open_sheet: Open, width: int) -> None:
    page = open_sheet(sheet, width)
    loaded(page)
    assert overflow(page) == 0 and cut(page) == [] and shift(page) == 0
    places = page.evaluate(
        """() => [...document.querySelectorAll(".pair")].map((pair) =>
            [...pair.children].map((image) => {
                const { y, width, height } = image.getBoundingClientRect();
                return [y, width, height];
            }))"""
    )
    for one, other in places:
        assert one == pytest.approx(other, abs=0.1) and one[1] > 60
        in_row = [each[2] for each, _ in places if abs(each[0] - one[0]) < 2]
        assert max(in_row) - min(in_row) < 1.5


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(sheet: Path, open_sheet: Open, width: int, scheme: str) -> None:
    page = open_sheet(sheet, width, color_scheme=scheme)
    loaded(page)
    assert violations(page) == []


def test_without_scripts_it_is_read_by_name(sheet: Path, open_sheet: Open) -> None:
    scripted = open_sheet(sheet)
    sorted_by_script = places(scripted)
    page = open_sheet(sheet, java_script_enabled=False)
    # The script finds the count in its place: a line that appears later would move the pictures.
    status = page.get_by_role("status", include_hidden=True).text_content()
    assert status and status == scripted.get_by_role("status").text_content()
    links = page.locator(".sheet a").all()
    found = [os.fsdecode(unquote_to_bytes(each.get_attribute("href") or "")) for each in links]
    assert found == sorted_by_script and all(each.is_visible() for each in links)
    assert not page.get_by_label("Sort by").is_visible()


def test_print(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet, A4, color_scheme="dark")
    loaded(page)
    page.emulate_media(media="print")
    assert overflow(page) == 0 and cut(page) == []
    assert not page.get_by_label("Sort by").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").count(b"/Subtype /Image") == 2 * len(HOSTILE)


def test_a_telephone(sheet: Path, open_sheet: Open) -> None:
    page = open_sheet(sheet, 360, 640, is_mobile=True, has_touch=True)
    assert overflow(page) == 0
    for each in page.locator("select, input").all():
        box = each.bounding_box()
        assert box and box["height"] >= 44
    page.locator(".pair").first.scroll_into_view_if_needed()
    box = page.locator(".pair").first.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 9, box["y"] + 9)
    page.wait_for_url(lambda url: "contact_sheet" not in url)


@pytest.mark.slow
def test_thousands_stay_usable(tmp_path: Path, open_sheet: Open) -> None:
    entries = [entry(f"folder {n // 100}/picture {n}.jpg", n) for n in range(MOST)]
    path = write_sheet(tmp_path, entries[:40])
    path.write_text(contact_sheet.render(entries[:40] * (MOST // 40), TRAINED_ON), encoding="utf-8")
    page = open_sheet(path)
    page.get_by_text(f"{MOST:,} shown").wait_for()
    assert page.evaluate("performance.getEntriesByType('resource').length") < 1000
    assert shift(page) == 0
    done = """(act) => new Promise((resolve) => {
        const [id, value, name] = act;
        const element = document.getElementById(id);
        element.value = value;
        element.dispatchEvent(new Event(name));
        requestAnimationFrame(() => setTimeout(() => resolve(true)));
    })"""
    for act in (
        ["order", "most", "change"],
        ["order", "least", "change"],
        ["filter", "picture 7", "input"],
        ["filter", "", "input"],
    ):
        assert page.evaluate(done, act)
