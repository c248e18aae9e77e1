"""What is asked of any page: the checks that the components and the finished report share."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Widths of a telephone, of a tablet, and of a large screen.
WIDTHS = [400, 1000, 1600]
# Widths and color schemes in which pages are looked at: two in `make test`, all in `make test-all`.
LOOKS = [
    pytest.param(
        width,
        scheme,
        marks=[] if (width, scheme) in ((400, "dark"), (1600, "light")) else [pytest.mark.slow],
    )
    for width in WIDTHS
    for scheme in ("light", "dark")
]
# Of an A4 page within its margins, at the 96 pixels of an inch that browsers print with.
A4 = 718


def violations(page: Page) -> list[str]:
    """What axe-core finds, a line per rule and element."""
    response = Axe().run(page).response
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in response["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def cut(page: Page) -> list[str]:
    """What is seen only by scrolling sideways, or lies beyond the page's edge: nothing, in print."""
    found: list[str] = page.evaluate(
        """() => [...document.body.querySelectorAll("*")].filter((element) => {
            if (!element.checkVisibility()) return false;
            const clips = getComputedStyle(element).overflowX !== "visible";
            const beyond = element.getBoundingClientRect().right > innerWidth + 1;
            return beyond || (clips && element.scrollWidth > element.clientWidth + 1);
        }).map((element) => element.outerHTML.slice(0, 100))"""
    )
    return found


def shift(page: Page) -> float:
    """How much the layout moved without anybody's doing, as Chromium scores it (0 is not at all)."""
    return float(
        page.evaluate(
            """() => new Promise((resolve) => {
                let sum = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
                }).observe({ type: "layout-shift", buffered: true });
                setTimeout(() => resolve(sum), 100);
            })"""
        )
    )
