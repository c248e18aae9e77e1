"""Two hundred people take part in a study at once: does the server keep up, and every answer?

    python tests/benchmarks/study.py                        200 people, 20 trials each
    python tests/benchmarks/study.py --people 50 --most 30  fewer, for at most 30 seconds

Every person has a connection of their own, loads the pages and every picture, thinks for up to a second
before each answer, and now and then clicks twice. The exit code is 1 if a request fails, or if an
answer that was acknowledged is not kept.
"""

import argparse
import json
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow")]

from support.small_study import Visitor, make_study, serving  # noqa: E402

# Of a picture, in pixels: noise of 100 kB, as photographs of 256 × 256 pixels have it.
SIDE = 182


@dataclass
class Tally:
    """What all people together have seen."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    begun: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Note how long a block takes, under a name."""
        began = time.perf_counter()
        yield
        with self.lock:
            self.seconds.setdefault(name, []).append(time.perf_counter() - began)


def load(tally: Tally, visitor: Visitor, path: str, name: str) -> bytes:
    """Get a page or a picture."""
    with tally.timing(name):
        status, content = visitor.request("GET", path)
    if status != 200:
        raise RuntimeError(f"{name}: status {status}")
    return content


def take_part(tally: Tally, url: str, number: int, end: float) -> None:
    """One person, from the first page to the last answer."""
    chance = random.Random(number)
    try:
        time.sleep(chance.uniform(0, 2))  # All come within two seconds.
        visitor = Visitor(url)
        for path in ("/", "/static/study.css", "/static/study.js"):
            load(tally, visitor, path, "pages")
        with tally.timing("begin"):
            state = visitor.begin()
        with tally.lock:
            tally.begun += 1
        load(tally, visitor, "/take", "pages")
        loaded = set[str]()
        while state["phase"] != "done":
            if time.monotonic() > end:
                raise RuntimeError("not finished in time")
            sources = [picture["src"] for picture in state["trial"]["pictures"]] + state["next"]
            for source in sources:
                if source not in loaded:
                    loaded.add(source)
                    load(tally, visitor, source, "pictures")
            thinks = chance.random()
            time.sleep(thinks)
            position = state["trial"]["position"]
            for click in range(2 if chance.random() < 0.05 else 1):
                with tally.timing("answers"):
                    status, content = visitor.answer(position, "real", thinks)
                if status != 200 or content["accepted"] != (click == 0):
                    raise RuntimeError(f"answer: status {status}, {json.dumps(content)[:80]}")
            with tally.lock:
                tally.acknowledged += 1
            state = content["state"]
        visitor.connection.close()
    except Exception as error:  # Whatever it is, it is counted, and told at the end.
        with tally.lock:
            tally.errors[f"{type(error).__name__}: {error}"] += 1


def kept(database: Path) -> tuple[int, int]:
    """How many answers and how many finished people a file has."""
    with closing(sqlite3.connect(database)) as connection:
        answers = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        return answers, connection.execute("SELECT total(finished) FROM people").fetchone()[0]


def measure(folder: Path, people: int, trials: int, most: float) -> bool:
    """Serve, let people take part, and print what came of it.

    Args:
        folder: For the study.
        people: At once.
        trials: Of each.
        most: Seconds for all of it.

    Returns:
        Whether all went well.
    """
    make_study(folder, SIDE, trials - 4, most_people=people)
    tally = Tally()
    with serving(folder) as served:
        began = time.monotonic()
        arguments = [(tally, served.url, number, began + most) for number in range(people)]
        threads = [threading.Thread(target=take_part, args=each) for each in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        code, _ = served.stop()
    answers, finished = kept(folder / "answers.sqlite")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime
    requests = sum(map(len, tally.seconds.values()))
    print(f"{people} people at once, {trials} trials each, up to a second of thought: {took:.1f} s")
    print(f"{requests} requests, {requests / took:.0f} a second; {answers / took:.0f} answers a second")
    print(
        f"the server's processor time: {processor:.1f} s, {1000 * processor / requests:.1f} ms a request"
    )
    for name, seconds in tally.seconds.items():
        ordered = sorted(1000 * each for each in seconds)
        print(
            f"  {name:9}{len(ordered):6}  median {statistics.median(ordered):6.1f} ms, 99th percentile "
            f"{ordered[int(0.99 * len(ordered))]:6.1f} ms, longest {ordered[-1]:6.1f} ms"
        )
    print(f"errors: {sum(tally.errors.values())}")
    for error, count in tally.errors.most_common(5):
        print(f"  {count} × {error}")
    print(
        f"acknowledged answers: {tally.acknowledged}, kept: {answers}; finished people: {finished:.0f}"
    )
    return (
        not tally.errors
        and code == 0
        and answers == tally.acknowledged == people * trials
        and finished == people
    )


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--trials", type=int, default=20, help="of each person, 8 or more")
    parser.add_argument("--most", type=float, default=120, help="seconds for all of it")
    args = parser.parse_args()
    sys.setswitchinterval(0.0002)  # The people must not wait for each other.
    with tempfile.TemporaryDirectory() as folder:
        if not measure(Path(folder), args.people, args.trials, args.most):
            sys.exit(1)


if __name__ == "__main__":
    main()
