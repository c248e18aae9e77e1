"""Whose answers do not count, by rules that were fixed before the first answer."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from deepcolor.study.answers import Answer

# A catch trial's picture that is graded higher was not looked at.
MOST_NATURAL = 2
REASONS = {
    "unfinished": "did not finish",
    "color_vision": "said that they do not see colors as most people do",
    "catch_share": "got too many catch trials wrong",
    "fastest": "answered too fast",
}


@dataclass(frozen=True)
class Exclusion:
    """People and answers after exclusion.

    Attributes:
        answers: Of test trials, of those who are analyzed.
        people: begun, finished, analyzed (numbers); excluded: by reason the people for whom it is the
            first in the order of `REASONS`; applies: by reason all for whom it holds.
        rules: That were applied.
        changed: How the configuration's rules differ from them, in a sentence; "" where they do not.
        unknown: By rule how many people it could not be applied to, as nothing was recorded.
    """

    answers: list[Answer]
    people: dict[str, Any]
    rules: dict[str, Any]
    changed: str
    unknown: dict[str, int]


def exclude(answers: Sequence[Answer], configured: Mapping[str, Any]) -> Exclusion:
    """Leave out those to whom a rule applies. Practice and catch trials never count as results.

    Args:
        answers: Of one study, all.
        configured: `study.exclude` of the configuration: catch_share, the share of a person's catch
            trials that may be wrong; fastest, the seconds that the median test trial takes at least;
            color_vision, whether those who said "no" are left out. Rules that came with the answers go
            before.
    """
    fixed = answers[0].rules
    rules = dict(json.loads(fixed)) if fixed else dict(configured)
    differing = [key for key in rules if rules[key] != configured[key]]
    changed = ""
    if differing:
        then = ", ".join(f"{key} {json.dumps(rules[key])}" for key in differing)
        now = ", ".join(f"{key} {json.dumps(configured[key])}" for key in differing)
        changed = (
            f"The rules of exclusion are those that were fixed when the study was drawn ({then}); the "
            f"configuration has others now ({now}), which are not applied."
        )
    by_person: dict[str, list[Answer]] = {}
    for answer in answers:
        by_person.setdefault(answer.person, []).append(answer)
    holds = {person: _reasons(given, rules) for person, given in by_person.items()}
    firsts = Counter(found[0] for found in holds.values() if found)
    every = Counter(reason for found in holds.values() for reason in found)
    unknown = Counter(
        rule for given in by_person.values() for rule in _not_recorded(given) if rules[rule]
    )
    return Exclusion(
        answers=[each for each in answers if each.kind == "test" and not holds[each.person]],
        people={
            "begun": len(by_person),
            "finished": sum(given[0].finished for given in by_person.values()),
            "analyzed": sum(not found for found in holds.values()),
            "excluded": {reason: firsts[reason] for reason in REASONS},
            "applies": {reason: every[reason] for reason in REASONS},
        },
        rules=rules,
        changed=changed,
        unknown=dict(sorted(unknown.items())),
    )


def _reasons(given: Sequence[Answer], rules: Mapping[str, Any]) -> list[str]:
    """Why a person's answers do not count, in the order of `REASONS`."""
    caught = [each for each in given if each.kind == "catch"]
    seconds = [each.seconds for each in given if each.kind == "test" and each.seconds is not None]
    applies = {
        "unfinished": not given[0].finished,
        "color_vision": rules["color_vision"] and given[0].color_vision == "no",
        "catch_share": bool(caught)
        and sum(_missed(each) for each in caught) / len(caught) > rules["catch_share"],
        "fastest": bool(seconds) and median(seconds) < rules["fastest"],
    }
    return [reason for reason in REASONS if applies[reason]]


def _missed(catch: Answer) -> bool:
    """Whether a person took a catch trial's picture for a photograph, or for a natural one."""
    if catch.naturalness is not None:
        return catch.naturalness > MOST_NATURAL
    return catch.answer == "real"


def _not_recorded(given: Sequence[Answer]) -> list[str]:
    """The rules that nothing is known for of a person who has finished."""
    known = {
        "catch_share": any(each.kind == "catch" for each in given),
        "color_vision": given[0].color_vision != "",
        "fastest": any(each.seconds is not None for each in given if each.kind == "test"),
    }
    return [rule for rule, found in known.items() if not found and given[0].finished]
