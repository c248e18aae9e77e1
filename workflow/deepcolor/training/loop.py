"""Training: Keras's own loop, a state saved after every epoch."""

import math
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from deepcolor.compute.distribution import Distribution
from deepcolor.errors import DeepColorError, is_out_of_memory
from deepcolor.training import callbacks
from deepcolor.training.checkpoint import epochs_of, load_state, save_best
from deepcolor.training.history import History, best_epoch, stops_early
from deepcolor.training.reporting import PRINTED, Report, ReportProgress
from deepcolor.training.trainer import Trainer


@dataclass(frozen=True)
class Data:
    """The photographs that a network is trained and validated on.

    Attributes:
        training: Function from a range of epochs to their batches, one epoch after the other: any
            data set, generator or the like that Keras can be fitted to, of photographs alone.
        validation: Batches of validation photographs; anything that Keras can validate on.
        images: Number of photographs in an epoch and in the validation, by "training" and
            "validation".
        steps: Number of batches in an epoch.
        validation_steps: Number of batches in the validation; needed on several devices.
    """

    training: Callable[[range], Iterable]
    validation: Any
    images: Mapping[str, int]
    steps: int
    validation_steps: int | None = None


@dataclass(frozen=True)
class Plan:
    """How far to train, and from where.

    Attributes:
        epochs: Number of epochs after which to stop, counted from the network's first.
        seed: Random seed of dropout.
        backup: File in which the state is saved after every epoch; training resumes from it.
        start: State of a shorter training to resume from, if there is no backup.
        tensorboard: Folder of TensorBoard's logs, if they are to be written.
    """

    epochs: int
    seed: int
    backup: Path
    start: Path | None = None
    tensorboard: Path | None = None

    @property
    def best(self) -> Path:
        """File in which early stopping keeps the state of the best epoch."""
        return self.backup.with_name(f"best-{self.backup.name}")


def train(
    model_at: Callable[[int], tuple[Trainer, range]],
    data: Data,
    settings: Mapping[str, Any],
    plan: Plan,
    distribution: Distribution,
    report: Report = PRINTED,
) -> History:
    """Train up to a number of epochs, from the backup or the start state where there is one.

    Afterwards the model has the weights that count: their moving average where `ema_momentum` asks
    for one, those of the best epoch where `early_stopping` does.

    Args:
        model_at: Function from an epoch, counted from 0, to the model compiled for it and the epochs
            that it is compiled for; see `phases.PhasedModel`.
        data: Photographs to train and validate on.
        settings: The keys of `training` in the configuration, as for `trainer.compile_trainer`, and
            early_stopping: the number of epochs without a lower validation loss after which
            training ends, 0 for never; and batch_size, for an error's remedy.
        plan: How far to train, and from where.
        distribution: Devices, in whose scope the model is compiled.
        report: Where the training reports how far it is.

    Returns:
        A row per epoch with the keys `history.COLUMNS`, those before the start included.

    Raises:
        DeepColorError: The loss is not a number or has exploded, a batch does not fit the memory,
            or a state does not fit.
    """
    check_accumulation(settings["gradient_accumulation_steps"], plan.epochs * data.steps)
    state = plan.backup if plan.backup.exists() else plan.start
    trainer, epochs = model_at(max(0, epochs_of(state) - 1) if state else 0)
    history = load_state(state, trainer) if state else []
    if history:
        report.line(f"resuming after epoch {len(history)}")
    patience = settings["early_stopping"]
    if patience:
        save_best(plan.best, trainer, history)  # A process killed between its two files has not.
    if plan.tensorboard and state != plan.backup:  # Logs of a training that is not resumed.
        shutil.rmtree(plan.tensorboard, ignore_errors=True)
    while len(history) < plan.epochs and not stops_early(history, patience):
        if len(history) not in epochs:
            _finish(trainer, settings)  # The next phase begins with the weights that count.
            trainer, epochs = model_at(len(history))
        listed = _callbacks(history, data, settings, plan, distribution, report)
        left = range(len(history), epochs.stop)
        _fit(trainer, data, settings, distribution, listed, left)
    if patience and best_epoch(history) < len(history):
        trainer, epochs = model_at(best_epoch(history) - 1)
        load_state(plan.best, trainer)
    _finish(trainer, settings)
    return history


def _finish(trainer: Trainer, settings: Mapping[str, Any]) -> None:
    """Give a model the moving average of its weights, if there is one."""
    if settings["ema_momentum"]:
        trainer.optimizer.finalize_variable_values(trainer.trainable_variables)


def check_accumulation(steps: int, batches: int) -> None:
    """Make sure that weights change before a training ends.

    Raises:
        DeepColorError: They do not.
    """
    if steps > batches:
        raise DeepColorError(
            f"'gradient_accumulation_steps' is {steps}, and the training has {batches} batches: no "
            "weight would ever change; lower it under 'training' in config.yaml"
        )


def _callbacks(
    history: History,
    data: Data,
    settings: Mapping[str, Any],
    plan: Plan,
    distribution: Distribution,
    report: Report,
) -> list[keras.callbacks.Callback]:
    """Return the callbacks in the order in which Keras calls them, at the end of an epoch too."""
    listed = [
        callbacks.SeedGenerators(plan.seed),
        callbacks.CheckLoss(history),
        callbacks.RecordHistory(history, data.images),
        callbacks.AverageStatistics(distribution),
        callbacks.WarnOfCollapse(history, report),
        callbacks.SaveState(plan.backup, history),
    ]
    patience = settings["early_stopping"]
    if patience:
        listed.append(callbacks.SaveBest(plan.best, history))
    listed.append(ReportProgress(history, data.images, data.steps, plan.epochs, report))
    if patience:
        listed.append(callbacks.StopEarly(history, patience, report))
    if keras.backend.backend() == "torch":
        listed.append(callbacks.SeedPyTorch(plan.seed))
    if settings["ema_momentum"]:
        # Validation sees the average; states are saved before this swaps it in after an epoch.
        listed.append(keras.callbacks.SwapEMAWeights())
    if plan.tensorboard:
        listed.append(callbacks.TensorBoard(plan.tensorboard, write_graph=False))
    return listed


def _fit(
    model: Trainer,
    data: Data,
    settings: Mapping[str, Any],
    distribution: Distribution,
    listed: list[keras.callbacks.Callback],
    epochs: range,
) -> None:
    """Fit a model for a range of epochs, counted from 0.

    Raises:
        DeepColorError: A batch does not fit the memory.
    """
    try:
        model.fit(
            distribution.share_out(data.training(epochs)),
            steps_per_epoch=data.steps,
            validation_data=distribution.share_out(data.validation),
            validation_steps=data.validation_steps,
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            callbacks=listed,
            shuffle=False,  # The batches are shuffled.
            verbose=0,
        )
    except Exception as error:
        if is_out_of_memory(error):
            raise DeepColorError(_smaller_batch(settings, distribution.count)) from error
        raise


def _smaller_batch(settings: Mapping[str, Any], devices: int) -> str:
    """Return the line for a batch that does not fit: half of it, and as many images an update."""
    batch, accumulation = settings["batch_size"], settings["gradient_accumulation_steps"]
    if batch == 1:
        return "not even a batch of one image fits the memory; lower 'image_size' in config.yaml"
    if devices > 1:
        return (
            f"a batch of {batch} images does not fit the memory of {devices} devices; under "
            f"'training' in config.yaml set 'batch_size' to a smaller multiple of {devices}"
        )
    half = math.ceil(batch / 2)
    return (
        f"a batch of {batch} images does not fit the memory; under 'training' in config.yaml set "
        f"'batch_size: {half}' and 'gradient_accumulation_steps: {2 * accumulation}', which still "
        f"learns from {2 * half * accumulation} images at a time"
    )
