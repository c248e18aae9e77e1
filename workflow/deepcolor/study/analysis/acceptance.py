"""What the answers to a user study say: acceptance.json and its tables."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from deepcolor.errors import DeepColorError
from deepcolor.study import power
from deepcolor.study.analysis import ratings
from deepcolor.study.analysis.exclusion import REASONS, Exclusion
from deepcolor.study.analysis.intervals import METHOD, TwoWay, wilson
from deepcolor.study.analysis.sentences import ABOVE, BELOW, finite, interval_json, sentences, verdict
from deepcolor.study.answers import GRADES, QUESTIONS, Answer
from deepcolor.study.design import REAL

# Shares of colorized pictures that people took for real, of other pictures and people.
PUBLISHED = (
    ("Deep Koalarization, 2017: 9 picked pictures, about 41 people", "Deep Koalarization", 0.4587),
    ("the published study's U-Net: 30 students", "published U-Net", 0.53),
)
# What a run has and real photographs have not.
NOT_OF_REAL: dict[str, Any] = {"ratio": None, "d_prime": None, "criterion": None, "published": []}
COUNTS = ("answers", "people", "images")


def analyze(answers: Sequence[Answer], kept: Exclusion, file: str) -> dict[str, Any]:
    """Analyze answers.

    Args:
        answers: All of a study.
        kept: Of `exclusion.exclude`.
        file: Where the answers come from, for messages.

    Returns:
        What acceptance.json holds. Shares are 0 to 1; `value`, `low` and `high` are a figure and the
        ends of its interval, None where it is not known, as with one person or one photograph.
            study, protocol; all_answers, simulated (numbers, of the file); answers, photographs (numbers
            analyzed); people, rules, rules_changed, rules_unknown: see `Exclusion`; reasons: in words.
            method: how intervals are taken.
            real: of yes-no, how often real photographs were called real; None where none were shown.
            runs: a row per run (pairs and yes-no), see `_run`.
            differences: of pairs of runs, run less other: value, low, high, more (the run of the higher
            share where the interval says so, otherwise "").
            ratings: of a rating, see `ratings.rating_rows`.
            published: shares of others that runs are set beside (yes-no).
            power: see `power.table`; None of a rating.
            sentences: what was found.

    Raises:
        DeepColorError: Nobody is left, or no answer on a colorized picture.
    """
    table = answer_frame(kept.answers)
    if not (table["condition"] != REAL).any():
        excluded = ", ".join(
            f"{count} {REASONS[reason]}" for reason, count in kept.people["excluded"].items() if count
        )
        raise DeepColorError(
            f"{file}: no answer on a colorized picture is left ({excluded or 'all is practice'}); "
            "wait for more people and export again, or delete the file"
        )
    found = _overview(answers, kept, table)
    if found["protocol"] == "rating":
        found["ratings"] = ratings.rating_rows(table)
    else:
        found |= _shares(table, found["protocol"])
    found["sentences"] = sentences(found)
    return found


def _overview(answers: Sequence[Answer], kept: Exclusion, table: pd.DataFrame) -> dict[str, Any]:
    """Return counts, people and rules, with results still empty; see `analyze`."""
    protocol = answers[0].protocol
    return {
        "study": answers[0].study,
        "protocol": protocol,
        "all_answers": len(answers),
        "simulated": sum(answer.simulated for answer in answers),
        "answers": len(table),
        "photographs": len(table[["data_set", "image"]].drop_duplicates()),
        "people": kept.people,
        "reasons": REASONS,
        "rules": kept.rules,
        "rules_changed": kept.changed,
        "rules_unknown": kept.unknown,
        "method": METHOD,
        "real": None,
        "runs": [],
        "differences": [],
        "ratings": [],
        "published": [
            {"name": name, "short": short, "share": share}
            for name, short, share in (PUBLISHED if protocol == "yes-no" else ())
        ],
        "power": None,
    }


def answer_frame(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return answers as a table, sorted, so that the order of a file does not matter.

    Returns:
        Columns person, photograph (data set and id, as one name), data_set, image, condition, accepted
        (whether it was taken for real), appeal, naturalness.
    """
    columns = ["person", "data_set", "image", "condition", "accepted", *QUESTIONS]
    rows = [
        (each.person, each.data_set, each.image, each.condition, each.answer == "real")
        + tuple(getattr(each, question) for question in QUESTIONS)
        for each in answers
    ]
    table = pd.DataFrame(rows, columns=columns).sort_values(columns[:4], ignore_index=True)
    table.insert(1, "photograph", table["data_set"] + "/" + table["image"])
    return table


def _shares(table: pd.DataFrame, protocol: str) -> dict[str, Any]:
    """What analyze gives of real, runs, differences and power."""
    both = TwoWay(table["person"], table["photograph"], table["condition"], table["accepted"])
    runs = sorted(set(table["condition"]) - {REAL})
    has_real = REAL in set(table["condition"])
    rows = [_run(table, run, both, protocol, has_real) for run in runs]
    differences = []
    for run, other in combinations(runs, 2):
        each = interval_json(both.difference(run, other))
        more = {ABOVE: run, BELOW: other}.get(verdict(each, 0.0), "")
        differences.append({"run": run, "other": other, **each, "more": more})
    colorized = table[table["condition"] != REAL]
    effects = [row["design_effect"] for row in rows if row["design_effect"] is not None]
    per_person = len(colorized) / colorized["person"].nunique() / len(runs)
    return {
        "real": {**_share(table, REAL, both), **NOT_OF_REAL} if has_real else None,
        "runs": rows,
        "differences": differences,
        "power": power.table(per_person, float(np.mean(effects)), assumed=False)
        if effects
        else power.assumed(per_person),
    }


def _share(table: pd.DataFrame, condition: str, both: TwoWay) -> dict[str, Any]:
    """How often pictures of a condition were taken for real: counts, share and both intervals."""
    rows = table[table["condition"] == condition]
    accepted = int(rows["accepted"].sum())
    single = wilson(accepted, len(rows))
    return {
        "answers": len(rows),
        "people": rows["person"].nunique(),
        "images": rows["photograph"].nunique(),
        "accepted": accepted,
        **interval_json(both.share(condition)),
        "wilson_low": single.low,
        "wilson_high": single.high,
    }


def _run(table: pd.DataFrame, run: str, both: TwoWay, protocol: str, has_real: bool) -> dict[str, Any]:
    """A run's figures.

    Returns:
        run, answers, people, images, accepted (numbers), value, low, high (share taken for real),
        wilson_low, wilson_high; ratio: to real photographs' share; d_prime, criterion: of yes-no with
        real photographs, and d_prime of pairs; design_effect: the variance over that of independent
        answers; published: name, share, and on which side of it the interval lies.
    """
    own = _share(table, run, both)
    compared = protocol == "yes-no" and has_real
    published = PUBLISHED if protocol == "yes-no" and own["low"] is not None else ()
    return {
        "run": run,
        **own,
        "ratio": interval_json(both.ratio(run, REAL)) if compared else None,
        "d_prime": _sensitivity(run, both, protocol) if compared or protocol == "pairs" else None,
        "criterion": interval_json(both.criterion(REAL, run)) if compared else None,
        "design_effect": finite(both.design_effect(run)),
        "published": [
            {"name": name, "share": share, "verdict": verdict(own, share)}
            for name, _, share in published
        ],
    }


def _sensitivity(run: str, both: TwoWay, protocol: str) -> dict[str, float | None]:
    return interval_json(
        both.pairs_sensitivity(run) if protocol == "pairs" else both.sensitivity(REAL, run)
    )


def tabulate_runs(found: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate runs, or grades of runs.

    Args:
        found: Result of `analyze`.

    Returns:
        A row per run, and of real photographs, with the columns protocol, condition, answers, people,
        images, accepted, share, wilson_low, wilson_high, and three each of ratio, d_prime and criterion:
        the figure, and with "_low" and "_high" the ends of its interval. Of ratings a row per question
        and condition: protocol, condition, question, answers, people, images, grade_1 to grade_5,
        median, above_real and its interval. Always simulated: yes or no.
    """
    rows = []
    of_real = [{"run": REAL, **found["real"]}] if found["real"] else []
    for each in [*of_real, *found["runs"]]:
        row = {"protocol": found["protocol"], "condition": each["run"]}
        row |= {key: each[key] for key in COUNTS} | {"accepted": each["accepted"]}
        row |= _ends("share", each) | {key: each[key] for key in ("wilson_low", "wilson_high")}
        for name in ("ratio", "d_prime", "criterion"):
            row |= _ends(name, each[name])
        rows.append(row)
    for each in found["ratings"]:
        row = {key: each[key] for key in ("condition", "question", *COUNTS)}
        row |= {f"grade_{grade}": each["counts"][grade - 1] for grade in GRADES}
        row |= {"median": each["median"], **_ends("above_real", each["above_real"])}
        rows.append({"protocol": found["protocol"], **row})
    return pd.DataFrame(rows).assign(simulated="yes" if found["simulated"] else "no")


def _ends(name: str, each: Mapping[str, Any] | None) -> dict[str, float | None]:
    found = each or dict.fromkeys(("value", "low", "high"))
    return {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}


def tabulate_images(answers: Sequence[Answer], *, simulated: bool) -> pd.DataFrame:
    """Tabulate answers by photograph and condition.

    Args:
        answers: That are analyzed.
        simulated: Whether the file has simulated ones.

    Returns:
        Columns data_set, image, condition, answers; accepted, share and Wilson's interval, or of ratings
        the medians of both questions; simulated: yes or no.
    """
    rows = []
    rated = answers[0].protocol == "rating"
    for key, each in answer_frame(answers).groupby(["data_set", "image", "condition"]):
        row: dict[str, Any] = dict(zip(("data_set", "image", "condition"), key, strict=True))
        row["answers"] = len(each)
        if rated:
            row |= {question: float(each[question].median()) for question in QUESTIONS}
        else:
            row["accepted"] = int(each["accepted"].sum())
            row["share"] = row["accepted"] / len(each)
            single = wilson(row["accepted"], len(each))
            row |= {"wilson_low": single.low, "wilson_high": single.high}
        rows.append(row)
    return pd.DataFrame(rows).assign(simulated="yes" if simulated else "no")
