"""Color classes: a* and b* of CIELAB as a distribution over points of a grid.

Source: R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization" (2016), whose classes are the
grid points that sRGB contains at all. In Keras's own operations: they run on the device, under every
backend.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from deepcolor.constants import DECODING, WHITE, XYZ_OF_RGB
from deepcolor.imaging import color

SPACING = 10.0  # Distance of neighboring classes, in units of a* and b*.
SIGMA = 5.0  # Standard deviation of the soft encoding, likewise.
# Number of the values 0 to 100 of L* for which a class lies inside sRGB, at least. Rarer colors count as
# the nearest class.
MIN_LIGHTNESS_RANGE = 17
# Share of the uniform distribution that is mixed into that of the training images, as published.
UNIFORM_SHARE = 0.5


def _centers() -> np.ndarray:
    """Return a* and b* of each class, `(classes, 2)` float32, from green to red, from blue to yellow."""
    grid = np.arange(-110, 111, SPACING)
    a, b = (plane.ravel() for plane in np.meshgrid(grid, grid, indexing="ij"))
    y = (np.arange(101)[:, None] + 16) / 116
    f = np.stack([a / 500 + y, y + 0 * a, y - b / 200])
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * WHITE[:, None, None]
    rgb = np.tensordot(np.linalg.inv(XYZ_OF_RGB), xyz, axes=1)
    # With room for rounding: gray is in sRGB from black to white.
    inside = np.all((rgb > -1e-4) & (rgb < 1 + 1e-4), axis=0).sum(axis=0)
    kept = inside >= MIN_LIGHTNESS_RANGE
    return np.stack([a, b], axis=-1)[kept].astype(np.float32)


CENTERS = _centers()
COUNT = len(CENTERS)


def encode(chroma: keras.KerasTensor) -> keras.KerasTensor:
    """Return colors as distributions over the classes, concentrated on the nearest ones.

    The probability of a class falls with its distance d as exp(-d² / (2 SIGMA²)): beyond the five
    nearest classes, which the source stops at, 4 % are left in the mean.

    Args:
        chroma: a* and b*, `(..., 2)` float32.

    Returns:
        `(..., COUNT)` float32, each distribution with the sum 1.
    """
    centers = ops.convert_to_tensor(CENTERS)
    # The square of the color itself is the same for all classes: it cancels out.
    products = ops.matmul(chroma, ops.transpose(centers))
    squares = ops.sum(ops.square(centers), axis=-1)
    return ops.softmax((products - squares / 2) / SIGMA**2, axis=-1)


def decode(
    logits: keras.KerasTensor,
    shares: keras.KerasTensor,
    temperature: float | keras.KerasTensor = 1.0,
    prior: float | keras.KerasTensor = 0.0,
    gain: float | keras.KerasTensor = 1.0,
) -> keras.KerasTensor:
    """Return the expected colors of distributions that are sharpened and freed from a prior.

    Args:
        logits: Logarithms of the distributions but for a constant, `(..., COUNT)` float32.
        shares: Shares of the classes in the training images, `(COUNT,)`; see `smoothed`.
        temperature: Above 0: 1 for the distribution as it is; the lower, the sharper (the source's
            annealed mean, with 0.38).
        prior: Extent to which the shares are divided out: 0 not at all, 1 wholly, so that rare colors
            are as likely as gray.
        gain: Factor of the chroma. An expected color is grayer than the plausible ones that it is the
            mean of.

    Returns:
        a* and b*, `(..., 2)` float32.
    """
    evidence = ops.cast(logits, "float32") - prior * ops.log(smoothed(shares))
    probabilities = ops.softmax(evidence / temperature, axis=-1)
    return gain * ops.matmul(probabilities, ops.convert_to_tensor(CENTERS))


def smoothed(shares: Any) -> Any:
    """Return shares of classes, `(COUNT,)`, mixed with equal ones: no class has none."""
    return (1 - UNIFORM_SHARE) * shares + UNIFORM_SHARE / COUNT


def grid_chroma(rgb: keras.KerasTensor, step: int) -> keras.KerasTensor:
    """Return a* and b* of the mean colors of squares of pixels.

    Args:
        rgb: RGB images in [0, 1], `(n, height, width, 3)`.
        step: Side of the squares in pixels; height and width are multiples of it.

    Returns:
        `(n, height / step, width / step, 2)` float32.
    """
    return color.rgb_to_lab(ops.average_pool(rgb, step, step, data_format="channels_last"))[..., 1:]


def enlarged(chroma: keras.KerasTensor, step: int) -> keras.KerasTensor:
    """Return chroma on a grid, `(n, rows, columns, 2)`, for each pixel, bilinear between squares."""
    height, width = (side * step for side in chroma.shape[1:3])
    return ops.image.resize(chroma, (height, width), interpolation="bilinear")


def _plain_settings(shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
    """Return twice the temperature 1, the prior 0 and the gain 1."""
    return ops.broadcast_to(ops.convert_to_tensor([1.0, 0.0, 1.0], dtype=dtype), shape)


@keras.saving.register_keras_serializable("deepcolor")
class DecodeClasses(keras.layers.Layer):
    """Chroma, as `color.AddChroma` takes it, of logits on a grid: the decoder of a saved network.

    What decides how colorful pictures are can be set again after training.

    Attributes:
        shares: Shares of the classes in the training images, `(COUNT,)`.
        temperature: Temperature, see `decode`.
        prior: Extent to which the shares are divided out, likewise.
        gain: Factor of the chroma, likewise.
        settings: Temperature, prior and gain, `(2, 3)`: for the most exact colors in the first row, for
            vivid ones in the second.
    """

    def __init__(self, step: int = 4, **options: Any) -> None:
        super().__init__(**{"dtype": "float32", "trainable": False, **options})
        self.step = step

    def build(self, logits_shape: tuple[int | None, ...]) -> None:
        """Make the variables: all classes alike, nothing sharpened."""
        self.shares = self.add_weight((COUNT,), keras.initializers.Constant(1 / COUNT), name="shares")
        self.temperature = self.add_weight((), "ones", name="temperature")
        self.prior = self.add_weight((), "zeros", name="prior")
        self.gain = self.add_weight((), "ones", name="gain")
        self.settings = self.add_weight((2, len(DECODING)), _plain_settings, name="settings")

    def call(
        self,
        logits: keras.KerasTensor,
        temperature: keras.KerasTensor | None = None,
        prior: keras.KerasTensor | None = None,
        gain: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Return `(n, height, width, 2)` float32; by default with the layer's own settings.

        Args:
            logits: `(n, height / step, width / step, COUNT)`.
            temperature: See `decode`.
            prior: Likewise.
            gain: Likewise.
        """
        given = dict(zip(DECODING, (temperature, prior, gain), strict=True))
        own = {name: getattr(self, name) if each is None else each for name, each in given.items()}
        chroma = decode(logits, self.shares, **own)
        return enlarged(chroma / color.CHROMA_SCALE, self.step)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made again from."""
        return {**super().get_config(), "step": self.step}

    def compute_output_shape(self, logits_shape: tuple[Any, ...], **_: Any) -> tuple[Any, ...]:
        """Return `(n, height, width, 2)`."""
        count, rows, columns, _classes = logits_shape
        return count, self.step * rows, self.step * columns, 2
