"""What a training reports of its progress, by a clock that the tests set."""

import itertools
import re
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from deepcolor.training import reporting
from deepcolor.training.history import History
from deepcolor.training.reporting import Report, ReportProgress

ROW = {"loss": 0.02311, "val_loss": 0.02684, "psnr": 22.5, "val_psnr": 22.13}
STEP = re.compile(
    r"Epoch (\d+)/\d+ - step ([\d,]+)/[\d,]+ - (\S+) images/s - ETA epoch (\S+), run (\S+)"
)


def seconds(text: str) -> int:
    """The seconds of m:ss or h:mm:ss."""
    total = 0
    for part in text.split(":"):
        total = 60 * total + int(part)
    return total


@dataclass
class Training:
    """A training that takes the time it is told to take; what it reports, and when.

    Attributes:
        trace: Seconds that the first step takes longer than the others.
        step: Seconds of a step, of 32 images.
        validation: Seconds of a validation, and of saving.
        steps: Steps of an epoch.
        epochs: Number of epochs.
    """

    trace: float
    step: float
    validation: float
    steps: int
    epochs: int
    lines: list[tuple[float, str]] = field(default_factory=list)
    statuses: list[tuple[float, str]] = field(default_factory=list)
    now: float = 1000.0

    @property
    def length(self) -> float:
        """Seconds of all."""
        return self.trace + self.epochs * (self.steps * self.step + self.validation)

    def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Call the callback as Keras does."""
        monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: self.now))
        images = {"training": 32 * self.steps, "validation": 64}
        history: History = []
        report = Report(
            lambda line: self.lines.append((self.now, line)),
            lambda line: self.statuses.append((self.now, line)),
        )
        callback = ReportProgress(history, images, self.steps, self.epochs, report)
        began = self.now
        for epoch in range(self.epochs):
            callback.on_epoch_begin(epoch)
            for step in range(self.steps):
                self.now += self.step + (self.trace if epoch == step == 0 else 0)
                callback.on_train_batch_end(step)
            callback.on_test_begin()
            self.now += self.validation
            history.append(ROW)
            callback.on_epoch_end(epoch)
        assert self.now - began == pytest.approx(self.length)
        self.lines = [(now - began, line) for now, line in self.lines]
        self.statuses = [(now - began, line) for now, line in self.statuses]


@pytest.mark.parametrize("trace", [0, 100])
def test_time_left_is_what_is_left(trace: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # A validation of as many images as two steps, at a third of their cost.
    training = Training(trace, 1.5, 2 * 1.5 / 3, 400, 5)
    training.run(monkeypatch)
    epoch_length = 400 * 1.5 + 1
    for now, line in [*training.lines, *training.statuses]:
        match = STEP.fullmatch(line)
        if match:
            epoch, step, rate, of_epoch, of_run = match.groups()
            assert float(rate.replace(",", "")) == pytest.approx(32 / 1.5, rel=0.01)
            assert seconds(of_run) == pytest.approx(training.length - now, abs=1)
            end = trace + int(epoch) * epoch_length
            assert seconds(of_epoch) == pytest.approx(end - now, abs=1)
            assert int(step.replace(",", "")) == pytest.approx(400 - (end - now - 1) / 1.5)
        else:
            assert seconds(line.split("ETA ")[1]) == pytest.approx(training.length - now, abs=1)


@pytest.mark.parametrize(("trace", "step"), [(0, 1), (20, 10), (40, 0.1), (0, 0.02)])
def test_a_long_run_says_within_a_minute_how_long_it_takes(
    trace: float, step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(trace, step, 0, int(3600 / step), 2)
    training.run(monkeypatch)
    now, line = training.lines[0]
    assert now <= 60
    match = STEP.fullmatch(line)
    assert match and seconds(match[5]) == pytest.approx(training.length - now, rel=0.01)


def test_lines_of_a_long_epoch_are_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(0, 0.5, 60, 7200, 2)
    training.run(monkeypatch)
    gaps = [late[0] - early[0] for early, late in itertools.pairwise(training.lines)]
    assert min(gaps) >= reporting.MIN_LINE_S and max(gaps) < reporting.MAX_LINE_S + 1.5 + 60
    drawn = [late[0] - early[0] for early, late in itertools.pairwise(training.statuses)]
    assert min(drawn) >= reporting.STATUS_S


@pytest.mark.parametrize("steps", [1, 13])
def test_short_epochs_have_one_line(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(30, 3 / steps, 0.5, steps, 4)
    training.run(monkeypatch)
    assert [re.match(r"Epoch \d", line)[0] for _, line in training.lines] == [  # type: ignore[index]
        "Epoch 1", "Epoch 2", "Epoch 3", "Epoch 4",
    ]  # fmt: skip
    assert training.lines[-1][1] == (
        "Epoch 4/4 - loss 0.0231 - val_loss 0.0268 - val_psnr 22.1 dB - "
        f"{32 * steps / 3:.3g} images/s - ETA 0:00"
    )
    assert training.statuses == []
