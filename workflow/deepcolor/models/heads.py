"""What a network predicts: RGB, or chroma alone (`target: rgb | lab` of every architecture).

A network with three output channels predicts RGB, one with two predicts chroma: a* and b* of CIELAB,
see `imaging.color.to_chroma`. With chroma alone the picture keeps the luminance of the input, so that
nothing is spent on predicting again what is known. Training compares in the target's space; the
saved network returns RGB either way.
"""

import keras

from deepcolor.compute import keras_settings
from deepcolor.errors import DeepColorError
from deepcolor.imaging import color

# By target: the name of the last layer, its channels, and the activation that covers their range.
HEADS = {"rgb": ("rgb", 3, "sigmoid"), "lab": ("chroma", 2, "tanh")}


def head(target: str) -> tuple[str, int, str]:
    """The name, the channels and the activation of a network's last layer.

    Args:
        target: "rgb" or "lab".

    Raises:
        DeepColorError: There is no such target, or Keras is set to other pictures or numbers.
    """
    keras_settings.check()
    if target not in HEADS:
        raise DeepColorError(f"there is no target '{target}'; known are {', '.join(HEADS)}")
    return HEADS[target]


def predicts_chroma(network: keras.Model) -> bool:
    """Whether a network predicts chroma (two channels) rather than RGB (three)."""
    return network.output_shape[-1] == 2


def with_rgb_output(network: keras.Model) -> keras.Model:
    """The network as it is saved and used: from luminance to RGB, whatever it predicts inside.

    Args:
        network: From luminance `(batch, height, width, 1)` in [0, 1] to RGB or chroma.

    Returns:
        The network itself if it predicts RGB, otherwise one that shares its layers and weights and
        puts the chroma on the luminance of its input.
    """
    if not predicts_chroma(network):
        return network
    rgb = color.AddChroma(name="rgb")(network.input, network.output)
    return keras.Model(network.input, rgb, name=network.name)


def targets_of(photographs: keras.KerasTensor, chroma: bool) -> keras.KerasTensor:
    """What a network should have predicted.

    Args:
        photographs: `(..., 3)` RGB, 0 to 255.
        chroma: Whether the network predicts chroma.

    Returns:
        `(..., 2)` chroma, or `(..., 3)` RGB in [0, 1]; float32.
    """
    rgb = color.to_float(photographs)
    return color.to_chroma(rgb) if chroma else rgb


def in_float32(network: keras.Model) -> keras.Model:
    """The network in 32-bit floats, with the same weights, whatever precision it was trained in.

    A network trained in 16 bits holds its weights in 32; what is saved computes in 32, too, so that it
    gives the same pictures on any machine.
    """
    policy = keras.config.dtype_policy().name
    if policy == "float32":
        return network
    plain = keras.models.model_from_json(network.to_json().replace(f'"{policy}"', '"float32"'))
    plain.set_weights(network.get_weights())
    return plain
