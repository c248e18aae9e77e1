"""What acceptance.json says, in sentences. What they call more or less rests on intervals alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepcolor.evaluation.bootstrap import Interval
from deepcolor.labels import run_label
from deepcolor.report.formatting import counted, decimal
from deepcolor.study.design import REAL

ABOVE, BELOW, LEVEL = "above", "below", "cannot be told from"
# Pairs of runs that get a sentence each.
PAIRS_TOLD = 10
CAUTION = (
    "Published shares were taken on other pictures and from other people, so that a difference from "
    "them is no difference between networks."
)
OTHER_QUESTION = {
    "pairs": (
        "The published shares of 45.87 % and 53 % are no measure here: they answer whether one picture "
        "is real, and here the real photograph was beside it. Of pairs, 50 % means that nobody can tell "
        "the two apart; Zhang et al. (2016) report 32.3 ± 2.2 %, for other pictures and people."
    ),
    "rating": (
        "The published shares of 45.87 % and 53 % are no measure here: they answer whether a picture is "
        "real, and here pictures were graded."
    ),
}


def interval_json(interval: Interval) -> dict[str, float | None]:
    """Return a value and its interval for JSON, None for what is not known."""
    return {key: finite(getattr(interval, key)) for key in ("value", "low", "high")}


def finite(value: float) -> float | None:
    """Return a number, None for nan and infinity."""
    return float(value) if math.isfinite(value) else None


def format_share(share: float | None) -> str:
    """Return a share as "45.9 %", a dash for none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def format_interval(share: Mapping[str, Any]) -> str:
    """Return an interval of shares in parentheses: "(40.1 to 52.0 %)", or that there is none."""
    if share["low"] is None:
        return "(no interval: it takes several people and several photographs)"
    return f"({100 * share['low']:.1f} to {100 * share['high']:.1f} %)"


def verdict(interval: Mapping[str, Any], value: float) -> str:
    """Return whether an interval is above or below a value or holds it; "" for no interval."""
    if interval["low"] is None:
        return ""
    return ABOVE if interval["low"] > value else BELOW if interval["high"] < value else LEVEL


def sentences(found: Mapping[str, Any]) -> list[str]:
    """What was found, in sentences.

    Args:
        found: Content of acceptance.json, all but the sentences.
    """
    people, conditions = found["people"], found["protocol"]
    told = []
    if found["simulated"]:
        told.append(
            f"{found['simulated']:,} of {found['all_answers']:,} answers are simulated: they were "
            "made by a program or in a rehearsal, and nothing that follows says anything of people."
        )
    told.append(
        f"Analyzed: {people['analyzed']:,} of {counted(people['begun'], 'person', 'people')} who began, "
        f"{counted(found['answers'], 'answer')} on {counted(found['photographs'], 'photograph')}."
    )
    if conditions == "rating":
        told += [_rating(row) for row in found["ratings"]]
    else:
        told += _shares(found)
    if conditions in OTHER_QUESTION:
        told.append(OTHER_QUESTION[conditions])
    return told


def _shares(found: Mapping[str, Any]) -> list[str]:
    told, real, pairs = [], found["real"], found["protocol"] == "pairs"
    for run in found["runs"]:
        text = f"Of {run_label(run['run'])}, {format_share(run['value'])} {format_interval(run)} "
        text += "of the pictures were "
        text += "picked as the real ones" if pairs else "taken for real photographs"
        if pairs and run["low"] is not None:
            text += {
                ABOVE: ", more often than the photographs themselves",
                BELOW: ", less than the 50 % of pictures that cannot be told from photographs",
                LEVEL: ", which cannot be told from the 50 % of guessing",
            }[verdict(run, 0.5)]
        ratio = run["ratio"]
        if ratio and ratio["value"] is not None:
            text += f": {ratio['value']:.2f} times as often as real photographs"
            if ratio["low"] is not None:
                text += f" ({ratio['low']:.2f} to {ratio['high']:.2f})"
        told.append(f"{text}.")
    if real:
        told.append(
            f"Of real photographs, {format_share(real['value'])} {format_interval(real)} were "
            "called real: that, and not 100 %, is what a picture can reach."
        )
    elif not pairs:
        told.append(
            "No real photograph was among the pictures, without which it is not known how readily these "
            "people call a picture real."
        )
    told += _differences([each for each in found["differences"] if each["low"] is not None])
    told += [_beside_published(run) for run in found["runs"] if run["published"]]
    if any(run["published"] for run in found["runs"]):
        told.append(CAUTION)
    return told


def _differences(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(pairs) <= PAIRS_TOLD:
        return [_difference(each) for each in pairs]
    apart = sum(bool(each["more"]) for each in pairs)
    return [f"Of {len(pairs)} pairs of runs, {apart} can be told apart; acceptance.json has them all."]


def _difference(each: Mapping[str, Any]) -> str:
    names = [run_label(each["run"]), run_label(each["other"])]
    ends = [100 * each["low"], 100 * each["high"]]
    if not each["more"]:
        return (
            f"{names[0]} and {names[1]} cannot be told apart: their difference lies within "
            f"{decimal(ends[0], 1)} and {decimal(ends[1], 1)} points."
        )
    if each["more"] == each["other"]:
        names, ends = names[::-1], [-end for end in ends[::-1]]
    return (
        f"{names[0]} is accepted more often than {names[1]}, by {ends[0]:.1f} to {ends[1]:.1f} points "
        f"({100 * abs(each['value']):.1f} here)."
    )


def _beside_published(run: Mapping[str, Any]) -> str:
    told = [
        f"{each['verdict']} {100 * each['share']:.4g} % ({each['name']})" for each in run["published"]
    ]
    return f"{run_label(run['run'])}, by its interval: {'; '.join(told)}."


def _rating(row: Mapping[str, Any]) -> str:
    above = row["above_real"]
    whose = "real photographs" if row["condition"] == REAL else run_label(row["condition"])
    text = f"The {row['question']} of {whose} has a median of {row['median']:g}"
    if above:
        text += (
            f"; with a probability of {format_share(above['value'])} {format_interval(above)} a "
            "picture of it is graded higher than a real photograph, ties counted half"
        )
    return f"{text}."
