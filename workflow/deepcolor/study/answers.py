"""Reading and writing answers to a user study. Standard library only: they are checked one by one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.cells import guarded, unguarded
from deepcolor.errors import DeepColorError
from deepcolor.files import replacing
from deepcolor.study.columns import COLUMNS
from deepcolor.study.design import CATCH, PROTOCOLS, REAL

KINDS = ("practice", "test", "catch")
WORDS = ("real", "colorized")
GRADES = (1, 2, 3, 4, 5)
QUESTIONS = ("appeal", "naturalness")
COLOR_VISION = ("yes", "no", "unsure")
# No answer takes longer.
MAX_SECONDS = 3600.0
# What all answers of one file have in common, and all of one person.
OF_A_FILE = ("study", "protocol", "rules")
OF_A_PERSON = ("list", "color_vision", "finished")
RULES: dict[str, type | tuple[type, ...]] = {
    "catch_share": (int, float),
    "fastest": (int, float),
    "color_vision": bool,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; see `columns.COLUMNS`.

    Attributes:
        study: Checksum; "" of a study that was not drawn here.
        protocol: Of `design.PROTOCOLS`.
        person: Name.
        list: Of the study's lists; None where there are none.
        position: Of the trial.
        kind: Of `KINDS`.
        data_set: Of the photograph.
        image: The photograph's id.
        condition: "real", a run, or "catch".
        side: "left", "right" or "".
        answer: "real", "colorized", or "" (rating).
        appeal: 1 to 5, or None.
        naturalness: 1 to 5, or None.
        seconds: Reaction time, or None.
        color_vision: Of `COLOR_VISION`, or "" where it was not asked.
        finished: Whether the person has answered all.
        simulated: Whether a program or a rehearsal made it.
        rules: Of exclusion, as JSON, or "".
    """

    study: str
    protocol: str
    person: str
    list: int | None
    position: int
    kind: str
    data_set: str
    image: str
    condition: str
    side: str
    answer: str
    appeal: int | None
    naturalness: int | None
    seconds: float | None
    color_vision: str
    finished: bool
    simulated: bool
    rules: str


def read_answers(path: Path) -> list[Answer]:
    """Read a file of answers, and check every cell of it.

    Raises:
        DeepColorError: The file is empty or no CSV file of these columns, a cell is not what its column
            holds, or answers contradict each other; file, row and column are named.
    """
    header, rows = read_rows(path)
    for columns, word in (
        ([name for name in COLUMNS if name not in header], "lacks"),
        ([name for name in header if name not in COLUMNS], "has the unknown"),
    ):
        if columns:
            plural = "s" if len(columns) > 1 else ""
            raise DeepColorError(
                f"{path}: the header {word} column{plural} {', '.join(columns)}; export the answers "
                "again with 'deepcolor study export', or bring others in with 'deepcolor study import'"
            )
    return check_answers(rows)


def read_rows(path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Read a CSV file, its cells separated by commas or, as the header tells, by semicolons.

    Returns:
        The header, and of each row where it stands ("answers.csv, row 2") and its cells by column.

    Raises:
        DeepColorError: It cannot be read, is no text, or has no rows; a column is there twice; or a row
            has more or fewer cells than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DeepColorError(f"{path} is not there; 'deepcolor study export' writes answers") from None
    except IsADirectoryError:
        raise DeepColorError(f"{path} is a folder; name a CSV file") from None
    except UnicodeDecodeError:
        raise DeepColorError(f"{path} is no text in UTF-8; save it as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DeepColorError(f"{path} is no CSV file ({error}); save it as CSV again") from None
    lines = [[unguarded(cell.strip()) for cell in line] for line in lines]
    if len(lines) < 2:
        raise DeepColorError(f"{path} holds no answers; wait for some, and export again")
    header = lines[0]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise DeepColorError(f"{path}: column '{twice}' is there twice; leave one of them out")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if line and len(line) != len(header):
            raise DeepColorError(
                f"{path}, row {number}: {len(line)} cells, the header has {len(header)}; mend the row"
            )
        if line:
            rows.append((f"{path}, row {number}", dict(zip(header, line, strict=True))))
    return header, rows


def check_answers(rows: Iterable[tuple[str, Mapping[str, str]]]) -> list[Answer]:
    """Make answers of rows, all of one study.

    Args:
        rows: Of each where it stands, and its cells by column.

    Raises:
        DeepColorError: See `read_answers`.
    """
    answers: list[Answer] = []
    positions: dict[tuple[str, int], str] = {}
    photographs: dict[tuple[str, str, str], tuple[str, str]] = {}
    firsts: dict[str, tuple[str, Answer]] = {}
    for where, cells in rows:
        answer = _answer(where, cells)
        of_file = next(iter(firsts.values()), (where, answer))
        of_person = firsts.setdefault(answer.person, (where, answer))
        for (other, first), columns, whose in (
            (of_file, OF_A_FILE, "one file holds answers to one study under one set of rules"),
            (of_person, OF_A_PERSON, "it is one for all answers of a person"),
        ):
            for column in columns:
                if getattr(answer, column) != getattr(first, column):
                    raise DeepColorError(
                        f"{where}, column {column}: '{cells[column]}' is not what "
                        f"{_row(other)} has; {whose}"
                    )
        place = (answer.person, answer.position)
        if place in positions:
            raise DeepColorError(
                f"{where}, column position: person {answer.person} has answered trial "
                f"{answer.position} in {_row(positions[place])}; leave one of the two out"
            )
        positions[place] = where
        seen = (answer.person, answer.data_set, answer.image)
        if seen in photographs:
            before, condition = photographs[seen]
            how = f"as {condition}, " if condition != answer.condition else ""
            raise DeepColorError(
                f"{where}, column condition: person {answer.person} has seen photograph {answer.image} "
                f"{how}in {_row(before)}; nobody may see one twice: leave one of the two out"
            )
        photographs[seen] = where, answer.condition
        answers.append(answer)
    return answers


def _row(where: str) -> str:
    """Where a row stands, without its file where that has been named."""
    return where.rpartition(", ")[2]


def _answer(where: str, cells: Mapping[str, str]) -> Answer:
    """One answer; cells are checked by column, and against each other."""

    def wrong(column: str, expected: str) -> DeepColorError:
        return DeepColorError(f"{where}, column {column}: '{cells[column]}' is not {expected}")

    def word(column: str, words: Sequence[str]) -> str:
        if cells[column] not in words:
            raise wrong(column, " or ".join(each or "empty" for each in words))
        return cells[column]

    def some(column: str) -> str:
        if not cells[column]:
            raise DeepColorError(f"{where}, column {column}: it is empty; every answer has one")
        return cells[column]

    def count(column: str) -> int:
        if not re.fullmatch(r"\d{1,9}", cells[column], re.ASCII):
            raise wrong(column, "a number from 0")
        return int(cells[column])

    protocol, kind = word("protocol", PROTOCOLS), word("kind", KINDS)
    condition = some("condition")
    if (condition == CATCH) != (kind == CATCH) or (condition == REAL and protocol == "pairs"):
        raise wrong("condition", f"a condition of kind {kind} in protocol {protocol}")
    rated = protocol == "rating"
    grades = [str(grade) for grade in GRADES] if rated else [""]
    appeal, naturalness = (word(question, grades) for question in QUESTIONS)
    return Answer(
        study=cells["study"],
        protocol=protocol,
        person=some("person"),
        list=count("list") if cells["list"] else None,
        position=count("position"),
        kind=kind,
        data_set=some("data_set"),
        image=some("image"),
        condition=condition,
        side=word("side", ("left", "right", "") if protocol == "pairs" else ("",)),
        answer=word("answer", ("",) if rated else WORDS),
        appeal=int(appeal) if rated else None,
        naturalness=int(naturalness) if rated else None,
        seconds=_seconds(cells["seconds"], wrong),
        color_vision=word("color_vision", (*COLOR_VISION, "")),
        finished=word("finished", ("yes", "no")) == "yes",
        simulated=word("simulated", ("yes", "no")) == "yes",
        rules=_rules(cells["rules"], wrong),
    )


def _seconds(cell: str, wrong: Any) -> float | None:
    if not cell:
        return None
    try:
        seconds = float(cell)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        raise wrong("seconds", f"a number of seconds, 0 to {MAX_SECONDS:.0f}")
    return seconds


def _rules(cell: str, wrong: Any) -> str:
    """The rules of exclusion in one spelling, so that equal ones are equal."""
    if not cell:
        return ""
    try:
        rules = json.loads(cell)
    except (ValueError, RecursionError):
        rules = None
    if (
        not isinstance(rules, dict)
        or rules.keys() != RULES.keys()
        or not all(
            isinstance(rules[name], kind) and isinstance(rules[name], bool) == (kind is bool)
            for name, kind in RULES.items()
        )
    ):
        raise wrong("rules", f"JSON with {', '.join(RULES)}")
    return json.dumps(rules, sort_keys=True)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of `columns.COLUMNS`, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
