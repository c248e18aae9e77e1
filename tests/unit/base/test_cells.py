"""Texts from outside in CSV files: no spreadsheet runs them, and they come back unchanged."""

import csv
import io
import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from deepcolor import frames
from deepcolor.cells import guarded, unguarded
from deepcolor.data import manifest, merge
from deepcolor.data.order import Order
from deepcolor.data.sources.base import Rejection
from deepcolor.study import answers
from deepcolor.study.columns import COLUMNS
from deepcolor.study.server import export
from deepcolor.study.server.store import Store
from support.small_study import make_study

FORMULA = '=cmd|"/c calc"!A1'
# From OWASP's page "CSV Injection".
RISKY = [FORMULA, "@SUM(1)", "+1+1", "-1+1", "\t=1", "\r=1", "\n=1", "\uff1d1", " =1", "'=1", "-"]
HARMLESS = ["-1.5", "+2", "-3e-5", "", "a=b", "'quoted'", "it's", "C:\\x", "a - b", "https://a.b/?c=d"]


@pytest.mark.parametrize("text", RISKY)
def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert str(guarded(text)).startswith("'")
    assert unguarded(str(guarded(text))) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


def test_numbers_stay_numbers() -> None:
    assert [guarded(-1), guarded(-1.5), guarded(None)] == [-1, -1.5, None]


def test_any_text_comes_back_and_no_cell_of_it_is_a_formula() -> None:
    source = random.Random(0)
    for _ in range(20_000):
        text = "".join(source.choices("'=-+@;\t\r\n a\uff1d", k=source.randrange(9)))
        written = str(guarded(text))
        assert unguarded(written) == text
        for separator in ";\t\r\n":
            # A program that takes this for what separates cells.
            for cell in written.split(separator):
                assert cell[:1] not in "=-+@\uff1d" or not cell or cell in "-+", (text, written)


def written_cells(path: Path) -> list[str]:
    with open(path, encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def assert_guarded(cells: list[str]) -> None:
    assert any("cmd" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t", "\r"))]


def test_a_table(tmp_path: Path) -> None:
    table = pd.DataFrame({"run": [FORMULA, "007", "NA", ""], "psnr": [-1.5, 0.0, 1.0, 2.0]})
    frames.write_frame(tmp_path / "a.csv", table)
    assert_guarded(written_cells(tmp_path / "a.csv"))
    pd.testing.assert_frame_equal(frames.read_frame(tmp_path / "a.csv", {"run": str}), table)


def rows() -> list[dict[str, object]]:
    texts = {
        "id": "=a",
        "path": "+b;=c",
        "source": "@d",
        "license": FORMULA,
        "credit": "-e",
        "group": "=a",
    }
    numbers = {"width": 5, "height": 7, "sha256": "0f", "phash": "0e"}
    return [{**texts, **numbers, "split": "test"}, {**texts, **numbers, "split": "test", "id": "=b"}]


def test_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    order = Order(0, "d")
    manifest.write_manifest(path, rows(), order)
    assert_guarded(written_cells(path))
    written = sorted(rows(), key=order.key)
    assert manifest.read_manifest(path).to_dict("records") == written
    parsed = [values for _, values in manifest.parsed(path)]
    assert parsed == [{key: str(value) for key, value in row.items()} for row in written]
    assert manifest.parse(manifest.compose(parsed[0])) == parsed[0]
    records = path.read_bytes().split(b"\n", 1)[1].splitlines(keepends=True)
    manifest.join_records(tmp_path / "b.csv", [("test", record) for record in records])
    assert manifest.read_slice(tmp_path / "b.csv", "test", 0, 1).to_dict("records") == written


def test_rejected_photographs(tmp_path: Path) -> None:
    rejection = Rejection("=a.jpg", FORMULA)
    merge.write_rejected(tmp_path / "rejected.csv", [], [rejection])
    assert_guarded(written_cells(tmp_path / "rejected.csv"))
    assert list(merge.read_rejections(tmp_path / "rejected.csv")) == [rejection]


def test_answers_that_are_exported_and_read(tmp_path: Path) -> None:
    images = [
        {"data_set": "=data", "id": f"{FORMULA}{number}", "role": role}
        for number, role in enumerate(["test"] * 8 + ["practice"] * 2 + ["catch"] * 2)
    ]
    study = make_study(tmp_path)
    store = Store(tmp_path / "answers.sqlite", tmp_path)
    session = store.begin("yes")
    assert session and store.answer(session, 0, "real", 1.5)
    store.close()
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as connection, connection:
        text = json.dumps({**study, "images": images})
        connection.execute("UPDATE study SET content = ?", (text,))
    export.export(tmp_path / "answers.sqlite", tmp_path / "answers.csv")
    assert_guarded(written_cells(tmp_path / "answers.csv"))
    read = answers.read_answers(tmp_path / "answers.csv")
    assert read[0].image.startswith("=cmd|") and read[0].data_set == "=data" and read[0].seconds == 1.5
    cells = {**dict.fromkeys(COLUMNS, ""), "image": FORMULA, "seconds": "1.5"}
    answers.write_rows(tmp_path / "again.csv", [cells])
    assert_guarded(written_cells(tmp_path / "again.csv"))
    assert answers.read_rows(tmp_path / "again.csv")[1][0][1] == cells


def test_a_spreadsheet_that_separates_by_semicolons_begins_no_cell_with_a_formula() -> None:
    row = next(csv.reader(io.StringIO(f"a,{guarded('b;=1')}"), delimiter=";"))
    assert row == ["a,b", "'=1"]
