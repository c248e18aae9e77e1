"""Trainings on several devices: each takes an equal part of every batch.

`backend.prepare_keras` returns a `Distribution`. Keras and TensorFlow are imported inside the
functions: they are set up first.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from deepcolor.compute import devices
from deepcolor.errors import DeepColorError


@dataclass(frozen=True)
class Distribution:
    """The devices that a training is spread over.

    Attributes:
        count: Number of devices, 1 or more.
        strategy: `tf.distribute.Strategy` of several devices under TensorFlow; None for a single
            device, and under JAX, where Keras itself holds what it needs.
    """

    count: int = 1
    strategy: Any = None

    def check_batches(self, settings: Mapping[str, Any], images: Mapping[str, int]) -> None:
        """Make sure that every batch can be shared out in equal parts.

        Args:
            settings: The keys of `training` in the configuration: batch_size,
                gradient_accumulation_steps and xla.
            images: Number of images in an epoch and in the validation, by "training" and
                "validation".

        Raises:
            DeepColorError: It cannot.
        """
        import keras

        if self.count > 1 and keras.backend.backend() == "tensorflow":
            if settings["gradient_accumulation_steps"] > 1:
                raise DeepColorError(
                    "under TensorFlow gradients cannot be accumulated on several devices; set "
                    "'gradient_accumulation_steps' or 'devices' to 1"
                )
            if settings["xla"] is True:
                raise DeepColorError(
                    "under TensorFlow XLA compiles for one device; set 'xla' to false, or 'devices' to 1"
                )
        shared = {
            "'batch_size'": settings["batch_size"],
            **{f"the number of {split} images": number for split, number in images.items()},
        }
        for what, number in shared.items():
            if number % self.count:
                raise DeepColorError(
                    f"each of {self.count} devices takes an equal part of every batch: {what} must "
                    f"be a multiple of {self.count}, not {number}; change that, or set 'devices' to 1"
                )

    def scope(self) -> AbstractContextManager:
        """Return the context in which a model is built and compiled that is trained on all devices.

        Under JAX nothing else differs. Under TensorFlow batch normalization takes the statistics of
        a device's part alone: after 9 steps of 8 images on 2 devices the loss of a small network
        differs from that on one by 4e-4 of itself, without batch normalization by 2e-7.
        """
        return self.strategy.scope() if self.strategy else nullcontext()

    def share_out(self, batches: Any) -> Any:
        """Return batches as a model built in `scope` is fitted to them, or validated on them.

        Left to itself, TensorFlow gives all of a short last batch to the first device and none to
        the others, whose operations then fail.

        Args:
            batches: A `tf.data.Dataset` of arrays, whose batches are multiples of the number of
                devices (`check_batches`).

        Returns:
            What Keras takes in its place: an endless data set, whose `steps_per_epoch` or
            `validation_steps` must be given; the batches themselves for a single device.
        """
        if not self.strategy:
            return batches
        import tensorflow as tf

        def parts(batch: Any) -> Any:
            shape = tf.concat([[self.count, -1], tf.shape(batch)[1:]], axis=0)
            return tf.data.Dataset.from_tensor_slices(tf.reshape(batch, shape))

        turns = batches.flat_map(parts).repeat()
        return self.strategy.distribute_datasets_from_function(lambda context: turns)

    def average_statistics(self, model: Any) -> None:
        """Give all devices the mean of their moving averages: before they validate, or are saved.

        Under TensorFlow batch normalization keeps averages of its own on each device, and only
        those of the first would be saved.

        Args:
            model: A `keras.Model` built in `scope`.
        """
        if self.strategy:
            for variable in model.non_trainable_weights:
                local = self.strategy.experimental_local_results(variable.value)
                values = [value.numpy() for value in local]
                variable.assign(sum(values) / len(values))


def make_distribution(accelerator: str, count: int) -> Distribution:
    """Spread trainings over several devices, after making sure that they are there.

    Args:
        accelerator: "auto", "cpu" or "cuda", as for `backend.prepare_keras`.
        count: Number of devices; with the accelerator "cpu", of parts of the CPU.

    Raises:
        DeepColorError: There is no such GPU, or there are too few.
    """
    import keras

    devices.check_accelerator(accelerator, warn=count == 1)
    if count == 1:
        return Distribution()
    backend = keras.backend.backend()
    if backend == "torch":
        raise DeepColorError(
            f"'devices' is {count}, and under PyTorch a training uses one; set it to 1, or use the "
            "backend tensorflow or jax"
        )
    gpus = devices.usable_gpus()
    if accelerator != "cpu" and count > gpus:
        name, _ = devices.BACKENDS[backend]
        raise DeepColorError(
            f"'devices' is {count}, but {name} can use {gpus or 'no'} GPU{'s' * (gpus != 1)}; set "
            f"'devices' in config.yaml to {max(1, gpus)}, or 'accelerator' to cpu, to try several "
            "out as parts of the CPU"
        )
    used = keras.distribution.list_devices()[:count]
    if backend == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=used))
        return Distribution(count)
    import tensorflow as tf

    return Distribution(count, tf.distribute.MirroredStrategy(used))
