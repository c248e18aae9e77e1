"""What is taken out of a study's file: the answers as CSV, and copies of the whole."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deepcolor.cells import guarded
from deepcolor.errors import DeepColorError
from deepcolor.files import replacing, write_text
from deepcolor.study.columns import COLUMNS
from deepcolor.study.server.database import connect, explaining, held_study, is_study


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a study's file to read from it, while it is served or not.

    Raises:
        DeepColorError: It is not there, or it is none.
    """
    if not path.is_file():
        raise DeepColorError(f"{path} is not there; `deepcolor study serve` makes it")
    with explaining(path), closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA query_only = ON")
        if not is_study(connection, path):
            raise DeepColorError(f"{path}: no study is in it; name another file with --database")
        yield connection


def rows(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The answers as rows of answers.csv (see `columns`), sorted by person and position."""
    study = held_study(connection)
    protocol, rules = study["protocol"], json.dumps(study["exclude"], separators=(",", ":"))
    found = connection.execute(
        "SELECT person, list, position, kind, image, condition, side, answer, appeal, naturalness, "
        "seconds, color_vision, finished, simulated FROM answers JOIN people USING (ordinal) "
        "ORDER BY person, position"  # Not in the order in which they came, which others may know.
    )
    names = [column[0] for column in found.description]
    for values in found:
        row = dict(zip(names, values, strict=True))
        image = study["images"][row["image"]]
        if protocol == "pairs":  # The picture that was picked has the real colors, they say.
            row["answer"] = "real" if row["answer"] == row["side"] else "colorized"
        row |= {key: "yes" if row[key] else "no" for key in ("finished", "simulated")}
        row |= {"data_set": image["data_set"], "image": image["id"], "rules": rules}
        yield {"study": study["study"], "protocol": protocol, **row}


def as_csv(connection: sqlite3.Connection) -> tuple[str, int]:
    """The text of answers.csv, and how many answers are in it."""
    text, count = io.StringIO(), 0
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for count, row in enumerate(rows(connection), 1):  # noqa: B007 (the last is the count)
        writer.writerow({name: guarded(value) for name, value in row.items()})
    return text.getvalue(), count


def export(path: Path, output: Path) -> int:
    """Write answers.csv, whole or not at all, and give the number of answers.

    Raises:
        DeepColorError: There is no file, or no answer in it.
    """
    with reading(path) as connection:
        text, count = as_csv(connection)
    if not count:
        raise DeepColorError(f"{path} holds no answers yet; `deepcolor study serve` collects them")
    with explaining(output):
        if output.is_file() and output.read_bytes()[:16] == b"SQLite format 3\0":
            raise DeepColorError(f"{output} is a study's file; name another one to export to")
        write_text(output, text)
    return count


def backup(path: Path, copy: Path) -> int:
    """Copy a study's file as it is at one moment, while it is served or not; give its answers' number.

    Raises:
        DeepColorError: There is no file; or the copy would take the place of something else than an
            earlier copy.
    """
    if copy.exists() and not _is_copy(copy):
        raise DeepColorError(f"{copy} is there, and is no earlier copy of a study; name another file")
    with reading(path) as connection, explaining(copy), replacing(copy) as temporary:
        temporary.unlink(missing_ok=True)
        with closing(connect(temporary, "rwc")) as target:
            connection.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # One file, with no log beside it.
            count: int = target.execute("SELECT count(*) FROM answers").fetchone()[0]
    return count


def _is_copy(path: Path) -> bool:
    """Whether a file is a copy by `backup`, and not one that is or was served."""
    try:
        with reading(path) as connection:
            return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal")
    except DeepColorError:
        return False
