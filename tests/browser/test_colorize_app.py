"""The page to try networks in Chromium: drop, compare, set, download, and what goes wrong."""

import base64
import io
import zipfile
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


def settled(page: Page) -> None:
    """Wait until the picture that is shown is of the settings that are."""
    page.wait_for_timeout(300)  # Settings rest before pictures follow.
    page.locator("[data-working]").wait_for(state="hidden")
    page.locator("[data-panel][data-state=done] [data-stage]:not(.working)").wait_for()


def colorize(page: Page, content: bytes, name: str = NAME) -> None:
    """Choose a picture, and wait for its colors."""
    choose(page, content, name)
    settled(page)


def download(page: Page, folder: Path, name: str = "Download", role: Any = "link") -> Path:
    """Download the result."""
    with page.expect_download() as started:
        page.get_by_role(role, name=name).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def settings_of(path: Path) -> dict[str, Any]:
    """The network and the settings that a file was colorized with."""
    noted = xmp.noted(xmp.packet_of(path))
    return {"model": noted["Model"], **xmp.settings_of(noted)}


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


def test_a_dropped_picture_is_colorized_compared_and_downloaded(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    content = encoded("JPEG")
    hand(page, "dragover")
    assert "over" in (page.locator("[data-panel]").get_attribute("class") or "")
    hand(page, "drop", (NAME, content))
    assert "over" not in (page.locator("[data-panel]").get_attribute("class") or "")
    settled(page)
    assert NAME in page.locator("[data-name]").inner_text()
    slider = page.get_by_role("slider", name="Before and after")
    assert slider.input_value() == "50"
    assert is_gray(seen(page, 0.25)) and not is_gray(seen(page, 0.75))
    assert page.get_by_text("The colors are a guess.").is_visible()
    assert "Trained on 8 photographs. It knows <nothing> else." in page.locator(".note").inner_text()
    about = page.locator("[data-about]").inner_text()
    assert f"JPEG, {WIDTH}×{HEIGHT} pixels" in about
    path = download(page, tmp_path)
    assert path.name.endswith("-colorized.jpeg") and path.name.startswith("a ")
    settings = settings_of(path)
    assert (settings["model"], settings["saturation"], settings["vivid"]) == ("warm_2", 1, 0)
    done = Image.open(path)
    assert done.size == (WIDTH, HEIGHT)
    gray = np.asarray(Image.open(io.BytesIO(content)), int)
    assert np.abs(np.asarray(done.convert("L"), int) - gray).mean() < 2


def test_sliding_by_mouse_and_keyboard(visit: Visit) -> None:
    page = visit()
    colorize(page, encoded("PNG"))
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
    page.on("filechooser", lambda dialog: dialog.set_files([picked]))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    page.keyboard.press("Enter")
    settled(page)
    for name in ("run", "vivid", "saturation"):
        while page.evaluate("document.activeElement.id") != name:
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowUp" if name == "run" else "ArrowRight")
    settled(page)
    assert page.locator("[data-saturation]").inner_text() == "1.1"
    while page.evaluate("document.activeElement.ariaLabel") != "Before and after":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    assert page.get_by_role("slider", name="Before and after").input_value() == "0"


def test_settings_change_the_picture_at_once(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    hand(page, "paste", ("image.png", encoded("PNG")), selector="body")
    settled(page)
    strength = page.get_by_role("slider", name="Strength of color")
    strength.fill("1.7")
    # What is shown is not of these settings: it cannot be taken for theirs.
    assert page.locator("[data-stage].working").count() == 1
    assert page.locator("[data-download]").get_attribute("href") is None
    assert page.locator("[data-saturation]").inner_text() == "1.7"
    page.get_by_label("in tiles").check()
    page.get_by_label("into a corner").check()
    settled(page)
    path = download(page, tmp_path)
    assert path.name == "image-colorized.png"
    settings = settings_of(path)
    assert (settings["model"], settings["saturation"], settings["tiles"]) == ("warm_2", 1.7, 2)
    assert settings["label"] is True and settings["keep_tint"] is False
    page.get_by_label("Network").select_option("cold, 10 epochs")
    settled(page)
    assert settings_of(download(page, tmp_path))["model"] == "cold_10"
    strength.fill("0")
    settled(page)
    assert is_gray(seen(page, 0.75))


def test_colors_are_as_vivid_as_asked_for(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    vivid = page.get_by_role("slider", name="Vividness")
    page.get_by_label("Network").select_option("Bundled network")
    vivid.fill("0.5")
    colorize(page, encoded("PNG"))
    assert settings_of(download(page, tmp_path))["vivid"] == 0.5
    # A network without color classes has one answer.
    page.get_by_label("Network").select_option("warm, 2 epochs")
    settled(page)
    assert vivid.is_disabled() and page.locator("#plain").is_visible()
    page.get_by_label("Network").select_option("Bundled network")
    settled(page)
    assert vivid.is_enabled() and settings_of(download(page, tmp_path))["vivid"] == 0.5


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
    colorize(page, encoded(format), name)
    assert is_gray(seen(page, 0.25)) and not is_gray(seen(page, 0.75))
    path = download(page, tmp_path)
    assert path.name == saved and Image.open(path).size == (WIDTH, HEIGHT)


def test_several_photographs_wait_in_a_queue_and_leave_as_one_file(visit: Visit, tmp_path: Path) -> None:
    page = visit(expected=("status of 4",))
    names = ["a.png", "b.jpg", "a.png", "broken.png"]
    contents = [encoded("PNG"), encoded("JPEG", 300, 500), encoded("PNG", 200, 200), b"no picture"]
    hand(page, "drop", *zip(names, contents, strict=True))
    rows = page.locator("[data-queue] li")
    assert rows.count() == 4
    settled(page)
    assert [row.locator("[data-state-of]").inner_text() for row in rows.all()] == [
        *["done"] * 3, "failed",
    ]  # fmt: skip
    # The first is shown; the others can be.
    assert "a.png" in page.locator("[data-name]").inner_text()
    rows.nth(1).get_by_role("button").first.click()
    assert "b.jpg" in page.locator("[data-name]").inner_text()
    assert "300×500 pixels" in page.locator("[data-about]").inner_text()
    rows.nth(3).get_by_role("button").first.click()
    page.get_by_role("alert").get_by_text("It cannot be colorized").wait_for()
    path = download(page, tmp_path, "Download 3 as ZIP", "button")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        sizes = {name: Image.open(io.BytesIO(archive.read(name))).size for name in archive.namelist()}
    assert sizes == {
        "a-colorized.png": (WIDTH, HEIGHT),
        "b-colorized.jpg": (300, 500),
        "a-colorized-2.png": (200, 200),
    }
    # All of them follow the settings.
    page.get_by_label("Network").select_option("cold, 10 epochs")
    page.get_by_role("button", name="Download 3 as ZIP").wait_for()
    page.wait_for_function("!document.querySelector('[data-all]').disabled")
    with zipfile.ZipFile(download(page, tmp_path, "Download 3 as ZIP", "button")) as archive:
        for name in archive.namelist():
            (tmp_path / name).write_bytes(archive.read(name))
            assert settings_of(tmp_path / name)["model"] == "cold_10"
    rows.nth(3).get_by_role("button", name="Remove broken.png").click()
    assert rows.count() == 3 and not page.get_by_role("alert").is_visible()


def test_examples_are_a_click_away(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    examples = page.locator("[data-example]")
    assert examples.count() >= 3
    examples.first.click()
    settled(page)
    path = download(page, tmp_path)
    assert path.name == "camera-colorized.jpg" and Image.open(path).size == (512, 512)


def test_zoom_shows_single_pixels(visit: Visit) -> None:
    page = visit()
    colorize(page, encoded("PNG"))
    widths = []
    for name in ("Fit", "1×", "2×"):
        button = page.get_by_role("button", name=name)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        box = page.locator("[data-stage]").bounding_box()
        assert box
        widths.append(round(box["width"]))
    assert widths[1:] == [WIDTH, 2 * WIDTH] and overflow(page) == 0


def test_a_copy_is_the_colorized_picture(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    colorize(page, encoded("JPEG"))
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    sides = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const image = await createImageBitmap(await item.getType("image/png"));
            return [image.width, image.height];
        }"""
    )
    assert sides == [WIDTH, HEIGHT]


def test_what_goes_wrong_is_told_once(visit: Visit) -> None:
    page = visit(expected=("status of 4",))
    fault = page.get_by_role("alert")
    hand(page, "drop")
    assert "That was no file" in fault.inner_text()
    choose(page, b"x" * 600_000, "large.png")
    assert (
        fault.inner_text().strip() == "large.png has 600 kB; up to 0.5 MB are taken."
        and state(page) == "empty"
    )
    for content, words in (
        (b"just some text", "It cannot be colorized: no image, or of an unknown format."),
        (encoded("PNG")[:300], "It cannot be colorized: "),
        (encoded("JPEG", 1100, 1000), "1100×1000 pixels are 1.1 megapixels"),
    ):
        choose(page, content, "it.png")
        fault.get_by_text(words).wait_for()
        assert not page.get_by_role("link", name="Download").is_visible()
    colorize(page, encoded("PNG"))
    assert not fault.is_visible()


def test_a_server_that_is_gone_or_busy(visit: Visit) -> None:
    page = visit(expected=("net::ERR_FAILED", "status of 503"))
    fault = page.get_by_role("alert")
    page.route("**/colorize?*", lambda route: route.abort())
    choose(page, encoded("PNG"))
    fault.get_by_text("Is it still running?").wait_for()
    page.unroute("**/colorize?*")
    page.route("**/colorize?*", lambda route: route.fulfill(status=503, json={"error": "Others are."}))
    page.get_by_role("button", name="Try again").click()
    fault.get_by_text("Others are.").wait_for()
    page.unroute("**/colorize?*")
    page.get_by_role("button", name="Try again").click()
    settled(page)
    assert not fault.is_visible()


def test_stopping_and_impatience(visit: Visit) -> None:
    page = visit()
    sent: list[Route] = []
    page.route("**/colorize?*", lambda route: sent.append(route))
    stop = page.get_by_role("button", name="Stop")
    assert not stop.is_visible() and not page.get_by_role("progressbar").is_visible()
    choose(page, encoded("PNG"))
    page.get_by_role("progressbar").wait_for()
    page.get_by_text("Colorizing … 1 s").wait_for()
    assert len(sent) == 1
    stop.click()
    page.get_by_role("progressbar").wait_for(state="hidden")
    assert not page.get_by_role("alert").is_visible() and state(page) == "chosen"
    # A change of the settings begins again, and lets go of what was under way.
    for strength in ("1.2", "1.5"):
        page.get_by_role("slider", name="Strength of color").fill(strength)
        stop.wait_for()
    page.unroute("**/colorize?*")
    page.get_by_role("slider", name="Strength of color").fill("1.4")
    settled(page)


def test_a_telephone(visit: Visit) -> None:
    page = visit(320, 640, is_mobile=True, has_touch=True)
    assert overflow(page) == 0
    colorize(page, encoded("JPEG", 300, 500))
    assert overflow(page) == 0 and [each for each in cut(page) if "unseen" not in each] == []
    box = page.locator("[data-stage]").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + 50)
    value = page.get_by_role("slider", name="Before and after").input_value()
    assert abs(int(value) - 20) <= 1
    for each in page.locator("select, .button:visible").all():
        size = each.bounding_box()
        assert size and size["height"] >= 44


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_keeps_people_out(visit: Visit, width: int, scheme: str) -> None:
    page = visit(width, color_scheme=scheme, expected=("status of 4",))
    assert violations(page) == [] and overflow(page) == 0
    choose(page, b"no picture", f"{'long' * 50}.tiff")
    page.get_by_role("alert").get_by_text("It cannot be colorized").wait_for()
    assert violations(page) == [] and overflow(page) == 0
    colorize(page, encoded("PNG"), f"{'long' * 50}.png")
    assert violations(page) == [] and overflow(page) == 0


def test_without_scripts_it_says_so(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    assert "JavaScript is switched off" in page.locator("noscript").inner_html()
