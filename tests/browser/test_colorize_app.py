"""The page to try networks in Chromium: drop, colorize, compare, download, and what goes wrong."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from deepcolor.colorize import xmp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route
from support.sample_images import picture
from support.served_apps import Served, serving, write_runs

from browser.checks import LOOKS, cut, overflow, violations

Visit = Callable[..., Page]
WIDTH, HEIGHT = 600, 400
NAME = 'a "b" <img src=x onerror=alert(1)>.jpeg'
# Makes the files [name, content in base 64] the data of an event on an element.
TRANSFER = """([name, files, selector]) => {
    const data = new DataTransfer();
    for (const [called, content] of files) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], called));
    }
    const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    const made = name === "paste" ? ClipboardEvent : DragEvent;
    document.querySelector(selector).dispatchEvent(new made(name, options));
}"""


def encoded(format: str, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A gray picture."""
    file = io.BytesIO()
    picture(1, width, height).convert("L").save(file, format)
    return file.getvalue()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    results = write_runs(tmp_path_factory.mktemp("results"))
    with serving("--results", results, "--most-megabytes", "0.5", "--most-megapixels", "1") as process:
        yield process


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    """Open the page in a context of its own: visit(width=1000, expected=(), **options of the context).

    A page that asks another host, breaks its policy, or says an error fails the test, but for messages
    with a text that is expected.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(
        width: int = 1000, height: int = 800, expected: tuple[str, ...] = (), **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(20000)
        contexts.append(context)
        page = context.new_page()

        def own(url: str) -> None:
            if urlsplit(url.removeprefix("blob:")).netloc != urlsplit(served.url).netloc:
                faults.append(f"asks for {url[:200]}")

        def heard(kind: str, text: str) -> None:
            if kind in ("error", "warning") and not any(each in text for each in expected):
                faults.append(text)

        page.on("request", lambda request: own(request.url))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda said: heard(said.type, said.text))
        response = page.goto(served.url)
        assert response
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        if options.get("java_script_enabled", True):
            # Its colors are known.
            page.evaluate("document.getElementById('run').value = 'warm_2'")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == [], faults


def hand(page: Page, event: str, *files: tuple[str, bytes], selector: str = "[data-panel]") -> None:
    """Drop or paste files."""
    content = [[name, base64.b64encode(each).decode()] for name, each in files]
    page.evaluate(TRANSFER, [event, content, selector])


def choose(page: Page, content: bytes, name: str = NAME) -> None:
    """Choose a picture in the dialog for files."""
    kind = "application/octet-stream"
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})


def colorize(page: Page) -> None:
    """Press the button, and wait for the result."""
    page.get_by_role("button", name="Colorize").click()
    page.locator("[data-said]").get_by_text("Done in").wait_for()


def download(page: Page, folder: Path) -> Path:
    """Download the result."""
    with page.expect_download() as told:
        page.get_by_role("link", name="Download").click()
    path = folder / told.value.suggested_filename
    told.value.save_as(path)
    return path


def seen(page: Page, share: float) -> tuple[int, int, int]:
    """The color in the middle of the shown picture's height, at a share of its width."""
    image = Image.open(io.BytesIO(page.locator("[data-stage]").screenshot())).convert("RGB")
    red, green, blue = image.getpixel((int(share * image.width), image.height // 2))  # type: ignore[misc]
    return red, green, blue


def is_gray(color: tuple[int, int, int]) -> bool:
    return max(color) - min(color) < 4


def state(page: Page) -> str:
    return page.locator("[data-panel]").get_attribute("data-state") or ""


def wait_for(page: Page, wanted: str) -> None:
    page.locator(f"[data-panel][data-state={wanted}]").wait_for()


def test_a_picture_is_dropped_colorized_compared_and_downloaded(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    content = encoded("JPEG")
    hand(page, "dragover")
    assert "over" in (page.locator("[data-panel]").get_attribute("class") or "")
    hand(page, "drop", (NAME, content))
    wait_for(page, "chosen")
    page.get_by_label("Network").select_option("warm, 2 epochs")
    assert "over" not in (page.locator("[data-panel]").get_attribute("class") or "")
    assert NAME in page.locator("[data-file]").inner_text() and is_gray(seen(page, 0.9))
    colorize(page)
    slider = page.get_by_role("slider", name="Before and after")
    assert slider.input_value() == "50"
    assert is_gray(seen(page, 0.25)) and not is_gray(seen(page, 0.75))
    assert page.get_by_text("The colors are a guess.").is_visible()
    assert "Trained on 8 photographs. It knows <nothing> else." in page.locator(".note").inner_text()
    about = page.locator("[data-about]").inner_text()
    assert f"JPEG, {WIDTH}×{HEIGHT} pixels" in about
    path = download(page, tmp_path)
    assert path.name.endswith("-colorized.jpeg") and path.name.startswith("a ")
    noted = xmp.noted(xmp.packet_of(path))
    assert noted["Model"] == "warm_2" and xmp.settings_of(noted)["saturation"] == 1
    done = Image.open(path)
    assert done.size == (WIDTH, HEIGHT)
    gray = np.asarray(Image.open(io.BytesIO(content)), int)
    assert np.abs(np.asarray(done.convert("L"), int) - gray).mean() < 2


def test_sliding_by_mouse_and_keyboard(visit: Visit) -> None:
    page = visit()
    choose(page, encoded("PNG"))
    colorize(page)
    slider = page.get_by_role("slider", name="Before and after")
    box = page.locator("[data-stage]").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], middle, steps=5)
    assert slider.input_value() == "90" and is_gray(seen(page, 0.8))
    page.mouse.move(box["x"] - 50, middle)  # Beyond the edge.
    page.mouse.up()
    assert slider.input_value() == "0" and not is_gray(seen(page, 0.1))
    page.mouse.move(box["x"] + 0.5 * box["width"], middle)  # No longer held.
    assert slider.input_value() == "0"
    page.keyboard.press("End")  # It has the focus.
    assert slider.input_value() == "100" and is_gray(seen(page, 0.95))
    for key in ("ArrowLeft", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert slider.input_value() == "97"
    assert slider.get_attribute("aria-valuetext") == "97 % before, 3 % after"


def test_by_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    picked: Any = {"name": "x.png", "mimeType": "image/png", "buffer": encoded("PNG")}
    page.on("filechooser", lambda dialog: dialog.set_files(picked))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    page.keyboard.press("Enter")
    wait_for(page, "chosen")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")  # The other network.
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for(page, "done")
    assert page.evaluate("document.activeElement.ariaLabel") == "Before and after"
    page.keyboard.press("Home")
    assert page.get_by_role("slider", name="Before and after").input_value() == "0"


def test_settings_reach_the_network(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    hand(page, "paste", ("image.png", encoded("PNG")), selector="body")
    wait_for(page, "chosen")
    page.get_by_label("Network").select_option("warm, 2 epochs")
    page.get_by_role("slider", name="Saturation").fill("1.7")
    assert page.locator("[data-saturation]").inner_text() == "1.7"
    page.get_by_label("look at it in tiles").check()
    page.get_by_label("into a corner").check()
    colorize(page)
    path = download(page, tmp_path)
    assert path.name == "image-colorized.png"
    noted = xmp.noted(xmp.packet_of(path))
    settings = xmp.settings_of(noted)
    assert noted["Model"] == "warm_2" and (settings["saturation"], settings["tiles"]) == (1.7, 2)
    assert settings["label"] is True and settings["keep_tint"] is False
    page.get_by_label("Network").select_option("cold, 10 epochs")
    colorize(page)
    assert xmp.noted(xmp.packet_of(download(page, tmp_path)))["Model"] == "cold_10"


@pytest.mark.parametrize(
    ("format", "name", "saved"),
    [
        ("TIFF", "old.scan.TIFF", "old.scan-colorized.TIFF"),
        ("GIF", "moving.gif", "moving-colorized.png"),
        ("JPEG", "mislabeled.png", "mislabeled-colorized.jpg"),
        ("PNG", "no suffix", "no suffix-colorized.png"),
    ],
)
def test_what_the_browser_cannot_show_is_shown_all_the_same(
    visit: Visit, tmp_path: Path, format: str, name: str, saved: str
) -> None:
    page = visit()
    choose(page, encoded(format), name)
    wait_for(page, "unshown" if format == "TIFF" else "chosen")
    assert page.get_by_text("Your browser does not show this kind").is_visible() == (format == "TIFF")
    colorize(page)
    assert not is_gray(seen(page, 0.75))
    path = download(page, tmp_path)
    assert path.name == saved and Image.open(path).size == (WIDTH, HEIGHT)


def test_another_picture_begins_anew(visit: Visit) -> None:
    page = visit()
    color = io.BytesIO()
    picture(2, 300, 500).save(color, "PNG")
    choose(page, color.getvalue())
    colorize(page)
    assert page.get_by_text("It had colors; they are replaced").is_visible()
    hand(page, "drop", ("second.png", encoded("PNG")), selector="h1")  # Anywhere on the page.
    wait_for(page, "chosen")
    assert not page.get_by_text("Colorized", exact=True).is_visible()
    assert page.locator("[data-said]").inner_text() == ""
    assert is_gray(seen(page, 0.25)) and is_gray(seen(page, 0.75))  # The whole of it.
    colorize(page)
    assert not page.get_by_text("It had colors").is_visible()


def test_colors_are_as_vivid_as_asked_for(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    choose(page, encoded("PNG"))
    vivid = page.get_by_role("slider", name="Vividness")
    page.get_by_label("Network").select_option("Bundled network")
    vivid.fill("0.5")
    assert page.locator("[data-vivid]").inner_text() == "0.5"
    colorize(page)
    noted = xmp.noted(xmp.packet_of(download(page, tmp_path)))
    assert xmp.settings_of(noted)["vivid"] == 0.5
    # A network without color classes says that it has but one answer.
    page.get_by_label("Network").select_option("warm, 2 epochs")
    assert vivid.is_enabled()
    colorize(page)
    assert vivid.is_disabled() and page.locator("#plain").is_visible()
    page.get_by_label("Network").select_option("Bundled network")
    assert vivid.is_enabled() and vivid.input_value() == "0.5"


def test_what_goes_wrong_is_said(visit: Visit) -> None:
    page = visit(expected=("status of 4",))
    fault = page.get_by_role("alert")
    page.get_by_role("button", name="Colorize").click()
    assert fault.inner_text() == "Choose a picture first."
    hand(page, "drop")
    assert "That was no file" in fault.inner_text()
    choose(page, b"x" * 600_000, "large.png")
    assert (
        fault.inner_text() == "large.png has 600 kB; up to 0.5 MB are taken." and state(page) == "empty"
    )
    for content, words in (
        (b"just some text", "It cannot be colorized: no image, or of an unknown format."),
        (encoded("PNG")[:300], "It cannot be colorized: "),
        (encoded("JPEG", 1100, 1000), "1100×1000 pixels are 1.1 megapixels"),
    ):
        choose(page, content, "it.png")
        assert not fault.is_visible()
        page.get_by_role("button", name="Colorize").click()
        fault.wait_for()
        assert words in fault.inner_text()
        assert not page.get_by_role("link", name="Download").is_visible()
    choose(page, encoded("PNG"))
    colorize(page)
    assert not fault.is_visible()


def test_a_server_that_is_gone_or_busy(visit: Visit) -> None:
    page = visit(expected=("net::ERR_FAILED", "status of 503"))
    fault = page.get_by_role("alert")
    choose(page, encoded("PNG"))
    page.route("**/colorize?*", lambda route: route.abort())
    page.get_by_role("button", name="Colorize").click()
    fault.get_by_text("Is it still running?").wait_for()
    page.unroute("**/colorize?*")
    page.route("**/colorize?*", lambda route: route.fulfill(status=503, json={"error": "Others are."}))
    page.get_by_role("button", name="Colorize").click()
    fault.get_by_text("Others are.").wait_for()
    page.unroute("**/colorize?*")
    colorize(page)


def test_cancel_and_impatience(visit: Visit) -> None:
    page = visit()
    sent: list[Route] = []
    page.route("**/colorize?*", lambda route: sent.append(route))
    choose(page, encoded("PNG"))
    go, cancel = (page.get_by_role("button", name=name) for name in ("Colorize", "Cancel"))
    assert not cancel.is_visible() and not page.get_by_role("progressbar").is_visible()
    for _ in range(3):
        go.dispatch_event("click")
    page.get_by_role("progressbar").wait_for()
    page.get_by_text("Colorizing … 1 s").wait_for()
    assert len(sent) == 1
    cancel.click()
    page.get_by_role("progressbar").wait_for(state="hidden")
    assert page.locator("[data-said]").inner_text() == "" and not page.get_by_role("alert").is_visible()
    go.click()
    cancel.wait_for()
    choose(page, encoded("PNG"))  # Which lets go of the one before.
    page.get_by_role("progressbar").wait_for(state="hidden")
    page.unroute("**/colorize?*")
    colorize(page)


def test_a_telephone(visit: Visit) -> None:
    page = visit(360, 640, is_mobile=True, has_touch=True)
    assert overflow(page) == 0
    page.get_by_role("button", name="Colorize").tap()
    fault = page.get_by_role("alert").bounding_box()
    assert fault and 0 <= fault["y"] < 600
    choose(page, encoded("JPEG", 300, 500))
    wait_for(page, "chosen")
    page.get_by_role("button", name="Colorize").tap()
    wait_for(page, "done")
    assert overflow(page) == 0 and [each for each in cut(page) if "unseen" not in each] == []
    box = page.locator("[data-stage]").bounding_box()
    assert box and box["y"] > -20 and box["y"] + 0.8 * box["height"] < 640  # It is seen without a swipe.
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + 50)
    value = page.get_by_role("slider", name="Before and after").input_value()
    assert abs(int(value) - 20) <= 1
    for each in page.locator("select, button:visible, .button:visible").all():
        size = each.bounding_box()
        assert size and size["height"] >= 44


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(visit: Visit, width: int, scheme: str) -> None:
    page = visit(width, color_scheme=scheme, expected=("status of 4",))
    assert violations(page) == [] and overflow(page) == 0
    choose(page, b"no picture", f"{'long' * 50}.tiff")
    wait_for(page, "unshown")
    page.get_by_role("button", name="Colorize").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == [] and overflow(page) == 0
    choose(page, encoded("PNG"), f"{'long' * 50}.png")
    wait_for(page, "chosen")
    colorize(page)
    assert violations(page) == [] and overflow(page) == 0


def test_without_scripts_it_says_so(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    assert "JavaScript is switched off" in page.locator("noscript").inner_html()
