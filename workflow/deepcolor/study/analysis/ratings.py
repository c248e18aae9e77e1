"""Grades of a user study: an ordinal scale, of which no means are taken."""

from typing import Any

import pandas as pd

from deepcolor.study.analysis.intervals import TwoWay
from deepcolor.study.analysis.sentences import interval_json
from deepcolor.study.answers import GRADES, QUESTIONS
from deepcolor.study.design import REAL


def rating_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """What the grades say, by question and condition; real photographs first.

    Args:
        table: Of `acceptance.answer_frame`.

    Returns:
        Of each question, appeal and naturalness, and each condition: question, condition, answers,
        people, images, counts (of the grades 1 to 5), median; above_real: the probability that a picture
        is graded higher than a real photograph, ties counted half, with its interval; None of real
        photographs, and where none were shown.
    """
    names = sorted(set(table["condition"]), key=lambda name: (name != REAL, name))
    found = []
    for question in QUESTIONS:
        both = TwoWay(table["person"], table["photograph"], table["condition"], table[question])
        for name in names:
            own = table[table["condition"] == name]
            above = None
            if name != REAL and REAL in names:
                above = interval_json(both.superiority(name, REAL))
            found.append(
                {
                    "question": question,
                    "condition": name,
                    "answers": len(own),
                    "people": own["person"].nunique(),
                    "images": own["photograph"].nunique(),
                    "counts": [int((own[question] == grade).sum()) for grade in GRADES],
                    "median": float(own[question].median()),
                    "above_real": above,
                }
            )
    return found
