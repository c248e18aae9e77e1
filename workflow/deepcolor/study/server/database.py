"""The file of a study: SQLite, with the material in it, the people, and their answers.

One file is the whole study, so that photographs drawn anew cannot make answers worthless. It is written
with a write-ahead log, and every transaction is on the disk before it is acknowledged.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.files import alone_in, read_json
from deepcolor.study.design import PROTOCOLS, checksum

# Seconds to wait for another program's transaction.
PATIENCE = 5.0
# "DCst": what tells these files from those of other programs.
APPLICATION, VERSION = 0x44437374, 1
SCHEMA = """
CREATE TABLE study (
    name TEXT PRIMARY KEY,
    content TEXT NOT NULL  -- study.json
) STRICT;
CREATE TABLE pictures (
    name TEXT PRIMARY KEY,
    png BLOB NOT NULL
) STRICT;
CREATE TABLE people (
    ordinal INTEGER PRIMARY KEY,
    person TEXT NOT NULL UNIQUE,
    session TEXT UNIQUE,  -- SHA-256 of the cookie
    list INTEGER NOT NULL,
    color_vision TEXT NOT NULL,
    active INTEGER,  -- hours since 1970, of the last answer or the beginning; none when finished
    finished INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER NOT NULL DEFAULT 0,
    simulated INTEGER NOT NULL
) STRICT;
CREATE TABLE answers (
    ordinal INTEGER NOT NULL REFERENCES people,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    image INTEGER NOT NULL,
    condition TEXT NOT NULL,
    side TEXT NOT NULL,
    answer TEXT NOT NULL,  -- the word that was chosen; empty for a rating
    appeal INTEGER,
    naturalness INTEGER,
    seconds REAL NOT NULL,
    PRIMARY KEY (ordinal, position)
) STRICT, WITHOUT ROWID;
"""
# What study.json must hold for a study to be served.
KEYS = {
    *("study", "title", "protocol", "consent", "contact", "seed", "seconds", "rest_every"),
    *("most_people", "exclude", "images", "pictures", "lists", "practice", "catch"),
}
# What SQLite's errors, by the beginning of their names, mean to people.
REMEDIES = {
    "SQLITE_NOTADB": "not a database; name another file with --database",
    "SQLITE_CORRUPT": "the file is damaged; go on with a copy that `deepcolor study backup` has made",
    "SQLITE_READONLY": "it cannot be written; name a file in a folder of yours with --database",
    "SQLITE_CANTOPEN": "it cannot be opened; name a file in a folder of yours with --database",
    "SQLITE_FULL": "the disk is full; free some space",
    "SQLITE_IOERR": "the disk does not do what it should; see whether it is full or broken",
    "SQLITE_BUSY": "another program has locked it; end that one",
}


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn errors about a file into one line.

    Raises:
        DeepColorError: In place of any error of SQLite or the system that has to do with the file or the
            disk.
    """
    try:
        yield
    except OSError as error:
        raise DeepColorError(f"{path}: {error.strerror}; name another file") from error
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        for beginning, remedy in REMEDIES.items():
            if name.startswith(beginning):
                raise DeepColorError(f"{path}: {remedy}") from error
        raise


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file; transactions are begun and ended by whoever uses the connection.

    Args:
        path: Of the file.
        mode: "rw", or "rwc" to make it where it is not there.
    """
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # Withdrawn answers are overwritten.
    return connection


def prepare(path: Path, folder: Path) -> dict[str, Any]:
    """Make the file of a study, or check the one that is there, and give the study.

    Args:
        path: Of the file.
        folder: With study.json and pictures/; not needed any more once their content is in the file.

    Returns:
        What study.json holds.

    Raises:
        DeepColorError: There is no study; the file holds answers to another one, or cannot be used; a
            picture is not what it was.
    """
    drawn = folder / "study.json"
    study = _read_study(drawn) if drawn.is_file() else None
    if study is None and not path.is_file():
        raise DeepColorError(f"{drawn} is not there; `make study` makes it")
    with explaining(path), alone_in(path.parent), closing(connect(path, "rwc")) as connection:
        new = not is_study(connection, path)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise DeepColorError(f"{path}: its file system is not fit; name one on a local disk")
        connection.execute("BEGIN IMMEDIATE")
        if new:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        held = None if new else held_study(connection)
        if study is not None and (held is None or held["study"] != study["study"]):
            _replace_material(connection, path, folder, study)
            held = study
        if held is None:
            raise DeepColorError(f"{drawn} is not there; `make study` makes it")
        _check_pictures(path, held, dict(connection.execute("SELECT name, png FROM pictures")))
        connection.execute("COMMIT")
    return held


def is_study(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a file is a study's; it is not if it is empty.

    Raises:
        DeepColorError: It is another program's, or of another version.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application == APPLICATION:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise DeepColorError(
                f"{path} is of form {version}, this program knows {VERSION}; use the one that made it"
            )
        return True
    if application or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DeepColorError(f"{path} is another program's; name another file with --database")
    return False


def held_study(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the study that a file holds, as in study.json.

    Raises:
        DeepColorError: It is damaged.
    """
    try:
        content: dict[str, Any] = json.loads(
            connection.execute("SELECT content FROM study").fetchone()[0]
        )
    except (ValueError, TypeError, RecursionError) as error:
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        raise DeepColorError(f"{path}: {REMEDIES['SQLITE_CORRUPT']}") from error
    return content


def _read_study(path: Path) -> dict[str, Any]:
    study = read_json(path)
    missing = KEYS - study.keys() if isinstance(study, dict) else KEYS
    if missing:
        raise DeepColorError(
            f"{path} is no study ('{min(missing)}' is missing); delete it, and `make study` makes it"
        )
    if not _is_sound(study):
        raise DeepColorError(f"{path} is damaged; delete it, and `make study` makes it anew")
    if study["study"] != checksum(study):
        raise DeepColorError(
            f"{path} is not as it was drawn; delete it, set what you want in config.yaml, and "
            "`make study`"
        )
    odd = [name for name in study["pictures"] if not re.fullmatch("[0-9a-f]{24}", name)]
    if odd:
        raise DeepColorError(f"{path}: {odd[0]!r} is no name of a picture; delete it and `make study`")
    return study


def _is_sound(study: Mapping[str, Any]) -> bool:
    """Whether what is served is of the kinds that it should be."""
    texts = [study[key] for key in ("study", "title", "consent", "contact")]
    lists = [study[key] for key in ("images", "lists", "practice", "catch")]
    return (
        study["protocol"] in PROTOCOLS
        and all(isinstance(each, str) for each in texts)
        and all(isinstance(each, list) for each in lists)
        and all(isinstance(each, list) for each in study["lists"])
        and isinstance(study["pictures"], dict)
        and all(type(study[key]) is int for key in ("most_people", "rest_every"))
        and bool(study["lists"])
    )


def _replace_material(
    connection: sqlite3.Connection, path: Path, folder: Path, study: Mapping[str, Any]
) -> None:
    answers = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
    if answers:
        raise DeepColorError(
            f"{path} holds {answers} answers to another study than {folder / 'study.json'}; name "
            "another file with --database, or delete study.json to go on with the study in the file"
        )
    for table in ("people", "pictures", "study"):
        connection.execute(f"DELETE FROM {table}")
    pictures = {}
    for name in study["pictures"]:
        file = folder / "pictures" / f"{name}.png"
        if not file.is_file():
            raise DeepColorError(f"{file} is not there; delete study.json, and `make study` makes both")
        pictures[name] = file.read_bytes()
    _check_pictures(folder / "pictures", study, pictures)
    connection.execute("INSERT INTO study VALUES (?, ?)", (study["study"], json.dumps(study)))
    connection.executemany("INSERT INTO pictures VALUES (?, ?)", pictures.items())


def _check_pictures(path: Path, study: Mapping[str, Any], pictures: Mapping[str, bytes]) -> None:
    for name, facts in study["pictures"].items():
        if hashlib.sha256(pictures.get(name, b"")).hexdigest() != facts["sha256"]:
            raise DeepColorError(
                f"{path}: picture {name} is not the one that was drawn; delete study.json, and "
                "`make study` makes both, or use a copy by `deepcolor study backup`"
            )
