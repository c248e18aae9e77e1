"""LPIPS: how different two pictures look, as people's judgments have taught a classifier's features.

Source: R. Zhang, P. Isola, A. Efros, E. Shechtman, O. Wang, "The Unreasonable Effectiveness of Deep
Features as a Perceptual Metric" (2018), version 0.1 of the weights.
"""

from itertools import accumulate
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from keras import layers, ops

from deepcolor.errors import DeepColorError, first_line

# What the pictures, scaled to [-1, 1], are shifted and divided by before the first convolution.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)

# By network its stages, the features of which are compared: how the pictures are halved before them
# (side and stride of the pooling), and filters, kernel, stride and padding of their convolutions.
Stage = tuple[tuple[int, int] | None, tuple[tuple[int, int, int, int], ...]]
NETWORKS: dict[str, tuple[Stage, ...]] = {
    "alex": (
        (None, ((64, 11, 4, 2),)),
        ((3, 2), ((192, 5, 1, 2),)),
        ((3, 2), ((384, 3, 1, 1),)),
        (None, ((256, 3, 1, 1),)),
        (None, ((256, 3, 1, 1),)),
    ),
    "vgg": (
        (None, ((64, 3, 1, 1),) * 2),
        ((2, 2), ((128, 3, 1, 1),) * 2),
        ((2, 2), ((256, 3, 1, 1),) * 3),
        ((2, 2), ((512, 3, 1, 1),) * 3),
        ((2, 2), ((512, 3, 1, 1),) * 3),
    ),
}


def lpips_network(path: Path, image_size: int) -> keras.Model:
    """Build the network that takes LPIPS, with weights from a file.

    `workflow/scripts/convert_lpips.py` writes the file: a NumPy `.npz` with the arrays, counted from 1,

    - `conv{i}.kernel`, `(height, width, in, out)`, and `conv{i}.bias`, `(out,)`: the trunk's
      convolutions, 5 of AlexNet or 13 of VGG16;
    - `lin{k}.weight`, `(channels,)`: the weights of the features' channels after each of 5 stages.

    Args:
        path: The file. How many convolutions it has says which network it is.
        image_size: Side of the pictures in pixels.

    Returns:
        A model called "alex" or "vgg" from two pictures, `(batch, image_size, image_size, 3)` RGB, 0 to
        255, to their distance, `(batch,)` float32: 0 for equal ones.

    Raises:
        DeepColorError: The file is no such file.
    """
    arrays = _read(path)
    convolutions = {_depth(stages): name for name, stages in NETWORKS.items()}
    count = sum(name.endswith(".kernel") for name in arrays)
    if count not in convolutions:
        raise _misfit(path, f"{count} convolutions, where AlexNet has 5 and VGG16 13")
    name = convolutions[count]
    trunk = _trunk(NETWORKS[name], image_size)
    pictures = [keras.Input((image_size, image_size, 3), name=each) for each in ("first", "second")]
    distances = []
    for number, (first, second) in enumerate(zip(*map(trunk, pictures), strict=True), start=1):
        difference = ops.square(_unit(first) - _unit(second))
        weigh = layers.Dense(1, use_bias=False, name=f"lin{number}")
        distances.append(ops.mean(weigh(difference), axis=(1, 2, 3)))
    network = keras.Model(pictures, sum(distances[1:], distances[0]), name=name)
    for layer in [*trunk.layers, *network.layers]:
        if isinstance(layer, layers.Conv2D):
            _set(path, layer, [f"{layer.name}.kernel", f"{layer.name}.bias"], arrays)
        elif isinstance(layer, layers.Dense):
            _set(path, layer, [f"{layer.name}.weight"], arrays)
    # XLA has no kernel for some of the operations around, and gains nothing here.
    network.compile(jit_compile=False)
    return network


def _depth(stages: tuple[Stage, ...]) -> int:
    """The number of convolutions in stages."""
    return sum(len(convolutions) for _, convolutions in stages)


def _trunk(stages: tuple[Stage, ...], image_size: int) -> keras.Model:
    """From a picture, 0 to 255, to the features after each stage, as PyTorch's networks compute them."""
    picture = keras.Input((image_size, image_size, 3), name="picture")
    x = (picture / 127.5 - 1 - ops.convert_to_tensor(SHIFT)) / ops.convert_to_tensor(SCALE)
    features = []
    starts = accumulate((len(convolutions) for _, convolutions in stages), initial=1)
    for start, (pooling, convolutions) in zip(starts, stages, strict=False):
        if pooling:
            x = layers.MaxPooling2D(*pooling)(x)
        for number, (filters, kernel, stride, padding) in enumerate(convolutions, start):
            # Not padding="same", which is lopsided where the stride is above 1.
            x = layers.ZeroPadding2D(padding)(x)
            x = layers.Conv2D(filters, kernel, stride, activation="relu", name=f"conv{number}")(x)
        features.append(x)
    return keras.Model(picture, features, name="trunk")


def _unit(features: keras.KerasTensor) -> keras.KerasTensor:
    """Features of length 1 at every place, but for those that are all 0."""
    length = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    return features / (length + 1e-10)


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, BadZipFile) as error:
        raise _misfit(path, first_line(error)) from error


def _set(path: Path, layer: keras.Layer, names: list[str], arrays: dict[str, np.ndarray]) -> None:
    """Give a layer the weights of some names."""
    for name, variable in zip(names, layer.weights, strict=True):
        if name not in arrays:
            raise _misfit(path, f"there is no '{name}'")
        array = arrays[name]
        shape = tuple(each for each in variable.shape if each != 1 or layer.name.startswith("conv"))
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise _misfit(path, f"'{name}' is not {shape} of finite floats")
        variable.assign(array.reshape(variable.shape))


def _misfit(path: Path, fault: str) -> DeepColorError:
    return DeepColorError(
        f"evaluation.lpips_weights: {path} is no file of LPIPS weights ({fault}); "
        "workflow/scripts/convert_lpips.py writes one"
    )
