"""Text and files from outside: one printable line each, and no nesting that ends in a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deepcolor.colorize import contact_sheet, xmp
from deepcolor.colorize.loading import open_network
from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.files import read_json
from deepcolor.report.markdown import escape_markdown
from deepcolor.study import answers
from deepcolor.study.columns import COLUMNS
from deepcolor.study.server import database
from PIL import Image, PngImagePlugin
from support.served_apps import ENVIRONMENT
from support.tiny_onnx import write_onnx

# A forged line, an escape sequence of terminals, a mark that turns the writing, NUL.
EVIL = "a\ninspect: b\x1b[31m\u202egpj\u2066\x9b1m\r\u2028c"
DEEP = "[" * 100_000


def deepcolor(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepcolor.cli.main", *map(str, arguments)],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def assert_lines(text: str, count: int) -> None:
    """All is printable but line breaks, of which there are as many as there should be."""
    lines = text.split("\n")
    assert len(lines) == count + 1 and not lines[-1], text
    assert all(line.isprintable() for line in lines), ascii(text)


def test_what_is_not_printable_is_escaped() -> None:
    # Spaces and joiners that names of many languages, and of screenshots, have.
    for name in ("Kölner Dom – 東京.jpg", "9.41\u202fAM\u00a0.png", "写真\u3000一", "می\u200cخواهم"):
        assert printable(name) == name
    assert printable(EVIL) == r"a\ninspect: b\x1b[31m\u202egpj\u2066\x9b1m\r\u2028c"
    assert printable(os.fsdecode(b"\xff\0")) == r"\udcff\x00"
    assert first_line(ValueError("a\x1b[0m\nb")) == r"a\x1b[0m"


def marked(path: Path) -> Path:
    """Write a picture whose mark has text that is no one line."""
    noted = {
        "Software": EVIL.replace("\x1b", "").replace("\x9b", ""),  # XML has no such characters.
        "Model": "m\nm",
        "Settings": json.dumps({"tiles\u202e": EVIL}),
    }
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.mark(b"", noted).decode())
    Image.new("L", (2, 2)).save(path, "PNG", pnginfo=info)
    return path


def test_inspect_says_one_line_of_each_file(tmp_path: Path) -> None:
    path = marked(tmp_path / EVIL.replace("/", ""))
    done = deepcolor("inspect", path, tmp_path / f"missing{EVIL}")
    assert done.returncode == 1 and r"\u202e" in done.stdout and r"m\nm" in done.stdout
    assert_lines(done.stdout, 1)
    assert_lines(done.stderr, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", f"missing{EVIL}", "--model", "x.onnx"],
        ["colorize", "x.jpg", "--output", "out", "--model", f"{EVIL}.onnx"],
        ["app", "--model", f"{EVIL}.onnx"],
        ["study", "export", "--database", f"{EVIL}.sqlite"],
    ],
)
def test_an_error_is_one_line(arguments: list[str]) -> None:
    done = deepcolor(*arguments)
    assert done.returncode == 1
    assert_lines(done.stderr, 1)


def test_an_error_of_the_command_line_is_one_line() -> None:
    done = deepcolor("inspect", "x", f"--{EVIL.replace(' ', '')}")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].isprintable()


def test_what_colorize_says_is_one_line_each(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", card={"run": EVIL, "in_short": [EVIL]})
    (tmp_path / f"{EVIL}.jpg").write_bytes(b"none")
    output = tmp_path / "out\nput"
    done = deepcolor(
        "colorize", tmp_path / f"{EVIL}.jpg", "--model", tmp_path / "model.onnx", "--output", output
    )
    assert_lines(done.stdout, 2)
    assert_lines(done.stderr, 1)


def test_the_card_of_a_network_is_text(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", card={"run": f"\0{EVIL}", "in_short": [EVIL, 3]})
    network = open_network(tmp_path / "model.onnx", 1)
    assert network.name.isprintable() and all(note.isprintable() for note in network.notes)
    for text in (EVIL, "---", "- a", "1. a", "2) a", "=== b", "+ c", "<b>", "{{ x }}"):
        line = escape_markdown(text)
        assert line.isprintable() and not line.startswith(("-", "+ ", "1. ", "2) ", "=", "<"))
    assert escape_markdown("3.11.2") == "3.11.2" and escape_markdown("-0.5 dB") == "-0.5 dB"


def test_a_contact_sheet_shows_names_as_they_are() -> None:
    entry = {"output": f"{EVIL}.jpg", "model": EVIL, "colorfulness": 1.0, "notes": [EVIL]}
    page = contact_sheet.render([entry], [])
    assert "\u202e" not in page and "\x1b" not in page and "\\u202e" in page


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, "[" * 10_000 + "]" * 10_000, "{", "\xff"])
def test_json_that_is_none_is_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "colorized.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DeepColorError, match=r"colorized\.json is broken \(.*\); delete it"):
        read_json(path)


def test_a_broken_list_is_named_and_stays(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")
    Image.new("L", (20, 20), 99).save(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "colorized.json").write_text(DEEP)
    done = deepcolor(
        "colorize", tmp_path / "a.png", "--model", tmp_path / "model.onnx", "--output", tmp_path / "out"
    )
    assert done.returncode == 1 and "out/colorized.json is broken" in done.stderr
    assert_lines(done.stderr, 1)
    assert (tmp_path / "out" / "colorized.json").read_text() == DEEP


def test_metadata_nested_without_end(tmp_path: Path) -> None:
    assert xmp.settings_of({"Settings": DEEP}) == {}
    inner = "<a>" * 20_000 + "</a>" * 20_000
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{inner}</x:xmpmeta>'.encode()
    assert xmp.noted(xmp.mark(packet, {"Software": "s"})) == {"Software": "s"}


def test_files_of_a_study_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(DEEP)
    for arguments in (["serve", "--port", "0"], ["import", tmp_path / "a.csv"]):
        (tmp_path / "a.csv").write_text("person,data_set\na,b\n")
        done = deepcolor("study", *arguments, "--study", tmp_path)
        assert done.returncode == 1 and "study.json is broken" in done.stderr
        assert_lines(done.stderr, 1)
    (tmp_path / "study.json").write_text("[]")
    done = deepcolor("study", "import", tmp_path / "a.csv", "--study", tmp_path)
    assert done.returncode == 1 and "study.json is no study" in done.stderr
    with database.closing(database.connect(tmp_path / "a.sqlite", "rwc")) as connection:
        connection.execute("CREATE TABLE study (name, content)")
        connection.execute("INSERT INTO study VALUES ('a', ?)", (DEEP,))
        with pytest.raises(DeepColorError, match=r"a\.sqlite: the file is damaged"):
            database.held_study(connection)
    cells = {**dict.fromkeys(COLUMNS, "x"), "protocol": "yes-no", "kind": "test", "position": "0"}
    cells |= {"list": "", "appeal": "", "naturalness": "", "side": "", "answer": "real", "seconds": "1"}
    cells |= {"color_vision": "yes", "finished": "yes", "simulated": "no", "rules": DEEP}
    with pytest.raises(DeepColorError, match="column rules"):
        answers.check_answers([("answers.csv, row 2", cells)])
