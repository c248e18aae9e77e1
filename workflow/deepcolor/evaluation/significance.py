"""Tests of paired differences: Wilcoxon's signed-rank test, its effect size, Holm's adjustment."""

import numpy as np
from scipy import stats

# With fewer photographs bootstrap intervals are much too narrow, and a rank test has no power.
MIN_PHOTOGRAPHS = 8


def wilcoxon_p(differences: np.ndarray) -> float:
    """Return the p-value of Wilcoxon's signed-rank test, two-sided.

    Args:
        differences: Paired differences, a photograph each, `(photographs,)`.

    Returns:
        The p-value, 1 where nothing differs, nan for fewer than MIN_PHOTOGRAPHS.
    """
    if len(differences) < MIN_PHOTOGRAPHS:
        return np.nan
    return float(stats.wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def rank_biserial(differences: np.ndarray) -> float:
    """Return the matched-pairs rank-biserial correlation (Kerby 2014).

    Args:
        differences: Paired differences, a photograph each, `(photographs,)`.

    Returns:
        The correlation in [-1, 1]; 0 where nothing differs.
    """
    nonzero = differences[differences != 0]
    ranks = stats.rankdata(np.abs(nonzero))
    return float(np.sum(np.sign(nonzero) * ranks) / ranks.sum()) if len(nonzero) else 0.0


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number (Holm 1979).

    Args:
        p: P-values of one family; nan stays nan and does not count.
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
