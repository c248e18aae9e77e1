"""What a training reports: a line an epoch, and in long epochs how far it is."""

import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras

from deepcolor.constants import VALIDATION_COST
from deepcolor.progress import clock, speed
from deepcolor.training.history import History

# Seconds between the lines within an epoch: a tenth of its time so far, between these bounds.
MIN_LINE_S, MAX_LINE_S = 10.0, 60.0
# Seconds between two states of the line that is drawn over itself, and without one before the first.
STATUS_S, MIN_EPOCH_S = 1.0, 4.0
MEASURED_S = 3.0  # Seconds that a speed is measured for, at least.
RECENT = 5  # Epochs whose validations tell how long the next one takes.


@dataclass(frozen=True)
class Report:
    """Where a training reports how far it is.

    Attributes:
        line: Function that gets each line to keep: one an epoch, and in long epochs some more.
        status: Function that gets, every second or so of a long epoch, a line that replaces the one
            before; None where nobody watches.
    """

    line: Callable[[str], None] = print
    status: Callable[[str], None] | None = None


PRINTED = Report()


class ReportProgress(keras.callbacks.Callback):
    """Reports one line an epoch, and in long epochs how far it is and how long all will take.

    Goes after the states are saved: what it reports is kept.
    """

    # Under JAX, Keras then calls `on_train_batch_end` in threads of its own, each as soon as the
    # results of its step are there: times are those of the device, and the loop does not wait for it.
    async_safe = True

    def __init__(
        self, history: History, images: Mapping[str, int], steps: int, epochs: int, report: Report
    ) -> None:
        """Report on a training of `steps` steps an epoch; `images` are those of `loop.Data`."""
        super().__init__()
        self.history, self.images, self.report = history, images, report
        self.steps, self.epochs = steps, epochs
        self._lock = threading.Lock()
        self._traced = False
        self._others: list[float] = []  # Seconds of epochs in which nothing is trained.

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self._epoch, self._step, self._from_step = epoch, 0, 0
        self._began = self._start = self._lined = self._drawn = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Report how far the epoch is, if it is time to."""
        with self._lock:  # Threads may overtake each other.
            now = time.monotonic()
            self._step = max(self._step, batch + 1)
            if not self._traced:
                # The first step of a process builds the graph, which says nothing of the others.
                self._traced = True
                self._from_step, self._start = self._step, now
            measured = self._step > self._from_step and now - self._start >= MEASURED_S
            if measured and self._step < self.steps:
                self._report_step(now)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Take the speed of the epoch's training."""
        self._trained = time.monotonic()
        self._step = self.steps
        if self._from_step == self._step:  # There was one step.
            self._from_step, self._start = 0, self._began
        self._step_seconds = self._seconds_per_step(self._trained)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Report the epoch."""
        self._others.append(time.monotonic() - self._trained)
        row = self.history[-1]
        left = (self.epochs - epoch - 1) * self._epoch_seconds(self._step_seconds)
        self.report.line(
            f"Epoch {epoch + 1}/{self.epochs} - loss {row['loss']:.4f} - "
            f"val_loss {row['val_loss']:.4f} - val_psnr {row['val_psnr']:.1f} dB - "
            f"{self._speed(self._step_seconds)} images/s - ETA {clock(left)}"
        )

    def _report_step(self, now: float) -> None:
        interval = min(max((now - self._began) / 10, MIN_LINE_S), MAX_LINE_S)
        # The epoch's own line comes soon.
        ending = (self.steps - self._step) * self._seconds_per_step(now) < MIN_LINE_S
        if now - self._lined >= interval and not ending:
            self._lined = now
            self.report.line(self._describe_step(now))
        elif self.report.status and now - self._began >= MIN_EPOCH_S and now - self._drawn >= STATUS_S:
            self._drawn = now
            self.report.status(self._describe_step(now))

    def _describe_step(self, now: float) -> str:
        seconds = self._seconds_per_step(now)
        whole = self._epoch_seconds(seconds)
        epoch = whole - self._step * seconds
        run = epoch + (self.epochs - self._epoch - 1) * whole
        return (
            f"Epoch {self._epoch + 1}/{self.epochs} - step {self._step:,}/{self.steps:,} - "
            f"{self._speed(seconds)} images/s - "
            f"ETA epoch {clock(epoch)}, run {clock(run)}"
        )

    def _seconds_per_step(self, now: float) -> float:
        return (now - self._start) / (self._step - self._from_step)

    def _speed(self, step_seconds: float) -> str:
        return speed(self.images["training"] / self.steps / step_seconds)

    def _epoch_seconds(self, step_seconds: float) -> float:
        """Return how long an epoch takes: steps, validation and saving."""
        training = self.steps * step_seconds
        if self._others:
            # The first validation of a process also builds the graph: the median passes over it.
            return training + statistics.median(self._others[-RECENT:])
        validation = self.images["validation"] / self.images["training"]
        return training * (1 + VALIDATION_COST * validation)
