"""Training survives kill -9 at random moments; `make soak` does it fifty times."""

import re
from pathlib import Path

import pytest
from conftest import PROJECT
from soak.training import soak
from soak.workflow import stages


def test_every_stage_has_its_scripts() -> None:
    names = [path.stem for path in (PROJECT / "workflow" / "scripts").glob("*.py")]
    for stage in stages().values():
        assert [name for name in names if re.fullmatch(stage.script, name)], stage


@pytest.mark.slow
def test_killed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    said: list[str] = []
    soak(tmp_path, kills=3, seed=1, report=said.append)
    assert "in all 3 times" in said[-1]
