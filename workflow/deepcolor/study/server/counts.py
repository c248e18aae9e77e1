"""Counts of the participants and answers of a study."""

import sqlite3
from collections.abc import Mapping
from typing import Any


def count_people(connection: sqlite3.Connection, study: Mapping[str, Any]) -> dict[str, Any]:
    """Count the participants of a study, and their answers.

    Args:
        connection: Connection to the study's file.
        study: Content of study.json.

    Returns:
        Keys begun, finished, withdrawn, answers, most_people, and lists: for each its number, and how
        many people began and finished it.
    """
    people = "SELECT count(*), total(finished), total(withdrawn) FROM people"
    begun, finished, withdrawn = map(int, connection.execute(people).fetchone())
    by_list = {
        number: counts
        for number, *counts in connection.execute(
            "SELECT list, count(*), sum(finished) FROM people GROUP BY list"
        )
    }
    lists = []
    for number in range(len(study["lists"])):
        begun_here, finished_here = by_list.get(number, (0, 0))
        lists.append({"number": number, "begun": begun_here, "finished": finished_here})
    return {
        "begun": begun,
        "finished": finished,
        "withdrawn": withdrawn,
        "answers": connection.execute("SELECT count(*) FROM answers").fetchone()[0],
        "most_people": study["most_people"],
        "lists": lists,
    }
