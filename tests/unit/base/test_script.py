"""What scripts share: command lines made from signatures, and scratch folders."""

import importlib
import inspect
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import PROJECT, mounted
from cyclopts import CycloptsError
from deepcolor import script
from deepcolor.errors import DeepColorError

# A rule's name, the script that it runs, and the options that it hands over.
CALL = re.compile(r"^rule (\w+):$.*?python workflow/scripts/(\w+)\.py(.*?) 2>&1", re.M | re.S)
RULES = {
    rule: (name, re.findall(r"(?<= )--([\w-]+)", options))
    for path in sorted((PROJECT / "rules").glob("*.smk"))
    for rule, name, options in CALL.findall(path.read_text(encoding="utf-8"))
}
SCRIPTS = sorted(path.stem for path in (PROJECT / "workflow/scripts").glob("*.py"))
BY_HAND = {"archive_results", "browse_run", "clean_project", "convert_lpips", "run_pipeline"}


def options_in_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> set[str]:
    """The options that a script's help lists."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    monkeypatch.setenv("COLUMNS", "200")
    main = importlib.import_module(name).main
    try:
        script.run(main, noted=False)
    except SystemExit as end:
        assert not end.code
    shown = capsys.readouterr().out
    sentence = (
        inspect.cleandoc(main.__doc__).split("\n")[0] if inspect.signature(main).parameters else ""
    )
    assert sentence in shown
    return set(re.findall(r"(?<=--)[a-z][a-z-]*", shown)) - {"help"}


def test_every_script_has_its_rule() -> None:
    assert {rule for rule, (name, _) in RULES.items() if rule != name} == set()
    assert set(SCRIPTS) - BY_HAND == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_hands_over_the_options_of_its_script(
    rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = RULES[rule]
    assert len(options) == len(set(options))
    assert set(options) == options_in_help(name, monkeypatch, capsys)


@pytest.mark.parametrize("name", sorted(BY_HAND - {"clean_project"}))
def test_scripts_without_a_rule_have_a_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert options_in_help(name, monkeypatch, capsys)


def example(
    *,
    indexes: list[Path],
    number: int,
    options: script.Json[dict],
    title: script.Json[str | None],
    rows: script.Json[Any] = None,
    others: script.AnyNumber[Path] = (),
    start: script.AtMostOne[Path] = (),
    accelerator: Literal["auto", "cpu"] = "auto",
) -> dict[str, Any]:
    """Return the arguments."""
    return locals()


LINE = ["--indexes", "a", "b", "--number", "00003", "--options", '{"a": [1]}', "--title=null"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"indexes": [Path("a"), Path("b")], "number": 3, "options": {"a": [1]}, "title": None}),
        (["--others", "--start", "--accelerator", "cpu"], {"others": (), "accelerator": "cpu"}),
        (["--start", "--others", "c", "d"], {"others": (Path("c"), Path("d")), "start": ()}),
        (["--start", "s"], {"start": (Path("s"),)}),
        (["--rows", '[{"a": 1}, {}]'], {"rows": [{"a": 1}, {}]}),
        (["--rows", '[{"a": 1}]'], {"rows": [{"a": 1}]}),
    ],
)
def test_options_are_read_as_their_types_say(words: list[str], expected: dict[str, Any]) -> None:
    arguments = script.bind(example, [*LINE, *words], "example")()
    assert isinstance(arguments, dict)
    assert expected.items() <= arguments.items()


def test_no_script_types_json_as_a_list() -> None:
    """It would get the first item."""
    for path in (PROJECT / "workflow/scripts").glob("*.py"):
        assert not re.search(r"Json\[(list|tuple|Sequence)", path.read_text("utf-8")), path


def test_a_text_may_begin_with_a_dash() -> None:
    arguments = script.bind(example, [*LINE[:-1], '--title="-x"'], "example")()
    assert isinstance(arguments, dict) and arguments["title"] == "-x"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*LINE, "--other", "c"], "Unknown option: --other"),
        ([*LINE, "--number", "4"], "--number specified multiple times"),
        ([*LINE, "--indexes", "c"], "--indexes specified multiple times"),
        (LINE[3:], "--indexes requires an argument"),
        ([*LINE[3:], "--indexes", "--others"], "--indexes requires at least 1 element"),
        ([*LINE, "--start", "s", "t"], "--start accepts at most 1 element"),
        ([*LINE, "--accelerator", "gpu"], '"gpu" for --accelerator'),
        ([*LINE[:-1], "--title={"], "--title: "),
    ],
)
def test_mistakes_on_the_command_line_end_in_one_line(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["example.py", *words])
    with pytest.raises(SystemExit) as end:
        script.run(example, noted=False)
    assert end.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("example: error: ") and message in line and line.count("\n") == 1
    with pytest.raises(CycloptsError):
        script.bind(example, words, "example")


# Copies a file into its scratch folder, says so, and waits to be ended.
PROGRAM = """
import shutil, sys, time
from deepcolor import script
def main():
    with script.scratch_folder("yes") as folder:
        shutil.copyfile(sys.argv[1], folder / "copy")
        print("copied", flush=True)
        time.sleep(60)
script.run(main, noted=False)
"""


def start(file: Path, place: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(file)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow"), "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_job_that_is_ended_leaves_nothing_in_scratch(tmp_path: Path) -> None:
    place = tmp_path / "scratch"
    place.mkdir()
    process = start(PROJECT / "README.md", place)
    assert process.stdout
    assert process.stdout.readline() == "copied\n"
    assert len(list(place.rglob("copy"))) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert list(place.iterdir()) == []


def test_a_full_scratch_disk_is_named(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(2**20))
    with mounted(tmp_path / "scratch", "size=64k"):
        process = start(large, tmp_path / "scratch")
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"{tmp_path}/scratch/deepcolor-" in said and "the disk is full" in said
        assert "Traceback" not in said


def test_no_other_folder_is_taken_for_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "not there"))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with (
            pytest.raises(DeepColorError, match="not there: no scratch folder .*; set TMPDIR"),
            script.scratch_folder("yes"),
        ):
            pass
    finally:
        signal.signal(signal.SIGTERM, before)
