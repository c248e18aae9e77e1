"""Whether XLA compiles the steps of a training.

Keras is imported inside the functions: it is set up first.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deepcolor.compute.devices import usable_gpus

if TYPE_CHECKING:
    import keras


def compiles_steps(
    setting: bool | str, network: "keras.Model", *, devices: int, deterministic: bool
) -> bool:
    """Return whether XLA compiles the steps in which a network is trained.

    TensorFlow asks XLA for deterministic kernels where its own are to be so
    (`tf.config.experimental.enable_op_determinism`). All that these networks compute has one on a
    GPU, but for the gradient of max pooling, for which TensorFlow raises an error then.

    Args:
        setting: The key `training.xla`: True, False or "auto".
        network: Network to be trained.
        devices: Number of devices that a batch is spread over; TensorFlow compiles for one alone.
        deterministic: Whether TensorFlow's operations give the same bits every time.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "jax":  # Without, it would run operation by operation.
        return True
    if setting != "auto":
        return bool(setting)
    pools = any(
        isinstance(layer, keras.layers.MaxPooling2D) and layer.trainable for layer in _layers(network)
    )
    return (
        backend == "tensorflow" and usable_gpus() > 0 and devices == 1 and not (deterministic and pools)
    )


def _layers(network: "keras.Model") -> Iterator["keras.Layer"]:
    """Yield the layers of a network, and of the networks inside it."""
    import keras

    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
