"""What goes wrong while people take part in the user study: nothing is lost, nothing counts twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from browser.checks import WIDTHS, overflow, violations
from browser.study_pages import (
    PRACTICE,
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
    studying,
    until,
    visiting,
)

LOST = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with studying(tmp_path, "yes-no") as served:
        yield served


# It needs the server: a browser that outlives it would say that it is gone.
@pytest.fixture
def visit(browser: Browser, study: Study) -> Iterator[Visit]:
    with visiting(browser) as opened:
        yield opened


def test_a_reload_goes_on_at_the_same_trial(visit: Visit, study: Study) -> None:
    page = visit(study.served.url)
    agree(page)
    questions(page, 3)
    before = position(page), shown(page)
    page.reload()
    assert now(page) == "back" and page.evaluate("document.activeElement.tagName") == "H2"
    until(page, "question")
    assert (position(page), shown(page)) == before
    page.goto(f"{study.served.url}/")
    page.get_by_role("link", name="Go on where you stopped").click()
    until(page, "question")
    assert (position(page), shown(page)) == before
    until(page, "done")
    assert [place for place, _, _ in study.answers()] == list(range(TOTAL))
    page.reload()
    assert now(page) == "done" and study.rows("SELECT count(*) FROM people") == [(1,)]


def test_clicks_count_once_while_an_answer_is_under_way(visit: Visit, study: Study) -> None:
    page = visit(study.served.url)
    agree(page)
    sent: list[str] = []

    def slow(route: Route) -> None:
        sent.append(route.request.post_data or "")
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/answer", slow)
    until(page, "question")
    page.get_by_role("button", name="Real").dblclick()
    page.get_by_role("button", name="Colorized").dispatch_event("click")
    page.keyboard.press("c")
    assert now(page) == "verdict" and len(sent) == 1
    assert [given for _, given, _ in study.answers()] == ["real"]


def test_a_lost_connection_loses_no_answer(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=LOST)
    agree(page)
    questions(page, PRACTICE)
    page.context.set_offline(True)
    page.get_by_role("button", name="Colorized").click()
    page.get_by_role("status").get_by_text("There is no connection to the study").wait_for()
    assert "Your answer is kept" in page.get_by_role("status").inner_text()
    assert violations(page) == [] and len(study.answers()) == PRACTICE
    page.wait_for_timeout(3500)  # Two attempts; the next one would be after four seconds.
    with page.expect_response("**/answer", timeout=2000):
        page.context.set_offline(False)
    until(page, "done")
    assert page.get_by_role("status").inner_text() == ""
    kept = study.answers()
    assert [place for place, _, _ in kept] == list(range(TOTAL)) and kept[PRACTICE][1] == "colorized"


@pytest.mark.slow
def test_an_answer_that_was_not_sent_survives_a_reload(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=LOST)
    agree(page)
    questions(page, PRACTICE)
    page.route("**/answer", lambda route: route.abort())
    page.get_by_role("button", name="Colorized").click()
    page.get_by_role("status").get_by_text("There is no connection to the study").wait_for()
    page.unroute("**/answer")
    page.reload()
    until(page, "question")
    assert study.answers()[PRACTICE][1] == "colorized"
    assert position(page) == f"Picture {PRACTICE + 2} of {TOTAL}"
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.slow
def test_a_server_that_stumbles_is_asked_again(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=("503",))
    agree(page)
    failures = [503, 503]

    def stumble(route: Route) -> None:
        if failures:
            route.fulfill(status=failures.pop(), json={"error": "not now"})
        else:
            route.continue_()

    page.route("**/answer", stumble)
    until(page, "question")
    page.get_by_role("button", name="Real").click()
    assert now(page) == "verdict" and not failures
    assert len(study.answers()) == 1


@pytest.mark.slow
def test_a_picture_that_does_not_load_is_tried_again(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=LOST)
    page.route("**/pictures/*", lambda route: route.abort())
    agree(page)
    go_on(page)
    page.get_by_role("status").get_by_text("A picture does not load").wait_for()
    assert page.locator("[data-asking] [aria-disabled=false]").count() == 0
    page.unroute("**/pictures/*")
    assert now(page) == "question" and page.get_by_role("status").inner_text() == ""
    assert page.locator("[data-pictures] img").evaluate("image => image.naturalWidth") == 256


def test_a_second_window_does_not_answer_twice(visit: Visit, study: Study) -> None:
    page = visit(study.served.url)
    agree(page)
    until(page, "question")
    other = page.context.new_page()
    other.goto(f"{study.served.url}/take")
    until(other, "question")
    page.bring_to_front()
    assert answer(page)["accepted"]
    other.bring_to_front()
    late = answer(other, 1)
    assert not late["accepted"] and late["feedback"]["was"] in ("real", "colorized")
    assert [given for _, given, _ in study.answers()] == ["real"]
    questions(other, 2)
    page.bring_to_front()
    until(page, "question")  # Where this window still is has been answered in the other.
    assert not answer(page)["accepted"]
    until(page, "done")
    kept = study.answers()
    assert [place for place, _, _ in kept] == list(range(TOTAL))


@pytest.mark.slow
def test_an_answer_that_comes_too_early_takes_the_servers_state(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=("409",))
    agree(page)
    until(page, "question")
    early = '{"position": 5, "answer": "real", "seconds": 1.5}'
    page.evaluate("early => sessionStorage.setItem('deepcolor-study-answer', early)", early)
    with page.expect_response(lambda response: response.status == 409):
        page.reload()
    until(page, "question")
    assert position(page) == f"Practice: 1 of {TOTAL}" and study.answers() == []


@pytest.mark.slow
def test_who_lost_the_cookie_is_led_to_the_start(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=("401",))
    agree(page)
    until(page, "question")
    page.context.clear_cookies()
    page.get_by_role("button", name="Real").click()
    assert now(page) == "forgotten" and violations(page) == []
    page.get_by_role("link", name="To the start page").click()
    agree(page)
    until(page, "question")
    assert study.answers(0) == study.answers(1) == []  # What was not taken is nobody else's answer.


@pytest.mark.slow
def test_an_answer_is_never_sent_for_the_next_person(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=LOST)
    agree(page)
    questions(page, 1)
    page.route("**/answer", lambda route: route.abort())
    page.get_by_role("button", name="Real").click()
    page.get_by_role("status").get_by_text("There is no connection to the study").wait_for()
    page.unroute("**/answer")
    page.goto(f"{study.served.url}/")
    agree(page)  # Somebody else at the same browser.
    until(page, "question")
    assert (len(study.answers(0)), study.answers(1)) == (1, [])
    assert position(page) == f"Practice: 1 of {TOTAL}"


def test_an_answer_that_is_refused_is_said(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=("400",))
    agree(page)
    until(page, "question")
    page.route("**/answer", lambda route: route.continue_(post_data="{}"))
    page.get_by_role("button", name="Real").click()
    assert now(page) == "fault" and violations(page) == []
    page.unroute("**/answer")
    page.get_by_role("link", name="Load again").click()
    until(page, "question")
    assert position(page) == f"Practice: 1 of {TOTAL}"


def test_withdrawing_deletes_the_answers(visit: Visit, study: Study) -> None:
    page = visit(study.served.url)
    agree(page)
    questions(page, 3)
    page.get_by_role("button", name="Stop and withdraw").click()
    assert page.evaluate("document.activeElement.innerText") == "Stay in the study"
    page.keyboard.press("c")  # No answer while the dialog asks.
    page.keyboard.press("Escape")
    assert len(study.answers()) == 3
    answer(page)
    assert len(study.answers()) == 4
    page.get_by_role("button", name="Stop and withdraw").click()
    page.get_by_role("button", name="Delete my answers").click()
    page.get_by_role("heading", name="You have withdrawn").wait_for()
    assert violations(page) == [] and study.answers() == []
    page.goto(f"{study.served.url}/take")
    assert page.get_by_label("I have read this page").is_visible()


def test_the_consent_says_what_is_missing(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, expected=("400",))
    page.get_by_role("button", name="Begin").click()  # The browser itself asks for an answer.
    assert page.get_by_label("Yes", exact=True).evaluate("input => document.activeElement === input")
    for said in ("color vision", "agree to take part"):
        page.locator("form").evaluate("form => { form.noValidate = true; }")
        page.get_by_role("button", name="Begin").click()
        assert said in page.get_by_role("alert").inner_text()
        assert violations(page) == []
        page.get_by_label("I do not know").check()
    agree(page)
    assert study.rows("SELECT color_vision FROM people") == [("yes",)]


@pytest.mark.slow
def test_without_scripts_the_pages_say_so(visit: Visit, study: Study) -> None:
    page = visit(study.served.url, java_script_enabled=False)
    # The browser that the tests drive reads this element, but does not show it.
    said = page.locator("noscript")
    assert "JavaScript is switched off." in (said.text_content() or "")
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/take")
    assert "JavaScript is switched off." in (said.text_content() or "")


def test_the_administration_counts_people(visit: Visit, study: Study) -> None:
    agree(visit(study.served.url))
    page = visit(f"{study.served.url}/admin", expected=("401",))
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button").click()
    assert "not the token" in page.get_by_role("alert").inner_text()
    assert violations(page) == []
    page.get_by_label("Token").fill(study.served.token)
    page.get_by_role("button").click()
    row = page.get_by_role("row", name="begun (at most 1000) 1", exact=True)
    assert row.is_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (violations(page), overflow(page)) == ([], 0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Answers as CSV").click()
    assert download.value.path().read_text(encoding="utf-8").startswith("study,protocol,person,")
