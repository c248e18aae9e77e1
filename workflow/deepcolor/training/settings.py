"""What a network is trained with, and the network itself."""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras

from deepcolor.compute.distribution import Distribution
from deepcolor.compute.xla import compiles_steps
from deepcolor.errors import DeepColorError
from deepcolor.models.heads import HEADS, output_shape


@dataclass(frozen=True)
class Settings:
    """An architecture and how it is trained, as training.json records them.

    Attributes:
        architecture: "module:function" that builds the network.
        options: Options of the network, by name.
        image_size: Side of the images in pixels.
        training: The keys of `training` in the configuration, but for epochs and seeds.
    """

    architecture: str
    options: Mapping[str, Any]
    image_size: int
    training: Mapping[str, Any]


def build_network(settings: Settings) -> keras.Model:
    """Return the network that the settings name, with initial weights.

    Raises:
        DeepColorError: It does not map a luminance to one of the targets.
    """
    network = pkgutil.resolve_name(settings.architecture)(
        settings.image_size,
        batch_norm_momentum=settings.training["batch_norm_momentum"],
        **settings.options,
    )
    size = settings.image_size
    taken, outputs = (None, size, size, 1), {name: output_shape(name, size) for name in HEADS}
    if network.input_shape != taken or network.output_shape not in outputs.values():
        known = ", ".join(f"{shape} ({name})" for name, shape in outputs.items())
        raise DeepColorError(
            f"{settings.architecture} maps {network.input_shape} to {network.output_shape}; it "
            f"should map {taken} to one of {known}"
        )
    return network


def decided(settings: Settings, network: keras.Model, distribution: Distribution) -> Settings:
    """Return the settings with what `auto` means for this network on these devices.

    Args:
        settings: Architecture, and how it is trained.
        network: Network that they name.
        distribution: Devices, from `backend.prepare_keras`.
    """
    training = settings.training
    xla = compiles_steps(
        training["xla"],
        network,
        devices=distribution.count,
        deterministic=training["deterministic"],
    )
    # `backend.prepare_keras` has set it.
    precision = keras.config.dtype_policy().compute_dtype
    return replace(settings, training={**training, "xla": xla, "precision": precision})
