"""A network in training: what goes in, what is compared, and how weights change."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from deepcolor.config.augmentation import strengths
from deepcolor.imaging import color, color_classes
from deepcolor.models import heads
from deepcolor.training import fused, metrics
from deepcolor.training.augmentation import GeometricAugmentation, PhotometricAugmentation
from deepcolor.training.collapse import Measures

OPTIMIZERS = {
    "adam": fused.Adam,
    "adamw": fused.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
LOSSES = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    # Chroma is at most 1 and mostly below 0.2: with Keras's delta of 1, this would be half the MSE.
    "huber": lambda: keras.losses.Huber(delta=0.05),
}


class Trainer(keras.Model):
    """A network in training: photographs go in, and are what its output is compared with.

    Training may augment them: by name, it puts out the `photographs` as the network saw them, which
    its `prediction` is compared with.

    The loss is taken in the space of the network's target: RGB in [0, 1], chroma in [-1, 1], or
    distributions over color classes. The metrics are always those of RGB: `mse` in [0, 1]; `psnr` in
    dB, the mean over images; `accuracy`, the share of pixels whose strongest channel is right (what
    Keras calls accuracy, and the published curves show); in validation also the measures of
    `deepcolor.training.collapse`.
    """

    def __init__(
        self,
        network: keras.Model,
        augmentation: Mapping[str, float | None] | None = None,
        class_weights: np.ndarray | None = None,
    ) -> None:
        """Wrap a network.

        Args:
            network: Model from luminance in [0, 1] to its target (see `models.heads`).
            augmentation: Strengths by name, see `config.augmentation`; none by default.
            class_weights: Weight in the loss of each color class, `(classes,)`; equal ones by default.
        """
        names = augmentation or {}
        given = keras.Input((*network.input_shape[1:3], 3), dtype="uint8", name="given")
        photographs = GeometricAugmentation(names, name="photographs")(given)
        luminance = PhotometricAugmentation(names, name="luminance")(photographs)
        outputs = {"photographs": photographs, "prediction": network(luminance)}
        super().__init__(given, outputs, name="trainer")
        self.target = heads.target_of(network)
        self.class_weights = class_weights
        self.measures = Measures()
        self.validates = False

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled, by XLA under TensorFlow and JAX.

        Keras's own property is False under TensorFlow whenever operations are to be deterministic, as
        some are not in XLA; `compute.xla` knows of these networks which.
        """
        return self.compiles_steps

    @jit_compile.setter
    def jit_compile(self, value: bool) -> None:
        self.compiles_steps = value

    def compute_loss(
        self,
        x: keras.KerasTensor = None,
        y: keras.KerasTensor = None,
        y_pred: keras.KerasTensor = None,
        sample_weight: keras.KerasTensor = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Compute Keras's own loss, with the photographs in `y_pred` in place of a target `y`."""
        # Keras tells this method alone whether it is training or validation that it computes.
        self.validates = not training
        truth = heads.targets_of(y_pred["photographs"], self.target)
        if self.class_weights is not None:
            weights = ops.convert_to_tensor(self.class_weights, dtype="float32")
            sample_weight = ops.take(weights, ops.argmax(truth, axis=-1))
        return super().compute_loss(x, truth, y_pred["prediction"], sample_weight, training)

    def compute_metrics(
        self,
        x: keras.KerasTensor,
        y: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: keras.KerasTensor = None,
    ) -> dict[str, Any]:
        """Compute Keras's own metrics, between the photographs and the predicted RGB."""
        photographs = y_pred["photographs"]
        rgb = heads.to_rgb(color.to_luminance(photographs), y_pred["prediction"], self.target)
        if self.validates:
            self.measures.update_state(photographs, rgb)
        return super().compute_metrics(x, photographs, rgb, sample_weight)


def compile_trainer(
    network: keras.Model,
    settings: Mapping[str, Any],
    *,
    epochs: int = 1,
    steps: int = 1,
    class_shares: np.ndarray | None = None,
) -> Trainer:
    """Make a network ready for training.

    Args:
        network: Model from luminance `(batch, size, size, 1)` in [0, 1] to its target.
        settings: The keys of `training` in the configuration: optimizer, learning_rate, schedule,
            warmup_epochs, loss, class_rebalancing, augmentation, gradient_accumulation_steps,
            ema_momentum, and xla, true or false (see `settings.decided`).
        epochs: Number of epochs of the training or of its phase; a schedule depends on it.
        steps: Number of batches in an epoch; likewise.
        class_shares: Shares of the color classes in the training images, for `class_rebalancing`.

    Returns:
        A compiled model, to be fitted to photographs, `(batch, size, size, 3)` uint8 RGB.
    """
    fused.fuse_batch_normalization(network)
    weights = None
    if class_shares is not None and settings["class_rebalancing"]:
        weights = class_weights(class_shares, settings["class_rebalancing"])
    model = Trainer(network, strengths(settings["augmentation"]), weights)
    of_classes = model.target == "classes"
    accumulation = settings["gradient_accumulation_steps"]
    optimizer = OPTIMIZERS[settings["optimizer"]](
        _learning_rate(settings, epochs, steps),
        gradient_accumulation_steps=accumulation if accumulation > 1 else None,
        use_ema=settings["ema_momentum"] > 0,
        # Keras averages after every batch, whether or not weights change: as much as once an update.
        ema_momentum=settings["ema_momentum"] ** (1 / accumulation),
        name="optimizer",
    )
    if settings["optimizer"] == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        loss=keras.losses.CategoricalCrossentropy(True) if of_classes else LOSSES[settings["loss"]](),
        metrics=[
            keras.metrics.MeanMetricWrapper(metrics.mse, name="mse"),
            keras.metrics.MeanMetricWrapper(metrics.psnr, name="psnr"),
            keras.metrics.CategoricalAccuracy(name="accuracy"),
        ],
        # Without jit_compile, JAX would run operation by operation.
        jit_compile=settings["xla"] or keras.backend.backend() == "jax",
    )
    # With its slots in place from the start, the optimizer does not make Keras trace a step twice.
    model.optimizer.build(model.trainable_variables)
    return model


def class_weights(shares: np.ndarray, exponent: float) -> np.ndarray:
    """Return weights for color classes, the higher the rarer; their mean over the images is 1.

    Source: R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization" (2016), for exponent 1.

    Args:
        shares: Shares of the classes in the training images, `(classes,)`.
        exponent: Extent of the rebalancing, in [0, 1].
    """
    weights = color_classes.smoothed(shares) ** -exponent
    return weights / np.sum(weights * shares)


def _learning_rate(
    settings: Mapping[str, Any], epochs: int, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return a constant rate, or one that rises for some epochs and falls along half a cosine."""
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
