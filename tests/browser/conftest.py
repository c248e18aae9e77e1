"""Fixtures: Debian's Chromium, and a page with the report's components alone."""

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
from deepcolor.report.templating import TEMPLATES
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BROWSERS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]
HOSTILE = '<script>document.title = "no"</script> "quoted" & it\'s'
LONG = "a-very-long-name-" * 8
SIDE = 64

Open = Callable[..., Page]


# Not for the session: while it is open, no other test of this process can run an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine; none is downloaded."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("the browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a file in a context of its own: open_page(path, width=1000, **options of the context).

    A page that wants anything but itself, or says an error, fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(path: Path, width: int = 1000, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        address = path.as_uri()

        def heed(url: str) -> None:
            if url.split("#")[0] != address and not url.startswith("data:"):
                faults.append(f"asks for {url[:200]}")

        page.on("request", lambda request: heed(request.url))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def picture(row: int, column: int) -> str:
    """A picture that no other cell has, as a data URI."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    bands = np.sin((x * (column + 2) + y * (row + 1)) * 6) / 2 + 0.5
    colors = np.stack([bands, x, np.full_like(x, (column % 7) / 7)], axis=-1)
    if column == 0:
        colors = np.repeat(colors.mean(axis=-1, keepdims=True), 3, axis=-1)
    file = io.BytesIO()
    Image.fromarray((colors * 255).astype(np.uint8)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def write_components(path: Path, count: int) -> Path:
    """Write the page with as many runs; the second has a hostile name, the third a long one."""
    names = {1: HOSTILE, 2: LONG}
    runs = [
        {
            "key": f"run {names.get(index, index)}",
            "label": names.get(index, f"Network {index}"),
            "least": f"{(index * 7) % 10}e-3",
            "most": "" if index == 3 else f"{1000 + 37 * index % 100}",
            "said": "–" if index == 3 else f"{1000 + 37 * index % 100:,}",
            "psnr": f"{20 + (index * 3) % 5}.{index % 2}",
        }
        for index in range(count)
    ]
    columns = [
        {"key": "input", "label": "Input", "kind": "input", "run": ""},
        *({**run, "kind": "run", "run": run["key"]} for run in runs),
        {"key": "photograph", "label": "Photograph", "kind": "photograph", "run": ""},
    ]
    rows = [
        {
            "id": name,
            "data_set": "photographs",
            "cells": [
                {
                    "src": picture(row, index),
                    "caption": "" if index > count else f"{20 + row}.{index:02d} dB",
                    "alt": f"{column['label']} of {name}",
                }
                for index, column in enumerate(columns)
            ],
        }
        for row, name in enumerate(["astronaut-001", HOSTILE, LONG])
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "pictures.css")]
    text = environment.get_template("components.html.j2").render(
        runs=runs,
        columns=columns,
        rows=rows,
        side=SIDE,
        style="\n".join(style),
        script=(TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with four runs."""
    return write_components(tmp_path_factory.mktemp("components") / "small.html", 4)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with forty runs."""
    return write_components(tmp_path_factory.mktemp("components") / "large.html", 40)


@pytest.fixture(scope="session", params=[4, 40])
def components(request: pytest.FixtureRequest) -> Path:
    """The page with a few runs and with many."""
    return request.getfixturevalue({4: "small", 40: "large"}[request.param])
