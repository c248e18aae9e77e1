"""Taking part in the user study, from the consent to the thanks: by mouse, keyboard and touch."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deepcolor.study.design import PROTOCOLS, person_trials
from playwright.sync_api import Browser, Page

from browser.checks import WIDTHS, cut, overflow, shift, violations
from browser.study_pages import (
    IMAGES,
    KEYS,
    PRACTICE,
    SECONDS,
    TOTAL,
    Study,
    Visit,
    agree,
    answer,
    go_on,
    now,
    position,
    questions,
    shown,
    step,
    studying,
    until,
    visiting,
    waits,
)

Serve = Callable[..., Study]
TELEPHONES = [(390, 844), (360, 640)]
# The first protocol is tried in `make test`, the others in `make test-all`.
FIRST = [
    pytest.param(protocol, marks=[] if protocol == "yes-no" else [pytest.mark.slow])
    for protocol in PROTOCOLS
]
# What is not gray: [element, property, color].
COLORFUL = """() => [...document.querySelectorAll("body, body *")].flatMap((element) =>
    ["color", "backgroundColor", "borderTopColor", "outlineColor"].map((name) => {
        const color = getComputedStyle(element)[name];
        const [red, green, blue] = color.match(/[\\d.]+/g).map(Number);
        return red === green && green === blue ? null : [element.tagName, name, color];
    })).filter(Boolean)"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve a study until the test has ended: serve(protocol, *options, **changes)."""
    with ExitStack() as stack:
        yield lambda *options, **changes: stack.enter_context(studying(tmp_path, *options, **changes))


# It needs the server: a browser that outlives it would say that it is gone.
@pytest.fixture
def visit(browser: Browser, serve: Serve) -> Iterator[Visit]:
    with visiting(browser) as opened:
        yield opened


def clipped(page: Page) -> list[str]:
    """What is cut at an edge, but for what only screen readers read."""
    return [each for each in cut(page) if 'class="unseen"' not in each]


@pytest.mark.parametrize("protocol", FIRST)
def test_a_person_takes_part_by_mouse(visit: Visit, serve: Serve, protocol: str) -> None:
    study = serve(protocol)
    page = visit(study.served.url)
    agree(page)
    seen, positions = [], []
    for found in waits(page):
        seen.append(found)
        if found == "question":
            positions.append(position(page))
        step(page, found)
    told = ["question", "verdict"] if protocol != "rating" else ["question"]
    assert seen == [
        *["intro", *told * PRACTICE, "ready", *["question"] * 3],
        *["rest", *["question"] * (TOTAL - PRACTICE - 3), "done"],
    ]
    counted = "Pair" if protocol == "pairs" else "Picture"
    first = [f"Practice: {place + 1} of {TOTAL}" for place in range(PRACTICE)]
    assert positions == first + [f"{counted} {n + 1} of {TOTAL}" for n in range(PRACTICE, TOTAL)]
    kept = study.answers()
    assert [place for place, _, _ in kept] == list(range(TOTAL))
    word = {"yes-no": "real", "pairs": "left", "rating": "11"}[protocol]
    assert {given for _, given, _ in kept} == {word}
    assert all(0 < seconds < 8 for _, _, seconds in kept)
    tested = [each for each in person_trials(study.content, 0, 0) if each.kind == "test"]
    right = sum(each.right == word for each in tested)
    thanks = page.locator("[data-screen=done]").inner_text()
    result = f"You told {right} of {IMAGES} right. Guessing gives half."
    assert (result in thanks) == (protocol != "rating")
    assert "You can close this page" in thanks and "Thank you" in thanks


@pytest.mark.parametrize("protocol", FIRST)
def test_a_person_takes_part_by_keyboard(visit: Visit, serve: Serve, protocol: str) -> None:
    study = serve(protocol)
    page = visit(study.served.url)
    for key in ("Tab", "Space", "Tab", "Space", "Tab", "Enter"):
        page.keyboard.press(key)
    page.locator("[data-screen=intro]").wait_for()
    for found in waits(page):
        if found == "question":
            with page.expect_response("**/answer"):
                for key in KEYS[protocol]:
                    page.keyboard.press(key)
        else:
            page.keyboard.press("Enter" if found == "intro" else " ")
    word = {"yes-no": "colorized", "pairs": "right", "rating": "42"}[protocol]
    assert [given for _, given, _ in study.answers()] == [word] * TOTAL


@pytest.mark.parametrize("protocol", FIRST)
@pytest.mark.parametrize(("width", "height"), TELEPHONES)
def test_a_telephone_shows_all_of_a_trial(
    visit: Visit, serve: Serve, protocol: str, width: int, height: int
) -> None:
    study = serve(protocol, "--simulated")
    page = visit(study.served.url, width, height, is_mobile=True, has_touch=True)
    assert overflow(page) == 0
    agree(page)
    for found in waits(page):
        assert overflow(page) == 0 and clipped(page) == []
        if found == "done":
            break
        if found != "question":
            go_on(page, tap=True)
            continue
        tall = "document.documentElement.scrollHeight - innerHeight"
        assert page.evaluate(tall) == 0
        for each in page.locator("[data-asking] button, [data-pictures] img").all():
            box = each.bounding_box()
            assert box and box["x"] >= 0 and box["y"] >= 0
            assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
            assert min(box["width"], box["height"]) >= 44
        assert page.locator("[data-asking] kbd:visible").count() == 0
        for group in page.locator("[data-asking] [data-group]").all():
            group.locator("button").last.tap()
    assert len(study.answers()) == TOTAL


@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [
        ("yes-no", "light"),
        *(
            pytest.param(protocol, scheme, marks=pytest.mark.slow)
            for protocol, scheme in (("yes-no", "dark"), ("pairs", "light"), ("rating", "dark"))
        ),
    ],
)
def test_every_page_is_accessible_and_gray(
    visit: Visit, serve: Serve, protocol: str, scheme: str
) -> None:
    study = serve(protocol, "--simulated")
    page = visit(study.served.url, color_scheme=scheme, reduced_motion="reduce")

    def check() -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert (violations(page), overflow(page)) == ([], 0)
        assert page.evaluate(COLORFUL) == []
        surround = "getComputedStyle(document.documentElement).backgroundColor"
        assert page.evaluate(surround) == "rgb(128, 128, 128)"
        assert page.get_by_text("Rehearsal: answers are marked as simulated").is_visible()
        page.set_viewport_size({"width": 640, "height": 400})  # A small laptop's, at 200 %.
        assert (overflow(page), clipped(page)) == (0, [])
        page.set_viewport_size({"width": 1000, "height": 800})

    check()
    agree(page)
    seen: set[str] = set()
    for found in waits(page):
        if found not in seen:
            check()
        seen.add(found)
        step(page, found)
    page.locator("[data-withdraw]").click()
    check()
    wanted = {"intro", "question", "ready", "rest", "done"}
    assert seen == wanted | ({"verdict"} if protocol != "rating" else set())


def test_nothing_moves_from_trial_to_trial(visit: Visit, serve: Serve) -> None:
    study = serve("yes-no")
    page = visit(study.served.url, 390, 844)
    agree(page)
    places: list[Any] = []
    for found in waits(page):
        if found in ("question", "verdict"):
            places.append(page.locator("[data-pictures] img").bounding_box())
        step(page, found)
    assert len(places) == TOTAL + PRACTICE and all(place == places[0] for place in places)
    assert shift(page) == 0


def test_a_practice_verdict_is_true_and_said(visit: Visit, serve: Serve) -> None:
    study = serve("pairs")
    page = visit(study.served.url)
    agree(page)
    for trial in person_trials(study.content, 0, 0)[:PRACTICE]:
        until(page, "question")
        answer(page)
        until(page, "verdict")
        said = "✓ Right." if trial.right == "left" else "✗ Not this time."
        verdict = f"{said} The {trial.right} one has its real colors."
        assert page.locator("[data-verdict]").inner_text() == verdict
        assert page.locator("[aria-live=polite]").text_content() == verdict
        assert page.evaluate("document.activeElement.matches('[data-next]')")
        go_on(page)


def test_two_people_at_once_go_their_own_ways(visit: Visit, serve: Serve) -> None:
    study = serve("yes-no")
    pages = [visit(study.served.url), visit(study.served.url)]
    for page in pages:
        agree(page)
    pictures: list[list[str]] = [[], []]
    for count in range(TOTAL):
        for place, page in enumerate(pages[: 2 if count < TOTAL - 1 else 1]):
            until(page, "question")
            pictures[place] += shown(page)
            answer(page, place)
    assert [len(study.answers(ordinal)) for ordinal in (0, 1)] == [TOTAL, TOTAL - 1]
    assert [study.answers(ordinal)[0][1] for ordinal in (0, 1)] == ["real", "colorized"]
    assert study.rows("SELECT DISTINCT list FROM people ORDER BY list") == [(0,), (1,)]
    for ordinal in (0, 1):
        trials = person_trials(study.content, ordinal, ordinal)
        sources = [f"/pictures/{trial.pictures[0]}.png" for trial in trials]
        assert pictures[ordinal] == sources[: len(pictures[ordinal])]


def test_grades_can_be_changed_until_both_are_given(visit: Visit, serve: Serve) -> None:
    study = serve("rating")
    page = visit(study.served.url)
    agree(page)
    until(page, "question")
    page.keyboard.press("5")
    page.keyboard.press("Backspace")
    page.keyboard.press("2")
    page.locator("[data-group=appeal] button").nth(2).click()
    pressed = page.locator("[data-asking] [aria-pressed=true]")
    assert pressed.all_inner_texts() == ["3"] and study.answers() == []
    with page.expect_response("**/answer"):
        page.keyboard.press("4")
    assert [given for _, given, _ in study.answers()] == ["34"]


def test_a_pair_is_loaded_before_and_hidden_after_its_time(visit: Visit, serve: Serve) -> None:
    study = serve("pairs")
    page = visit(study.served.url)
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            const stage = document.querySelector("[data-stage]");
            window.seen = [];
            const note = () => window.seen.push([
                stage.dataset.shows,
                performance.now(),
                [...stage.querySelectorAll("img")].map((each) => each.complete && each.naturalWidth),
                document.querySelectorAll("[data-asking] [aria-disabled=false]").length,
            ]);
            const observer = new MutationObserver(note);
            if (stage) observer.observe(stage, { attributeFilter: ["data-shows"] });
        })"""
    )
    agree(page)
    questions(page, PRACTICE + 1)
    seen = page.evaluate("window.seen")
    appeared = [place for place, each in enumerate(seen) if each[0] == "pictures"]
    timed = [place for place in appeared if seen[place - 1][0] == "fixation"]
    assert len(timed) == PRACTICE + 2
    for place in timed:
        (_, begun, widths, live), (after, ended, _, _) = seen[place], seen[place + 1]
        assert widths == [256, 256] and live == 0 and after == "nothing"
        assert SECONDS - 0.05 < (ended - begun) / 1000 < SECONDS + 1  # A busy machine draws late.
    assert not page.locator("[data-pictures] img").first.is_visible()
    answer(page)
    # From when the pictures appeared, so that no answer is quicker than they were shown.
    assert len(study.answers()) == PRACTICE + 2
    assert all(seconds >= SECONDS - 0.02 for _, _, seconds in study.answers())


def look_away(page: Page, hidden: bool) -> None:
    """What a browser does when another tab is chosen, and this one again."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.mark.slow
def test_a_pair_is_shown_again_to_who_looked_away(visit: Visit, serve: Serve) -> None:
    study = serve("pairs", seconds=1.5)
    page = visit(study.served.url)
    agree(page)
    go_on(page)
    stage = page.locator("[data-stage]")
    for leave in ("tab", "dialog"):
        page.locator("[data-stage][data-shows=pictures]").wait_for()
        before = shown(page)
        if leave == "tab":
            look_away(page, True)
        else:
            page.locator("[data-withdraw]").click()
        page.wait_for_timeout(2200)  # Longer than the pause and the pictures' time.
        assert stage.get_attribute("data-shows") == "fixation"
        assert page.locator("[data-asking] [aria-disabled=false]").count() == 0
        if leave == "tab":
            look_away(page, False)
        else:
            page.keyboard.press("Escape")
    page.locator("[data-stage][data-shows=pictures]").wait_for()
    assert shown(page) == before
    assert now(page) == "question" and stage.get_attribute("data-shows") == "nothing"


def test_pictures_give_nothing_away(visit: Visit, serve: Serve) -> None:
    study = serve("pairs")
    page = visit(study.served.url)
    agree(page)
    until(page, "question")
    images = page.locator("[data-pictures] img")
    names = "images => images.map(image => image.getAttributeNames().sort())"
    assert images.evaluate_all(names) == [["alt", "draggable", "src"]] * 2
    alts = images.evaluate_all("images => images.map(image => image.alt)")
    assert alts == ["Left picture to be judged", "Right picture to be judged"]
    assert page.locator("[title]").count() == 0
    stopped = """(image, name) =>
        !image.dispatchEvent(new Event(name, { bubbles: true, cancelable: true }))"""
    for name in ("contextmenu", "dragstart"):
        assert images.first.evaluate(stopped, name)
