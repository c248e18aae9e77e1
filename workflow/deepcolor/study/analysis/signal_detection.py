"""Signal detection: how well people tell colorized pictures from real ones, whatever their leaning.

A hit is a real photograph called real, a false alarm a colorized one called real.
"""

import numpy as np
from scipy.special import ndtri


def log_linear(count: float, answers: int) -> float:
    """A share that is never 0 or 1, `(count + ½) / (answers + 1)`: the correction of Hautus (1995).

    Args:
        count: Answers of the kind, 0 to `answers`.
        answers: All answers, at least 1.
    """
    return (count + 0.5) / (answers + 1)


def sensitivity(hits: np.ndarray, false_alarms: np.ndarray) -> np.ndarray:
    """d′ of yes-no answers, `z(H) − z(F)` (Green & Swets 1966).

    Args:
        hits: Share of real photographs called real, above 0 and below 1; any shape.
        false_alarms: Share of colorized pictures called real, above 0 and below 1; of the same shape.

    Returns:
        In standard deviations of the evidence; 0 where real and colorized pictures cannot be told apart.
    """
    return ndtri(hits) - ndtri(false_alarms)


def criterion(hits: np.ndarray, false_alarms: np.ndarray) -> np.ndarray:
    """The leaning c of yes-no answers, `−(z(H) + z(F)) / 2` (Macmillan & Creelman 2005).

    Args:
        hits: As of `sensitivity`.
        false_alarms: As of `sensitivity`.

    Returns:
        In standard deviations; below 0 where people rather say "real", above where "colorized".
    """
    return -(ndtri(hits) + ndtri(false_alarms)) / 2


def pairs_sensitivity(right: np.ndarray) -> np.ndarray:
    """d′ of pairs, `√2 · z(share of right answers)` (Macmillan & Creelman 2005).

    Args:
        right: Share of pairs whose real photograph was found, above 0 and below 1; any shape.

    Returns:
        On the scale of `sensitivity`; 0 at one half.
    """
    return np.sqrt(2) * ndtri(right)
