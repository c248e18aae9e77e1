"""How colorful a picture is."""

import numpy as np


def colorfulness(rgb: np.ndarray) -> float:
    """Colorfulness of a picture: Hasler and Süsstrunk 2003, with signed opponent channels.

    Args:
        rgb: `(height, width, 3)` uint8 RGB.

    Returns:
        0 for a gray picture; "extremely colorful" is about 109.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.int32), -1, 0)
    # Twice the opponent channels, in whole numbers: sums are exact.
    opponents = [2 * (red - green), red + green - 2 * blue]
    means = [float(each.mean()) / 2 for each in opponents]
    squares = [float((each * each).mean()) / 4 for each in opponents]
    variance = sum(square - mean**2 for square, mean in zip(squares, means, strict=True))
    return float(np.sqrt(max(variance, 0)) + 0.3 * np.hypot(means[0], means[1]))
