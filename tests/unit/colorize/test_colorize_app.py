"""The page to try networks, and what it says to the server, without a browser."""

import io
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from deepcolor.cli.app import find_runs
from deepcolor.colorize import app, examples, xmp
from deepcolor.colorize.inspection import inspect
from deepcolor.config.bundled import BUNDLED_NETWORK
from deepcolor.errors import DeepColorError
from deepcolor.imaging.colorfulness import colorfulness
from flask.testing import FlaskClient
from PIL import Image, ImageOps
from support.sample_images import jpeg, picture
from support.served_apps import write_runs
from support.tiny_onnx import write_onnx
from werkzeug.formparser import parse_form_data
from werkzeug.test import TestResponse

Make = Callable[..., FlaskClient]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes clients of an application with two networks."""
    runs = find_runs(write_runs(tmp_path / "results"), [])

    def made(**options: Any) -> FlaskClient:
        settings: dict[str, Any] = {"most_megabytes": 1, "most_megapixels": 1, "threads": 2}
        return app.create_app(runs, **(settings | options)).test_client()

    return made


def send(client: FlaskClient, content: bytes, **query: Any) -> TestResponse:
    return client.post("/colorize", data=content, query_string={"run": "warm_2"} | query)


def parts_of(response: TestResponse) -> dict[str, Any]:
    """The parts of an answer; `about` is parsed."""
    assert response.status_code == 200, response.text
    environ = {
        "REQUEST_METHOD": "POST",
        "wsgi.input": io.BytesIO(response.data),
        "CONTENT_TYPE": response.headers["Content-Type"],
        "CONTENT_LENGTH": response.headers["Content-Length"],
    }
    _, form, files = parse_form_data(environ)
    parts: dict[str, Any] = {name: file.read() for name, file in files.items()}
    return {**parts, "about": json.loads(form["about"]), "type": files["picture"].content_type}


def encoded(image: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def deep(suffix: str) -> bytes:
    """A colored picture with 16 bits."""
    values = np.asarray(picture(3), np.uint16) * 257
    return cv2.imencode(suffix, values)[1].tobytes()


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


CAT = str(resources.files("skimage").joinpath("data/chelsea.png"))
GRAY = encoded(picture(1).convert("L"), "PNG")


@pytest.mark.parametrize(
    ("content", "format", "suffix", "depth"),
    [
        (jpeg(1), "JPEG", ".jpg", np.uint8),
        (GRAY, "PNG", ".png", np.uint8),
        (encoded(picture(1).convert("P"), "GIF"), "PNG", ".png", np.uint8),
        (encoded(picture(1), "WEBP"), "WEBP", ".webp", np.uint8),
        (encoded(picture(1).convert("CMYK"), "TIFF"), "TIFF", ".tif", np.uint8),
        (encoded(picture(1), "BMP"), "PNG", ".png", np.uint8),
        (deep(".png"), "PNG", ".png", np.uint16),
        (deep(".tiff"), "TIFF", ".tif", np.uint16),
    ],
)
def test_a_picture_comes_back_in_color(
    content: bytes, format: str, suffix: str, depth: Any, make: Make, tmp_path: Path
) -> None:
    parts = parts_of(send(make(), content))
    about = parts["about"]
    assert (about["format"], about["suffix"]) == (format, suffix)
    assert parts["type"] == f"image/{format.lower()}"
    assert (about["width"], about["height"]) == (120, 90)
    assert about["trained_on"] == ["Trained on 8 photographs.", "It knows <nothing> else."]
    path = tmp_path / f"done{suffix}"
    path.write_bytes(parts["picture"])
    assert "with warm_2" in inspect(path)
    done = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert done is not None and done.dtype == depth and done.shape[:2] == (90, 120)
    for half in ("before", "after"):
        assert Image.open(io.BytesIO(parts[half])).size == (120, 90)
    red, _, blue = np.moveaxis(pixels_of(parts["after"]).astype(int), -1, 0)
    assert (red - blue).mean() > 20  # As the network has it.
    stated = "it had colors; they are replaced"
    assert (stated in about["notes"]) == (content != GRAY)


def test_the_mark_says_what_was_done(make: Make) -> None:
    parts = parts_of(send(make(), GRAY, saturation="0.5", tiles=1, keep_tint=1, label=1))
    packet = Image.open(io.BytesIO(parts["picture"])).info["xmp"]
    noted = xmp.noted(packet)
    assert xmp.source_type(packet) == xmp.COLORIZED
    assert noted["InputSHA256"] == sha256(GRAY).hexdigest() and noted["Model"] == "warm_2"
    settings = xmp.settings_of(noted)
    assert (settings["saturation"], settings["tiles"]) == (0.5, app.TILES)
    assert settings["keep_tint"] is settings["label"] is True


def test_settings_do_what_they_say(make: Make) -> None:
    client = make()
    gray = pixels_of(parts_of(send(client, GRAY, saturation=0))["picture"])
    assert np.ptp(gray, axis=-1).max() == 0 and (gray[..., 0] == pixels_of(GRAY)[..., 0]).all()
    colored, labeled, cold = (
        pixels_of(parts_of(send(client, GRAY, **query))["picture"]).astype(int)
        for query in ({}, {"label": 1}, {"run": "cold_10"})
    )
    assert (colored[:60] == labeled[:60]).all() and (colored != labeled).any()
    about = parts_of(send(client, GRAY, run="cold_10"))["about"]
    assert about["trained_on"] == ["No model card says what this network was trained on."]
    assert (cold[..., 2] - cold[..., 0]).mean() > 5 > 0 > (colored[..., 2] - colored[..., 0]).mean()
    sepia = encoded(ImageOps.colorize(picture(1).convert("L"), "#281400", "#ffe6b4"), "PNG")
    for keep, note in ((0, "its tint is removed"), (1, "its tint is kept")):
        parts = parts_of(send(client, sepia, keep_tint=keep, saturation=0))
        assert parts["about"]["notes"] == [note]
        assert (np.ptp(pixels_of(parts["picture"]), axis=-1).max() > 9) == keep


def test_a_large_picture_is_shown_small_and_upright(make: Make) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned.
    file = io.BytesIO()
    picture(1, 3000, 300).save(file, "JPEG", exif=exif)
    parts = parts_of(send(make(), file.getvalue()))
    assert Image.open(io.BytesIO(parts["after"])).size == (120, 1200)
    assert Image.open(io.BytesIO(parts["picture"])).size == (3000, 300)
    assert (parts["about"]["width"], parts["about"]["height"]) == (300, 3000)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no image, or of an unknown format"),
        (b"just some text\n" * 99, "no image, or of an unknown format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image, or of an unknown format"),
        (b"%PDF-1.4\n", "no image, or of an unknown format"),
        (EPS, "no image, or of an unknown format"),
        (jpeg(1)[:900], "Premature end of JPEG file"),
        (GRAY[:200], "truncated"),
        (encoded(picture(1).convert("F"), "TIFF"), "pixels of mode F have no known range"),
        (encoded(Image.new("L", (1100, 1000)), "PNG"), "1100×1000 pixels are 1.1 megapixels"),
    ],
)
def test_what_cannot_be_colorized_is_one_line(content: bytes, words: str, make: Make) -> None:
    sent = send(make(), content)
    assert sent.status_code == 422 and set(sent.get_json()) == {"error"}
    told = sent.get_json()["error"]
    assert told.startswith("It cannot be colorized: ") and words in told and "\n" not in told


def test_a_large_file_is_refused(make: Make) -> None:
    client = make(most_megabytes=0.001)
    assert send(client, b"x" * 1000).status_code == 422
    for headers in ({}, {"Content-Type": "multipart/form-data; boundary=x"}):
        sent = client.post("/colorize?run=warm_2", data=b"x" * 1001, headers=headers)
        assert sent.status_code == 413
        assert sent.get_json() == {"error": "The file is larger than 0.001 MB."}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"run": "other_1"}, "run: there is no such network"),
        ({"run": "../warm_2"}, "run: there is no such network"),
        *(
            ({"saturation": each}, "saturation: name a number from 0 to 2")
            for each in ("", "-0.1", "2.1", "nan", "inf", "much")
        ),
        *(({"vivid": each}, "vivid: name a number from 0 to 1") for each in ("-0.1", "1.1", "nan")),
        *(({name: "2"}, f"{name}: name 0 or 1") for name in ("tiles", "keep_tint", "label")),
    ],
)
def test_wrong_settings_are_refused(query: dict[str, str], words: str, make: Make) -> None:
    sent = send(make(), GRAY, **query)
    assert sent.status_code == 400 and words in sent.get_json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8001"}, 200),
        ({"Host": "[::1]:8001", "Origin": "http://[::1]:8001"}, 200),
        ({"Host": "lab.example:8001", "Origin": "http://lab.example:8001"}, 200),
        ({"Host": "LAB.example"}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "[::1"}, 403),
    ],
)
def test_only_the_own_page_may_send(headers: dict[str, str], status: int, make: Make) -> None:
    client = make(names=("lab.example",))
    assert client.post("/colorize?run=warm_2", data=GRAY, headers=headers).status_code == status
    host = {"Host": headers.get("Host", "localhost")}
    seen = client.get("/", headers=host)
    known = "evil" not in host["Host"] and host["Host"] != "[::1"
    assert seen.status_code == (200 if known else 403)
    assert known or ("http://127.0.0.1:8001" in seen.text and "warm" not in seen.text)


def test_statuses_and_headers(make: Make) -> None:
    client = make()
    for method, path, status in [
        ("GET", "/", 200), ("GET", "/static/app.js", 200), ("GET", "/nothing", 404),
        ("GET", "/colorize", 405), ("POST", "/", 405), ("GET", "/static/../app.py", 404),
    ]:  # fmt: skip
        found = client.open(path, method=method)
        assert found.status_code == status, path
        assert (status == 405) == ("Allow" in found.headers)
        policy = found.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["X-Frame-Options"] == "DENY"
        assert found.headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")
        assert "Set-Cookie" not in found.headers


def test_names_are_escaped(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / '"><script>alert(1)&_3' / "model.onnx")
    runs = find_runs(tmp_path, [path])
    page = app.create_app(runs, most_megabytes=1, most_megapixels=1, threads=1).test_client().get("/")
    assert "<script>alert" not in page.text
    assert "&#34;&gt;&lt;script&gt;alert(1)&amp;, 3 epochs" in page.text


def test_one_at_a_time_and_few_that_wait(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client, go, begun = make(), threading.Event(), threading.Event()
    at_work: list[int] = []
    most: list[int] = []
    real = app.colorize

    def slow(*arguments: Any, **options: Any) -> Any:
        at_work.append(1)
        most.append(len(at_work))
        begun.set()
        assert go.wait(20)
        try:
            return real(*arguments, **options)
        finally:
            at_work.pop()

    monkeypatch.setattr(app, "colorize", slow)
    with ThreadPoolExecutor(8) as pool:
        fresh = client.application.test_client
        taken = [pool.submit(send, fresh(), GRAY) for _ in range(1 + app.WAITING)]
        assert begun.wait(20)
        while sum(each.running() for each in taken) < len(taken):
            time.sleep(0.01)
        time.sleep(0.2)
        refused = send(fresh(), GRAY)
        assert refused.status_code == 503 and refused.get_json() == {"error": app.BUSY}
        assert fresh().get("/").status_code == 200
        go.set()
        assert [each.result().status_code for each in taken] == [200] * len(taken)
    assert max(most) == 1
    assert send(client, GRAY).status_code == 200


def test_who_waits_too_long_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client, go, begun = make(), threading.Event(), threading.Event()
    monkeypatch.setattr(app, "PATIENCE", 0.1)

    def stuck(*_: Any, **__: Any) -> None:
        begun.set()
        assert go.wait(20)
        raise MemoryError

    monkeypatch.setattr(app, "colorize", stuck)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, client.application.test_client(), GRAY)
        assert begun.wait(20)
        assert send(client, GRAY).status_code == 503
        go.set()
        told = first.result()
    assert told.status_code == 507 and told.get_json() == {"error": app.NO_MEMORY}


def test_who_has_gone_costs_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make()
    monkeypatch.setattr(app, "colorize", lambda *_, **__: pytest.fail("somebody was thought to wait"))
    gone = {"waitress.client_disconnected": lambda: True}
    assert client.post("/colorize?run=warm_2", data=GRAY, environ_overrides=gone).status_code == 408


def test_networks_are_loaded_once_and_again_when_written_anew(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client, opened, real = make(), [], app.open_network

    def watched(path: Path, threads: int) -> Any:
        opened.append(path)
        return real(path, threads)

    monkeypatch.setattr(app, "open_network", watched)
    for run in ("warm_2", "cold_10", "warm_2"):
        parts_of(send(client, GRAY, run=run))
    assert [path.parts[-3] for path in opened] == ["warm_2", "cold_10"]
    path = tmp_path / "results/warm_2/export/model.onnx"
    write_onnx(path, weights=(1, 1, 1), biases=(0, 0, 0))
    os.utime(path, ns=(0, 1))
    done = pixels_of(parts_of(send(client, GRAY))["picture"])
    assert len(opened) == 3 and np.ptp(done, axis=-1).max() <= 1


def test_a_broken_network_is_told_without_its_place(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = make()
    path = tmp_path / "results/warm_2/export/model.onnx"
    for spoil in (lambda: path.write_bytes(b"broken"), path.unlink):
        spoil()
        sent = send(client, GRAY)
        assert sent.status_code == 503 and sent.get_json() == {"error": app.BROKEN}
        assert str(path) in capsys.readouterr().err
    assert send(client, GRAY, run="cold_10").status_code == 200


def test_runs_to_choose_from(tmp_path: Path) -> None:
    assert find_runs(tmp_path, []) == {"bundled": BUNDLED_NETWORK}
    names = ["unet_30/export/model.onnx", "unet_9/export/model.onnx", "unet_9/model.keras"]
    names += ["densenet_30/model.keras", "study/model.txt", "a/b.onnx", "c/b.onnx"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_runs(tmp_path, [])
    assert list(found) == ["bundled", "unet_9", "unet_30", "densenet_30"]
    assert found["unet_9"] == tmp_path / "unet_9/export/model.onnx"
    models = [tmp_path / "a/b.onnx", tmp_path / "c/b.onnx", tmp_path / "unet_9/model.keras"]
    assert list(find_runs(tmp_path, models)) == [*map(str, models[:2]), "unet_9"]
    assert list(find_runs(tmp_path, [*models[:1] * 2])) == ["b"]
    for name, words in (("no.onnx", "there is no such file"), ("study/model.txt", "name a .keras")):
        with pytest.raises(DeepColorError, match=words):
            find_runs(tmp_path, [tmp_path / name])


def test_the_bundled_network_is_as_vivid_as_asked_for(make: Make) -> None:
    client = make()
    photograph = encoded(Image.open(CAT).convert("L"), "PNG")
    exact, vivid, half = (
        parts_of(send(client, photograph, run="bundled", vivid=vivid)) for vivid in (0, 1, 0.5)
    )
    assert exact["about"]["has_vivid"] and exact["about"]["run"] == "bundled"
    colorful = [colorfulness(pixels_of(parts["picture"])) for parts in (exact, half, vivid)]
    assert colorful[0] < colorful[1] < colorful[2]
    # One without color classes takes no notice.
    first, second = (parts_of(send(client, photograph, vivid=vivid)) for vivid in (0, 1))
    assert not first["about"]["has_vivid"]
    assert np.array_equal(pixels_of(first["picture"]), pixels_of(second["picture"]))


def test_collapsed_runs_come_last(tmp_path: Path) -> None:
    for run, collapsed in (("a_1", "noise"), ("b_1", ""), ("c_1", None)):
        (tmp_path / run / "export").mkdir(parents=True)
        (tmp_path / run / "export" / "model.onnx").touch()
        if collapsed is not None:
            (tmp_path / run / "model_card.json").write_text(json.dumps({"collapsed": collapsed}))
    assert list(find_runs(tmp_path, [])) == ["bundled", "b_1", "c_1", "a_1"]


def test_examples_are_gray_and_come_from_packages(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make()
    assert client.get("/").text.count("data-example=") == len(examples.EXAMPLES)
    for example in examples.EXAMPLES:
        sides = []
        for query in ("", "?small=1"):
            image = Image.open(io.BytesIO(client.get(f"/examples/{example.name}{query}").data))
            assert (image.format, image.mode) == ("JPEG", "L")
            sides.append(max(image.size))
        assert sides[1] == app.SMALL < sides[0] <= app.PREVIEW
    for name in ("other.jpg", "..%2fcamera.jpg", "camera.png"):
        assert client.get(f"/examples/{name}").status_code == 404
    # Without the package there are none.
    monkeypatch.setattr(examples, "find_spec", lambda name: None)
    assert "data-example" not in client.get("/").text
    assert client.get("/examples/camera.jpg").status_code == 404


def test_only_networks_that_are_not_exported_are_slow(tmp_path: Path) -> None:
    (tmp_path / "unet_30").mkdir()
    (tmp_path / "unet_30/model.keras").touch()
    runs = find_runs(write_runs(tmp_path), [])
    page = app.create_app(runs, most_megabytes=1, most_megapixels=1, threads=1).test_client().get("/")
    assert page.text.count("data-slow") == 2  # The option, and what is said of it.
    assert '<option value="unet_30" data-slow>unet, 30 epochs' in page.text
