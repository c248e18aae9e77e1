"""Answers to the user study: reading them, and bringing in those collected elsewhere."""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from deepcolor.cli import study
from deepcolor.errors import DeepColorError
from deepcolor.study.answers import read_answers
from deepcolor.study.columns import COLUMNS
from deepcolor.study.design import PROTOCOLS
from support.simulated_answers import RULES, as_form, simulate, write_answers, write_study

Rows = list[dict[str, Any]]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    for protocol in PROTOCOLS:
        rows = simulate(write_study(tmp_path, protocol), 3)
        answers = read_answers(write_answers(tmp_path / "answers.csv", rows))
        assert len(answers) == len(rows) == 3 * 30
        for answer, row in zip(answers, rows, strict=True):
            for column in ("person", "position", "kind", "image", "condition", "side", "answer"):
                assert getattr(answer, column) == row[column]
            assert answer.simulated and answer.finished and answer.seconds == row["seconds"]
            assert (answer.appeal or "") == row["appeal"]
            assert json.loads(answer.rules) == RULES


ADA = "0" * 32  # The first person's name.
LOOSE = '{"catch_share": true, "fastest": 1, "color_vision": true}'


@pytest.mark.parametrize(
    ("protocol", "row", "cells", "expected"),
    [
        ("yes-no", 5, {"answer": "maybe"}, "answer: 'maybe' is not real or colorized"),
        ("yes-no", 5, {"protocol": "both"}, "protocol: 'both' is not yes-no or pairs or rating"),
        ("yes-no", 2, {"kind": "trial"}, "kind: 'trial' is not practice or test or catch"),
        ("yes-no", 5, {"finished": ""}, "finished: '' is not yes or no"),
        ("yes-no", 5, {"simulated": "maybe"}, "simulated: 'maybe' is not yes or no"),
        ("yes-no", 5, {"color_vision": "good"}, "color_vision: 'good' is not yes or no or unsure"),
        ("yes-no", 5, {"seconds": "-1"}, "seconds: '-1' is not a number of seconds, 0 to 3600"),
        ("yes-no", 5, {"seconds": "nan"}, "seconds: 'nan' is not a number of seconds"),
        ("yes-no", 5, {"seconds": "3601"}, "seconds: '3601' is not a number of seconds"),
        ("yes-no", 5, {"seconds": "soon"}, "seconds: 'soon' is not a number of seconds"),
        ("yes-no", 5, {"position": "1.5"}, "position: '1.5' is not a number from 0"),
        ("yes-no", 5, {"position": "-1"}, "position: '-1' is not a number from 0"),
        ("yes-no", 5, {"appeal": "3"}, "appeal: '3' is not empty"),
        ("yes-no", 5, {"side": "left"}, "side: 'left' is not empty"),
        ("yes-no", 5, {"person": ""}, "person: it is empty"),
        ("yes-no", 5, {"image": " "}, "image: it is empty"),
        ("yes-no", 2, {"condition": "catch"}, "condition: 'catch' is not a condition of kind practice"),
        ("pairs", 5, {"condition": "real"}, "condition: 'real' is not a condition of kind"),
        ("pairs", 5, {"side": "up"}, "side: 'up' is not left or right or empty"),
        ("rating", 5, {"appeal": "6"}, "appeal: '6' is not 1 or 2 or 3 or 4 or 5"),
        ("rating", 5, {"naturalness": ""}, "naturalness: '' is not 1 or 2"),
        (
            "yes-no",
            5,
            {"rules": "{}"},
            "rules: '{}' is not JSON with catch_share, fastest, color_vision",
        ),
        ("yes-no", 5, {"rules": "no"}, "rules: 'no' is not JSON with"),
        ("yes-no", 5, {"rules": LOOSE}, f"rules: '{LOOSE}' is not JSON with"),
        ("yes-no", 5, {"position": "1"}, f"position: person {ADA} has answered trial 1 in row 2"),
        (
            "yes-no",
            42,
            {"study": "f" * 16},
            f"study: '{'f' * 16}' is not what row 2 has; one file holds",
        ),
        ("yes-no", 42, {"rules": ""}, "rules: '' is not what row 2 has; one file holds answers to one"),
        ("yes-no", 42, {"protocol": "pairs"}, "protocol: 'pairs' is not what row 2 has; one file"),
        ("yes-no", 9, {"finished": "no"}, "finished: 'no' is not what row 2 has; it is one for all"),
        ("yes-no", 9, {"color_vision": "no"}, "color_vision: 'no' is not what row 2 has"),
        ("yes-no", 9, {"list": "2"}, "list: '2' is not what row 2 has"),
    ],
)
def test_a_wrong_cell_is_named(
    protocol: str, row: int, cells: dict[str, str], expected: str, tmp_path: Path
) -> None:
    # Of real photographs none, which pairs do not have.
    rows = [each for each in simulate(write_study(tmp_path, protocol), 4) if each["condition"] != "real"]
    file = write_answers(tmp_path / "answers.csv", rows)
    read_answers(file)
    rows[row - 2] |= cells
    with pytest.raises(DeepColorError) as error:
        read_answers(write_answers(file, rows))
    assert str(error.value).startswith(f"{file}, row {row}, column {expected}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("condition", "how"), [("unet_30", "as real, "), ("real", "")])
def test_nobody_sees_a_photograph_twice(condition: str, how: str, tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 1)
    first = next(each for each in rows if each["condition"] == "real" and each["kind"] == "test")
    rows[-1] |= {key: first[key] for key in ("data_set", "image", "kind")} | {"condition": condition}
    with pytest.raises(DeepColorError) as error:
        read_answers(write_answers(tmp_path / "answers.csv", rows))
    seen = f"has seen photograph {first['image']} {how}in row {rows.index(first) + 2}; nobody may"
    assert f"row 31, column condition: person {ADA} {seen}" in str(error.value)


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "holds no answers"),
        (HEADER.encode(), "holds no answers"),
        (b"person,answer\n1,real\n", "the header lacks columns study, protocol, list,"),
        (f"{HEADER},name\n{'1,' * 18}1\n".encode(), "the header has the unknown column name; export"),
        (f"{HEADER}\n1,2\n".encode(), "row 2: 2 cells, the header has 18"),
        (f"{HEADER},person\n".encode() + b"," * 18 + b"\n", "column 'person' is there twice"),
        (b"\xff\xfe1\n2\n", "is no text in UTF-8"),
        (f'{HEADER}\n"1'.encode(), "is no CSV file (unexpected end of data)"),
    ],
)
def test_what_is_no_file_of_answers_is_said(content: bytes, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_bytes(content)
    with pytest.raises(DeepColorError, match="answers.csv") as error:
        read_answers(file)
    assert expected in str(error.value)
    with pytest.raises(DeepColorError, match=r"none.csv is not there; 'deepcolor study export' writes"):
        read_answers(tmp_path / "none.csv")


VISION = "Do you see colors as most people do?"


def imported(folder: Path, *arguments: object) -> None:
    """What `deepcolor study import` does."""
    parser = argparse.ArgumentParser()
    study.add_import(parser)
    args = parser.parse_args([*map(str, arguments), "--study", str(folder)])
    args.run(args)


def some_columns(path: Path, rows: Rows, names: dict[str, str]) -> Path:
    """Write some columns under other names, and a name and an address of each person."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names.values(), "name", "email"])
        for row in rows:
            private = [f"Name {row['person']}", f"{row['person']}@example.org"]
            writer.writerow([*(row[name] for name in names), *private])
    return path


MINIMAL = {name: name for name in ("person", "data_set", "image", "condition", "answer")}


def test_a_table_of_answers_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for row in simulate(write_study(tmp_path), 4) if row["kind"] == "test"]
    for row in rows:
        row["person"] = f"Ada {row['person'][-1]}"
    imported(tmp_path, some_columns(tmp_path / "mine.csv", rows, MINIMAL))
    text = (tmp_path / "answers.csv").read_text()
    assert "Ada" not in text and "example.org" not in text
    said = capsys.readouterr().out
    assert "not kept: columns 'name', 'email'" in said and "96 answers of 4 people" in said
    answers = read_answers(tmp_path / "answers.csv")
    assert [(a.image, a.condition, a.answer) for a in answers] == [
        (r["image"], r["condition"], r["answer"]) for r in rows
    ]
    assert {a.rules for a in answers} == {""} and {a.seconds for a in answers} == {None}
    assert {a.study for a in answers} == {"0123456789abcdef"} and not any(a.simulated for a in answers)
    assert [a.position for a in answers[:24]] == list(range(24))


def test_files_of_several_parts_are_merged(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 4)
    own = [write_answers(tmp_path / "a.csv", rows[:60]), write_answers(tmp_path / "b.csv", rows[60:])]
    imported(tmp_path, *own)
    merged = read_answers(tmp_path / "answers.csv")
    assert merged == read_answers(write_answers(tmp_path / "all.csv", rows))
    # A person who is in both files, twice.
    with pytest.raises(
        DeepColorError, match=r"a.csv, row 2, column position: person .* trial 0 in row 2; leave"
    ):
        imported(tmp_path, own[0], own[0], "--output", tmp_path / "twice.csv")
    assert not (tmp_path / "twice.csv").exists()
    # Names that others gave are of one file.
    for row in rows:
        row["person"] = "1" if row["person"] < f"{2:032x}" else "2"
    parts = [
        some_columns(tmp_path / f"{n}.csv", [r for r in rows if r["list"] == n], MINIMAL) for n in (0, 1)
    ]
    imported(tmp_path, *parts, "--output", tmp_path / "parts.csv")
    people = {answer.person for answer in read_answers(tmp_path / "parts.csv")}
    assert people == {"001-000001", "002-000001"}


def test_a_table_without_a_study_is_imported(tmp_path: Path) -> None:
    rows = [row for row in simulate(write_study(tmp_path / "drawn"), 3) if row["kind"] != "practice"]
    imported(tmp_path, some_columns(tmp_path / "mine.csv", rows, MINIMAL))
    answers = read_answers(tmp_path / "answers.csv")
    assert {(a.study, a.protocol) for a in answers} == {("", "yes-no")}
    assert sum(a.kind == "catch" for a in answers) == 3 * 4


def test_answers_that_are_there_are_kept(tmp_path: Path) -> None:
    rows = [row for row in simulate(write_study(tmp_path), 2) if row["kind"] == "test"]
    file = some_columns(tmp_path / "mine.csv", rows, MINIMAL)
    (tmp_path / "answers.csv").write_text("of people")
    with pytest.raises(DeepColorError, match="holds answers already; name another --output, or"):
        imported(tmp_path, file)
    assert (tmp_path / "answers.csv").read_text() == "of people"
    rows[5]["answer"] = "perhaps"
    broken = some_columns(tmp_path / "broken.csv", rows, MINIMAL)
    with pytest.raises(DeepColorError, match=r"broken.csv, row 7, column answer: 'perhaps' is not real"):
        imported(tmp_path, broken, "--overwrite")
    assert (tmp_path / "answers.csv").read_text() == "of people"
    imported(tmp_path, file, "--overwrite", "--simulated")
    assert all(answer.simulated for answer in read_answers(tmp_path / "answers.csv"))


@pytest.mark.parametrize("protocol", ["yes-no", "rating"])
def test_the_export_of_a_form_is_imported(
    protocol: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path, protocol)
    rows = [row for row in simulate(study, 5) if row["list"] == 0]
    (tmp_path / "form.csv").write_text("\ufeff" + as_form(study, rows), encoding="utf-8", newline="")
    imported(tmp_path, tmp_path / "form.csv", "--color-vision-column", VISION)
    answers = read_answers(tmp_path / "answers.csv")
    assert "not kept: columns 'Timestamp', 'Email Address'" in capsys.readouterr().out
    key = ("image", "condition", "kind", "answer", "appeal", "naturalness", "color_vision")
    found = {tuple(getattr(answer, name) or "" for name in key) for answer in answers}
    assert found == {tuple(row[name] for name in key) for row in rows}
    assert len(answers) == len(rows) and {answer.finished for answer in answers} == {True}
    text = (tmp_path / "answers.csv").read_text()
    assert "example.org" not in text and "2024" not in text and f"{0:032x}" not in text


def test_an_unfinished_form_and_other_words(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    rows = [row for row in simulate(study, 5) if row["list"] == 0]
    form = as_form(study, rows).replace("Yes", "Echt").replace("No", "Falsch").splitlines()
    cells = form[1].split(",")
    cells[5] = ""
    file = tmp_path / "form.csv"
    file.write_text("\n".join([form[0], ",".join(cells), *form[2:]]))
    with pytest.raises(DeepColorError, match=r"row 2, column .* '\w+' is none of real, yes \(--real-w"):
        imported(tmp_path, file)
    imported(tmp_path, file, "--real-words", "echt", "--colorized-words", "falsch,gefärbt")
    finished = {answer.person: answer.finished for answer in read_answers(tmp_path / "answers.csv")}
    assert finished == {"001-000001": False, "001-000002": True}
    with pytest.raises(DeepColorError, match="'echt' is in both --real-words and --colorized-words"):
        imported(tmp_path, file, "--real-words=echt", "--colorized-words=Echt", "--overwrite")


@pytest.mark.parametrize(
    ("old", "new", "options", "expected"),
    [
        ("FIRST", "e" * 24, [], f"the study has no picture {'e' * 24}"),
        ("FIRST", "SECOND", [], "it is the second one on this picture"),
        ("Is this real?", "Real?", ["--color-vision-column", "Eyes"], "form.csv has no column 'Eyes'"),
        (",yes", ",mostly", ["--color-vision-column", VISION], "'mostly' is not yes, no, unsure or"),
        ("0000", "zero", [], "has neither the columns person, data_set, image, condition nor a picture"),
    ],
)
def test_a_form_that_does_not_fit_is_named(
    old: str, new: str, options: list[str], expected: str, tmp_path: Path
) -> None:
    study = write_study(tmp_path)
    text = as_form(study, [row for row in simulate(study, 2) if row["list"] == 0])
    first, second = [name for name in sorted(study["pictures"]) if f"[{name}." in text][:2]
    words = {"FIRST": first, "SECOND": second + "].png [again"}
    (tmp_path / "form.csv").write_text(text.replace(words.get(old, old), words.get(new, new)))
    with pytest.raises(DeepColorError) as error:
        imported(tmp_path, tmp_path / "form.csv", *options)
    assert expected in str(error.value) and "form.csv" in str(error.value)
    assert not (tmp_path / "answers.csv").exists()


def test_a_form_cannot_hold_pairs(tmp_path: Path) -> None:
    study = write_study(tmp_path, "pairs")
    (tmp_path / "form.csv").write_text(as_form(study, simulate(study, 1)))
    with pytest.raises(DeepColorError, match="a form cannot tell which of two pictures was picked"):
        imported(tmp_path, tmp_path / "form.csv")


def test_a_form_needs_the_study(tmp_path: Path) -> None:
    study = write_study(tmp_path / "drawn")
    (tmp_path / "form.csv").write_text(as_form(study, simulate(study, 1)))
    with pytest.raises(DeepColorError, match=r"study.json is not there: 'make study' draws it"):
        imported(tmp_path, tmp_path / "form.csv")
