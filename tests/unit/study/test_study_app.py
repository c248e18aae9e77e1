"""The pages of a study, and what they say to the server, without a browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deepcolor.errors import DeepColorError
from deepcolor.study.server import app, urls
from deepcolor.study.server.store import Store
from flask.testing import FlaskClient
from support.small_study import FORM, make_study
from werkzeug.test import TestResponse

TOKEN = "the token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    """Makes clients of a study of its own."""
    stores: list[Store] = []

    def make(public_url: str = "", simulated: bool = False, **changes: Any) -> FlaskClient:
        folder = tmp_path / str(len(stores))
        make_study(folder, **changes)
        stores.append(Store(folder / "answers.sqlite", folder, simulated))
        return app.create_app(stores[-1], TOKEN, public_url).test_client()

    yield make
    for store in stores:
        store.close()


def begin(client: FlaskClient) -> dict[str, Any]:
    assert client.post("/begin", data=FORM).status_code == 303
    return state_of(client)


def state_of(client: FlaskClient) -> dict[str, Any]:
    found = client.get("/state")
    assert found.status_code == 200
    state: dict[str, Any] = found.get_json()
    return state


def answer(client: FlaskClient, position: int, given: Any = "real", **more: Any) -> TestResponse:
    return client.post("/answer", json={"position": position, "answer": given, "seconds": 1.5} | more)


@pytest.mark.parametrize(
    ("protocol", "given"),
    [("yes-no", "real"), ("pairs", "left"), ("rating", {"appeal": 1, "naturalness": 5})],
)
def test_a_person_goes_through_the_whole_study(protocol: str, given: Any, made: Any) -> None:
    client = made(protocol=protocol)
    consent = client.get("/").text
    assert "Real or &lt;colorized&gt;?" in consent and "Second &lt;b&gt;paragraph" in consent
    assert client.get("/take").location == "/"
    state, kinds, rests = begin(client), [], []
    assert "/static/study.js" in client.get("/take").text
    for position in range(12):
        assert (state["answered"], state["total"], state["practice"]) == (position, 12, 2)
        assert state["trial"]["position"] == position
        assert state["phase"] == state["trial"]["kind"]
        assert len(state["trial"]["pictures"]) == (2 if protocol == "pairs" else 1)
        ahead = state["next"]
        for source in [each["src"] for each in state["trial"]["pictures"]] + ahead:
            assert client.get(source).data.startswith(b"\x89PNG")
        kinds.append(state["phase"])
        rests.append(state["rest"])
        told = answer(client, position, given).get_json()
        assert told["accepted"]
        assert (told["feedback"] is None) == (protocol == "rating" or kinds[-1] == "test")
        again = answer(client, position, given).get_json()
        assert not again["accepted"] and again["feedback"] == told["feedback"]
        state = told["state"]
        assert ahead == [each["src"] for each in (state["trial"] or {"pictures": []})["pictures"]]
    assert kinds == ["practice"] * 2 + ["test"] * 10
    assert [position for position, rest in enumerate(rests) if rest] == [6, 10]
    assert (state["phase"], state["trial"], state["next"]) == ("done", None, [])
    assert state["result"] is None if protocol == "rating" else state["result"]["of"] == 8
    assert state == state_of(client)


def test_feedback_says_what_the_picture_was(made: Any) -> None:
    client = made()
    begin(client)
    told = [answer(client, position).get_json()["feedback"] for position in range(2)]
    assert {each["was"]: each["right"] for each in told} == {"real": True, "colorized": False}


def test_nothing_tells_what_a_picture_is(made: Any) -> None:
    client = made()
    state = begin(client)
    texts = [json.dumps(state), client.get("/take").text]
    for position in range(12):
        told = answer(client, position).get_json()
        if position >= 2:
            texts.append(json.dumps(told))
    for word in ("unet", "densenet", "condition", "catch", "image-", "photographs"):
        assert not any(word in text for text in texts)
    assert (
        client.get("/study.json").status_code == client.get("/static/../study.json").status_code == 404
    )


def test_a_trial_that_is_not_reached_is_refused_with_the_state(made: Any) -> None:
    client = made()
    state = begin(client)
    refused = answer(client, 1)
    assert (refused.status_code, refused.get_json()["state"]) == (409, state)
    assert state_of(client) == state


@pytest.mark.parametrize(
    "content",
    [
        *("[]", "null", "{}", "{", "", "\ud83d", '{"position": 0}', "[" * 8000, '{"a":' * 1500),
        *(
            f'{{"position": {each}, "answer": "real", "seconds": 1}}'
            for each in ("true", "-1", "0.0", '"0"')
        ),
        *(
            f'{{"position": 0, "answer": "real", "seconds": {each}}}'
            for each in ("NaN", "Infinity", "-0.1", "3600.1", "true", '"1"', "null", "1e999", "9" * 5000)
        ),
        *(
            f'{{"position": 0, "answer": {each}, "seconds": 1}}'
            for each in ('"left"', '""', "1", "null", '["real"]', '{"appeal": 1, "naturalness": 1}')
        ),
        '{"position": 0, "answer": "real", "seconds": 1, "person": 3}',
    ],
)
def test_what_is_no_answer_is_refused(content: str, made: Any) -> None:
    client = made()
    begin(client)
    sent = client.post(
        "/answer", data=content.encode("utf-8", "surrogatepass"), content_type="application/json"
    )
    assert sent.status_code == 400 and set(sent.get_json()) == {"error"}
    assert "Traceback" not in sent.text
    assert state_of(client)["answered"] == 0


@pytest.mark.parametrize(
    "given",
    ["real", 3, {}, {"appeal": 3}, {"appeal": 0, "naturalness": 3}, {"appeal": 3, "naturalness": 6}]
    + [{"appeal": True, "naturalness": 3}, {"appeal": 3.0, "naturalness": 3}, {"appeal": 3, "x": 3}],
)
def test_what_is_no_rating_is_refused(given: Any, made: Any) -> None:
    client = made(protocol="rating")
    begin(client)
    assert answer(client, 0, given).status_code == 400


def test_statuses(made: Any) -> None:
    client = made()
    assert client.get("/health").data == b"ok"
    assert client.get("/state").status_code == answer(client, 0).status_code == 401
    begin(client)
    for method, path, status in [
        ("GET", "/nothing", 404), ("GET", "/pictures/0.png", 404), ("GET", "/pictures/..%2fx.png", 404),
        ("GET", "/answer", 405), ("GET", "/begin", 405), ("POST", "/", 405), ("PUT", "/answer", 405),
        ("GET", "/withdraw", 405), ("DELETE", "/state", 405),
    ]:  # fmt: skip
        found = client.open(path, method=method)
        assert found.status_code == status, path
        assert (status == 405) == ("Allow" in found.headers)
    big = client.post("/answer", data=b" " * 9000, content_type="application/json")
    assert big.status_code == 413 and big.get_json()["error"]
    assert client.post("/begin", data={"agree": "x" * 9000}).status_code == 413
    assert client.post("/answer", data=b"position=0").status_code == 415


def test_the_consent_form_asks_again(made: Any) -> None:
    client = made()
    for form, words in (
        ({"agree": "yes"}, "answer the question about your color vision"),
        ({"color_vision": "yes"}, "please agree"),
        ({"agree": "yes", "color_vision": "<x>"}, "answer the question about your color vision"),
    ):
        sent = client.post("/begin", data=form)
        assert sent.status_code == 400 and words in sent.text
        assert "Set-Cookie" not in sent.headers


def test_a_full_study_says_so(made: Any) -> None:
    client = made(most_people=1)
    begin(client)
    other = client.application.test_client()
    refused = other.post("/begin", data=FORM)
    assert refused.status_code == 503 and "The study is full" in refused.text
    assert client.get("/state").status_code == 200


def test_going_on_and_withdrawing(made: Any) -> None:
    client = made()
    assert "Go on where you stopped" not in client.get("/").text
    begin(client)
    answer(client, 0)
    assert "Go on where you stopped" in client.get("/").text
    assert "You have withdrawn" in client.post("/withdraw").text
    assert client.get("/state").status_code == 401
    assert client.application.test_client().post("/withdraw").status_code == 200
    assert client.get("/admin/answers.csv", headers=BEARER).text.count("\n") == 1


def test_nobody_reaches_the_answers_of_others(made: Any) -> None:
    client = made()
    begin(client)
    answer(client, 0)
    other = client.application.test_client()
    begin(other)
    assert state_of(other)["answered"] == 0
    assert answer(other, 1).status_code == 409
    person = client.get("/admin/answers.csv", headers=BEARER).text.splitlines()[1].split(",")[2]
    name = client.get("/").request.environ["HTTP_COOKIE"].partition("=")[0]
    for guess in (person, "0", "1", ""):
        other.set_cookie(name, guess)
        assert other.get("/state").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_only_the_study_s_own_pages_may_send(headers: dict[str, str], status: int, made: Any) -> None:
    client = made()
    assert client.post("/begin", data=FORM, headers=headers).status_code == status


def test_behind_a_proxy_below_a_prefix(made: Any) -> None:
    client = made("https://Example.org:443/study/")
    own = {"Origin": "https://example.org"}
    assert client.post("/begin", data=FORM, headers={"Origin": "http://localhost"}).status_code == 403
    for path in ("/begin", "/study/begin"):  # Whether or not the proxy takes the prefix away.
        begun = client.post(path, data=FORM, headers=own)
        assert (begun.status_code, begun.location) == (303, "/study/take")
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("__Secure-study-")
    assert all(part in cookie for part in ("; Secure", "; HttpOnly", "; Path=/study;", "SameSite=Lax"))
    name, value = cookie.partition(";")[0].split("=")
    sent = {"Cookie": f"{name}={value}"}
    state = client.get("/study/state", headers=sent).get_json()
    source = state["trial"]["pictures"][0]["src"]
    assert source.startswith("/study/pictures/") and client.get(source).status_code == 200
    for path in ("/study", "/study/", "/"):
        assert 'action="/study/begin"' in client.get(path).text
    assert client.get("/studybegin").status_code == 404


def test_cookies_and_headers(made: Any) -> None:
    client = made("https://example.org")
    begun = client.post("/begin", data=FORM, headers={"Origin": "https://example.org"})
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("__Host-study-") and "Path=/;" in cookie and "Domain" not in cookie
    client = made()
    begin(client)
    assert len(client.get("/").request.environ["HTTP_COOKIE"].partition("=")[2]) >= 43  # 256 bits
    picture = state_of(client)["trial"]["pictures"][0]["src"]
    for path in ("/", "/take", "/state", "/admin", "/nothing", "/answer", picture, "/static/study.css"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        if path == picture:
            assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
        elif "static" not in path:
            assert headers["Cache-Control"] == "no-store"


def test_administration(made: Any) -> None:
    client = made()
    begin(client)
    answer(client, 0)
    other = client.application.test_client()
    assert 'name="token"' in other.get("/admin").text
    assert other.get("/admin/answers.csv").status_code == 401
    for wrong in ("", "the toke", "the token2", "é"):
        refused = other.post("/admin", data={"token": wrong})
        assert refused.status_code == 401 and "That is not the token" in refused.text
        bearer = {"Authorization": f"Bearer {wrong}"}
        assert other.get("/admin", headers=bearer).status_code == 401
        assert other.get("/admin/answers.csv", headers=bearer).status_code == 401
    # What somebody who takes part has opens nothing.
    assert client.get("/admin/answers.csv").status_code == 401
    entered = other.post("/admin", data={"token": TOKEN})
    assert (entered.status_code, entered.location) == (303, "/admin")
    cookie = entered.headers["Set-Cookie"]
    assert all(part in cookie for part in ("Path=/admin", "HttpOnly", "SameSite=Strict"))
    assert TOKEN not in cookie
    page = other.get("/admin")
    assert page.status_code == 200 and 'href="/admin/answers.csv"' in page.text
    csv = other.get("/admin/answers.csv")
    assert csv.mimetype == "text/csv" and csv.text.count("\n") == 2
    assert client.get("/admin/answers.csv", headers=BEARER).text == csv.text


def test_a_disk_that_fails_is_told_without_a_trace(
    made: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = made()
    begin(client)

    def fail(*_: Any) -> None:
        raise DeepColorError("/secret/answers.sqlite: the disk is full")

    monkeypatch.setattr(Store, "answer", fail)
    sent = answer(client, 0)
    assert sent.status_code == 503 and "secret" not in sent.text
    assert "error: /secret/answers.sqlite: the disk is full" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    ["example.org", "ftp://a.b", "https://", "https://u:p@a.b", "https://a.b/?x=1", "https://a.b/#x"]
    + ["https://a.b:99999", "https://a b/", "https://a.b/x y", "https://a.b//x", "//a.b/x"],
)
def test_what_is_no_public_url_is_one_line(url: str) -> None:
    with pytest.raises(DeepColorError, match="not the address of a page"):
        urls.split_url(url)


def test_public_urls() -> None:
    assert urls.split_url("http://A.b:8080/x/y/") == ("http://a.b:8080", "/x/y")
    assert urls.split_url("https://[::1]:443") == ("https://[::1]", "")


def test_a_name_that_leads_here_is_no_page_of_ours(made: Any) -> None:
    client = made()
    for host, status in (("localhost:8000", 303), ("[::1]:8000", 303), ("elsewhere.example", 403)):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert client.post("/begin", data=FORM, headers=headers).status_code == status
    assert made("http://lab.example").post(
        "/begin", data=FORM, headers={"Origin": "http://lab.example"}
    ).status_code == 303  # fmt: skip


def test_an_answer_from_another_persons_window_is_not_taken(made: Any) -> None:
    client = made()
    shown = [each["src"] for each in begin(client)["trial"]["pictures"]]
    wrong = answer(client, 0, pictures=["/pictures/" + "0" * 24 + ".png"])
    assert wrong.status_code == 409 and wrong.get_json()["state"]["answered"] == 0
    bad: tuple[Any, ...] = ("x", [1], {})
    for odd in bad:
        assert answer(client, 0, pictures=odd).status_code == 400
    assert answer(client, 0, pictures=shown).get_json()["accepted"]


def test_who_has_taken_part_is_told_what_beginning_anew_means(made: Any) -> None:
    client = made()
    begin(client)
    assert "can no longer withdraw" not in client.get("/").text.replace("\n", " ")
    for position in range(12):
        answer(client, position)
    page = client.get("/").text.replace("\n", " ")
    assert "can no longer withdraw" in page and "Begin anew" in page and "Go on" not in page


def test_the_administration_ends_after_a_while(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = made()
    assert client.post("/admin", data={"token": TOKEN}).status_code == 303
    assert client.get("/admin/answers.csv").status_code == 200
    monkeypatch.setattr("deepcolor.study.server.admin.SESSION_AGE", 0)
    assert client.get("/admin/answers.csv").status_code == 401


@pytest.mark.parametrize("path", ["/admin", "/take/part", "/static"])
def test_a_prefix_must_not_be_a_page(path: str, made: Any) -> None:
    with pytest.raises(DeepColorError, match="pages of the study begin so"):
        made(f"https://example.org{path}")
