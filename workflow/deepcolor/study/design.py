"""The design of a user study: which person sees which photograph how. Standard library only.

A photograph can be seen as it is, or as one of the runs has colored it: these are its conditions. Lists
are a Latin square: each shows every photograph in one condition, over all lists a photograph goes
through all of them, and in each list they are equally frequent, as far as the numbers allow.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROTOCOLS = ("yes-no", "pairs", "rating")
# What can be answered, by protocol; a rating is two grades of 1 to 5.
WORDS = {"yes-no": ("real", "colorized"), "pairs": ("left", "right"), "rating": ()}
# A pair is shown for a second, as by Zhang et al. (2016); a single picture until the answer.
SECONDS = {"yes-no": 0.0, "pairs": 1.0, "rating": 0.0}
REAL, CATCH = "real", "catch"

Trial = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A trial as a person sees it.

    Attributes:
        kind: "practice", "test" or "catch".
        image: Place in the study's `images`.
        condition: "real", the name of a run, or "catch".
        pictures: Names of its pictures, from left to right: one, of protocol pairs two.
        side: Where the colorized picture is, "left" or "right"; "" but for protocol pairs.
        right: The answer that is right; "" where there is none.
    """

    kind: str
    image: int
    condition: str
    pictures: tuple[str, ...]
    side: str
    right: str


def slots(protocol: str, runs: Sequence[str], real_share: float) -> list[str]:
    """The conditions of a photograph, one per list; "real" several times where its share asks for it.

    Args:
        protocol: Of `PROTOCOLS`.
        runs: Names of the runs.
        real_share: Of photographs that are shown as they are, above 0 and below 1 (yes-no).
    """
    if protocol == "pairs":  # The real one is beside every colorized one.
        return list(runs)
    if protocol == "rating":
        return [*runs, REAL]
    return [*runs, *[REAL] * max(1, round(len(runs) * real_share / (1 - real_share)))]


def lists(images: Sequence[int], conditions: Sequence[str]) -> list[list[tuple[int, str]]]:
    """The Latin square: of each list the photographs with their conditions.

    Args:
        images: Places of the photographs; neighbors differ in condition, so that photographs of one
            data set that stand together go through all.
        conditions: Of `slots`, one per list.
    """
    count = len(conditions)
    return [
        [(image, conditions[(place + number) % count]) for place, image in enumerate(images)]
        for number in range(count)
    ]


def practice(protocol: str, images: Sequence[int], runs: Sequence[str]) -> list[tuple[int, str]]:
    """The photographs to practice on with their conditions: half of them real, but for pairs."""
    if protocol == "pairs":
        conditions = [runs[place % len(runs)] for place in range(len(images))]
    else:
        conditions = [
            runs[place // 2 % len(runs)] if place % 2 else REAL for place in range(len(images))
        ]
    # Real and colorized ones must not take turns.
    random.Random(f"practice of {len(images)}").shuffle(conditions)
    return list(zip(images, conditions, strict=True))


def answers_per_run(study_images: int, conditions: Sequence[str], runs: Sequence[str]) -> float:
    """Answers that a person gives on pictures of one run, in the mean."""
    return study_images * sum(each in runs for each in conditions) / len(conditions) / len(runs)


def checksum(study: Mapping[str, Any]) -> str:
    """The name of a study: 16 hexadecimal digits over all else that study.json holds."""
    content = {key: value for key, value in study.items() if key != "study"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def person_trials(study: dict[str, Any], number: int, ordinal: int) -> list[ShownPicture]:
    """All trials of a person, in their order.

    First the practice, the same for all; then the list's photographs, and among them the catch trials,
    mixed by the study's seed and the person's place. Of a pair the colorized picture is as often left as
    right. Equal arguments give equal trials.

    Args:
        study: Content of study.json.
        number: Of the list.
        ordinal: The person's place among those who have begun, from 0.
    """
    chance = random.Random(f"{study['seed']}/{ordinal}")
    tests = list(study["lists"][number])
    chance.shuffle(tests)
    for trial in study["catch"]:  # Never the first: it should meet a person who is used to the task.
        tests.insert(chance.randint(1, len(tests)), trial)
    trials = [*study["practice"], *tests]
    sides = [("left", "right")[place % 2] for place in range(len(trials))]
    chance.shuffle(sides)
    return [_shown(trial, study["protocol"], side) for trial, side in zip(trials, sides, strict=True)]


def _shown(trial: Trial, protocol: str, side: str) -> ShownPicture:
    pictures: tuple[str, ...] = (trial["picture"],)
    if protocol == "pairs":
        pictures = (trial["picture"], trial["real"])
        right = "right"  # Where the real one is.
        if side == "right":
            pictures, right = pictures[::-1], "left"
    else:
        side = ""
        right = REAL if trial["condition"] == REAL else "colorized"
    if protocol == "rating":
        right = ""
    return ShownPicture(trial["kind"], trial["image"], trial["condition"], pictures, side, right)


def seconds(protocol: str, configured: float | None) -> float:
    """For how long a picture is shown; 0 is until the answer."""
    return SECONDS[protocol] if configured is None else float(configured)


def max_answers(study: dict[str, Any]) -> int:
    """The trials that a person takes, practice and catch trials with them."""
    return len(study["practice"]) + len(study["lists"][0]) + len(study["catch"])
