"""The people of a study and their answers, as the pages need them; for several threads and processes."""

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.study.design import Shown, person_trials
from deepcolor.study.server import database, export
from deepcolor.study.server.keeper import Keeper

# Times most_people who may begin in all, be it without answering: the file stays small.
BEGINNINGS = 100
# The answer of a rating: appeal and naturalness, 1 to 5 each; otherwise one of the protocol's words.
Answer = str | dict[str, int]


@dataclass(frozen=True)
class Person:
    """Somebody who takes part.

    Attributes:
        ordinal: Place in the order of beginning, from 0.
        number: Of the list.
        answered: Trials that are answered: the first ones, as they come one after the other.
    """

    ordinal: int
    number: int
    answered: int


@dataclass(frozen=True)
class Outcome:
    """What became of an answer.

    Attributes:
        person: After it.
        status: "accepted"; "repeated", where the position had been answered; "early", where it has not
            been reached yet.
        word: The answer that counts at this position; "" of a rating, and where there is none.
    """

    person: Person
    status: str
    word: str


class Store:
    """A study's file, open to be served.

    A person is known by the session, a secret of 256 bits in a cookie. The file holds its checksum
    alone, and nothing that is exported leads back to it.

    Attributes:
        study: What study.json holds.
        simulated: Whether those who begin now are not people but a rehearsal.
    """

    def __init__(self, path: Path, folder: Path, simulated: bool = False) -> None:
        """Open the file, and make it from the material where it is not there.

        Args:
            path: Of the file.
            folder: With study.json and pictures/.
            simulated: Marks all answers; a file has either such answers, or people's.

        Raises:
            DeepColorError: As for `database.prepare`; or the file has answers of the other sort.
        """
        self.study = database.prepare(path, folder)
        self.simulated = simulated
        self._path = path
        # The same person comes again and again.
        self._trials = lru_cache(256)(partial(person_trials, self.study))
        self._connections: list[sqlite3.Connection] = []
        self._own = threading.local()
        # Threads take turns here; SQLite's own waiting is for other processes, and slower.
        self._turn = threading.Lock()
        self._changed: list[int] = []  # Ordinals of people whom a transaction changes.
        with database.explaining(path):
            other = "SELECT count(*) FROM answers JOIN people USING (ordinal) WHERE simulated != ?"
            if self._connection().execute(other, (simulated,)).fetchone()[0]:
                held, option = ("people's", "without") if simulated else ("simulated", "with")
                raise DeepColorError(
                    f"{path} holds {held} answers, which must not mix with others; serve it {option} "
                    "--simulated, or name another file with --database"
                )
            self._keeper = Keeper(path, self.study["study"], self._connection())

    def _connection(self) -> sqlite3.Connection:
        """Return the thread's own connection.

        Raises:
            DeepColorError: Another file has taken the place of the one that is served.
        """
        if not hasattr(self._own, "connection"):
            connection = database.connect(self._path, "rw")
            if self._connections and not self._keeper.is_here():
                connection.close()
                raise DeepColorError(
                    f"{self._path} is no longer the file that is served; serve it again"
                )
            self._own.connection = connection
            self._connections.append(connection)
        own: sqlite3.Connection = self._own.connection
        return own

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Begin a transaction, on the disk when the block has ended."""
        with self._turn, database.explaining(self._path):
            # One that is open already: another thread's first would fail where the file is gone.
            self._keeper.check(self._connections[0])
            connection = self._connection()
            self._changed.clear()
            connection.execute("BEGIN IMMEDIATE")
            try:
                if connection.execute("SELECT name FROM study").fetchone() != (self.study["study"],):
                    raise DeepColorError(f"{self._path} holds another study by now; serve it again")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._keeper.note()
            for ordinal in self._changed:
                self._keeper.remember(connection, ordinal)

    def close(self) -> None:
        """Bring the log into the file, check it, and close it, when no other thread uses the store.

        Raises:
            DeepColorError: The file is not what was served, or lacks answers; a copy is saved.
        """
        with database.explaining(self._path):
            try:
                self._keeper.check(self._connections[0])
                # On a full disk they stay in the log.
                with suppress(sqlite3.DatabaseError):
                    self._connections[0].execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._keeper.note()
                self._keeper.check(self._connections[0], thoroughly=True)
            finally:
                for connection in self._connections:
                    connection.close()

    def begin(self, color_vision: str, session: str = "") -> str | None:
        """Let somebody begin, and give the session; None if as many people take part as may.

        The list is the one that the fewest have finished or are at work on; who has not answered for an
        hour counts no more. Those who have withdrawn, or have not answered within an hour or two of
        beginning, take nobody's place.

        Args:
            color_vision: "yes" (it is normal), "no" or "unsure".
            session: One that is known. Somebody who has not answered yet does not begin twice.
        """
        now = int(time.time() // 3600)
        with self._writing() as connection:
            person = self._find(connection, session)
            fresh = secrets.token_urlsafe(32)
            if person and not person.answered:
                # Another session, as the one that came may have been planted.
                connection.execute(
                    "UPDATE people SET session = ?, color_vision = ?, active = ? WHERE ordinal = ?",
                    (_hashed(fresh), color_vision, now, person.ordinal),
                )
                self._changed.append(person.ordinal)
                return fresh
            self._check_sort(connection, now)
            begun = connection.execute("SELECT count(*) FROM people").fetchone()[0]
            staying = connection.execute(
                "SELECT count(*) FROM people WHERE NOT withdrawn AND (active BETWEEN ? AND ? OR "
                "EXISTS (SELECT 1 FROM answers WHERE answers.ordinal = people.ordinal))",
                (now - 1, now),
            ).fetchone()[0]
            most = self.study["most_people"]
            if staying >= most or begun >= BEGINNINGS * most:
                return None
            taken = dict(
                connection.execute(
                    "SELECT list, count(*) FROM people WHERE finished OR active >= ? GROUP BY list",
                    (now - 1,),
                )
            )
            number = min(range(len(self.study["lists"])), key=lambda each: (taken.get(each, 0), each))
            connection.execute(
                "INSERT INTO people (ordinal, person, session, list, color_vision, active, simulated) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(begun, secrets.token_hex(16), _hashed(fresh), number),
                    *(color_vision, now, self.simulated),
                ),
            )
            self._changed.append(begun)
        return fresh

    def _check_sort(self, connection: sqlite3.Connection, now: int) -> None:
        """A rehearsal and a study that are served from one file at once would spoil it."""
        if connection.execute(
            "SELECT 1 FROM people WHERE simulated != ? AND active BETWEEN ? AND ? AND EXISTS "
            "(SELECT 1 FROM answers WHERE answers.ordinal = people.ordinal)",
            (self.simulated, now - 1, now),
        ).fetchone():
            raise DeepColorError(f"{self._path}: simulated answers and people's must not mix; stop one")

    def person(self, session: str) -> Person | None:
        """Who has a session; None if nobody has, or who had it has withdrawn."""
        return self._find(self._connection(), session)

    def _find(self, connection: sqlite3.Connection, session: str) -> Person | None:
        # Of its own sort: who began in a rehearsal does not go on in the study.
        found = connection.execute(
            "SELECT ordinal, list, "
            "(SELECT count(*) FROM answers WHERE answers.ordinal = people.ordinal) "
            "FROM people WHERE session = ? AND simulated = ?",
            (_hashed(session), self.simulated),
        ).fetchone()
        return Person(*found) if found else None

    def trials(self, person: Person) -> list[Shown]:
        """All trials of a person, in their order."""
        return self._trials(person.number, person.ordinal)

    def answer(
        self,
        session: str,
        position: int,
        answer: Answer,
        seconds: float,
        pictures: Sequence[str] | None = None,
    ) -> Outcome | None:
        """Keep an answer, if it is the one that is due; the first one to a position stays.

        Args:
            session: The person's.
            position: Of the trial, from 0.
            answer: Of the study's protocol.
            seconds: From the moment that the picture appeared.
            pictures: Names of those that were shown, if known. Of another person's trial, in another
                window, the answer counts as early.

        Returns:
            What became of it, on the disk; None if there is no such person.
        """
        word = answer if isinstance(answer, str) else ""
        grades = (None, None) if isinstance(answer, str) else (answer["appeal"], answer["naturalness"])
        with self._writing() as connection:
            person = self._find(connection, session)
            if person is None:
                return None
            trials = self.trials(person)
            if position < person.answered:
                kept = connection.execute(
                    "SELECT answer FROM answers WHERE ordinal = ? AND position = ?",
                    (person.ordinal, position),
                )
                return Outcome(person, "repeated", kept.fetchone()[0])
            if position > person.answered or position >= len(trials):
                return Outcome(person, "early", "")
            shown = trials[position]
            if pictures is not None and tuple(pictures) != shown.pictures:
                return Outcome(person, "early", "")
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(person.ordinal, position, shown.kind, shown.image, shown.condition, shown.side),
                    *(word, *grades, float(seconds)),
                ),
            )
            finished = position + 1 == len(trials)
            connection.execute(
                "UPDATE people SET active = ?, finished = ? WHERE ordinal = ?",
                (None if finished else int(time.time() // 3600), finished, person.ordinal),
            )
            self._changed.append(person.ordinal)
        return Outcome(Person(person.ordinal, person.number, position + 1), "accepted", word)

    def result(self, person: Person) -> tuple[int, int]:
        """How many test trials a person has got right, and of how many."""
        trials = self.trials(person)
        answers = self._connection().execute(
            "SELECT position, answer FROM answers WHERE ordinal = ? AND kind = 'test'",
            (person.ordinal,),
        )
        right = [trials[position].right == answer for position, answer in answers]
        return sum(right), len(right)

    def withdraw(self, session: str) -> None:
        """Delete a person's answers, and forget the session; a place among those who began remains."""
        with self._writing() as connection:
            person = self._find(connection, session)
            if person is None:
                return
            connection.execute("DELETE FROM answers WHERE ordinal = ?", (person.ordinal,))
            connection.execute(
                "UPDATE people SET person = ?, session = NULL, color_vision = '', active = NULL, "
                "finished = 0, withdrawn = 1 WHERE ordinal = ?",
                (secrets.token_hex(16), person.ordinal),
            )
            self._changed.append(person.ordinal)
        # The log still has what was deleted.
        with self._turn, database.explaining(self._path):
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._keeper.note()

    def picture(self, name: str) -> bytes | None:
        """A picture of the study as PNG; None if it has none of this name."""
        found = self._connection().execute("SELECT png FROM pictures WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def counts(self) -> dict[str, Any]:
        """How many have begun, finished and withdrawn, how many answers there are, and this by list.

        Returns:
            begun, finished, withdrawn, answers, most_people; lists: number, begun, finished (of each).
        """
        connection = self._connection()
        people = "SELECT count(*), total(finished), total(withdrawn) FROM people"
        begun, finished, withdrawn = map(int, connection.execute(people).fetchone())
        by_list = {
            number: counts
            for number, *counts in connection.execute(
                "SELECT list, count(*), sum(finished) FROM people GROUP BY list"
            )
        }
        lists = []
        for number in range(len(self.study["lists"])):
            begun_here, finished_here = by_list.get(number, (0, 0))
            lists.append({"number": number, "begun": begun_here, "finished": finished_here})
        return {
            "begun": begun,
            "finished": finished,
            "withdrawn": withdrawn,
            "answers": connection.execute("SELECT count(*) FROM answers").fetchone()[0],
            "most_people": self.study["most_people"],
            "lists": lists,
        }

    def as_csv(self) -> str:
        """The text of answers.csv as it is now."""
        return export.as_csv(self._connection())[0]


def _hashed(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
