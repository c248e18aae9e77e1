"""The pages for those who make a study: how many take part, and the answers."""

import hashlib
import hmac
import secrets
import time
from http import HTTPStatus

from flask import Flask, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from deepcolor.study.server.store import Store
from deepcolor.study.server.urls import cookie_name

# Seconds that a session lasts: half a day.
SESSION_AGE = 12 * 3600


def add_administration(app: Flask, store: Store, token: str, prefix: str, secure: bool) -> None:
    """Add the pages for those who make the study; their sessions end after `SESSION_AGE`.

    Args:
        app: To add them to.
        store: Of the study.
        token: What lets somebody in, by the page's form or as `Authorization: Bearer`. Only its checksum
            is kept.
        prefix: Of all addresses.
        secure: Whether these are https.
    """
    expected, sessions = _digest(token), dict[bytes, float]()
    path = f"{prefix}/admin"
    cookie = cookie_name(f"study-admin-{store.study['study'][:8]}", path, secure)

    def allowed() -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(_digest(given.strip()), expected):
            return True
        entered = sessions.get(_digest(request.cookies.get(cookie, "")))
        return entered is not None and time.monotonic() - entered < SESSION_AGE

    @app.get("/admin")
    def admin() -> str | tuple[str, int]:
        if allowed():
            return render_template("admin.html.j2", counts=store.counts(), wrong=False)
        wrong = "Authorization" in request.headers
        return render_template("admin.html.j2", counts=None, wrong=wrong), 401 if wrong else 200

    @app.post("/admin")
    def enter() -> AnyResponse | tuple[str, int]:
        if not hmac.compare_digest(_digest(request.form.get("token", "").strip()), expected):
            return render_template("admin.html.j2", counts=None, wrong=True), 401
        session = secrets.token_urlsafe(32)
        sessions[_digest(session)] = time.monotonic()
        response = redirect(path, 303)
        response.set_cookie(cookie, session, path=path, secure=secure, httponly=True, samesite="Strict")
        return response

    @app.get("/admin/answers.csv")
    def answers() -> AnyResponse:
        if not allowed():
            abort(HTTPStatus.UNAUTHORIZED)
        response = Response(store.as_csv(), mimetype="text/csv")
        response.headers["Content-Disposition"] = "attachment; filename=answers.csv"
        return response


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
