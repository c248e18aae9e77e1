"""How close pictures are to photographs, and how colorful: the measures of each image.

NumPy and OpenCV, on 8-bit pictures as they are stored: anybody can take them again from the files.
What the measures mean, in words and with units, stands in `deepcolor.evaluation.measures`.
"""

from concurrent.futures import Executor
from functools import partial

import cv2
import numpy as np
import pandas as pd

from deepcolor.constants import MAX_DECIBELS
from deepcolor.evaluation.measures import KEPT
from deepcolor.imaging import lab
from deepcolor.imaging.colorfulness import colorfulness

# Of Wang et al. 2004: a Gaussian window of 11×11 pixels, and the two constants.
SSIM_WINDOW, SSIM_SIGMA, SSIM_K = 11, 1.5, (0.01, 0.03)


def per_image(
    truth: np.ndarray,
    prediction: np.ndarray,
    workers: Executor | None = None,
    *,
    true_lightness: bool = False,
) -> pd.DataFrame:
    """All measures of each image: of the prediction as it is, and with the input's luminance.

    Most papers score the second: the luminance is the input's, whatever a network made of it, and the
    chroma the prediction's.

    Args:
        truth: Photographs, `(n, height, width, 3)` uint8 RGB, whose luminance is the input.
        prediction: Pictures, likewise.
        workers: Threads to share the images out to.
        true_lightness: Keep the L* of `truth`, not that of its luma: for predictions from another
            picture than `truth`.

    Returns:
        A frame of n rows with the columns of `measures.MEASURES`, then again with "kept_" before their
        names, for the input's luminance.
    """
    measure = partial(_measure_both, true_lightness=true_lightness)
    rows = (workers.map if workers else map)(measure, truth, prediction)
    return pd.DataFrame(list(rows))


def _measure_both(
    truth: np.ndarray, prediction: np.ndarray, *, true_lightness: bool
) -> dict[str, float]:
    """The measures of one image, twice; see `per_image`."""
    truth_lab, prediction_lab = lab.to_lab(truth), lab.to_lab(prediction)
    lightness = truth_lab[0] if true_lightness else lab.lightness(truth)
    kept = lab.with_lightness(lightness, prediction_lab)
    again = _measure(truth, kept, truth_lab, lab.to_lab(kept))
    return {
        **_measure(truth, prediction, truth_lab, prediction_lab),
        **{f"{KEPT}{name}": value for name, value in again.items()},
    }


def _measure(
    truth: np.ndarray, prediction: np.ndarray, truth_lab: np.ndarray, prediction_lab: np.ndarray
) -> dict[str, float]:
    """The measures of one image; see `deepcolor.evaluation.measures.MEASURES`."""
    error = mse(truth, prediction)
    deficit = np.maximum(chroma_of(truth_lab) - chroma_of(prediction_lab), 0)
    colorful = colorfulness(prediction)
    return {
        "mse": error,
        "psnr": float(psnr_of_mse(error)),
        "ssim": ssim(truth, prediction),
        "ciede2000": _mean(ciede2000(truth_lab, prediction_lab)),
        "chroma_rmse": chroma_rmse(truth_lab, prediction_lab),
        "chroma_deficit": _mean(deficit),
        "colorfulness": colorful,
        "colorfulness_difference": colorful - colorfulness(truth),
        "dominant_channel_accuracy": _mean(dominant_channel(truth) == dominant_channel(prediction)),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64))


def mse(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Mean squared error of 8-bit RGB pictures of one shape, on values scaled to [0, 1]."""
    difference = truth.astype(np.int32) - prediction
    return float(np.mean(difference * difference)) / 255**2


def psnr_of_mse(error: float | np.ndarray) -> np.ndarray:
    """PSNR in dB of mean squared errors in [0, 1], at most MAX_DECIBELS."""
    return -10 * np.log10(np.maximum(error, 10 ** (-MAX_DECIBELS / 10)))


def ssim(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Structural similarity of RGB pictures: Wang, Bovik, Sheikh and Simoncelli 2004.

    The mean over the three channels and over the places where the Gaussian window (11×11 pixels,
    sigma 1.5) lies whole inside the picture, with population covariances, on 0 to 255.

    Args:
        truth: `(height, width, 3)` uint8, at least 11×11 pixels.
        prediction: Likewise.

    Returns:
        At most 1, for equal pictures.
    """
    # Variances are small differences of large squares: in 32 bits bright flat pictures are 1e-4 off.
    x, y = truth.astype(np.float64), prediction.astype(np.float64)
    edge = SSIM_WINDOW // 2

    def smooth(values: np.ndarray) -> np.ndarray:
        blurred = cv2.GaussianBlur(values, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA)
        return blurred[edge:-edge, edge:-edge]

    mean_x, mean_y = smooth(x), smooth(y)
    products = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    variances = smooth(x**2 + y**2) - squares
    covariance = smooth(x * y) - products
    c1, c2 = ((k * 255) ** 2 for k in SSIM_K)
    return float(
        np.mean((2 * products + c1) / (squares + c1) * (2 * covariance + c2) / (variances + c2))
    )


def chroma_of(planes: np.ndarray) -> np.ndarray:
    """Chroma of CIELAB planes: `(3, height, width)` to `(height, width)`, the length of (a*, b*)."""
    return _length(planes[1], planes[2])


def chroma_rmse(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Root of the mean squared error of a* and b*, over pixels and the two channels.

    Args:
        truth: Planes of CIELAB, `(3, height, width)`.
        prediction: Likewise.
    """
    return float(np.sqrt(_mean((truth[1:] - prediction[1:]) ** 2)))


def dominant_channel(rgb: np.ndarray) -> np.ndarray:
    """The strongest channel of each pixel, the first of equal ones: `(..., 3)` to `(...)`."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    return np.where(blue > np.maximum(red, green), 2, green > red)


def ciede2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Color difference CIEDE2000 (CIE 142-2001, as written down by Sharma, Wu and Dalal 2005).

    Args:
        first: L*, a* and b* of CIELAB along the first axis, `(3, ...)` float.
        second: Likewise.

    Returns:
        `(...)`: 0 for equal colors; about 1 can just be seen.
    """
    (l1, a1, b1), (l2, a2, b2) = first, second
    stretch = 1.5 - 0.5 * _of_seventh_power((_length(a1, b1) + _length(a2, b2)) / 2)
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = _length(a1, b1), _length(a2, b2)
    h1, h2 = _turned(np.arctan2(b1, a1)), _turned(np.arctan2(b2, a2))
    gray = c1 * c2 == 0

    turn = h2 - h1
    apart = np.abs(turn) > np.pi
    turn = np.where(apart, turn - np.copysign(2 * np.pi, turn), turn)
    dl, dc = l2 - l1, c2 - c1
    dh = np.where(gray, 0, 2 * np.sqrt(c1 * c2) * np.sin(turn / 2))

    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    # A gray color has no hue, here 0: the other one's counts.
    hue = np.where(gray, h1 + h2, (h1 + h2) / 2 + apart.astype(h1.dtype) * np.pi)
    hue = np.where(hue >= 2 * np.pi, hue - 2 * np.pi, hue)
    cos, sin = np.cos(hue), np.sin(hue)
    cos2, sin2 = cos**2 - sin**2, 2 * sin * cos
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    cos4, sin4 = cos2**2 - sin2**2, 2 * sin2 * cos2
    weight = (
        1
        - 0.17 * (cos * _COS[30] + sin * _SIN[30])
        + 0.24 * cos2
        + 0.32 * (cos3 * _COS[6] - sin3 * _SIN[6])
        - 0.20 * (cos4 * _COS[63] + sin4 * _SIN[63])
    )
    square = (lightness - 50) ** 2
    dl = dl / (1 + 0.015 * square / np.sqrt(20 + square))
    dc = dc / (1 + 0.045 * chroma)
    dh = dh / (1 + 0.015 * chroma * weight)
    angle = np.pi / 3 * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    rotation = -2 * np.sin(angle) * _of_seventh_power(chroma)
    return np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0))


def _turned(angle: np.ndarray) -> np.ndarray:
    """Radians in (-pi, pi] as those in [0, 2 pi)."""
    return np.where(angle < 0, angle + 2 * np.pi, angle)


def _length(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(a * a + b * b)


def _of_seventh_power(chroma: np.ndarray) -> np.ndarray:
    """The root of c^7 / (c^7 + 25^7), on a scale that float32 holds well."""
    ratio = chroma / 25
    power = ratio * ratio * ratio
    power = power * power * ratio
    return np.sqrt(power / (power + 1))


_COS = {degrees: float(np.cos(np.radians(degrees))) for degrees in (6, 30, 63)}
_SIN = {degrees: float(np.sin(np.radians(degrees))) for degrees in (6, 30, 63)}
