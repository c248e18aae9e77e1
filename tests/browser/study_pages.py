"""A study of the tests in Chromium: where its pages stand, and what people do on them."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page
from support.small_study import Served, make_study, serving

# Pixels of a picture's side, as by default; trials: to judge, to practice, and to catch the careless.
SIDE = 256
IMAGES, PRACTICE, CATCH = 4, 2, 2
TOTAL = PRACTICE + IMAGES + CATCH
# Of a pair, while it is shown.
SECONDS = 0.5
# What is pressed to answer, by protocol.
KEYS = {"yes-no": ["c"], "pairs": ["ArrowRight"], "rating": ["4", "2"]}

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Study:
    """A study that is being served.

    Attributes:
        served: Its process.
        database: The file with the answers.
        content: What study.json holds.
    """

    served: Served
    database: Path
    content: dict[str, Any]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in the file, read beside the server."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def answers(self, ordinal: int = 0) -> list[tuple[int, str, float]]:
        """Position, answer and seconds of all answers of a person, in their order."""
        return self.rows(
            "SELECT position, answer || coalesce(appeal || naturalness, ''), seconds FROM answers "
            f"WHERE ordinal = {ordinal} ORDER BY position"
        )


@contextmanager
def studying(folder: Path, protocol: str, *options: str, **changes: Any) -> Iterator[Study]:
    """Serve a study for the time of a block; the changes are of what study.json holds."""
    seconds = SECONDS if protocol == "pairs" else 0.0
    settings = {"protocol": protocol, "seconds": seconds, "rest_every": 3, **changes}
    content = make_study(folder, side=SIDE, images=IMAGES, **settings)
    with serving(folder, *options) as served:
        yield Study(served, folder / "answers.sqlite", content)


@contextmanager
def visiting(browser: Browser) -> Iterator[Visit]:
    """Open addresses for the time of a block: visit(url, width=1000, expected=(), **options).

    Every visit is in a context of its own, as somebody else. A page that asks another host, breaks its
    policy, or says an error fails the test, but for messages with a text that is expected.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def visit(
        url: str, width: int = 1000, height: int = 800, expected: tuple[str, ...] = (), **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(20000)
        contexts.append(context)

        def heed(page: Page) -> None:
            page.on("request", lambda request: own(request.url))
            page.on("pageerror", lambda error: faults.append(f"error: {error}"))
            page.on("console", lambda said: heard(said.type, f"{said.text} {said.location['url']}"))

        def own(asked: str) -> None:
            if urlsplit(asked).netloc != urlsplit(url).netloc:
                faults.append(f"asks for {asked[:200]}")

        def heard(kind: str, text: str) -> None:
            if kind in ("error", "warning") and not any(each in text for each in expected):
                faults.append(text)

        context.on("page", heed)
        page = context.new_page()
        response = page.goto(url)
        assert response
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == [], faults


def agree(page: Page) -> None:
    """Fill in the start page, and begin."""
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Begin").click()
    page.locator("[data-screen=intro]").wait_for()


def now(page: Page) -> str:
    """What the page waits for: "question", "verdict", "done", or the name of another page of words."""
    waits = page.wait_for_function(
        """() => {
            const { screen } = document.querySelector("[data-screen]:not([hidden])").dataset;
            if (screen !== "trial") return screen === "loading" ? null : screen;
            if (!document.querySelector("[data-feedback]").hidden) return "verdict";
            return document.querySelector("[data-asking] [aria-disabled=true]") ? null : "question";
        }"""
    )
    return str(waits.json_value())


def answer(page: Page, place: int = 0) -> dict[str, Any]:
    """Answer by mouse with the first button, or another one, and give what the server says."""
    with page.expect_response("**/answer") as told:
        for group in page.locator("[data-asking] [data-group]").all():
            group.locator("button").nth(place).click()
    found: dict[str, Any] = json.loads(told.value.text())
    return found


def go_on(page: Page, tap: bool = False) -> None:
    """Leave a page of words, or a verdict, by mouse or by touch."""
    button = page.locator("[data-go]:visible, [data-next]:visible")
    if tap:
        button.tap()
    else:
        button.click()


def waits(page: Page) -> Iterator[str]:
    """What the page waits for, as in `now`, one thing after the other, to the end of the study."""
    for _ in range(3 * TOTAL):
        yield (found := now(page))
        if found == "done":
            return
    raise AssertionError("the study does not come to its end")


def until(page: Page, wanted: str) -> None:
    """Take part by mouse until the page waits for something."""
    for found in waits(page):
        if found == wanted:
            return
        step(page, found)
    raise AssertionError(f"{wanted} did not come")


def step(page: Page, found: str) -> None:
    """Do by mouse what the page waits for."""
    if found == "question":
        answer(page)
    elif found != "done":
        go_on(page)


def questions(page: Page, count: int) -> None:
    """Answer by mouse as many questions as said, and stop at the next one."""
    for _ in range(count):
        until(page, "question")
        answer(page)
    until(page, "question")


def position(page: Page) -> str:
    """What the page says about how far one is, such as "Picture 3 of 8"."""
    return page.locator("[data-count]").inner_text()


def shown(page: Page) -> list[str]:
    """The addresses of the pictures that lie on the page, from left to right."""
    images = page.locator("[data-pictures] img").all()
    return [image.get_attribute("src") or "" for image in images]
