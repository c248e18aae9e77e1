"""What a network predicts (`target: rgb | lab | classes` of the architectures).

- rgb: RGB, three output channels.
- lab: chroma, two output channels: a* and b* of CIELAB, see `imaging.color.to_chroma`.
- classes: a distribution over color classes, as logits on a grid of a quarter of the side, see
  `imaging.color_classes`.

With chroma or classes the picture keeps the luminance of the input, so that nothing is spent on
predicting again what is known. Training compares in the target's space; the saved network returns RGB
in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from deepcolor.compute import keras_settings
from deepcolor.constants import DECODING
from deepcolor.errors import DeepColorError
from deepcolor.imaging import color, color_classes

# By target: the name of the last layer, its channels, and the activation that covers their range.
HEADS = {
    "rgb": ("rgb", 3, "sigmoid"),
    "lab": ("chroma", 2, "tanh"),
    "classes": ("logits", color_classes.COUNT, None),
}
CLASS_STEP = 4  # Side in pixels of the squares that classes are predicted for.


@dataclass(frozen=True)
class ClassDecoding:
    """How a network's distributions over color classes become colors.

    Attributes:
        shares: Shares of the classes in the training images, `(color_classes.COUNT,)`.
        exact: Temperature, prior and gain for the most exact colors, see `color_classes.decode`.
        vivid: The same for vivid colors.
    """

    shares: np.ndarray
    exact: tuple[float, ...] = (1.0, 0.0, 1.0)
    vivid: tuple[float, ...] = (1.0, 0.0, 1.0)


def head(target: str, known: Sequence[str]) -> tuple[str, int, str | None]:
    """Return the name, the channels and the activation of a network's last layer.

    Args:
        target: "rgb", "lab" or "classes".
        known: Targets that the architecture has.

    Raises:
        DeepColorError: The architecture has no such target, or Keras is set to other pictures or
            numbers.
    """
    keras_settings.check()
    if target not in known:
        raise DeepColorError(
            f"this architecture has no target '{target}'; set 'target' to one of: {', '.join(known)}"
        )
    return HEADS[target]


def target_of(network: keras.Model) -> str:
    """Return what a network predicts, by its output channels."""
    return next(name for name, head in HEADS.items() if head[1] == network.output_shape[-1])


def output_shape(target: str, image_size: int) -> tuple[int | None, ...]:
    """Return the shape of a network's output."""
    side = image_size // CLASS_STEP if target == "classes" else image_size
    return (None, side, side, HEADS[target][1])


def with_rgb_output(network: keras.Model, decoding: ClassDecoding | None = None) -> keras.Model:
    """Return the network as it is saved and used: from luminance to RGB, whatever it predicts inside.

    Args:
        network: Model from luminance `(batch, height, width, 1)` in [0, 1] to what it predicts.
        decoding: Decoding of classes; without it all classes count alike.

    Returns:
        The network itself if it predicts RGB, otherwise one that shares its layers and weights and
        puts the chroma on the luminance of its input.
    """
    target, chroma = target_of(network), network.output
    if target == "rgb":
        return network
    if target == "classes":
        layer = color_classes.DecodeClasses(CLASS_STEP, name="chroma")
        chroma = layer(chroma)
        if decoding is not None:
            layer.shares.assign(decoding.shares)
            layer.settings.assign([decoding.exact, decoding.vivid])
            for name, value in zip(DECODING, decoding.exact, strict=True):
                getattr(layer, name).assign(value)
    rgb = color.AddChroma(name="rgb")(network.input, chroma)
    return keras.Model(network.input, rgb, name=network.name)


def class_decoder(network: keras.Model) -> color_classes.DecodeClasses | None:
    """Return the layer of a saved network that decodes color classes; None where it predicts none."""
    layers = (layer for layer in network.layers if isinstance(layer, color_classes.DecodeClasses))
    return next(layers, None)


def to_rgb(
    luminance: keras.KerasTensor, prediction: keras.KerasTensor, target: str
) -> keras.KerasTensor:
    """Return the RGB, `(n, height, width, 3)` in [0, 1], that a prediction in training stands for.

    Args:
        luminance: Luminance of the photographs, `(n, height, width, 1)` in [0, 1].
        prediction: Output of the network; of classes the expected color counts.
        target: Target of the network.
    """
    if target == "rgb":
        return prediction
    if target == "classes":
        shares = np.full(color_classes.COUNT, 1 / color_classes.COUNT, np.float32)
        chroma = color_classes.decode(prediction, shares) / color.CHROMA_SCALE
        prediction = color_classes.enlarged(chroma, CLASS_STEP)
    return color.add_chroma(luminance, prediction)


def targets_of(photographs: keras.KerasTensor, target: str) -> keras.KerasTensor:
    """Return what a network should have predicted, float32.

    Args:
        photographs: `(n, height, width, 3)` RGB, 0 to 255.
        target: Target of the network.

    Returns:
        RGB in [0, 1], `(n, height, width, 3)`; chroma, `(n, height, width, 2)`; or distributions over
        classes, `(n, height / CLASS_STEP, width / CLASS_STEP, color_classes.COUNT)`.
    """
    rgb = color.to_float(photographs)
    if target == "classes":
        return color_classes.encode(color_classes.grid_chroma(rgb, CLASS_STEP))
    return rgb if target == "rgb" else color.to_chroma(rgb)


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
