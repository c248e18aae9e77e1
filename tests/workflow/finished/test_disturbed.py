"""Faults at random moments: what docs/faults.md says to type mends them. `make soak` tries every one."""

import inspect
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import PROJECT, Copy
from soak.workflow import FAULTS, altered, attempt, stages

ROWS = re.findall(
    r"^\| `([a-z-]+)`: .* \| ([^|]*) \|$", (PROJECT / "docs/faults.md").read_text("utf-8"), re.MULTILINE
)


def test_the_table_has_what_the_soak_tries() -> None:
    assert [name for name, _ in ROWS] == [*FAULTS, "altered"]


@pytest.mark.parametrize(("name", "told"), ROWS)
def test_the_soak_types_what_the_table_says(name: str, told: str) -> None:
    typed = re.findall(r'\.type\("([^"]*)"\)', inspect.getsource(FAULTS.get(name, altered)))
    assert list(dict.fromkeys(typed)) == re.findall("`([^`]*)`", told)


@pytest.mark.parametrize(
    ("fault", "stage"),
    [
        ("orphaned-job", "evaluate"),
        ("terminated-make", "evaluate"),
        ("interrupted", "train"),
        ("read-only", "evaluate"),
        ("two-at-once", "fetch"),
    ],
)
@pytest.mark.slow
def test_the_way_on_ends_like_a_run_that_was_left_alone(
    finished: Copy, fault: str, stage: str, tmp_path: Path
) -> None:
    short = "results/unet_2/metrics.json"
    where = replace(stages("unet_1", "unet_2")[stage], target=short)
    attempt(fault, FAULTS[fault], where, finished, tmp_path / "copy", "0")


@pytest.mark.parametrize("how", ["cut", "changed"])
@pytest.mark.slow
def test_scores_that_were_altered_are_made_again(finished: Copy, how: str, tmp_path: Path) -> None:
    everything = replace(
        stages()["fetch"], before=("data/**/*", "results/**/*"), target="results/tables/metrics.csv"
    )
    inflict = partial(altered, pattern="results/unet_2/metrics.json", how=how)
    attempt("altered", inflict, everything, finished, tmp_path / "copy", "0")
