"""Differences between two runs in words, with the verdict that interval and test allow."""

from collections.abc import Mapping
from typing import Any

from deepcolor.evaluation.measures import MEASURES
from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS
from deepcolor.report.formatting import interval, signed

# Measures whose differences are put into words.
DESCRIBED_MEASURES = ("psnr", "ciede2000")


def describe_pair(pair: Mapping[str, Any]) -> str:
    """Return a pair's differences in words, with the input's luminance where that changes a verdict.

    A network that keeps the luminance of the input may be better for that alone.

    Args:
        pair: Row of `pairs.compared_pairs`.
    """
    text = describe_differences(pair)
    kept = pair["kept"]
    if any(_verdict(pair, name) != _verdict(kept, name) for name in DESCRIBED_MEASURES):
        text += f"; with the input's luminance kept {describe_differences(kept)}"
    return text


def describe_differences(pair: Mapping[str, Any]) -> str:
    """Return a pair's differences in PSNR and CIEDE2000 with one luminance, and their verdicts.

    Args:
        pair: Row of `pairs.compared_pairs`, or its entry "kept".
    """
    return "; ".join(
        f"{describe_difference(pair[name], name)}{_verdict(pair, name)}" for name in DESCRIBED_MEASURES
    )


def describe_difference(statistics: Mapping[str, float], measure: str) -> str:
    """Return a difference with its interval: "+1.20 dB (0.80 to 1.60)".

    Args:
        statistics: The difference and the low and high end of its interval, nan for none.
        measure: Name of the measure.
    """
    unit = f" {MEASURES[measure].unit}" if MEASURES[measure].unit else ""
    digits = MEASURES[measure].digits
    name = "" if unit else f" {MEASURES[measure].label}"
    text = f"{signed(statistics['difference'], digits)}{unit}{name}"
    if statistics["low"] == statistics["low"]:
        text += f" ({interval(statistics['low'], statistics['high'], digits)})"
    return text


def _verdict(pair: Mapping[str, Any], measure: str) -> str:
    """Return the verdict of interval and test on a pair; with few photographs, none."""
    if pair["photographs"] < MIN_PHOTOGRAPHS:
        return ""
    statistics = pair[measure]
    if statistics["better"]:
        return ", better" if statistics["better"] == pair["run"] else ", worse"
    beyond = statistics["low"] > 0 or statistics["high"] < 0
    return ", which the test does not bear out" if beyond else ", not told apart"
