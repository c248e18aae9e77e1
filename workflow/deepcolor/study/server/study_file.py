"""The file of a study while it is served: connections of threads, transactions, and its keeper."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepcolor.errors import DeepColorError
from deepcolor.study.server import database
from deepcolor.study.server.keeper import Keeper


class StudyFile:
    """A study's file, open for several threads.

    Attributes:
        path: SQLite file of the study.
        study: Content of study.json.
        changed: Ordinals of the people whom the current transaction changes.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        """Open the file, and make it from the material if it does not exist.

        Args:
            path: SQLite file of the study.
            folder: Folder with study.json and pictures/.

        Raises:
            DeepColorError: As for `database.prepare`.
        """
        self.study = database.prepare(path, folder)
        self.path = path
        self.changed: list[int] = []
        self._connections: list[sqlite3.Connection] = []
        self._own = threading.local()
        # Threads take turns here; SQLite's own waiting is for other processes, and slower.
        self._turn = threading.Lock()
        with database.explaining(path):
            self._keeper = Keeper(path, self.study["study"], self.connection())

    def connection(self) -> sqlite3.Connection:
        """Return the thread's own connection.

        Raises:
            DeepColorError: Another file has taken the place of the one that is served.
        """
        if not hasattr(self._own, "connection"):
            connection = database.connect(self.path, "rw")
            if self._connections and not self._keeper.is_here():
                connection.close()
                raise DeepColorError(f"{self.path} is no longer the file that is served; serve it again")
            self._own.connection = connection
            self._connections.append(connection)
        own: sqlite3.Connection = self._own.connection
        return own

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Begin a transaction, on the disk when the block has ended."""
        with self._turn, database.explaining(self.path):
            # One that is open already: another thread's first would fail where the file is gone.
            self._keeper.check(self._connections[0])
            connection = self.connection()
            self.changed.clear()
            connection.execute("BEGIN IMMEDIATE")
            try:
                if connection.execute("SELECT name FROM study").fetchone() != (self.study["study"],):
                    raise DeepColorError(f"{self.path} holds another study by now; serve it again")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._keeper.note()
            for ordinal in self.changed:
                self._keeper.remember(connection, ordinal)

    def empty_log(self) -> None:
        """Bring the write-ahead log into the file."""
        with self._turn, database.explaining(self.path):
            self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._keeper.note()

    def close(self) -> None:
        """Bring the log into the file, check it, and close it, when no other thread uses it.

        Raises:
            DeepColorError: The file is not what was served, or lacks answers; a copy is saved.
        """
        with database.explaining(self.path):
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
