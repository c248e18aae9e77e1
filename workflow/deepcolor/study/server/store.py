"""The people of a study and their answers, as the pages need them; for several threads and processes."""

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError
from deepcolor.study.design import ShownPicture, person_trials
from deepcolor.study.server import database, export
from deepcolor.study.server.counts import count_people
from deepcolor.study.server.study_file import StudyFile

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
        """Open the file, and make it from the material if it does not exist.

        Args:
            path: SQLite file of the study.
            folder: Folder with study.json and pictures/.
            simulated: Whether all answers are marked as simulated; a file has either such answers or
                those of participants.

        Raises:
            DeepColorError: As for `database.prepare`; or the file has answers of the other sort.
        """
        self._file = StudyFile(path, folder)
        self.study = self._file.study
        self.simulated = simulated
        # The same person comes again and again.
        self._trials = lru_cache(256)(partial(person_trials, self.study))
        with database.explaining(path):
            other = "SELECT count(*) FROM answers JOIN people USING (ordinal) WHERE simulated != ?"
            if self._file.connection().execute(other, (simulated,)).fetchone()[0]:
                held, option = ("people's", "without") if simulated else ("simulated", "with")
                raise DeepColorError(
                    f"{path} holds {held} answers, which must not mix with others; serve it {option} "
                    "--simulated, or name another file with --database"
                )

    def close(self) -> None:
        """Bring the log into the file, check it, and close it, when no other thread uses the store.

        Raises:
            DeepColorError: The file is not what was served, or lacks answers; a copy is saved.
        """
        self._file.close()

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
        with self._file.writing() as connection:
            person = self._find(connection, session)
            fresh = secrets.token_urlsafe(32)
            if person and not person.answered:
                # Another session, as the one that came may have been planted.
                connection.execute(
                    "UPDATE people SET session = ?, color_vision = ?, active = ? WHERE ordinal = ?",
                    (_hashed(fresh), color_vision, now, person.ordinal),
                )
                self._file.changed.append(person.ordinal)
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
            self._file.changed.append(begun)
        return fresh

    def _check_sort(self, connection: sqlite3.Connection, now: int) -> None:
        """A rehearsal and a study that are served from one file at once would spoil it."""
        if connection.execute(
            "SELECT 1 FROM people WHERE simulated != ? AND active BETWEEN ? AND ? AND EXISTS "
            "(SELECT 1 FROM answers WHERE answers.ordinal = people.ordinal)",
            (self.simulated, now - 1, now),
        ).fetchone():
            raise DeepColorError(
                f"{self._file.path}: simulated answers and people's must not mix; stop one"
            )

    def person(self, session: str) -> Person | None:
        """Who has a session; None if nobody has, or who had it has withdrawn."""
        return self._find(self._file.connection(), session)

    def _find(self, connection: sqlite3.Connection, session: str) -> Person | None:
        # Of its own sort: who began in a rehearsal does not go on in the study.
        found = connection.execute(
            "SELECT ordinal, list, "
            "(SELECT count(*) FROM answers WHERE answers.ordinal = people.ordinal) "
            "FROM people WHERE session = ? AND simulated = ?",
            (_hashed(session), self.simulated),
        ).fetchone()
        return Person(*found) if found else None

    def trials(self, person: Person) -> list[ShownPicture]:
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
        """Store an answer to the next position; the first one to a position stays.

        Args:
            session: Session of the participant.
            position: Position of the trial, from 0.
            answer: Answer of the study's protocol.
            seconds: Time in seconds since the picture appeared.
            pictures: Names of the pictures shown, if known; with those of another trial, the answer
                counts as early.

        Returns:
            The outcome, on the disk; None for an unknown session.
        """
        word = answer if isinstance(answer, str) else ""
        with self._file.writing() as connection:
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
            grades = (
                (None, None) if isinstance(answer, str) else (answer["appeal"], answer["naturalness"])
            )
            values = (
                *(person.ordinal, position, shown.kind, shown.image, shown.condition, shown.side),
                *(word, *grades, float(seconds)),
            )
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            finished = position + 1 == len(trials)
            connection.execute(
                "UPDATE people SET active = ?, finished = ? WHERE ordinal = ?",
                (None if finished else int(time.time() // 3600), finished, person.ordinal),
            )
            self._file.changed.append(person.ordinal)
        return Outcome(Person(person.ordinal, person.number, position + 1), "accepted", word)

    def result(self, person: Person) -> tuple[int, int]:
        """How many test trials a person has got right, and of how many."""
        trials = self.trials(person)
        answers = self._file.connection().execute(
            "SELECT position, answer FROM answers WHERE ordinal = ? AND kind = 'test'",
            (person.ordinal,),
        )
        right = [trials[position].right == answer for position, answer in answers]
        return sum(right), len(right)

    def withdraw(self, session: str) -> None:
        """Delete a person's answers, and forget the session; a place among those who began remains."""
        with self._file.writing() as connection:
            person = self._find(connection, session)
            if person is None:
                return
            connection.execute("DELETE FROM answers WHERE ordinal = ?", (person.ordinal,))
            connection.execute(
                "UPDATE people SET person = ?, session = NULL, color_vision = '', active = NULL, "
                "finished = 0, withdrawn = 1 WHERE ordinal = ?",
                (secrets.token_hex(16), person.ordinal),
            )
            self._file.changed.append(person.ordinal)
        self._file.empty_log()  # It still has what was deleted.

    def picture(self, name: str) -> bytes | None:
        """A picture of the study as PNG; None if it has none of this name."""
        found = (
            self._file.connection()
            .execute("SELECT png FROM pictures WHERE name = ?", (name,))
            .fetchone()
        )
        return found[0] if found else None

    def counts(self) -> dict[str, Any]:
        """Return how many people began, finished and withdrew, see `counts.count_people`."""
        return count_people(self._file.connection(), self.study)

    def as_csv(self) -> str:
        """The text of answers.csv as it is now."""
        return export.as_csv(self._file.connection())[0]


def _hashed(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
