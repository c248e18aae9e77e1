"""The file of a study: what it keeps and refuses, and what is taken out of it."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import mounted
from deepcolor.errors import DeepColorError
from deepcolor.study import answers
from deepcolor.study.columns import COLUMNS
from deepcolor.study.server import export, store
from deepcolor.study.server.store import Store
from support.small_study import ENVIRONMENT, make_study


def opened(folder: Path, simulated: bool = False, **changes: Any) -> Store:
    """A store of a small study."""
    make_study(folder, **changes)
    return Store(folder / "answers.sqlite", folder, simulated)


def begun(store: Store, color_vision: str = "yes") -> str:
    session = store.begin(color_vision)
    assert session
    return session


def answer_all(store: Store, session: str, answer: Any = "real") -> None:
    person = store.person(session)
    assert person
    for position in range(person.answered, len(store.trials(person))):
        outcome = store.answer(session, position, answer, 1.5)
        assert outcome and outcome.status == "accepted"


def lists_of(store: Store, sessions: list[str]) -> list[int]:
    people = [store.person(session) for session in sessions]
    return [person.number for person in people if person]


def test_a_new_person_gets_the_list_with_the_fewest_people(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    sessions = [begun(opened_store) for _ in range(6)]
    assert lists_of(opened_store, sessions) == [0, 1, 2, 3, 0, 1]
    opened_store.withdraw(sessions[2])
    assert lists_of(opened_store, [begun(opened_store), begun(opened_store)]) == [2, 2]
    opened_store.close()


def test_whoever_is_away_for_hours_counts_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000 * 3600.0
    monkeypatch.setattr(store.time, "time", lambda: now)
    opened_store = opened(tmp_path)
    finished, away = begun(opened_store), begun(opened_store)
    answer_all(opened_store, finished)
    now += 3 * 3600
    assert lists_of(opened_store, [finished, away]) == [0, 1]
    sessions = [begun(opened_store) for _ in range(4)]
    assert lists_of(opened_store, sessions) == [1, 2, 3, 0]
    opened_store.close()


def test_the_first_answer_stays_and_none_comes_early(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    session = begun(opened_store)
    early = opened_store.answer(session, 1, "real", 1.0)
    assert early and (early.status, early.person.answered) == ("early", 0)
    opened_store.answer(session, 0, "colorized", 1.0)
    again = opened_store.answer(session, 0, "real", 9.0)
    assert again and (again.status, again.word, again.person.answered) == ("repeated", "colorized", 1)
    answer_all(opened_store, session)
    after = opened_store.answer(session, 12, "real", 1.0)
    assert after and after.status == "early"
    assert opened_store.answer("nobody", 0, "real", 1.0) is None
    opened_store.close()


def test_clicks_in_many_threads_count_once(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    sessions = [begun(opened_store) for _ in range(3)]
    first: dict[tuple[int, int], float] = {}

    def click(number: int) -> tuple[int, float, str]:
        outcome = opened_store.answer(sessions[number % 3], position, "real", number)
        assert outcome
        return number % 3, number, outcome.status

    with ThreadPoolExecutor(8) as pool:
        for position in range(12):
            clicked = list(pool.map(click, range(12)))
            assert Counter(status for _, _, status in clicked) == {"accepted": 3, "repeated": 9}
            first |= {(who, position): n for who, n, status in clicked if status == "accepted"}
    with export.reading(tmp_path / "answers.sqlite") as connection:
        kept = connection.execute("SELECT ordinal, position, seconds FROM answers").fetchall()
    assert {(ordinal, position): seconds for ordinal, position, seconds in kept} == first
    opened_store.close()


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    make_study(tmp_path)
    program = (
        "import sys; from pathlib import Path; from deepcolor.study.server.store import Store\n"
        "folder = Path(sys.argv[1]); store = Store(folder / 'answers.sqlite', folder)\n"
        "print('ready', flush=True); sys.stdin.read()\n"
        "for _ in range(20):\n"
        "    session = store.begin('yes')\n"
        "    for position in range(12):\n"
        "        assert store.answer(session, position, 'real', 1.0).status == 'accepted'\n"
        "store.close()\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        # One may say that it waits for the other.
        assert next(line for line in process.stdout if line == b"ready\n")
    for process in processes:
        assert process.stdin
        process.stdin.close()
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with export.reading(tmp_path / "answers.sqlite") as connection:
        rows = list(export.rows(connection))
        ordinals = [row[0] for row in connection.execute("SELECT ordinal FROM people ORDER BY ordinal")]
    assert ordinals == list(range(40))
    assert len(rows) == 40 * 12
    assert set(Counter(row["list"] for row in rows).values()) == {10 * 12}


def test_no_more_people_than_asked_for_and_nobody_begins_twice(tmp_path: Path) -> None:
    opened_store = opened(tmp_path, most_people=2)
    planted = begun(opened_store)
    session = opened_store.begin("no", planted)
    # The same person, under a session that nobody can know.
    assert session and session != planted and opened_store.person(planted) is None
    assert opened_store.counts()["begun"] == 1
    answer_all(opened_store, session)
    other = opened_store.begin("yes", session)
    assert other not in (None, session)
    assert opened_store.begin("yes") is None
    opened_store.withdraw(session)
    assert opened_store.begin("yes") is not None and opened_store.begin("yes") is None
    opened_store.close()


def test_who_does_not_answer_takes_nobodys_place_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_store = opened(tmp_path, most_people=2)
    monkeypatch.setattr("deepcolor.study.server.store.BEGINNINGS", 3)
    now = time.time()
    for hours in (0, 3, 6):
        monkeypatch.setattr("time.time", lambda hours=hours: now + 3600 * hours)
        assert [opened_store.begin("yes") is None for _ in range(3)] == [False, False, True]
    # Who begins and does not answer is stored, too: the file stays small.
    monkeypatch.setattr("time.time", lambda: now + 9 * 3600)
    assert opened_store.begin("yes") is None
    opened_store.close()


def test_a_rehearsal_does_not_go_on_in_the_study(tmp_path: Path) -> None:
    make_study(tmp_path)
    rehearsed = Store(tmp_path / "answers.sqlite", tmp_path, simulated=True)
    old = rehearsed.begin("yes")
    assert old
    rehearsed.close()
    served = Store(tmp_path / "answers.sqlite", tmp_path)
    session = begun(served)
    assert served.answer(session, 0, "real", 1.0)
    assert served.answer(old, 0, "real", 1.0) is None
    # Nor beside it.
    beside = Store(tmp_path / "answers.sqlite", tmp_path / "none", simulated=False)
    beside.simulated = True
    with pytest.raises(DeepColorError, match="must not mix"):
        beside.begin("yes")
    for each in (served, beside):
        each.close()


def test_an_answer_to_another_persons_pictures_does_not_count(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    one, other = begun(opened_store), begun(opened_store)
    shown, others = (
        opened_store.trials(person) for person in map(opened_store.person, (one, other)) if person
    )
    place = next(n for n in range(len(shown)) if shown[n].pictures != others[n].pictures)
    for position in range(place):
        opened_store.answer(other, position, "real", 1.0)
    early = opened_store.answer(other, place, "real", 1.0, shown[place].pictures)
    assert early and early.status == "early"
    kept = opened_store.answer(other, place, "real", 1.0, others[place].pictures)
    assert kept and kept.status == "accepted"
    opened_store.close()


def test_withdrawn_answers_are_gone_from_the_file(tmp_path: Path) -> None:
    opened_store = opened(tmp_path, protocol="yes-no")
    stays, leaves = begun(opened_store), begun(opened_store, "unsure")
    answer_all(opened_store, stays)
    for position in range(5):
        opened_store.answer(leaves, position, "real", 1234.5)
    assert opened_store.counts()["answers"] == 17
    opened_store.withdraw(leaves)
    held = [file.read_bytes() for file in tmp_path.glob("answers.sqlite*")]
    assert all(bytes.fromhex("40934a0000000000") not in each for each in held)
    assert opened_store.person(leaves) is None
    counts = opened_store.counts()
    assert (counts["begun"], counts["finished"], counts["withdrawn"], counts["answers"]) == (2, 1, 1, 12)
    assert counts["lists"][0] == {"number": 0, "begun": 1, "finished": 1}
    opened_store.close()
    content = (tmp_path / "answers.sqlite").read_bytes()
    number = bytes.fromhex("40934a0000000000")  # 1234.5
    assert number not in content and b"unsure" not in content


def test_nothing_in_the_file_opens_a_session(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    session = begun(opened_store)
    with export.reading(tmp_path / "answers.sqlite") as connection:
        held = [value for row in connection.execute("SELECT * FROM people") for value in row]
    assert session not in held
    assert all(opened_store.person(str(value)) is None for value in held)
    opened_store.close()


@pytest.mark.parametrize(
    ("protocol", "given"),
    [("yes-no", "colorized"), ("pairs", "left"), ("rating", {"appeal": 2, "naturalness": 5})],
)
def test_the_exported_file_is_what_the_analysis_reads(protocol: str, given: Any, tmp_path: Path) -> None:
    opened_store = opened(tmp_path, protocol=protocol, simulated=True)
    session = begun(opened_store, "unsure")
    answer_all(opened_store, session, given)
    person = opened_store.person(session)
    assert person
    trials, study = opened_store.trials(person), opened_store.study
    opened_store.close()
    path = tmp_path / "answers.csv"
    assert export.export(tmp_path / "answers.sqlite", path) == len(trials)
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    for shown, answer in zip(trials, answers.read_answers(path), strict=True):
        image = study["images"][shown.image]
        assert (answer.kind, answer.condition, answer.side) == (shown.kind, shown.condition, shown.side)
        assert (answer.data_set, answer.image) == (image["data_set"], image["id"])
        assert (answer.study, answer.protocol) == (study["study"], protocol)
        assert (answer.color_vision, answer.finished, answer.simulated) == ("unsure", True, True)
        assert answer.seconds == 1.5
        assert json.loads(answer.rules) == study["exclude"]
        if protocol == "rating":
            assert (answer.answer, answer.appeal, answer.naturalness) == ("", 2, 5)
        elif protocol == "pairs":  # The left one was taken for the real one.
            assert answer.answer == ("real" if shown.side == "left" else "colorized")
        else:
            assert answer.answer == "colorized"


@pytest.mark.parametrize("protocol", ["yes-no", "pairs"])
def test_the_result_counts_what_was_told_right(protocol: str, tmp_path: Path) -> None:
    opened_store = opened(tmp_path, protocol=protocol)
    session = begun(opened_store)
    person = opened_store.person(session)
    assert person
    other = {"real": "colorized", "colorized": "real", "left": "right", "right": "left"}
    wrong = [3, 5]
    tests = [n for n, shown in enumerate(opened_store.trials(person)) if shown.kind == "test"]
    for position, shown in enumerate(opened_store.trials(person)):
        answer = other[shown.right] if position in wrong else shown.right
        opened_store.answer(session, position, answer, 1.0)
    assert opened_store.result(person) == (8 - len({3, 5} & set(tests)), 8)
    opened_store.close()


def test_backup_while_people_answer(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    over = threading.Event()

    def take_part() -> None:
        while not over.is_set():
            answer_all(opened_store, begun(opened_store))

    thread = threading.Thread(target=take_part)
    thread.start()
    copy, last = tmp_path / "copies" / "a.sqlite", -1
    for _ in range(5):
        count = export.backup(tmp_path / "answers.sqlite", copy)
        assert count >= last
        last = count
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept = connection.execute("SELECT max(position) + 1, count(*) FROM answers GROUP BY ordinal")
            assert all(positions == count for positions, count in kept)
    over.set()
    thread.join()
    opened_store.close()
    assert last > 0
    assert [path.name for path in copy.parent.iterdir()] == ["a.sqlite"]
    # The copy alone is the whole study.
    Store(copy, tmp_path / "nothing").close()


def test_a_backup_replaces_nothing_but_a_backup(tmp_path: Path) -> None:
    opened(tmp_path).close()
    for name in ("study.json", "answers.sqlite"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(DeepColorError, match=f"{name} is there, and is no earlier copy"):
            export.backup(tmp_path / "answers.sqlite", tmp_path / name)
        assert (tmp_path / name).read_bytes() == before


def test_a_file_with_answers_outlives_its_material(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    session = begun(opened_store)
    opened_store.answer(session, 0, "real", 1.0)
    opened_store.close()
    study = json.loads((tmp_path / "study.json").read_text())
    for path in (tmp_path / "pictures").iterdir():
        path.unlink()
    (tmp_path / "study.json").unlink()
    again = Store(tmp_path / "answers.sqlite", tmp_path)
    assert again.study == study
    assert all(again.picture(name) for name in study["pictures"])
    answer_all(again, session)
    again.close()
    assert export.export(tmp_path / "answers.sqlite", tmp_path / "answers.csv") == 12


def test_another_study_takes_the_place_of_one_without_answers_only(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    first = opened(tmp_path)
    begun(first)
    first.close()
    second = opened(tmp_path, title="Another")
    assert second.study["title"] == "Another"
    assert second.counts()["begun"] == 0
    second.answer(begun(second), 0, "real", 1.0)
    second.close()
    make_study(tmp_path, title="A third")
    with pytest.raises(DeepColorError, match="holds 1 answers to another study than .*study.json"):
        Store(path, tmp_path)


def test_rehearsals_and_studies_do_not_mix(tmp_path: Path) -> None:
    opened_store = opened(tmp_path, simulated=True)
    opened_store.answer(begun(opened_store), 0, "real", 1.0)
    opened_store.close()
    with pytest.raises(DeepColorError, match="holds simulated answers.* serve it with --simulated"):
        Store(tmp_path / "answers.sqlite", tmp_path)
    Store(tmp_path / "answers.sqlite", tmp_path, simulated=True).close()


def test_a_file_that_is_taken_away_while_it_is_served_takes_no_answers(tmp_path: Path) -> None:
    opened_store = opened(tmp_path)
    session = begun(opened_store)
    (tmp_path / "answers.sqlite").rename(tmp_path / "elsewhere.sqlite")
    with pytest.raises(DeepColorError, match="was deleted while it was served; all 0 answers are"):
        opened_store.answer(session, 0, "real", 1.0)


def test_what_is_missing_or_wrong_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with pytest.raises(DeepColorError, match=r"study.json is not there; `make study` makes it"):
        Store(path, tmp_path)
    for action in (export.export, export.backup):
        with pytest.raises(
            DeepColorError, match=r"answers.sqlite is not there; `deepcolor study serve`"
        ):
            action(path, tmp_path / "out")
    study = make_study(tmp_path)
    picture = tmp_path / "pictures" / f"{min(study['pictures'])}.png"
    picture.write_bytes(picture.read_bytes()[:-1])
    with pytest.raises(DeepColorError, match=f"picture {picture.stem} is not the one that was drawn"):
        Store(path, tmp_path)
    picture.unlink()
    with pytest.raises(DeepColorError, match=f"{picture.name} is not there; delete study.json"):
        Store(path, tmp_path)
    (tmp_path / "study.json").write_text('{"study": "x"}')
    with pytest.raises(DeepColorError, match=r"study.json is no study \('catch' is missing\)"):
        Store(path, tmp_path)
    opened(tmp_path).close()
    with pytest.raises(DeepColorError, match="holds no answers yet"):
        export.export(path, tmp_path / "answers.csv")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE pictures SET png = X'00' WHERE name = ?", (picture.stem,))
    with pytest.raises(DeepColorError, match=f"picture {picture.stem} is not the one"):
        Store(path, tmp_path)
    path.write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(DeepColorError, match="answers.sqlite: not a database; name another file"):
        Store(path, tmp_path)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(DeepColorError, match="answers.sqlite is another program's"):
        Store(path, tmp_path)


def test_a_read_only_disk_is_one_line(tmp_path: Path) -> None:
    opened(tmp_path).close()
    place = tmp_path / "place"
    with mounted(place, "size=1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(DeepColorError, match="place/a.sqlite: it cannot be opened; name a file in"):
            Store(place / "a.sqlite", tmp_path)


def test_a_full_disk_takes_no_answer_and_loses_none(tmp_path: Path) -> None:
    make_study(tmp_path)
    place = tmp_path / "place"
    with mounted(place, "size=400k"):
        opened_store = Store(place / "a.sqlite", tmp_path)
        acknowledged = 0

        def fill() -> None:
            nonlocal acknowledged
            while True:
                session = begun(opened_store)
                for position in range(12):
                    assert opened_store.answer(session, position, "real", 1.0)
                    acknowledged += 1

        with pytest.raises(DeepColorError, match="a.sqlite: the disk is full; free some space"):
            fill()
        assert opened_store.counts()["answers"] == acknowledged > 12
        opened_store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": "Another"}, "not as it was drawn"),
        ({"protocol": "maybe"}, "is damaged"),
        ({"consent": None}, "is damaged"),
        ({"pictures": []}, "is damaged"),
        ({"lists": []}, "is damaged"),
        ({"most_people": "many"}, "is damaged"),
    ],
)
def test_a_study_that_was_changed_by_hand_is_one_line(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    study = make_study(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps({**study, **change}), encoding="utf-8")
    with pytest.raises(DeepColorError, match=said):
        Store(tmp_path / "answers.sqlite", tmp_path)
