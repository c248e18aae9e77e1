"""Import of answers that were collected elsewhere. Standard library only.

Two forms of CSV files are read: those with the columns of `columns.COLUMNS`, or some of them, a row per
answer; and what a form of questions exports, a row per person and a column per picture.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepColorError, printable
from deepcolor.files import read_json
from deepcolor.study.answers import COLOR_VISION, QUESTIONS, check_answers, read_rows, write_rows
from deepcolor.study.columns import COLUMNS
from deepcolor.study.design import CATCH

REQUIRED = ("person", "data_set", "image", "condition")
# What tells the columns of a rating's two questions about one picture.
ASKED = {"appeal": "appeal", "naturalness": "natural"}
NAME = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
# A name of the study's own pages: random, and one person's in all files.
OWN_PERSON = re.compile(r"[0-9a-f]{32}")
Row = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class ImportOptions:
    """How files of answers are read.

    Attributes:
        overwrite: Whether an existing file of answers is replaced.
        simulated: Whether the answers are marked as simulated.
        real_words: Answers of a form that take a picture for real, in lower case.
        colorized_words: Answers of a form that take a picture for colorized, in lower case.
        color_vision_column: Column of a form about the participant's color vision, None for none.
    """

    overwrite: bool
    simulated: bool
    real_words: tuple[str, ...]
    colorized_words: tuple[str, ...]
    color_vision_column: str | None


def import_answers(files: Sequence[Path], study: Path, output: Path, options: ImportOptions) -> None:
    """Read files, check them, and write one file of answers, whole or not at all.

    Names of participants are not kept, except for the random ones of the study's own pages: others
    are numbered.

    Args:
        files: CSV files to import.
        study: File study.json of the study; may be missing.
        output: CSV file to write.
        options: How the files are read.

    Raises:
        DeepColorError: A file does not hold answers, answers contradict each other, or the output
            exists.
    """
    if output.exists() and not options.overwrite:
        raise DeepColorError(
            f"{output} holds answers already; name another --output, or replace them with --overwrite"
        )
    common = sorted({word for word in options.real_words if word in options.colorized_words})
    if common:
        raise DeepColorError(
            f"'{common[0]}' is in both --real-words and --colorized-words; leave one out"
        )
    rows, dropped = _read(files, study, options)
    if options.simulated:
        rows = [(where, {**cells, "simulated": "yes"}) for where, cells in rows]
    answers = check_answers(rows)
    ordered = sorted(rows, key=lambda row: (row[1]["person"], int(row[1]["position"])))
    write_rows(output, [cells for _, cells in ordered])
    if dropped:
        names = ", ".join(f"'{printable(name)}'" for name in dict.fromkeys(dropped))
        print(f"study import: not kept: columns {names}", flush=True)
    people = len({answer.person for answer in answers})
    simulated = sum(answer.simulated for answer in answers)
    marked = f", {simulated:,} of them simulated" if simulated else ""
    whose = f"{people:,} {'person' if people == 1 else 'people'}"
    print(f"study import: {len(answers):,} answers of {whose}{marked}: {printable(output)}", flush=True)


def _read(files: Sequence[Path], path: Path, options: ImportOptions) -> tuple[list[Row], list[str]]:
    """Return the rows of files of both forms, and the names of the columns that are not kept."""
    study = _read_study(path) if path.exists() else None
    known: Mapping[str, Any] = study["pictures"] if study else {}
    rows: list[Row] = []
    dropped: list[str] = []
    for number, file in enumerate(files, start=1):
        header, found = read_rows(file)
        pictures = _pictures(file, header, known)
        if "person" in header and "condition" in header:
            rows += _listed(file, header, found, number, study)
            dropped += [name for name in header if name not in COLUMNS]
        elif pictures and study:
            rows += _asked(header, found, pictures, number, study, options)
            kept = {*pictures, options.color_vision_column}
            dropped += [name for name in header if name not in kept]
        else:
            reason = "" if study else f" ({path} is not there: 'make study' draws it)"
            raise DeepColorError(
                f"{file}: the header has neither the columns {', '.join(REQUIRED)} nor a picture's name "
                f"of the study{reason}; see the README on 'deepcolor study import'"
            )
    return rows, dropped


def _read_study(path: Path) -> Mapping[str, Any]:
    """Return what study.json holds, of which only what is needed here is checked."""
    study = read_json(path)
    if not isinstance(study, dict) or not {"study", "protocol", "pictures", "images"} <= study.keys():
        raise DeepColorError(f"{path} is no study; delete it, and `make study` makes it")
    return study


def _listed(
    file: Path,
    header: Sequence[str],
    rows: Sequence[Row],
    number: int,
    study: Mapping[str, Any] | None,
) -> Iterator[Row]:
    """Complete rows that have some of the documented columns."""
    missing = [name for name in REQUIRED if name not in header]
    rated = all(question in header for question in QUESTIONS)
    if not rated and "answer" not in header:
        missing.append("answer (or appeal and naturalness)")
    if missing:
        raise DeepColorError(f"{file}: the header lacks {', '.join(missing)}; add what is missing")
    protocol = study["protocol"] if study else "yes-no" if "answer" in header else "rating"
    defaults = {
        **dict.fromkeys(COLUMNS, ""),
        "study": study["study"] if study else "",
        "protocol": protocol,
        "finished": "yes",
        "simulated": "no",
    }
    people: dict[str, str] = {}
    counts: dict[str, int] = {}
    for where, cells in rows:
        found = {**defaults, **{name: cells[name] for name in COLUMNS if cells.get(name)}}
        if not cells["person"]:
            raise DeepColorError(f"{where}, column person: it is empty; every answer has one")
        name = people.setdefault(cells["person"], _person(number, len(people) + 1))
        if OWN_PERSON.fullmatch(cells["person"]):
            name = cells["person"]
        position = counts[name] = counts.get(name, -1) + 1
        found |= {
            "person": name,
            "position": found["position"] or str(position),
            "kind": found["kind"] or (CATCH if cells["condition"] == CATCH else "test"),
        }
        yield where, found


def _pictures(file: Path, header: Sequence[str], known: Mapping[str, Any]) -> dict[str, str]:
    """By column the picture that it asks about.

    Raises:
        DeepColorError: A column names a picture that the study does not have.
    """
    found = {}
    for column in header:
        names = NAME.findall(column)
        if len(names) == 1 and known:
            if names[0] not in known:
                raise DeepColorError(
                    f"{file}, column '{column}': the study has no picture {names[0]}; name the folder "
                    "of the study that was shown with --study"
                )
            found[column] = names[0]
    return found


def _asked(
    header: Sequence[str],
    rows: Sequence[Row],
    pictures: Mapping[str, str],
    number: int,
    study: Mapping[str, Any],
    options: ImportOptions,
) -> Iterator[Row]:
    """Make rows of answers of a form's rows."""
    vision = options.color_vision_column
    if vision is not None and vision not in header:
        raise DeepColorError(
            f"{rows[0][0].rpartition(', ')[0]} has no column '{vision}'; give --color-vision-column as "
            "the header spells it"
        )
    trials = _trials(rows[0][0].rpartition(", ")[0], pictures, study["protocol"])
    for place, (where, cells) in enumerate(rows, start=1):
        given = {
            picture: asked for picture, asked in trials.items() if any(cells[c] for c in asked.values())
        }
        for position, (picture, asked) in enumerate(given.items()):
            facts = study["pictures"][picture]
            image = study["images"][facts["image"]]
            yield (
                where,
                {
                    **dict.fromkeys(COLUMNS, ""),
                    "study": study["study"],
                    "protocol": study["protocol"],
                    "person": _person(number, place),
                    "position": str(position),
                    "kind": image["role"],
                    "data_set": image["data_set"],
                    "image": image["id"],
                    "condition": facts["condition"],
                    **{
                        name: _answer(where, column, cells[column], name, options)
                        for name, column in asked.items()
                    },
                    "color_vision": _vision(where, vision, cells[vision]) if vision else "",
                    "finished": "yes" if len(given) == len(trials) else "no",
                    "simulated": "no",
                },
            )


def _trials(file: str, pictures: Mapping[str, str], protocol: str) -> dict[str, dict[str, str]]:
    """By picture the columns that hold its answers, by what they are called in a file of answers."""
    if protocol == "pairs":
        raise DeepColorError(
            f"{file}: a form cannot tell which of two pictures was picked; write the answers down with "
            f"the columns {', '.join(REQUIRED)}, answer"
        )
    trials: dict[str, dict[str, str]] = {}
    for column, picture in pictures.items():
        asked = ["answer"]
        if protocol == "rating":
            asked = [name for name, word in ASKED.items() if word in column.casefold()]
        if len(asked) != 1 or asked[0] in trials.get(picture, {}):
            why = (
                "it is the second one on this picture"
                if len(asked) == 1
                else f"a rating's columns say {' or '.join(ASKED.values())}"
            )
            raise DeepColorError(f"{file}, column '{column}': {why}; mend the header")
        trials.setdefault(picture, {})[asked[0]] = column
    return trials


def _answer(where: str, column: str, cell: str, name: str, options: ImportOptions) -> str:
    if name != "answer":
        return cell
    for answer, words in (("real", options.real_words), ("colorized", options.colorized_words)):
        if cell.casefold() in words:
            return answer
    raise DeepColorError(
        f"{where}, column '{column}': '{cell}' is none of {', '.join(options.real_words)} "
        f"(--real-words) and {', '.join(options.colorized_words)} (--colorized-words); name it there"
    )


def _vision(where: str, column: str, cell: str) -> str:
    if cell.casefold() not in (*COLOR_VISION, ""):
        raise DeepColorError(
            f"{where}, column '{column}': '{cell}' is not {', '.join(COLOR_VISION)} or empty; change it"
        )
    return cell.casefold()


def _person(file: int, number: int) -> str:
    """A made-up name: places in the order of names and files, nothing of the person's own."""
    return f"{file:03}-{number:06}"
