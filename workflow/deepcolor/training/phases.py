"""The phases of a training: which layers learn in which epochs, and at which rate.

In the first phase a pre-trained encoder is frozen, and only the new layers are trained; in the second,
some or all layers of the encoder are trained as well, at a lower rate. Each phase has its own optimizer
and schedule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from deepcolor.errors import DeepColorError, did_you_mean
from deepcolor.models.encoder import encoder_layers
from deepcolor.training.trainer import Trainer


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same layers are trained.

    Attributes:
        epochs: Epochs, counted from 0.
        learning_rate: Learning rate, the highest one of a schedule.
        frozen: Layers of the network that stay as they are.
    """

    epochs: range
    learning_rate: float
    frozen: Sequence[keras.Layer]

    def freeze(self, network: keras.Model) -> None:
        """Set which layers of a network are trained."""
        for layer in encoder_layers(network):
            layer.trainable = layer not in self.frozen


class PhasedModel:
    """A network in training, compiled again for each phase."""

    def __init__(self, phases: Sequence[Phase], compiled: Callable[[Phase], Trainer]) -> None:
        """Take the phases, and the function that compiles the network for one of them."""
        self._phases, self._compiled = phases, compiled
        self._phase: Phase | None = None

    def at(self, epoch: int) -> tuple[Trainer, range]:
        """Return the model as it is compiled for an epoch, counted from 0, and its phase's epochs."""
        phase = next(phase for phase in self._phases if epoch in phase.epochs)
        if phase is not self._phase:
            self._trainer, self._phase = self._compiled(phase), phase
        return self._trainer, phase.epochs


def phases_of(network: keras.Model, training: Mapping[str, Any], epochs: int) -> list[Phase]:
    """Return the phases of a training.

    Args:
        network: Network, with its encoder marked (see `models.encoder`).
        training: The keys of `training` in the configuration: learning_rate, freeze_epochs,
            unfreeze_from and unfrozen_learning_rate.
        epochs: Number of epochs of the whole training.

    Raises:
        DeepColorError: The network has no pre-trained encoder, or no layer `unfreeze_from` in it.
    """
    frozen_epochs, first = training["freeze_epochs"], training["unfreeze_from"]
    encoder = encoder_layers(network)
    if not frozen_epochs and not first:
        frozen = [layer for layer in encoder if not layer.trainable]
        return [Phase(range(epochs), training["learning_rate"], frozen)]
    if not encoder:
        raise DeepColorError(
            "'freeze_epochs' and 'unfreeze_from' under 'training' need a network with a pre-trained "
            "encoder; take them out"
        )
    rate = training["unfrozen_learning_rate"] or training["learning_rate"]
    later = Phase(range(min(frozen_epochs, epochs), epochs), rate, _before(encoder, first))
    if not frozen_epochs:
        return [later]
    phases = [Phase(range(min(frozen_epochs, epochs)), training["learning_rate"], encoder)]
    return phases + ([later] if later.epochs else [])


def _before(encoder: Sequence[keras.Layer], first: str | None) -> list[keras.Layer]:
    """Return the layers of an encoder that stay frozen: those before a layer, and all normalization.

    Fine-tuning sees far fewer images than pre-training: the averages of batch normalization would get
    worse.
    """
    names = [layer.name for layer in encoder]
    if first and first not in names:
        trained = [layer.name for layer in encoder if layer.weights]
        raise DeepColorError(
            f"unfreeze_from: the encoder has no layer '{first}'{did_you_mean(first, names)} Some of its "
            f"layers: {', '.join(trained[:: max(1, len(trained) // 8)])}"
        )
    start = names.index(first) if first else 0
    norms = [layer for layer in encoder if isinstance(layer, layers.BatchNormalization)]
    return [*encoder[:start], *(layer for layer in norms if layer not in encoder[:start])]
