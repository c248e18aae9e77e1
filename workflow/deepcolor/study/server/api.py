"""What the pages of a study and its server say to each other: states and answers."""

from typing import Any

from deepcolor.study.design import WORDS, ShownPicture
from deepcolor.study.server.store import Answer, Outcome, Person, Store

# Nobody looks at a picture for longer, in seconds.
MAX_SECONDS = 3600
GRADES = {"appeal", "naturalness"}
REQUIRED = {"position", "answer", "seconds"}


def state(store: Store, person: Person, prefix: str) -> dict[str, Any]:
    """Where a person stands, and what comes next.

    Args:
        store: Of the study.
        person: Whose state.
        prefix: Of all addresses; "" or "/study".

    Returns:
        protocol; phase ("practice", "test", "done"); seconds that a picture is shown (0: until the
        answer); answered, total and practice, in trials; rest, whether a rest is due; trial: position,
        kind ("practice" or "test", as a catch trial tells itself too), pictures with src; next, the
        addresses of the pictures that come then; result: right, of (when done; None for ratings);
        simulated.
    """
    study, trials = store.study, store.trials(person)
    practice, answered = len(study["practice"]), person.answered
    phase = "done" if answered >= len(trials) else "practice" if answered < practice else "test"
    trial, result = None, None
    if phase != "done":
        pictures = [{"src": source} for source in _sources(trials[answered], prefix)]
        trial = {"position": answered, "kind": phase, "pictures": pictures}
    elif WORDS[study["protocol"]]:
        result = dict(zip(("right", "of"), store.result(person), strict=True))
    tested = answered - practice
    return {
        "protocol": study["protocol"],
        "phase": phase,
        "seconds": study["seconds"],
        "answered": answered,
        "total": len(trials),
        "practice": practice,
        "rest": bool(
            phase == "test" and study["rest_every"] and tested and not tested % study["rest_every"]
        ),
        "trial": trial,
        "next": [source for each in trials[answered + 1 :][:1] for source in _sources(each, prefix)],
        "result": result,
        "simulated": store.simulated,
    }


def _sources(shown: ShownPicture, prefix: str) -> list[str]:
    return [f"{prefix}/pictures/{name}.png" for name in shown.pictures]


def feedback(store: Store, outcome: Outcome, position: int) -> dict[str, Any] | None:
    """Whether a practice answer was right, and what would have been; None for all others."""
    shown = store.trials(outcome.person)[position]
    if shown.kind != "practice" or not shown.right:
        return None
    return {"right": outcome.word == shown.right, "was": shown.right}


def read_answer(content: Any, protocol: str) -> tuple[int, Answer, float, list[str] | None]:
    """Position, answer, seconds, and the names of the pictures shown, from what a page has sent.

    Args:
        content: From JSON, and not trusted.
        protocol: Of the study.

    Raises:
        ValueError: It is not an answer to this protocol.
    """
    if not isinstance(content, dict) or content.keys() - {"pictures"} != REQUIRED:
        raise ValueError("an answer has position, answer and seconds")
    position, answer, seconds = content["position"], content["answer"], content["seconds"]
    if type(position) is not int or position < 0:
        raise ValueError("position is a number from 0")
    # Comparisons that are false for NaN, and do not mind a number of any length.
    if type(seconds) not in (int, float) or not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"seconds is a number from 0 to {MAX_SECONDS}")
    pictures = content.get("pictures")
    if pictures is not None:
        if not isinstance(pictures, list) or not all(isinstance(each, str) for each in pictures):
            raise ValueError("pictures is a list of addresses")
        pictures = [each.rpartition("/")[2].removesuffix(".png") for each in pictures]
    words = WORDS[protocol]
    if words:
        if not isinstance(answer, str) or answer not in words:
            raise ValueError(f"answer is {' or '.join(words)}")
    elif not isinstance(answer, dict) or answer.keys() != GRADES:
        raise ValueError("answer has appeal and naturalness")
    elif any(type(grade) is not int or not 1 <= grade <= 5 for grade in answer.values()):
        raise ValueError("appeal and naturalness are whole numbers from 1 to 5")
    return position, answer, float(seconds), pictures
