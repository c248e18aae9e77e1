"""What jobs print of their progress."""

import os
import pty
import subprocess
import sys
import termios

import pytest
from deepcolor.progress import clock, speed

PROGRAM = """
from deepcolor.progress import JobOutput
with JobOutput("train_model unet_30") as output:
    output.status("a long line" * 20)
    output.line("to keep")
    output.status("short")
"""


def test_a_status_is_drawn_over_itself_and_lines_are_kept() -> None:
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 40))
    try:
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "DEEPCOLOR_TERMINAL": os.ttyname(terminal)},
            start_new_session=True,  # Without a terminal of its own, as jobs of `make`.
            capture_output=True,
            text=True,
            check=True,
        )
        drawn = os.read(master, 10_000).decode()
    finally:
        os.close(master)
        os.close(terminal)
    assert result.stdout == "train_model unet_30: to keep\n"
    _, status, before_line, after_line, end = drawn.split("\r\x1b[K")
    assert len(status) == 39 and status.startswith("train_model unet_30: a long linea")
    assert (before_line, after_line, end) == ("", "train_model unet_30: short", "")


def test_without_a_terminal_there_are_lines_alone() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout, result.stderr) == ("train_model unet_30: to keep\n", "")


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0.4, "0:00"), (59.6, "1:00"), (72, "1:12"), (3599.7, "1:00:00"), (3900, "1:05:00")],
)
def test_durations_are_written_as_on_a_clock(duration: float, text: str) -> None:
    assert clock(duration) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1234, "0.123"), (9.996, "10"), (99.96, "100"), (126.4, "126"), (9876.5, "9,876")],
)
def test_speeds_have_three_digits_and_no_exponent(number: float, text: str) -> None:
    assert speed(number) == text
