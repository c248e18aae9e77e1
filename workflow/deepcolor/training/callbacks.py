"""What happens around every epoch, one callback for each; `loop` says in which order.

They share a history: `RecordHistory` adds a row at the end of an epoch, the others read it.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from deepcolor.compute.distribution import Distribution
from deepcolor.errors import DeepColorError
from deepcolor.training.checkpoint import save_best, save_state, seed_generators
from deepcolor.training.collapse import MEASURES, collapsed_epochs, of_validation
from deepcolor.training.history import COLUMNS, History, best_epoch, stops_early
from deepcolor.training.reporting import Report

# Beyond this many times the lowest loss so far, or this loss, it has exploded.
MAX_LOSS_RATIO, MAX_LOSS = 100.0, 100.0


class SeedGenerators(keras.callbacks.Callback):
    """Makes dropout a function of seed and epoch."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the generators of the model."""
        seed_generators(self.model, self.seed, epoch)


class SeedPyTorch(keras.callbacks.Callback):
    """Makes PyTorch's own generator, which dropout draws from, a function of seed and epoch."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed, self.epoch = seed, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Take the epoch down. To seed would be too early: starting to load the data draws, too."""
        self.epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Seed before the first batch."""
        if batch == 0:
            import torch

            (state,) = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1)
            torch.manual_seed(int(state))


class AverageStatistics(keras.callbacks.Callback):
    """Gives several devices the same moving averages before they validate."""

    def __init__(self, distribution: Distribution) -> None:
        super().__init__()
        self.distribution = distribution

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Average them."""
        self.distribution.average_statistics(self.model)


class CheckLoss(keras.callbacks.Callback):
    """Ends a training whose loss is no number or has exploded; goes before `RecordHistory`."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self.history = history

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Compare the losses with the bounds.

        Raises:
            DeepColorError: One is out of bounds.
        """
        lowest = min((row["loss"] for row in self.history), default=math.inf)
        for name, what in (("loss", "loss"), ("val_loss", "validation loss")):
            value = float(logs[name])
            exploded = value > MAX_LOSS or (name == "loss" and value > MAX_LOSS_RATIO * lowest)
            if not math.isfinite(value) or exploded:
                raise DeepColorError(
                    f"the {what} of epoch {epoch + 1} {'has exploded to' if exploded else 'is'} "
                    f"{value:.3g}; lower 'learning_rate' under 'training' in config.yaml, or let "
                    "it rise slowly: 'schedule: cosine' with 'warmup_epochs: 1'"
                )


class RecordHistory(keras.callbacks.Callback):
    """Times an epoch's training and validation, and adds its row to the history."""

    def __init__(self, history: History, images: Mapping[str, int]) -> None:
        super().__init__()
        self.history, self.images = history, images
        self.began = self.trained = self.validated = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.began = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Stop the time of training."""
        self.trained = time.perf_counter()

    def on_test_end(self, logs: dict | None = None) -> None:
        """Stop the time of validation."""
        self.validated = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Add the row."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        row = {
            "epoch": epoch + 1,
            **{name: float(value) for name, value in logs.items()},
            "learning_rate": float(keras.ops.convert_to_numpy(optimizer.learning_rate)),
            "seconds": time.perf_counter() - self.began,
            "images_per_second": self.images["training"] / (self.trained - self.began),
            "val_images_per_second": self.images["validation"] / (self.validated - self.trained),
        }
        self.history.append({name: row[name] for name in COLUMNS})


class WarnOfCollapse(keras.callbacks.Callback):
    """Reports once when the validation pictures collapse, and when they are all right again."""

    def __init__(self, history: History, report: Report) -> None:
        super().__init__()
        self.history, self.report = history, report

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Compare the epoch with the one before."""
        before, now = (
            next((each["collapse"] for each in collapsed_epochs(rows)), None)
            for rows in (self.history[-2:-1], self.history[-1:])
        )
        if now and now != before:
            measures = of_validation(self.history[-1])
            values = ", ".join(f"{name} {value:.2g}" for name, value in measures.items())
            self.report.line(f"warning: after epoch {epoch + 1} the pictures are {now} ({values})")
        elif before and not now:
            self.report.line(f"after epoch {epoch + 1} the pictures are no longer {before}")


class SaveState(keras.callbacks.Callback):
    """Saves the state, from which training resumes."""

    def __init__(self, path: Path, history: History) -> None:
        super().__init__()
        self.path, self.history = path, history

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Save it."""
        save_state(self.path, self.model, self.history)


class SaveBest(keras.callbacks.Callback):
    """Saves the state of the best epoch for early stopping; goes after `SaveState`.

    A process that is killed between the two finds that its last epoch is the best one, and makes up
    for it (`checkpoint.save_best`).
    """

    def __init__(self, path: Path, history: History) -> None:
        super().__init__()
        self.path, self.history = path, history

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Save it if this epoch is the best so far."""
        save_best(self.path, self.model, self.history)


class StopEarly(keras.callbacks.Callback):
    """Ends a training whose validation loss no longer falls.

    Keras's own starts counting again where training resumes.
    """

    def __init__(self, history: History, patience: int, report: Report) -> None:
        super().__init__()
        self.history, self.patience, self.report = history, patience, report

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """End it after the epochs without improvement."""
        if stops_early(self.history, self.patience):
            self.report.line(
                f"early stopping: no improvement for {self.patience} epochs; restored epoch "
                f"{best_epoch(self.history)}"
            )
            self.model.stop_training = True


class TensorBoard(keras.callbacks.TensorBoard):
    """Writes Keras's logs for TensorBoard, but for measures that training does not take."""

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Leave out what would be drawn as zeros: `MEASURES` are taken in validation alone."""
        super().on_epoch_end(epoch, {k: v for k, v in logs.items() if k not in MEASURES})
