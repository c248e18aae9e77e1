"""Kill a study's server (-9) again and again while people answer; no acknowledged answer may be lost.

python tests/soak/study.py --kills 50
"""

import argparse
import http.client
import json
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow")]

from support.small_study import Served, Visitor, make_study, start  # noqa: E402

PEOPLE = 8
# What people's browsers meet while the server is dead.
LOST = (OSError, http.client.HTTPException, json.JSONDecodeError)


class Crowd:
    """People who answer, in threads, and try again when the server is lost."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.over = threading.Event()
        self.acknowledged: dict[tuple[int, int], float] = {}
        self.faults: list[str] = []
        self.begun = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._person, args=(n,)) for n in range(PEOPLE)]

    def _person(self, number: int) -> None:
        try:
            while not self.over.is_set():
                with self.lock:
                    self.begun += 1
                    name = self.begun
                self._take_part(random.Random(name), name)
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {error}")

    def _take_part(self, chance: random.Random, name: int) -> None:
        visitor = Visitor(self.url)
        state = self._persist(visitor, visitor.begin)
        while state and state["phase"] != "done":
            position, seconds = state["trial"]["position"], round(chance.uniform(0, 9), 3)
            answered = self._persist(visitor, partial(visitor.answer, position, "real", seconds))
            if answered is None:
                return
            status, content = answered
            # Not accepted: it was before the server died, and the acknowledgment has been lost.
            assert status == 200, content
            assert content["state"]["answered"] == position + 1, content
            with self.lock:
                self.acknowledged[name, position] = seconds
            state = content["state"]
        visitor.connection.close()

    def _persist(self, visitor: Visitor, attempt: Callable[[], Any]) -> Any:
        """Try until the server answers; None if all is over."""
        while not self.over.is_set():
            try:
                return attempt()
            except LOST:
                visitor.connection.close()
                time.sleep(0.05)
        return None


def check(database: Path, crowd: Crowd) -> int:
    """Compare what is kept with what was acknowledged.

    Returns:
        How many answers were acknowledged.

    Raises:
        AssertionError: One is missing, or one is there twice or out of order; or the file is damaged.
    """
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT ordinal, position, seconds FROM answers").fetchall()
    kept: dict[int, dict[int, float]] = {}
    for ordinal, position, seconds in rows:
        kept.setdefault(ordinal, {})[position] = seconds
    for ordinal, answers in kept.items():
        assert sorted(answers) == list(range(len(answers))), f"person {ordinal}: {sorted(answers)}"
    given: dict[int, dict[int, float]] = {}
    for (name, position), seconds in crowd.acknowledged.items():
        given.setdefault(name, {})[position] = seconds
    sequences = {tuple(answers[p] for p in sorted(answers)) for answers in kept.values()}
    for name, answers in given.items():
        told = tuple(answers[position] for position in sorted(answers))
        assert any(each[: len(told)] == told for each in sequences), f"person {name}: {told} is lost"
    # One answer of each person may be kept whose acknowledgment was on its way.
    assert len(crowd.acknowledged) <= len(rows) <= len(crowd.acknowledged) + PEOPLE
    return len(crowd.acknowledged)


def soak(folder: Path, kills: int, seed: int, report: Callable[[str], None] = print) -> None:
    """Serve, kill, serve again, while people answer.

    Raises:
        AssertionError: An acknowledged answer is lost, or the server does not come back.
    """
    make_study(folder, images=20, most_people=100_000)
    chance = random.Random(seed)
    served = start(folder)
    port = served.url.rpartition(":")[2]
    crowd = Crowd(served.url)
    for thread in crowd.threads:
        thread.start()
    try:
        for number in range(1, kills + 1):
            before = len(crowd.acknowledged)
            while len(crowd.acknowledged) == before and not crowd.faults:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 1))
            served = _killed(served, folder, port)
            report(f"{number} kills, {len(crowd.acknowledged)} answers acknowledged")
    finally:
        crowd.over.set()
        for thread in crowd.threads:
            thread.join()
        code, rest = served.stop()
    assert not crowd.faults, crowd.faults
    assert code == 0, rest
    report(f"{kills} kills, {check(folder / 'answers.sqlite', crowd)} answers acknowledged, all kept")


def _killed(served: Served, folder: Path, port: str) -> Served:
    code, _ = served.stop(signal.SIGKILL)
    assert code == -signal.SIGKILL
    return start(folder, "--port", port)


def main() -> None:
    """Parse the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        soak(Path(folder), args.kills, args.seed, lambda line: print(line, flush=True))
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
