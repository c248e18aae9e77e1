"""The web application of a study: pages for those who take part, and for those who make the study."""

import re
import sqlite3
import sys
from http import HTTPStatus

from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from deepcolor.errors import DeepColorError, printable
from deepcolor.study.server import api
from deepcolor.study.server.admin import add_administration
from deepcolor.study.server.store import Person, Store
from deepcolor.study.server.urls import below, cookie_name, split_url
from deepcolor.web import security

# Bytes that any request may have.
MAX_BYTES = 8192
# Seconds after which somebody who has stopped cannot go on any more: 30 days.
COOKIE_AGE = 30 * 24 * 3600
HEADERS = security.headers()
OWN_PATHS = {"admin", "answer", "begin", "health", "pictures", "state", "static", "take", "withdraw"}
FULL = "As many people have begun as the study can take. Thank you for coming."
WITHDRAWN = (
    "Your answers are deleted from the study. If those who make it have taken a copy before, ask them "
    "to make it anew. You can close this page."
)
LATER = "Nothing can be saved at the moment. Please try again later; those who make the study see why."


def create_app(store: Store, token: str, public_url: str = "") -> Flask:
    """Make the application.

    Args:
        store: Of the study.
        token: What lets somebody into the administration.
        public_url: Address that people use, as `https://example.org/study`; by default it is the one
            that a request names. Its path is the prefix of all addresses, whether or not what stands
            between takes it away.

    Raises:
        DeepColorError: The public URL is none.
    """
    origin, prefix = split_url(public_url) if public_url else ("", "")
    if prefix.partition("/")[2].partition("/")[0] in OWN_PATHS:
        raise DeepColorError(
            f"--public-url {public_url}: pages of the study begin so; name another path"
        )
    secure = origin.startswith("https:")
    app = Flask(__name__, static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.autoescape = True  # Flask escapes in templates called *.html alone.
    app.wsgi_app = below(prefix, app.wsgi_app)  # type: ignore[method-assign]
    study = store.study
    app.jinja_env.globals.update(
        study={
            **{key: study[key] for key in ("title", "protocol", "contact")},
            "consent": [text.strip() for text in re.split(r"\n\s*\n", study["consent"]) if text.strip()],
        },
        prefix=prefix,
        simulated=store.simulated,
    )
    # Cookies do not mind ports: two studies on one machine must not take each other's.
    cookie = cookie_name(f"study-{study['study'][:8]}", prefix, secure)

    reported = ""  # The last error that was printed.

    def person() -> Person | None:
        return store.person(session()) if session() else None

    def session() -> str:
        return request.cookies.get(cookie, "")

    @app.before_request
    def _check_origin() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and not security.is_own(origin):
            abort(HTTPStatus.FORBIDDEN, "This was sent from another page than the study's own.")

    @app.after_request
    def _protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        if request.endpoint not in ("picture", "static"):
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def consent() -> str:
        return _consent_page()

    def _consent_page(error: str = "") -> str:
        known = person()
        begun = known is not None and known.answered > 0
        going = known is not None and known.answered < len(store.trials(known))
        return render_template("consent.html.j2", going=going, begun=begun, error=error)

    @app.post("/begin")
    def begin() -> AnyResponse | tuple[str, int]:
        color_vision = request.form.get("color_vision", "")
        if color_vision not in ("yes", "no", "unsure"):
            return _consent_page("please answer the question about your color vision."), 400
        if request.form.get("agree") != "yes":
            return _consent_page("please agree to take part, at the end of this page."), 400
        begun = store.begin(color_vision, session())
        if begun is None:
            return _message("The study is full", FULL), 503
        response = redirect(f"{prefix}/take", 303)
        response.set_cookie(
            cookie,
            begun,
            max_age=COOKIE_AGE,
            path=prefix or "/",
            secure=secure,
            httponly=True,
            samesite="Lax",  # Strict would not let somebody go on from a link in an e-mail.
        )
        return response

    @app.get("/take")
    def take() -> AnyResponse | str:
        return render_template("take.html.j2") if person() else redirect(f"{prefix}/", 303)

    @app.get("/state")
    def state() -> AnyResponse:
        known = person()
        if known is None:
            abort(HTTPStatus.UNAUTHORIZED, "nobody has this cookie")
        return jsonify(api.state(store, known, prefix))

    @app.post("/answer")
    def answer() -> tuple[AnyResponse, int]:
        if not session():
            abort(HTTPStatus.UNAUTHORIZED, "nobody has this cookie")
        try:
            sent = api.read_answer(request.get_json(), study["protocol"])
        except (ValueError, RecursionError) as error:
            abort(HTTPStatus.BAD_REQUEST, str(error))
        nonlocal reported
        outcome = store.answer(session(), *sent)
        reported = ""
        if outcome is None:
            abort(HTTPStatus.UNAUTHORIZED, "nobody has this cookie")
        after = api.state(store, outcome.person, prefix)
        if outcome.status == "early":
            return jsonify(error="this trial has not been reached yet", state=after), 409
        return jsonify(
            accepted=outcome.status == "accepted",
            feedback=api.feedback(store, outcome, sent[0]),
            state=after,
        ), 200

    @app.post("/withdraw")
    def withdraw() -> AnyResponse:
        store.withdraw(session())
        response = Response(_message("You have withdrawn", WITHDRAWN))
        response.delete_cookie(cookie, path=prefix or "/", secure=secure, httponly=True, samesite="Lax")
        return response

    @app.get("/pictures/<name>.png")
    def picture(name: str) -> AnyResponse:
        content = store.picture(name)
        if content is None:
            abort(HTTPStatus.NOT_FOUND)
        response = Response(content, mimetype="image/png")
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return response

    @app.get("/health")
    def health() -> AnyResponse:
        return Response("ok", mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def _refuse(error: HTTPException) -> AnyResponse:
        status = HTTPStatus(error.code or 500)
        own_words = status in (HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST)
        return _told(status, str(error.description) if own_words else status.description)

    @app.errorhandler(DeepColorError)
    @app.errorhandler(sqlite3.DatabaseError)
    def _not_now(error: Exception) -> AnyResponse:
        nonlocal reported
        if str(error) != reported:  # People's pages try again every few seconds.
            reported = str(error)
            print(printable(f"deepcolor: error: {error}"), file=sys.stderr, flush=True)
        return _told(HTTPStatus.SERVICE_UNAVAILABLE, LATER)

    add_administration(app, store, token, prefix, secure)
    return app


def _message(heading: str, text: str) -> str:
    return render_template("message.html.j2", heading=heading, text=text)


def _told(status: HTTPStatus, text: str) -> AnyResponse:
    """An error as a page, or as JSON where the pages' program has asked."""
    if request.path in ("/state", "/answer"):
        response: AnyResponse = jsonify(error=text)
    else:
        response = Response(_message(status.phrase, text))
    response.status_code = status
    if status == HTTPStatus.METHOD_NOT_ALLOWED and request.routing_exception:
        response.headers["Allow"] = ", ".join(getattr(request.routing_exception, "valid_methods", ()))
    return response
