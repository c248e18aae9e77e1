"""Simulated answers to a user study whose truth is known. They are marked, as no person gave them."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from deepcolor.files import read_json, write_json
from deepcolor.frames import write_frame
from deepcolor.study import design
from deepcolor.study.analysis.acceptance import analyze, tabulate_images, tabulate_runs
from deepcolor.study.analysis.exclusion import exclude
from deepcolor.study.analysis.figures import plot_acceptance
from deepcolor.study.answers import read_answers, write_rows
from scipy.stats import norm

RULES = {"catch_share": 0.2, "fastest": 0.3, "color_vision": True}
# How often what is seen is taken for real, or, of ratings, a grade is above 3 (in the mean of people
# and photographs).
TRUTH = {"real": 0.75, "unet_30": 0.55, "other_30": 0.35}
# Normal on the probit scale, of people and of photographs.
SPREAD = 0.6


def write_study(
    folder: Path,
    protocol: str = "yes-no",
    runs: Sequence[str] = ("unet_30", "other_30"),
    images: int = 24,
    practice: int = 2,
    catch_trials: int = 4,
    data_sets: Sequence[str] = ("a", "b"),
) -> dict[str, Any]:
    """Write a study.json without pictures, and give what it holds."""
    conditions = design.slots(protocol, runs, 0.5)
    roles = ["test"] * images + ["practice"] * practice + ["catch"] * catch_trials
    square = design.lists(range(images), conditions)
    trials = {
        "practice": design.practice(protocol, range(images, images + practice), runs),
        "catch": [(each, "catch") for each in range(images + practice, len(roles))],
    }
    wanted = sorted({pair for each in [*square, *trials.values()] for pair in each})
    called = {pair: f"{number:024x}" for number, pair in enumerate(wanted)}

    def trial(kind: str, image: int, condition: str) -> dict[str, Any]:
        name = called[image, condition]
        real = "f" * 24 if protocol == "pairs" else None
        return {"kind": kind, "image": image, "condition": condition, "picture": name, "real": real}

    study = {
        "study": "0123456789abcdef",
        "protocol": protocol,
        "seed": 0,
        "exclude": RULES,
        "runs": list(runs),
        "images": [
            {"data_set": data_sets[place % len(data_sets)], "id": f"photo-{place}", "role": role}
            for place, role in enumerate(roles)
        ],
        "pictures": {
            name: {"image": image, "condition": condition} for (image, condition), name in called.items()
        },
        "lists": [[trial("test", *pair) for pair in each] for each in square],
        **{kind: [trial(kind, *pair) for pair in each] for kind, each in trials.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    return study


def simulate(
    study: Mapping[str, Any],
    people: int,
    truth: Mapping[str, float] | None = None,
    seed: int = 0,
    spread: float = SPREAD,
    simulated: bool = True,
) -> list[dict[str, Any]]:
    """The rows of answers.csv of people who are attentive and finish.

    Args:
        study: Content of study.json.
        people: Their number.
        truth: By condition, in the place of TRUTH.
        seed: Of people, photographs and answers.
        spread: Standard deviation of people and of photographs.
        simulated: What the column says; `False` to test how answers of people are shown.
    """
    chance = np.random.default_rng(seed)
    shares = {**dict.fromkeys(study["runs"], 0.5), **(truth or TRUTH), "catch": 0.0}
    ease = chance.normal(0, spread, len(study["images"]))
    rows = []
    for ordinal in range(people):
        number = ordinal % len(study["lists"])
        trust = chance.normal(0, spread)
        for position, shown in enumerate(design.person_trials(dict(study), number, ordinal)):
            # The mean over people and photographs is the share itself.
            center = norm.ppf(shares[shown.condition]) * np.sqrt(1 + 2 * spread**2)
            felt = center + trust + ease[shown.image] + chance.normal()
            image = study["images"][shown.image]
            rated = study["protocol"] == "rating"
            grade = int(np.clip(np.digitize(felt, (-1.2, -0.4, 0.4, 1.2)) + 1, 1, 5))
            rows.append(
                {
                    "study": study["study"],
                    "protocol": study["protocol"],
                    "person": f"{ordinal:032x}",
                    "list": number,
                    "position": position,
                    "kind": shown.kind,
                    "data_set": image["data_set"],
                    "image": image["id"],
                    "condition": shown.condition,
                    "side": shown.side,
                    "answer": "" if rated else "real" if felt > 0 else "colorized",
                    "appeal": min(5, grade + 1) if rated else "",
                    "naturalness": grade if rated else "",
                    "seconds": round(float(chance.lognormal(0.5, 0.4)), 3),
                    "color_vision": "yes",
                    "finished": "yes",
                    "simulated": "yes" if simulated else "no",
                    "rules": json.dumps(study["exclude"], separators=(",", ":")),
                }
            )
    return rows


def write_answers(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as answers.csv."""
    write_rows(path, rows)
    return path


def add_acceptance(results: Any, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Analyze rows as the rules do, put what they say into results to be rendered, and give it.

    Args:
        results: Of `synthetic.write_results`.
        rows: Of `simulate`.
    """
    file = results.folder / "study" / "acceptance.json"
    answers = read_answers(write_answers(results.folder / "study" / "answers.csv", rows))
    kept = exclude(answers, RULES)
    found = analyze(answers, kept, "answers.csv")
    write_json(file, found)
    tables = [results.folder / "tables" / f"{name}.csv" for name in ("acceptance", "acceptance_images")]
    write_frame(tables[0], tabulate_runs(found))
    write_frame(tables[1], tabulate_images(kept.answers, simulated=found["simulated"] > 0))
    figure = results.folder / "figures" / "acceptance.svg"
    plot_acceptance(found, figure)
    results.arguments["acceptance"] = [file, *tables]
    results.arguments["figures"] = [*results.arguments["figures"], figure]
    return dict(read_json(file))


def as_form(study: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The answers of people who took one list, as a form exports them: a row each."""
    images = {(each["data_set"], each["id"]): place for place, each in enumerate(study["images"])}
    names = {(each["image"], each["condition"]): name for name, each in study["pictures"].items()}
    people: dict[str, dict[str, str]] = {}
    for row in rows:
        picture = names[images[row["data_set"], row["image"]], row["condition"]]
        cells = people.setdefault(
            row["person"],
            {
                "Timestamp": "2024/01/01 10:00:00 AM",
                "Email Address": f"ada-{int(row['person'], 16)}@example.org",
            },
        )
        if study["protocol"] == "rating":
            cells[f"How appealing is {picture}.png?"] = str(row["appeal"])
            cells[f"How natural is {picture}.png?"] = str(row["naturalness"])
        else:
            cells[f"Is this real? [{picture}.png]"] = {"real": "Yes", "colorized": "No"}[row["answer"]]
        cells["Do you see colors as most people do?"] = row["color_vision"]
    text = io.StringIO()
    header = list(next(iter(people.values())))
    writer = csv.DictWriter(text, header, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(people.values())
    return text.getvalue()
