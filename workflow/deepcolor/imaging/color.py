"""From 8-bit RGB to what the networks see, and from what they predict to RGB.

One function each for training, evaluation and use, in Keras's own operations: they run on the device,
under every backend.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from deepcolor.constants import LUMA, WHITE, XYZ_OF_RGB


def to_float(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Scale 8-bit values, 0 to 255, to float32 in [0, 1]."""
    return ops.cast(rgb, "float32") / 255.0


def to_luminance(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Turn RGB into the luminance that the networks see.

    Args:
        rgb: `(..., 3)`, 0 to 255, 8-bit or float.

    Returns:
        `(..., 1)`, float32 in [0, 1]: the Rec. 601 luma of the gamma-encoded values.
    """
    weights = ops.convert_to_tensor(LUMA, dtype="float32")
    return ops.sum(to_float(rgb) * weights, axis=-1, keepdims=True)


# What a and b are divided by, so that a network's tanh reaches every color of sRGB.
CHROMA_SCALE = 127.0


def rgb_to_lab(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Convert sRGB to CIELAB (D65, 2 degree observer).

    Within 1e-3 of scikit-image's `rgb2lab`; its gradient is finite everywhere, black included.

    Args:
        rgb: `(..., 3)`, float in [0, 1].

    Returns:
        `(..., 3)` float32: L* in [0, 100], a* and b* in about [-108, 99].
    """
    xyz = ops.matmul(_to_linear(rgb), _constant((XYZ_OF_RGB / WHITE[:, None]).T))
    f = _compressed(xyz)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return ops.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lightness(luminance: keras.KerasTensor) -> keras.KerasTensor:
    """Return L* in [0, 100] of gray values in [0, 1], of the same shape, float32."""
    # The tristimulus values of gray are equal: its luminance is its linear value.
    return 116 * _compressed(_to_linear(luminance)) - 16


def _to_linear(values: keras.KerasTensor) -> keras.KerasTensor:
    """Return linear values for gamma-encoded ones of sRGB, in [0, 1]."""
    values = ops.cast(values, "float32")
    # Where a power is not wanted its argument is held at the threshold: its gradient would be infinite
    # at 0, and infinity times the 0 of `where` is no number.
    power = ops.power((ops.maximum(values, 0.04045) + 0.055) / 1.055, 2.4)
    return ops.where(values > 0.04045, power, values / 12.92)


def _compressed(xyz: keras.KerasTensor) -> keras.KerasTensor:
    """Return the cube roots that CIELAB is made of, straight near 0."""
    root = ops.power(ops.maximum(xyz, 0.008856), 1 / 3)
    return ops.where(xyz > 0.008856, root, 7.787 * xyz + 16 / 116)


def lab_to_rgb(lab: keras.KerasTensor) -> keras.KerasTensor:
    """Convert CIELAB (D65, 2 degree observer) to sRGB; colors that sRGB has not are clipped to [0, 1].

    Within 1e-3 of scikit-image's `lab2rgb`; its gradient is finite everywhere.

    Args:
        lab: `(..., 3)`: L* in [0, 100], a* and b*.

    Returns:
        `(..., 3)`, float32 in [0, 1].
    """
    lab = ops.cast(lab, "float32")
    y = (lab[..., 0] + 16) / 116
    x = lab[..., 1] / 500 + y
    z = ops.maximum(y - lab[..., 2] / 200, 0.0)
    f = ops.stack([x, y, z], axis=-1)
    xyz = ops.where(f > 0.2068966, f * f * f, (f - 16 / 116) / 7.787)
    linear = ops.matmul(xyz, _constant((np.linalg.inv(XYZ_OF_RGB) * WHITE[None, :]).T))
    rgb = ops.where(
        linear > 0.0031308,
        1.055 * ops.power(ops.maximum(linear, 0.0031308), 1 / 2.4) - 0.055,
        linear * 12.92,
    )
    return ops.clip(rgb, 0.0, 1.0)


def to_chroma(rgb: keras.KerasTensor) -> keras.KerasTensor:
    """The chroma that networks with `target: lab` predict.

    Args:
        rgb: `(..., 3)`, float in [0, 1].

    Returns:
        `(..., 2)` float32: a* and b* of CIELAB, divided by CHROMA_SCALE, within [-1, 1].
    """
    return rgb_to_lab(rgb)[..., 1:] / CHROMA_SCALE


def add_chroma(luminance: keras.KerasTensor, chroma: keras.KerasTensor) -> keras.KerasTensor:
    """Color a grayscale picture; its own luminance is kept, whatever the chroma.

    Args:
        luminance: `(..., 1)`, float in [0, 1]: the gray value, that is R = G = B of the input.
        chroma: `(..., 2)`: a* and b* divided by CHROMA_SCALE, see `to_chroma`.

    Returns:
        RGB, `(..., 3)` float32 in [0, 1]. Its L* is the input's, but for colors that sRGB has not.
    """
    chroma = ops.cast(chroma, "float32") * CHROMA_SCALE
    return lab_to_rgb(ops.concatenate([lightness(luminance), chroma], axis=-1))


@keras.saving.register_keras_serializable("deepcolor")
class AddChroma(keras.layers.Layer):
    """`add_chroma` as the last layer of a saved network; float32 whatever the precision elsewhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"dtype": "float32", **options})

    def call(self, luminance: keras.KerasTensor, chroma: keras.KerasTensor) -> keras.KerasTensor:
        """See `add_chroma`."""
        return add_chroma(luminance, chroma)

    def compute_output_shape(
        self, luminance_shape: tuple[int | None, ...], chroma_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """`(..., 1)` and `(..., 2)` become `(..., 3)`."""
        return (*luminance_shape[:-1], 3)


def _constant(array: np.ndarray) -> keras.KerasTensor:
    return ops.convert_to_tensor(array.astype("float32"))
