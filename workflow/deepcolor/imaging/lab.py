"""CIELAB of 8-bit pictures, in NumPy: what `deepcolor.imaging.color` does on the device, for measuring.

Planes lie one after the other, `(..., 3, height, width)`, which is several times faster to compute with
than pixel by pixel. The luminance is that of the input, Rec. 601 luma.
"""

import numpy as np

from deepcolor.constants import LUMA, WHITE, XYZ_OF_RGB

_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES > 0.04045, ((_CODES + 0.055) / 1.055) ** 2.4, _CODES / 12.92).astype("float32")
_WHITE_OF_RGB = (XYZ_OF_RGB / WHITE[:, None]).astype("float32")
_RGB_OF_WHITE = (np.linalg.inv(XYZ_OF_RGB) * WHITE[None, :]).astype("float32")


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Convert 8-bit sRGB to CIELAB (D65, 2 degree observer), within 1e-3 of scikit-image.

    Args:
        rgb: `(..., height, width, 3)` uint8.

    Returns:
        Planes L*, a* and b*, `(..., 3, height, width)` float32.
    """
    linear = _LINEAR[np.moveaxis(rgb, -1, -3)]
    xyz = _times(_WHITE_OF_RGB, linear)
    f = np.where(xyz > np.float32(0.008856), np.cbrt(xyz), 7.787 * xyz + np.float32(16 / 116))
    x, y, z = np.moveaxis(f, -3, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-3)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Convert CIELAB to 8-bit sRGB; colors that sRGB has not are clipped.

    Args:
        lab: Planes L*, a* and b*, `(..., 3, height, width)` float32.

    Returns:
        `(..., height, width, 3)` uint8.
    """
    lightness, a, b = np.moveaxis(lab, -3, 0)
    y = (lightness + 16) / 116
    f = np.stack([a / 500 + y, y, np.maximum(y - b / 200, 0)], axis=-3)
    xyz = np.where(f > np.float32(0.2068966), f * f * f, (f - np.float32(16 / 116)) / np.float32(7.787))
    linear = _times(_RGB_OF_WHITE, xyz)
    power = np.maximum(linear, np.float32(0.0031308)) ** np.float32(1 / 2.4)
    rgb = np.where(linear > np.float32(0.0031308), 1.055 * power - np.float32(0.055), 12.92 * linear)
    return np.moveaxis(to_8bit(rgb), -3, -1)


def to_8bit(values: np.ndarray) -> np.ndarray:
    """Round floats in [0, 1] to uint8; what lies outside is clipped."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """What the networks see of 8-bit pictures: bit for bit what `color.to_luminance` gives on a CPU.

    Args:
        rgb: `(..., height, width, 3)` uint8.

    Returns:
        `(..., height, width, 1)` float32 in [0, 1]: the Rec. 601 luma of the gamma-encoded values.
    """
    red, green, blue = (
        np.float32(weight) * plane
        for weight, plane in zip(LUMA, np.moveaxis(rgb / np.float32(255), -1, 0), strict=True)
    )
    return (red + green + blue)[..., None]


def grayscale(rgb: np.ndarray) -> np.ndarray:
    """The input as a picture: `(..., height, width, 3)` uint8 RGB to the same with R = G = B."""
    return np.repeat(to_8bit(luminance(rgb)), 3, axis=-1)


def lightness(rgb: np.ndarray) -> np.ndarray:
    """The L* of what the networks see of 8-bit pictures.

    Args:
        rgb: `(..., height, width, 3)` uint8.

    Returns:
        `(..., height, width)` float32, in [0, 100]: L* of the gray that is their Rec. 601 luma.
    """
    red, green, blue = np.moveaxis(rgb, -1, 0)
    luma = (np.float32(LUMA[0]) * red + np.float32(LUMA[1]) * green + np.float32(LUMA[2]) * blue) / 255
    # The gray's tristimulus values are equal: its luminance is its linear value.
    linear = np.where(luma > 0.04045, ((luma + 0.055) / 1.055) ** 2.4, luma / 12.92).astype("float32")
    f = np.where(linear > 0.008856, np.cbrt(linear), 7.787 * linear + 16 / 116)
    return (116 * f - 16).astype("float32")


def _times(matrix: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """A matrix, `(3, 3)`, times the color of each pixel: `(..., 3, height, width)` to the same.

    Spelled out: a product of matrices would start threads that wait for more at full speed.
    """
    x, y, z = np.moveaxis(planes, -3, 0)
    return np.stack([a * x + b * y + c * z for a, b, c in matrix], axis=-3)


def with_luminance(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Pictures with the luminance that the networks are given, and the chroma of a prediction.

    Args:
        truth: Photographs, `(..., height, width, 3)` uint8 RGB, whose luminance is the input.
        prediction: Pictures, likewise.

    Returns:
        `(..., height, width, 3)` uint8 RGB.
    """
    return with_lightness(lightness(truth), to_lab(prediction))


def with_lightness(lightness: np.ndarray, prediction_lab: np.ndarray) -> np.ndarray:
    """Return images with a given lightness and the chroma of predictions.

    Args:
        lightness: L* of CIELAB, `(..., height, width)` float32 in [0, 100].
        prediction_lab: Predictions in CIELAB, `(..., 3, height, width)`; see `to_lab`.

    Returns:
        `(..., height, width, 3)` uint8 RGB.
    """
    chroma = prediction_lab[..., 1:, :, :]
    return to_rgb(np.concatenate([lightness[..., None, :, :], chroma], axis=-3))
