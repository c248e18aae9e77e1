"""The web application that colorizes a picture at a time: a page, and the one request that it sends."""

import functools
import hashlib
import io
import json
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import numpy as np
from flask import Flask, Response, abort, jsonify, render_template, request
from jinja2 import StrictUndefined
from PIL import Image
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from deepcolor.colorize import examples
from deepcolor.colorize.colorizer import Colorized, Limits, colorize, previews
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.network import Network
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.write import write
from deepcolor.config.bundled import BUNDLED_NETWORK
from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.labels import run_label
from deepcolor.web import security

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}
PREVIEW = 1200  # Longer side of what the page shows, in pixels, at most.
SMALL = 192  # The same of an example to click.
MAX_SATURATION = 2.0
MAX_SECONDS = 60.0  # For the predictions of a picture's tiles.
TILES = 2  # Along the shorter side, if asked for.
# Pictures that wait for their turn, at most, and seconds until they are sent away.
WAITING, PATIENCE = 2, 120.0
LOADED = 4  # Networks that are kept in memory, at most.
BUSY = "Others are having their pictures colorized. Please try again in a moment."
BROKEN = "This network cannot be loaded; the program that serves this page has printed why."
NO_MEMORY = "The memory does not suffice for this picture; make it smaller."
ELSEWHERE = (
    "This page is not known by the name in the address. Open it by the machine's number, such as "
    "http://127.0.0.1:8001, or serve it with --host and that name."
)
HEADERS = security.headers(images="'self' blob:")


def create_app(
    runs: Mapping[str, Path],
    *,
    most_megabytes: float,
    most_megapixels: float,
    threads: int,
    names: tuple[str, ...] = (),
) -> Flask:
    """Make the application. It keeps nothing of a picture, neither on disk nor in memory.

    Args:
        runs: Files of networks, by what they are called; loaded when they are first used.
        most_megabytes: Size of a picture's file, at most.
        most_megapixels: Likewise, of the picture.
        threads: Of the CPU, for a picture.
        names: Hosts by which the page is known, beside numbers and localhost.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = int(most_megabytes * 1e6)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.autoescape = True  # Flask escapes in templates called *.html alone.
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    workers = ThreadPoolExecutor(threads)
    places, turn = threading.BoundedSemaphore(1 + WAITING), threading.Lock()

    # Of a file that was written anew, the network is loaded anew.
    @functools.lru_cache(maxsize=LOADED)
    def loaded(path: Path, _written: int) -> Network:
        return open_network(path, threads)

    @contextmanager
    def one_at_a_time() -> Iterator[None]:
        if not places.acquire(blocking=False):
            abort(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        try:
            if not turn.acquire(timeout=PATIENCE):
                abort(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
            try:
                yield
            finally:
                turn.release()
        finally:
            places.release()

    @app.before_request
    def _check_sender() -> None:
        if not security.is_ours(names):
            abort(HTTPStatus.FORBIDDEN, ELSEWHERE)
        if request.method not in ("GET", "HEAD", "OPTIONS") and not security.is_own("", names):
            abort(HTTPStatus.FORBIDDEN, "This was sent from another page than this program's own.")

    @app.after_request
    def _protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = "no-cache" if request.endpoint == "static" else "no-store"
        return response

    @app.get("/")
    def page() -> str:
        return render_template(
            "app.html.j2",
            runs=[
                {"name": name, "label": _label(name, path), "slow": path.suffix == ".keras"}
                for name, path in runs.items()
            ],
            most_bytes=app.config["MAX_CONTENT_LENGTH"],
            most_megabytes=most_megabytes,
            most_megapixels=most_megapixels,
            most_saturation=MAX_SATURATION,
            examples=examples.examples(),
        )

    @app.get("/examples/<name>")
    def example(name: str) -> Response:
        content = examples.read_example(name, SMALL if "small" in request.args else PREVIEW)
        if content is None:
            abort(HTTPStatus.NOT_FOUND)
        return Response(content, mimetype="image/jpeg")

    @app.post("/colorize")
    def colorized() -> AnyResponse:
        path = runs.get(request.args.get("run", ""))
        if path is None:
            abort(HTTPStatus.BAD_REQUEST, "run: there is no such network; load this page again")
        settings = _settings(request.args)
        with one_at_a_time():
            if request.environ.get("waitress.client_disconnected", bool)():
                abort(HTTPStatus.REQUEST_TIMEOUT)  # Nobody waits for it any more.
            content = request.get_data(cache=False)
            network = _opened(path)
            done = colorize(
                content,
                hashlib.sha256(content).hexdigest(),
                network,
                settings,
                limits=Limits(most_megapixels, MAX_SECONDS),
                workers=workers,
            )
            return _answer(done, network, settings)

    def _opened(path: Path) -> Network:
        try:
            return loaded(path, path.stat().st_mtime_ns)
        except (DeepColorError, OSError) as error:
            print(printable(f"app: error: {error}"), file=sys.stderr, flush=True)
            abort(HTTPStatus.SERVICE_UNAVAILABLE, BROKEN)

    @app.errorhandler(HTTPException)
    def _refuse(error: HTTPException) -> AnyResponse:
        status = HTTPStatus(error.code or 500)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return _told(status, f"The file is larger than {most_megabytes:g} MB.")
        own_words = status in (
            HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE
        )  # fmt: skip
        return _told(status, str(error.description) if own_words else status.description)

    @app.errorhandler(ValueError)
    def _unreadable(error: ValueError) -> AnyResponse:
        text = first_line(error)
        return _told(HTTPStatus.UNPROCESSABLE_ENTITY, f"It cannot be colorized: {text}.")

    @app.errorhandler(MemoryError)
    def _too_large(error: MemoryError) -> AnyResponse:
        return _told(HTTPStatus.INSUFFICIENT_STORAGE, NO_MEMORY)

    return app


def _label(name: str, path: Path) -> str:
    """Return what a network is called on the page."""
    return "Bundled network" if path == BUNDLED_NETWORK else run_label(name)


def _settings(asked: Mapping[str, str]) -> Settings:
    """Return how to colorize, as the page asks for it."""
    flags = {name: asked.get(name, "0") for name in ("tiles", "keep_tint", "label")}
    for name, value in flags.items():
        if value not in ("0", "1"):
            abort(HTTPStatus.BAD_REQUEST, f"{name}: name 0 or 1")
    return Settings(
        saturation=_number(asked, "saturation", 1, MAX_SATURATION),
        vivid=_number(asked, "vivid", 0, 1),
        tiles=TILES * int(flags["tiles"]),
        keep_tint=flags["keep_tint"] == "1",
        label=flags["label"] == "1",
    )


def _number(asked: Mapping[str, str], name: str, default: float, most: float) -> float:
    """Return a number from 0 to `most` that the page asks for."""
    try:
        value = float(asked.get(name, default))
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        abort(HTTPStatus.BAD_REQUEST, f"{name}: name a number from 0 to {most:g}")
    return value


def _answer(done: Colorized, network: Network, settings: Settings) -> Response:
    """The picture, how it looks before and after, and what there is to say of it, as a form's parts."""
    photograph = done.photograph
    file = io.BytesIO()
    write(file, done.pixels, photograph, done.xmp, settings.quality)
    before, after = previews(done, PREVIEW)
    height, width = photograph.upright(photograph.luminance).shape
    about = {
        "notes": done.notes,
        "trained_on": network.notes,
        "run": request.args["run"],
        "has_vivid": network.predict_vivid is not None,
        "format": photograph.format,
        "suffix": SUFFIXES[photograph.format],
        "width": width,
        "height": height,
    }
    parts = {
        "about": ("application/json", json.dumps(about).encode()),
        "before": ("image/jpeg", _jpeg(before)),
        "after": ("image/jpeg", _jpeg(after)),
        "picture": (Image.MIME[photograph.format], file.getvalue()),
    }
    boundary = secrets.token_hex(24)
    pieces: list[bytes] = []
    for name, (kind, content) in parts.items():
        filename = "" if name == "about" else f'; filename="{name}"'
        head = f'Content-Disposition: form-data; name="{name}"{filename}\r\nContent-Type: {kind}'
        pieces += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Response(pieces, content_type=f"multipart/form-data; boundary={boundary}")


def _jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, subsampling=0)
    return file.getvalue()


def _told(status: HTTPStatus, text: str) -> AnyResponse:
    """An error, as JSON where the page's program has asked."""
    if request.path == "/colorize":
        response: AnyResponse = jsonify(error=text)
    else:
        response = Response(f"{text}\n", mimetype="text/plain")
    response.status_code = status
    if status == HTTPStatus.METHOD_NOT_ALLOWED and request.routing_exception:
        response.headers["Allow"] = ", ".join(getattr(request.routing_exception, "valid_methods", ()))
    return response
