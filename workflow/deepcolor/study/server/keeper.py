"""A study's file while it is served: whether it is still there and whole, and a copy where it is not.

A file that is deleted or replaced takes writes all the same, and they are lost. One that is truncated
or overwritten has lost answers already. So the content of the file is kept in memory as well, and is
written to another file as soon as something is wrong.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from deepcolor.errors import DeepColorError
from deepcolor.files import replacing
from deepcolor.study.server.database import connect

# The file, SQLite's log of what is not in it yet, and the index of the log.
PARTS = ("", "-wal", "-shm")
COUNTS = "SELECT ordinal, count(*) FROM answers GROUP BY ordinal"


class Keeper:
    """Watch a served file, from one thread at a time; other processes may serve the file, too."""

    def __init__(self, path: Path, study: str, connection: sqlite3.Connection) -> None:
        """Take note of a file.

        Args:
            path: Of the file.
            study: Name of the study in it.
            connection: To it, that has read from it and stays open.
        """
        self._message = ""  # What was wrong, and where the copy is; "" while the file is sound.
        self._path, self._study = path, study
        self._memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.backup(self._memory)
        self._parts = {suffix: _identity(Path(f"{path}{suffix}")) for suffix in PARTS}
        self.note()

    def note(self) -> None:
        """Take note of the file's size and time, after this process has written to it."""
        with suppress(OSError):
            self._state = _state(self._path)

    def remember(self, connection: sqlite3.Connection, ordinal: int) -> None:
        """Keep what the file holds of a person now."""
        person = connection.execute("SELECT * FROM people WHERE ordinal = ?", (ordinal,)).fetchone()
        answers = connection.execute("SELECT * FROM answers WHERE ordinal = ?", (ordinal,)).fetchall()
        memory = self._memory
        memory.execute("BEGIN")
        memory.execute(f"REPLACE INTO people VALUES ({_marks(person)})", person)
        memory.execute("DELETE FROM answers WHERE ordinal = ?", (ordinal,))
        if answers:
            memory.executemany(f"INSERT INTO answers VALUES ({_marks(answers[0])})", answers)
        memory.execute("COMMIT")

    def is_here(self) -> bool:
        """Whether the file that was opened is the one at its place."""
        return _identity(self._path) == self._parts[""]

    def check(self, connection: sqlite3.Connection, *, thoroughly: bool = False) -> None:
        """See whether the file is as it should be; otherwise save what it held, once.

        Args:
            connection: To the file; no transaction is under way.
            thoroughly: Whether its content is read, too. It is where another program has written to it.

        Raises:
            DeepColorError: It is not; the message names the copy.
        """
        fault = self._fault(connection, thoroughly)
        if not fault:
            self._message = ""
            return
        # Nothing is written since the copy was made.
        self._message = self._message or (
            f"{self._path} {fault} while it was served; {self._save(connection)}: name that file with "
            "--database"
        )
        raise DeepColorError(self._message)

    def _fault(self, connection: sqlite3.Connection, thoroughly: bool) -> str:
        """What is wrong with the file; "" if nothing is."""
        for suffix, identity in self._parts.items():
            now = _identity(Path(f"{self._path}{suffix}"))
            if now != identity:
                part = f"has lost its {suffix[1:]} file, which" if suffix else ""
                return f"{part} was {'deleted' if now is None else 'replaced'}".strip()
        state = _state(self._path)
        if state == self._state and not thoroughly:
            return ""
        try:
            # A connection of its own: those that are open remember pages.
            with closing(connect(self._path, "rw")) as fresh:
                fault = self._damage(fresh)
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            if not name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_BUSY")):
                return "was damaged"
            fault = self._damage(connection)
        if not fault:
            self._state = state
        return fault

    def _damage(self, connection: sqlite3.Connection) -> str:
        """What is wrong with the content of the file, or of a copy; "" if nothing is."""
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return "was damaged"
            if connection.execute("SELECT name FROM study").fetchall() != [(self._study,)]:
                return "was replaced by another study's"
            there = dict(connection.execute(COUNTS))
            gone = {row[0] for row in connection.execute("SELECT ordinal FROM people WHERE withdrawn")}
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise
            return "was damaged"
        kept = self._memory.execute(COUNTS)
        lost = sum(max(0, n - there.get(who, 0)) for who, n in kept if who not in gone)
        return f"has lost {lost} answers" if lost else ""

    def _save(self, connection: sqlite3.Connection) -> str:
        """Write what the file held to another one.

        As long as it can be read, that is what it holds, with the answers that other processes have
        written.

        Returns:
            How many answers are saved and where, for a message.

        Raises:
            DeepColorError: It cannot be written anywhere.
        """
        reasons = []
        for copy in rescue_paths(self._path):
            try:
                with replacing(copy) as temporary:
                    for source in (connection, self._memory):
                        temporary.unlink(missing_ok=True)
                        with closing(connect(temporary, "rwc")) as target:
                            if _copy(source, target) and not self._damage(target):
                                count = target.execute("SELECT count(*) FROM answers").fetchone()[0]
                                break
                    else:
                        raise sqlite3.DatabaseError("the copy is damaged")
                return f"all {count} answers are saved in {copy}"
            except (OSError, sqlite3.DatabaseError) as error:
                reasons.append(f"{copy}: {error}")
        raise DeepColorError(
            f"{self._path} is no longer the file that is served, and its answers cannot be saved "
            f"({'; '.join(reasons)}); free some space there"
        )


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    """Copy a whole file, as one without a log; whether it could be read."""
    try:
        source.backup(target)
    except sqlite3.DatabaseError:
        return False
    target.execute("PRAGMA journal_mode = DELETE")
    return True


def rescue_paths(path: Path) -> Iterator[Path]:
    """Yield where a copy may go: next to the file, in the current or the temporary folder."""
    for folder in dict.fromkeys((path.absolute().parent, Path.cwd(), Path(tempfile.gettempdir()))):
        number = 1
        while (copy := folder / f"{path.stem}-saved-{number}{path.suffix}").exists():
            number += 1
        yield copy


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _state(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _marks(row: tuple[object, ...]) -> str:
    return ", ".join("?" * len(row))
