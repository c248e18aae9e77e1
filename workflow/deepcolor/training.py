"""Training: Keras's own loop, a state saved after every epoch."""

import math
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import keras

from deepcolor import color, metrics
from deepcolor.errors import DeepColorError
from deepcolor.state import History, load_state, save_state, seed_generators

# What a history records of every epoch, in the order of history.csv.
COLUMNS = [
    "epoch", "loss", "val_loss", "accuracy", "val_accuracy", "psnr", "val_psnr",
    "seconds", "images_per_second",
]  # fmt: skip


def trainer(
    network: keras.Model,
    *,
    image_size: int,
    optimizer: str,
    learning_rate: float,
    loss: str,
) -> keras.Model:
    """Wrap a network for training: 8-bit RGB goes in, the luminance is taken on the device.

    Args:
        network: From `(batch, image_size, image_size, 1)` luminance to RGB, both in [0, 1].
        image_size: Side of the pictures in pixels.
        optimizer: Its Keras name, such as "adam".
        learning_rate: Of the optimizer.
        loss: Its Keras name, such as "mse"; taken between RGB in [0, 1].

    Returns:
        A compiled model from RGB `(batch, image_size, image_size, 3)` uint8 to RGB in [0, 1], to be
        fitted to the same uint8 RGB as target. Metrics: `accuracy`, the share of pixels whose
        strongest channel is right (what Keras calls accuracy, and the published curves show), and
        `psnr` in dB, the mean over images.
    """
    rgb = keras.Input((image_size, image_size, 3), dtype="uint8", name="photograph")
    model = keras.Model(rgb, network(color.Luminance(name="luminance")(rgb)), name="trainer")
    compared = keras.losses.get(loss)
    model.compile(
        keras.optimizers.get({"class_name": optimizer, "config": {"learning_rate": learning_rate}}),
        loss=lambda truth, prediction: compared(color.to_float(truth), prediction),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.MeanMetricWrapper(metrics.psnr, name="psnr"),
        ],
        # On a CPU XLA costs more than it gains (1.2 to 2 times slower on these networks).
        jit_compile="auto" if device_name() != "CPU" else False,
    )
    # With its slots in place from the start, the optimizer does not make Keras trace the step twice.
    model.optimizer.build(model.trainable_variables)
    return model


def train(
    model: keras.Model,
    batches: Callable[[range], Iterable],
    validation: Iterable,
    *,
    epochs: int,
    steps: int,
    images: int,
    seed: int,
    backup: Path,
    start: Path | None = None,
    report: Callable[[str], None] = print,
) -> History:
    """Train up to a number of epochs, from the backup or the start state where there is one.

    Args:
        model: From `trainer`.
        batches: Gives the training batches of a range of epochs, one epoch after the other.
        validation: Batches of the validation set.
        epochs: When to stop, counted from the network's first epoch.
        steps: Batches in an epoch.
        images: Images in an epoch.
        seed: Of dropout.
        backup: Where the state is saved after every epoch; training goes on from it.
        start: The state of a shorter training to go on from, if there is no backup.
        report: Gets one line an epoch.

    Returns:
        A row per epoch with the keys COLUMNS, those before the start included.

    Raises:
        DeepColorError: The loss is not a number, or a state does not fit.
    """
    state = backup if backup.exists() else start
    history = load_state(state, model) if state else []
    if history:
        report(f"goes on after epoch {len(history)}")
    if len(history) < epochs:
        loop = _Loop(history, epochs, images, seed, backup, report)
        model.fit(
            batches(range(len(history), epochs)),
            validation_data=validation,
            steps_per_epoch=steps,
            initial_epoch=len(history),
            epochs=epochs,
            callbacks=[loop],
            shuffle=False,  # The batches are shuffled.
            verbose=0,
        )
    return history


class _Loop(keras.callbacks.Callback):
    """Sets the generators before an epoch; records, saves and reports after it."""

    def __init__(
        self,
        history: History,
        epochs: int,
        images: int,
        seed: int,
        backup: Path,
        report: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.history, self.epochs, self.images = history, epochs, images
        self.seed, self.backup, self.report = seed, backup, report
        self.began = self.trained = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock; make dropout a function of seed and epoch."""
        seed_generators(self.model, self.seed, epoch)
        self.began = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Validation begins: training is over for this epoch."""
        self.trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Record the epoch, save the state, report one line."""
        row: dict[str, float] = {"epoch": epoch + 1, **{k: float(v) for k, v in logs.items()}}
        if not math.isfinite(row["loss"]):
            raise DeepColorError(
                f"the loss of epoch {epoch + 1} is {row['loss']}; "
                "lower 'learning_rate' under 'training' in config.yaml"
            )
        row["seconds"] = time.perf_counter() - self.began
        row["images_per_second"] = self.images / (self.trained - self.began)
        self.history.append({name: row[name] for name in COLUMNS})
        save_state(self.backup, self.model, self.history)
        # The first epoch of a process also builds the graph: the median passes over it.
        recent = statistics.median(each["seconds"] for each in self.history[-5:])
        left = (self.epochs - epoch - 1) * recent
        self.report(
            f"epoch {epoch + 1:{len(str(self.epochs))}}/{self.epochs}  "
            f"loss {row['loss']:.4f}  val_loss {row['val_loss']:.4f}  "
            f"PSNR {row['psnr']:.2f} dB  val_PSNR {row['val_psnr']:.2f} dB  "
            f"{row['images_per_second']:.0f} images/s  "
            f"{int(left // 60)}:{int(left % 60):02} left"
        )


def device_name() -> str:
    """The kind of device that Keras computes on: "CPU" or "GPU"."""
    return (
        "GPU" if any("gpu" in device.lower() for device in keras.distribution.list_devices()) else "CPU"
    )


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_memory() -> int:
    """The memory of the device that Keras computes on, in bytes: the first GPU's, or the machine's."""
    if device_name() == "GPU":
        import subprocess

        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if told.returncode == 0:
            return int(told.stdout.split()[0]) * 2**20
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def peak_device_memory() -> int | None:
    """The most memory that TensorFlow has held on the first GPU, in bytes; None without one."""
    if device_name() == "CPU" or keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
