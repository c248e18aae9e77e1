"""How far a long job is: a bar on the terminal, a plain line now and then in the log."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TextIO, TypeVar

EVERY = 15.0  # Seconds between lines.

Item = TypeVar("Item")
Result = TypeVar("Result")


class Progress:
    """Counts what is done of a total.

    Jobs print through `tee` into their log, so that stdout is no terminal: the bar goes to the
    terminal itself, if there is one, and the lines to stdout.
    """

    def __init__(self, label: str, total: int, unit: str) -> None:
        """Start counting `total` things called `unit`."""
        from tqdm import tqdm  # Trainings, which count otherwise, have none in their environment.

        self._label, self._total, self._unit = label, total, unit
        self._done = 0
        self._start = self._last = time.monotonic()
        self._terminal = _open_terminal()
        self._bar = tqdm(
            total=total, desc=label, unit=f" {unit}", file=self._terminal, leave=False,
            disable=self._terminal is None, dynamic_ncols=True,
        )  # fmt: skip

    def __enter__(self) -> "Progress":
        """Count in a block; the bar goes when it ends."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Take the bar away."""
        self._bar.close()
        if self._terminal:
            self._terminal.close()

    def add(self, count: int = 1) -> None:
        """Count some more as done; print a line if it is time."""
        self._done += count
        self._bar.update(count)
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            rate = self._done / (now - self._start)
            left = (self._total - self._done) / rate if rate else 0
            self._bar.clear()
            print(
                f"{self._label}: {self._done:,} of {self._total:,} {self._unit}, "
                f"{speed(rate)}/s, {clock(left)} left",
                flush=True,
            )


class JobOutput:
    """What a job prints under a label: lines to keep, and a status that is drawn over itself.

    The status goes to the terminal, if there is one, as the bar of `Progress` does.
    """

    def __init__(self, label: str) -> None:
        """Print under a label."""
        self._label = label
        self._terminal = _open_terminal()

    def __enter__(self) -> "JobOutput":
        """Print in a block; the status goes when it ends."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Take the status away."""
        if self._terminal:
            self._draw("")
            self._terminal.close()

    def line(self, text: str) -> None:
        """Print a line to keep."""
        self._draw("")
        # In one piece, as other jobs print there, too.
        sys.stdout.write(f"{self._label}: {text}\n")
        sys.stdout.flush()

    def status(self, text: str) -> None:
        """Draw the status over the one before."""
        self._draw(f"{self._label}: {text}")

    def _draw(self, text: str) -> None:
        # A terminal that has been closed takes nothing, and stops nothing.
        with suppress(OSError):
            if self._terminal:
                columns = os.get_terminal_size(self._terminal.fileno()).columns
                self._terminal.write(f"\r\x1b[K{text[: columns - 1]}")
                self._terminal.flush()


def clock(seconds: float) -> str:
    """Return a duration as m:ss, or h:mm:ss from an hour on."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def speed(rate: float) -> str:
    """Return a number per second with three digits, or all of those before the point."""
    return f"{rate:.3g}" if rate < 99.5 else f"{rate:,.0f}"


def _open_terminal() -> TextIO | None:
    """Open the terminal that this job belongs to; None where there is none."""
    for name in filter(None, ("/dev/tty", os.environ.get("DEEPCOLOR_TERMINAL"))):
        with suppress(OSError):
            descriptor = os.open(name, os.O_WRONLY | os.O_NOCTTY)
            if os.isatty(descriptor):
                return open(descriptor, "w", encoding="utf-8")
            os.close(descriptor)
    return None


def ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    wanted: Callable[[], int] | None = None,
) -> Generator[Result, None, None]:
    """Apply a function to items in threads; yield the results in the items' order.

    At most four items a thread are worked on before their turn, however many there are, and at most as
    many as `wanted` says at that time.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Future[Result]] = []
        source = iter(items)
        try:
            while True:
                room = min(4 * threads, wanted() if wanted else 4 * threads) - len(waiting)
                waiting += [pool.submit(function, item) for item in islice(source, max(0, room))]
                if not waiting:
                    return
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
