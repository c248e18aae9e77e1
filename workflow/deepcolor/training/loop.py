"""Training: Keras's own loop, a state saved after every epoch."""

import math
import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepcolor.compute import devices
from deepcolor.errors import DeepColorError, is_out_of_memory
from deepcolor.imaging import color
from deepcolor.models import heads
from deepcolor.training import metrics
from deepcolor.training.checkpoint import History, load_state, save_state, seed_generators
from deepcolor.training.collapse import MEASURES, Measures, fault

# What a history records of every epoch, in the order of history.csv.
COLUMNS = [
    "epoch", "loss", "val_loss", "mse", "val_mse", "psnr", "val_psnr", "accuracy", "val_accuracy",
    *[f"val_{measure}" for measure in MEASURES],
    "learning_rate", "seconds", "images_per_second", "val_images_per_second",
]  # fmt: skip

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
LOSSES = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    # Chroma is at most 1 and mostly below 0.2: with Keras's delta of 1, this would be half the MSE.
    "huber": lambda: keras.losses.Huber(delta=0.05),
}

# A loss this many times the lowest so far, or this high (pictures are in [0, 1]), has exploded.
EXPLODED, TOO_HIGH = 100.0, 10.0


class Trainer(keras.Model):
    """A network in training: photographs go in, and are what its output is compared with.

    The loss is taken in the space of the network's target, RGB in [0, 1] or chroma in [-1, 1]; the
    metrics are always those of RGB: `mse` in [0, 1]; `psnr` in dB, the mean over images; `accuracy`, the
    share of pixels whose strongest channel is right (what Keras calls accuracy, and the published curves
    show); in validation also the measures of `deepcolor.training.collapse`.
    """

    def __init__(self, network: keras.Model) -> None:
        """Wrap a network, from luminance in [0, 1] to RGB or chroma (see `deepcolor.models.heads`)."""
        photographs = keras.Input((*network.input_shape[1:3], 3), dtype="uint8", name="photographs")
        output = network(color.Luminance(name="luminance")(photographs))
        super().__init__(photographs, output, name="trainer")
        self.chroma = heads.predicts_chroma(network)
        self.measures = Measures()
        self.validates = False

    def compute_loss(
        self,
        x: keras.KerasTensor = None,
        y: keras.KerasTensor = None,
        y_pred: keras.KerasTensor = None,
        sample_weight: keras.KerasTensor = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Keras's own, with the photographs `x` in place of a target `y`."""
        # Keras tells this method alone whether it is training or validation that it computes.
        self.validates = not training
        truth = heads.of_photographs(x, self.chroma)
        return super().compute_loss(x, truth, y_pred, sample_weight, training)

    def compute_metrics(
        self,
        x: keras.KerasTensor,
        y: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: keras.KerasTensor = None,
    ) -> dict[str, Any]:
        """Keras's own, between the photographs `x` and the predicted RGB."""
        rgb = color.add_chroma(color.to_luminance(x), y_pred) if self.chroma else y_pred
        if self.validates:
            self.measures.update_state(x, rgb)
        return super().compute_metrics(x, x, rgb, sample_weight)


def trainer(
    network: keras.Model, settings: Mapping[str, Any], *, epochs: int = 1, steps: int = 1
) -> Trainer:
    """Make a network ready for training.

    Args:
        network: From luminance `(batch, size, size, 1)` in [0, 1] to RGB or chroma.
        settings: The keys of `training` in the configuration: optimizer, learning_rate, schedule,
            warmup_epochs, loss, gradient_accumulation_steps, ema_momentum, xla.
        epochs: Of the whole training; a schedule depends on them.
        steps: Batches in an epoch; likewise.

    Returns:
        A compiled model, to be fitted to batches of photographs, `(batch, size, size, 3)` uint8 RGB.
    """
    model = Trainer(network)
    accumulation = settings["gradient_accumulation_steps"]
    optimizer = OPTIMIZERS[settings["optimizer"]](
        _learning_rate(settings, epochs, steps),
        gradient_accumulation_steps=accumulation if accumulation > 1 else None,
        use_ema=settings["ema_momentum"] > 0,
        # Keras averages after every batch, whether or not the weights change: as much as once an update.
        ema_momentum=settings["ema_momentum"] ** (1 / accumulation),
        name="optimizer",
    )
    if settings["optimizer"] == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        loss=LOSSES[settings["loss"]](),
        metrics=[
            keras.metrics.MeanMetricWrapper(metrics.mse, name="mse"),
            keras.metrics.MeanMetricWrapper(metrics.psnr, name="psnr"),
            keras.metrics.CategoricalAccuracy(name="accuracy"),
        ],
        # Without jit_compile, JAX would run operation by operation.
        jit_compile=settings["xla"] or keras.backend.backend() == "jax",
    )
    # With its slots in place from the start, the optimizer does not make Keras trace the step twice.
    model.optimizer.build(model.trainable_variables)
    return model


def _learning_rate(
    settings: Mapping[str, Any], epochs: int, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """A constant rate; or one that rises for some epochs, then falls to 0 along half a cosine."""
    rate = settings["learning_rate"]
    if settings["schedule"] == "constant":
        return rate
    # Keras asks a schedule once a batch, whether or not the weights change then.
    batches = epochs * steps
    warmup = round(batches * min(1.0, settings["warmup_epochs"] / epochs))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else rate,
        decay_steps=max(1, batches - warmup),
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )


def train(
    model: Trainer,
    batches: Callable[[range], Iterable],
    validation: Any,
    settings: Mapping[str, Any],
    *,
    epochs: int,
    steps: int,
    validation_steps: int | None = None,
    images: Mapping[str, int],
    seed: int,
    backup: Path,
    start: Path | None = None,
    tensorboard: Path | None = None,
    report: Callable[[str], None] = print,
) -> History:
    """Train up to a number of epochs, from the backup or the start state where there is one.

    Afterwards the model has the weights that count: their moving average where `ema_momentum` asks for
    one, those of the best epoch where `early_stopping` does.

    Args:
        model: From `trainer`.
        batches: Gives the training batches of a range of epochs, one epoch after the other: any data
            set, generator or the like that Keras can be fitted to, of photographs alone.
        validation: Batches of validation photographs; anything that Keras can validate on.
        settings: As for `trainer`, and early_stopping: the epochs without a lower validation loss after
            which training ends, 0 for never.
        epochs: When to stop, counted from the network's first epoch.
        steps: Batches in an epoch.
        validation_steps: Batches in the validation; needed where it is spread over several devices.
        images: In an epoch and in the validation, by "training" and "validation".
        seed: Of dropout.
        backup: Where the state is saved after every epoch; training goes on from it.
        start: The state of a shorter training to go on from, if there is no backup.
        tensorboard: Folder for TensorBoard's logs, if they are wanted.
        report: Gets one line an epoch.

    Returns:
        A row per epoch with the keys COLUMNS, those before the start included.

    Raises:
        DeepColorError: The loss is not a number or has exploded, a batch does not fit the memory, or a
            state does not fit.
    """
    if settings["gradient_accumulation_steps"] > epochs * steps:
        raise DeepColorError(
            f"'gradient_accumulation_steps' is {settings['gradient_accumulation_steps']}, and the "
            f"training has {epochs * steps} batches: no weight would ever change; lower it under "
            "'training' in config.yaml"
        )
    state = backup if backup.exists() else start
    history = load_state(state, model) if state else []
    if history:
        report(f"goes on after epoch {len(history)}")
    loop = _Loop(history, epochs, images, seed, backup, settings["early_stopping"], report)
    loop.set_model(model)
    loop.keep_best()  # A process that was killed between its two files has not.
    if len(history) < epochs and not loop.is_over():
        callbacks: list[keras.callbacks.Callback] = [loop]
        if keras.backend.backend() == "torch":
            callbacks.append(_SeedPyTorch(seed))
        if settings["ema_momentum"]:
            callbacks.append(keras.callbacks.SwapEMAWeights())  # Validation sees the average.
        if tensorboard:
            if state != backup:  # Logs of a training that this one does not go on with.
                shutil.rmtree(tensorboard, ignore_errors=True)
            callbacks.append(
                keras.callbacks.TensorBoard(tensorboard, write_graph=False, update_freq="epoch")
            )
        try:
            model.fit(
                devices.share_out(batches(range(len(history), epochs))),
                steps_per_epoch=steps,
                validation_data=devices.share_out(validation),
                validation_steps=validation_steps,
                initial_epoch=len(history),
                epochs=epochs,
                callbacks=callbacks,
                shuffle=False,  # The batches are shuffled.
                verbose=0,
            )
        except Exception as error:
            if is_out_of_memory(error):
                raise DeepColorError(_smaller_batch(settings)) from error
            raise
    if settings["early_stopping"] and best_epoch(history) < len(history):
        load_state(loop.best, model)
    if settings["ema_momentum"]:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return history


def best_epoch(history: History) -> int:
    """The epoch, counted from 1, with the lowest validation loss; the first of several."""
    return 1 + min(range(len(history)), key=lambda row: history[row]["val_loss"])


def faults(history: History) -> list[dict[str, Any]]:
    """The epochs after which the validation pictures had collapsed, with what was wrong with them."""
    found = []
    for row in history:
        wrong = fault({measure: row[f"val_{measure}"] for measure in MEASURES})
        if wrong:
            found.append({"epoch": row["epoch"], "fault": wrong})
    return found


def _smaller_batch(settings: Mapping[str, Any]) -> str:
    """The line for a batch that does not fit: half of it, and as many images an update as before."""
    batch, accumulation = settings["batch_size"], settings["gradient_accumulation_steps"]
    if batch == 1:
        return "not even a batch of one image fits the memory; lower 'image_size' in config.yaml"
    if devices.count() > 1:
        return (
            f"a batch of {batch} images does not fit the memory of {devices.count()} devices; under "
            f"'training' in config.yaml set 'batch_size' to a smaller multiple of {devices.count()}"
        )
    half = math.ceil(batch / 2)
    return (
        f"a batch of {batch} images does not fit the memory; under 'training' in config.yaml set "
        f"'batch_size: {half}' and 'gradient_accumulation_steps: {2 * accumulation}', which still "
        f"learns from {2 * half * accumulation} images at a time"
    )


class _SeedPyTorch(keras.callbacks.Callback):
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

            torch.manual_seed(int(np.random.SeedSequence([self.seed, self.epoch]).generate_state(1)[0]))


class _Loop(keras.callbacks.Callback):
    """Sets the generators before an epoch; records, saves and reports after it; ends the training."""

    def __init__(
        self,
        history: History,
        epochs: int,
        images: Mapping[str, int],
        seed: int,
        backup: Path,
        patience: int,
        report: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.history, self.epochs, self.images = history, epochs, images
        self.seed, self.backup, self.report = seed, backup, report
        self.patience, self.best = patience, backup.with_name(f"best-{backup.name}")
        self.began = self.trained = self.validated = 0.0

    def is_over(self) -> bool:
        """Whether the validation loss has not fallen for as many epochs as early stopping allows."""
        waited = len(self.history) - best_epoch(self.history) if self.history else 0
        return bool(self.patience) and waited >= self.patience

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock; make dropout a function of seed and epoch."""
        seed_generators(self.model, self.seed, epoch)
        self.began = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Validation begins: training is over for this epoch."""
        self.trained = time.perf_counter()
        devices.average_statistics(self.model)

    def on_test_end(self, logs: dict | None = None) -> None:
        """Validation is over."""
        self.validated = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Record the epoch, save the state, report one line."""
        row: dict[str, float] = {"epoch": epoch + 1, **{k: float(v) for k, v in logs.items()}}
        self._check(row)
        for measure in MEASURES:  # Taken in validation alone: TensorBoard need not draw zeros.
            logs.pop(measure, None)
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        row["learning_rate"] = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        row["seconds"] = time.perf_counter() - self.began
        row["images_per_second"] = self.images["training"] / (self.trained - self.began)
        row["val_images_per_second"] = self.images["validation"] / (self.validated - self.trained)
        self._warn(row)
        self.history.append({name: row[name] for name in COLUMNS})
        # The best epoch's state is written last: a process that is killed between the two finds that
        # its last epoch is the best one, and makes up for it (`keep_best`).
        save_state(self.backup, self.model, self.history)
        self.keep_best()
        # The first epoch of a process also builds the graph: the median passes over it.
        recent = statistics.median(each["seconds"] for each in self.history[-5:])
        left = (self.epochs - epoch - 1) * recent
        self.report(
            f"epoch {epoch + 1:{len(str(self.epochs))}}/{self.epochs}  "
            f"loss {row['loss']:.4f}  val_loss {row['val_loss']:.4f}  "
            f"PSNR {row['psnr']:.2f} dB  val_PSNR {row['val_psnr']:.2f} dB  "
            f"{row['images_per_second']:.3g} images/s  "
            f"{int(left // 60)}:{int(left % 60):02} left"
        )
        if self.is_over():
            self.report(
                f"stops: the validation loss has not fallen for {self.patience} epochs; "
                f"epoch {best_epoch(self.history)} is kept"
            )
            self.model.stop_training = True

    def keep_best(self) -> None:
        """Save the state once more if its epoch is the best so far, for early stopping."""
        if self.patience and self.history and best_epoch(self.history) == len(self.history):
            save_state(self.best, self.model, self.history)

    def _check(self, row: Mapping[str, float]) -> None:
        """Refuse to go on with a loss that is no number or has exploded."""
        lowest = min((each["loss"] for each in self.history), default=math.inf)
        for name, which in (("loss", "loss"), ("val_loss", "validation loss")):
            value = row[name]
            exploded = value > TOO_HIGH or (name == "loss" and value > EXPLODED * lowest)
            if not math.isfinite(value) or exploded:
                raise DeepColorError(
                    f"the {which} of epoch {row['epoch']} {'has exploded to' if exploded else 'is'} "
                    f"{value:.3g}; lower 'learning_rate' under 'training' in config.yaml, or let it "
                    "rise slowly: 'schedule: cosine' with 'warmup_epochs: 1'"
                )

    def _warn(self, row: Mapping[str, float]) -> None:
        """Say so when the validation pictures collapse, and when they are all right again."""
        measures = {measure: row[f"val_{measure}"] for measure in MEASURES}
        wrong = fault(measures)
        before = [each["fault"] for each in faults(self.history[-1:])]
        if wrong and [wrong] != before:
            values = ", ".join(f"{name} {value:.2g}" for name, value in measures.items())
            self.report(f"warning: after epoch {row['epoch']} the pictures are {wrong} ({values})")
        elif before and not wrong:
            self.report(f"after epoch {row['epoch']} the pictures are no longer {before[0]}")
