"""Training survives kill -9 at random moments; `make soak` does it fifty times."""

from pathlib import Path

import pytest
from soak.training import soak


@pytest.mark.slow
def test_killed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    said: list[str] = []
    soak(tmp_path, kills=3, seed=1, report=said.append)
    assert "in all 3 times" in said[-1]
