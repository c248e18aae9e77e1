"""A study's file that is deleted, replaced or damaged while it is served: no answer is lost."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import mounted
from deepcolor.errors import DeepColorError
from deepcolor.study.server import export
from deepcolor.study.server.store import Store
from support.small_study import FORM, Visitor, make_study, start
from support.small_study import serving as served_study

ANSWERS, TRIALS = 3, 12  # Given, and of a person.
FORM_TYPE = "application/x-www-form-urlencoded"


def another(folder: Path, **changes: str) -> Path:
    """Another study's file, or an empty one of the same study."""
    folder = folder.parent / "another"
    make_study(folder, **changes)
    Store(folder / "answers.sqlite", folder).close()
    return folder / "answers.sqlite"


def overwrite(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * 20_000)


def note(path: Path) -> Path:
    path.with_name("note").write_text("none")
    return path.with_name("note")


def delete_rows(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM answers WHERE position = 0")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("moved")),
    "folder deleted": lambda path: shutil.rmtree(path.parent),
    "replaced by an empty one": lambda path: os.replace(another(path.parent), path),
    "replaced by another study": lambda path: os.replace(another(path.parent, title="Other"), path),
    "replaced by text": lambda path: os.replace(note(path), path),
    "truncated": lambda path: os.truncate(path, 0),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "overwritten": overwrite,
    "log deleted": lambda path: Path(f"{path}-wal").unlink(),
    "index deleted": lambda path: Path(f"{path}-shm").unlink(),
}


def opened(folder: Path) -> tuple[Store, str, Path]:
    """A store with some answers of one person, in the file or its log."""
    study = folder / "study"
    make_study(study)
    store = Store(study / "answers.sqlite", study)
    session = store.begin("yes")
    assert session
    for position in range(ANSWERS):
        assert store.answer(session, position, "real", 1.0)
    return store, session, study / "answers.sqlite"


def check_saved(message: str, path: Path) -> None:
    """A copy that the message names holds all answers, and can be served and exported."""
    assert f"all {ANSWERS} answers are saved in" in message and "\n" not in message
    copy = Path(message.partition("saved in ")[2].partition(": name")[0])
    assert copy.name == "answers-saved-1.sqlite" and copy.parent == path.parent
    assert export.export(copy, path.parent / "a.csv") == ANSWERS
    Store(copy, path.parent / "nowhere").close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_next_answer_is_refused_and_the_others_are_saved(damage: str, tmp_path: Path) -> None:
    store, session, path = opened(tmp_path)
    DAMAGES[damage](path)
    with pytest.raises(DeepColorError) as refused:
        store.answer(session, ANSWERS, "real", 1.0)
    check_saved(str(refused.value), path)
    with pytest.raises(DeepColorError) as again:
        store.answer(session, ANSWERS, "real", 1.0)
    with pytest.raises(DeepColorError) as closed:
        store.close()
    # One copy, however often it is asked for.
    assert str(refused.value) == str(again.value) == str(closed.value)


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("damage", [*DAMAGES, "answers deleted"])
def test_without_another_answer_it_is_noticed_at_the_end(
    damage: str, checkpointed: bool, tmp_path: Path
) -> None:
    store, _, path = opened(tmp_path)
    if checkpointed:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    {**DAMAGES, "answers deleted": delete_rows}[damage](path)
    with pytest.raises(DeepColorError) as closed:
        store.close()
    check_saved(str(closed.value), path)


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_file_that_is_copied_over_keeps_what_its_log_holds(checkpointed: bool, tmp_path: Path) -> None:
    store, _, path = opened(tmp_path)
    if checkpointed:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(another(path.parent).read_bytes())
    if checkpointed:
        with pytest.raises(DeepColorError) as closed:
            store.close()
        check_saved(str(closed.value), path)
    else:
        store.close()
        assert export.export(path, tmp_path / "a.csv") == ANSWERS


def test_a_file_that_is_put_back_takes_answers_again(tmp_path: Path) -> None:
    store, session, path = opened(tmp_path)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(DeepColorError, match="was deleted while it was served"):
        store.answer(session, ANSWERS, "real", 1.0)
    (tmp_path / "elsewhere").rename(path)
    assert store.answer(session, ANSWERS, "real", 1.0)
    store.close()
    assert export.export(path, tmp_path / "a.csv") == ANSWERS + 1


def test_what_another_process_does_is_no_damage(tmp_path: Path) -> None:
    store, session, path = opened(tmp_path)
    other = Store(path, path.parent)
    theirs = other.begin("yes")
    assert theirs and other.answer(theirs, 0, "real", 1.0)
    other.withdraw(session)
    assert store.answer(theirs, 1, "real", 1.0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert store.answer(theirs, 2, "real", 1.0)
    other.close()
    # The answers of all processes are saved where the file can still be read.
    path.unlink()
    with pytest.raises(DeepColorError) as closed:
        store.close()
    check_saved(str(closed.value), path)


def test_where_nothing_can_be_saved_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "study"
    with mounted(place, "size=400k"):
        store, _, path = opened(tmp_path)
        monkeypatch.chdir(place)
        monkeypatch.setattr("tempfile.tempdir", str(place))
        path.unlink()
        (place / "filler").write_bytes(b"x" * (shutil.disk_usage(place).free - 8192))
        with pytest.raises(DeepColorError, match=r"answers cannot be saved .*; free some space there"):
            store.close()


def test_a_thread_that_comes_later_reads_no_other_file(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    store, session, path = opened(tmp_path)
    os.replace(another(path.parent), path)
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(DeepColorError, match="no longer the file that is served"),
    ):
        pool.submit(store.person, session).result()


@pytest.mark.parametrize("damage", ["deleted", "truncated"])
def test_the_server_says_so_and_fails(damage: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    make_study(folder)
    served = start(folder)
    visitor = Visitor(served.url)
    visitor.begin()
    for position in range(ANSWERS):
        assert visitor.answer(position, "real")[0] == 200
    DAMAGES[damage](folder / "answers.sqlite")
    for _ in range(3):
        status, content = visitor.answer(ANSWERS, "real")
        assert status == 503 and "Nothing can be saved" in content["error"]
    code, rest = served.stop(signal.SIGTERM)
    assert code == 1 and "all answers are kept" not in rest
    # While it is served once, however often people try, and once at the end.
    assert [line.partition(": ")[0] for line in rest.splitlines()] == ["deepcolor", "main"]
    check_saved(rest.splitlines()[-1], folder / "answers.sqlite")


def test_a_full_disk_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    place = tmp_path / "study"
    with mounted(place, "size=500k"):
        make_study(place)
        with served_study(place) as served:
            visitor = Visitor(served.url)
            visitor.begin()
            acknowledged, status = 0, 200
            (place / "filler").write_bytes(b"x" * (shutil.disk_usage(place).free - 16_384))
            while status == 200 and acknowledged < 1000:
                if acknowledged and acknowledged % TRIALS == 0:
                    visitor.cookies.clear()
                    if visitor.request("POST", "/begin", urlencode(FORM), FORM_TYPE)[0] != 303:
                        break
                status, _ = visitor.answer(acknowledged % TRIALS, "real")
                acknowledged += status == 200
            assert 0 < acknowledged < 1000
            code, rest = served.stop()
        assert code == 0 and "Stopped; all answers are kept" in rest
        with export.reading(place / "answers.sqlite") as connection:
            assert len(list(export.rows(connection))) == acknowledged
