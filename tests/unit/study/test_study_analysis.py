"""The user study's answers: who is left out, what they say, and how it is shown."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.study.analysis.acceptance import analyze, tabulate_images, tabulate_runs
from deepcolor.study.analysis.exclusion import Exclusion, exclude
from deepcolor.study.analysis.figures import SIMULATED, plot_acceptance
from deepcolor.study.answers import read_answers
from deepcolor.study.design import PROTOCOLS
from support.html_reader import Page
from support.simulated_answers import RULES, TRUTH, add_acceptance, simulate, write_answers, write_study
from support.synthetic_records import record
from support.synthetic_results import fewer_resamples, render, write_results

Rows = list[dict[str, Any]]


def sort(rows: Rows, folder: Path, rules: dict[str, Any] | None = None) -> Exclusion:
    """Write rows, read them, and leave out whom the rules leave out."""
    return exclude(read_answers(write_answers(folder / "answers.csv", rows)), rules or RULES)


def analyzed(rows: Rows, folder: Path) -> dict[str, Any]:
    """What acceptance.json says of rows, read from JSON."""
    answers = read_answers(write_answers(folder / "answers.csv", rows))
    found = analyze(answers, exclude(answers, RULES), "answers.csv")
    return dict(json.loads(json.dumps(found, allow_nan=False)))


def test_people_are_left_out_by_the_first_rule_that_applies(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path, catch_trials=5), 7)
    people = [[row for row in rows if row["person"] == f"{n:032x}"] for n in range(7)]

    def caught(person: int, wrong: int) -> None:
        for row in [each for each in people[person] if each["kind"] == "catch"][:wrong]:
            row["answer"] = "real"

    caught(0, 1)  # One of five is the share that may be wrong.
    caught(1, 2)
    for row in people[2]:
        row["seconds"] = 0.29 if row["kind"] == "test" else 5
    for row in people[3]:
        row["color_vision"] = "no"
    for row in people[4]:
        row["color_vision"] = "unsure"
    caught(5, 5)
    for row in people[5]:
        row |= {"finished": "no", "color_vision": "no", "seconds": 0.1}
    found = sort(rows, tmp_path)
    assert found.people == {
        "begun": 7,
        "finished": 6,
        "analyzed": 3,
        "excluded": {"unfinished": 1, "color_vision": 1, "catch_share": 1, "fastest": 1},
        "applies": {"unfinished": 1, "color_vision": 2, "catch_share": 2, "fastest": 2},
    }
    assert {answer.person for answer in found.answers} == {f"{n:032x}" for n in (0, 4, 6)}
    assert {answer.kind for answer in found.answers} == {"test"} and len(found.answers) == 3 * 24


def test_a_rating_catches_those_who_find_a_catch_trial_natural(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path, "rating", catch_trials=1), 2)
    for row in rows:
        if row["kind"] == "catch":
            row["naturalness"] = 2 if row["person"] == f"{0:032x}" else 3
    assert {answer.person for answer in sort(rows, tmp_path).answers} == {f"{0:032x}"}


def test_rules_that_were_fixed_with_the_study_lead(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 2)
    others = {**RULES, "fastest": 60, "color_vision": False}
    found = sort(rows, tmp_path, others)
    assert found.people["analyzed"] == 2 and found.rules == RULES
    assert "(color_vision true, fastest 0.3)" in found.changed
    assert "(color_vision false, fastest 60), which are not applied" in found.changed
    assert sort(rows, tmp_path, RULES).changed == ""
    # Imported answers come without rules.
    for row in rows:
        row["rules"] = ""
    found = sort(rows, tmp_path, others)
    assert found.people["analyzed"] == 0 and found.rules == others and found.changed == ""


def test_rules_that_nothing_is_known_for_are_counted(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path, catch_trials=0), 3)
    for row in rows:
        row |= {"seconds": "", "color_vision": ""}
    found = sort(rows, tmp_path)
    assert found.people["analyzed"] == 3
    assert found.unknown == {"catch_share": 3, "color_vision": 3, "fastest": 3}


def test_shares_are_counts_of_test_answers(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 8)
    found = analyzed(rows, tmp_path)
    assert [run["run"] for run in found["runs"]] == ["other_30", "unet_30"]
    for run in [*found["runs"], {"run": "real", **found["real"]}]:
        own = [r for r in rows if r["kind"] == "test" and r["condition"] == run["run"]]
        taken = sum(row["answer"] == "real" for row in own)
        assert (run["answers"], run["accepted"]) == (len(own), taken)
        assert run["value"] == pytest.approx(taken / len(own))
        assert run["low"] < run["value"] < run["high"]
        assert run["people"] == 8 and run["images"] == 24
    unet = found["runs"][1]
    assert unet["ratio"]["value"] == pytest.approx(unet["value"] / found["real"]["value"])
    assert found["answers"] == 8 * 24 and found["photographs"] == 24
    assert found["power"]["answers_per_person_and_run"] == 6 and not found["power"]["assumed"]
    assert found["power"]["design_effect"] == pytest.approx(
        np.mean([run["design_effect"] for run in found["runs"]])
    )


def test_the_truth_is_found(tmp_path: Path) -> None:
    study = write_study(tmp_path, images=60)
    found = analyzed(simulate(study, 120, seed=4), tmp_path)
    for run in found["runs"]:
        assert run["low"] < TRUTH[run["run"]] < run["high"]
        # Which independent answers would have: too little.
        assert run["high"] - run["low"] > 1.5 * (run["wilson_high"] - run["wilson_low"])
        assert run["d_prime"]["low"] > 0
    assert found["real"]["low"] < TRUTH["real"] < found["real"]["high"]
    (pair,) = found["differences"]
    assert (pair["run"], pair["other"], pair["more"]) == ("other_30", "unet_30", "unet_30")
    assert pair["low"] < TRUTH["other_30"] - TRUTH["unet_30"] < pair["high"] < 0
    told = " ".join(found["sentences"])
    assert "unet, 30 epochs is accepted more often than other, 30 epochs, by " in told
    assert "other, 30 epochs, by its interval: below 45.87 %" in told
    assert told.endswith("no difference between networks.")


def test_of_many_pairs_those_told_apart_are_counted(tmp_path: Path) -> None:
    runs = [f"net-{number}_1" for number in range(6)]
    truth = {"real": 0.75, **{run: 0.05 + 0.18 * place for place, run in enumerate(runs)}}
    found = analyzed(simulate(write_study(tmp_path, runs=runs), 24, truth), tmp_path)
    apart = sum(bool(each["more"]) for each in found["differences"])
    told = " ".join(found["sentences"])
    assert 0 < apart < 15 and f"Of 15 pairs of runs, {apart} can be told apart" in told
    assert "accepted more often" not in told


def test_published_shares_are_set_beside_by_the_interval_alone(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    for share, verdict in ((0.97, "above"), (0.03, "below"), (0.5, "cannot be told from")):
        truth = {"real": 0.75, "unet_30": share, "other_30": share}
        found = analyzed(simulate(study, 12, truth), tmp_path)
        verdicts = [each["verdict"] for run in found["runs"] for each in run["published"]]
        assert verdicts == [verdict] * 4
        assert [each["share"] for each in found["runs"][0]["published"]] == [0.4587, 0.53]
        assert f"by its interval: {verdict} 45.87 % (Deep Koalarization" in " ".join(found["sentences"])


def test_pairs_and_ratings_are_not_set_beside_published_shares(tmp_path: Path) -> None:
    pairs = analyzed(simulate(write_study(tmp_path, "pairs"), 12), tmp_path)
    assert pairs["published"] == [] and pairs["real"] is None
    assert all(run["published"] == [] and run["ratio"] is None for run in pairs["runs"])
    unet = pairs["runs"][1]
    assert unet["d_prime"]["value"] == pytest.approx(0, abs=0.6) and unet["criterion"] is None
    told = " ".join(pairs["sentences"])
    assert "50 % means that nobody can tell the two apart" in told and "32.3 ± 2.2 %" in told
    assert "by its interval" not in told and "real photograph was among" not in told
    ratings = analyzed(simulate(write_study(tmp_path, "rating"), 12), tmp_path)
    assert ratings["runs"] == [] and ratings["power"] is None
    assert "no measure here" in ratings["sentences"][-1]


def test_grades_are_counted_and_compared_by_their_order(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path, "rating"), 12)
    found = analyzed(rows, tmp_path)
    assert [(row["question"], row["condition"]) for row in found["ratings"]] == [
        (question, name) for question in ("appeal", "naturalness")
        for name in ("real", "other_30", "unet_30")
    ]  # fmt: skip
    for row in found["ratings"]:
        own = [r for r in rows if r["kind"] == "test" and r["condition"] == row["condition"]]
        grades = [r[row["question"]] for r in own]
        assert row["counts"] == [grades.count(grade) for grade in (1, 2, 3, 4, 5)]
        assert row["median"] == np.median(grades) and row["answers"] == len(grades)
        if row["condition"] == "real":
            assert row["above_real"] is None
        else:
            real = [r[row["question"]] for r in rows if r["kind"] == "test" and r["condition"] == "real"]
            wins = np.mean([np.mean([(a > b) + (a == b) / 2 for b in real]) for a in grades])
            assert row["above_real"]["value"] == pytest.approx(wins)
            assert row["above_real"]["low"] < wins < row["above_real"]["high"] < 0.5
    assert "mean" not in json.dumps(found["ratings"])


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 6)
    found = analyzed(rows, tmp_path)
    random.Random(0).shuffle(rows)
    assert analyzed(rows, tmp_path) == found


def test_one_person_has_no_interval(tmp_path: Path) -> None:
    found = analyzed(simulate(write_study(tmp_path), 1), tmp_path)
    for run in found["runs"]:
        assert run["low"] is None and run["design_effect"] is None and run["published"] == []
    assert found["power"]["assumed"] and found["differences"][0]["more"] == ""
    assert "no interval" in " ".join(found["sentences"])
    plot_acceptance(found, tmp_path / "acceptance.svg")
    assert len(tabulate_runs(found)) == 3


def test_without_real_photographs_it_is_said(tmp_path: Path) -> None:
    rows = [row for row in simulate(write_study(tmp_path), 4) if row["condition"] != "real"]
    found = analyzed(rows, tmp_path)
    assert found["real"] is None and found["runs"][0]["d_prime"] is None
    assert "No real photograph was among the pictures" in " ".join(found["sentences"])


def test_when_nobody_is_left_it_is_said(tmp_path: Path) -> None:
    rows = simulate(write_study(tmp_path), 2)
    for row in rows:
        row["finished"] = "no"
    answers = read_answers(write_answers(tmp_path / "answers.csv", rows))
    with pytest.raises(DeepColorError, match=r"^a.csv: no answer .* is left \(2 did not finish\); wait"):
        analyze(answers, exclude(answers, RULES), "a.csv")


def test_tables_have_what_the_json_has(tmp_path: Path) -> None:
    for protocol in PROTOCOLS:
        rows = simulate(write_study(tmp_path, protocol), 4)
        found = analyzed(rows, tmp_path)
        table = tabulate_runs(found)
        images = tabulate_images(sort(rows, tmp_path).answers, simulated=True)
        assert set(table["simulated"]) == set(images["simulated"]) == {"yes"}
        assert images["answers"].sum() == 4 * 24 and set(table["protocol"]) == {protocol}
        if protocol == "rating":
            assert list(table["condition"])[:3] == ["real", "other_30", "unet_30"] and len(table) == 6
            assert images["naturalness"].between(1, 5).all()
        else:
            for run in found["runs"]:
                (row,) = table[table["condition"] == run["run"]].to_dict("records")
                assert row["share"] == run["value"] and row["share_low"] == run["low"]
                own = images[images["condition"] == run["run"]]
                assert own["accepted"].sum() == run["accepted"]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_figure_is_the_same_every_time(protocol: str, tmp_path: Path) -> None:
    found = analyzed(simulate(write_study(tmp_path, protocol), 5), tmp_path)
    for name in ("a.svg", "b.svg"):
        plot_acceptance(found, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def reported(rows: Rows, folder: Path) -> tuple[Page, str]:
    """The report with answers, as the rules make it, and its source."""
    results = write_results(folder, [record("unet", 30)], {"unet_30": 22.0})
    add_acceptance(results, rows)
    text = render(results)
    return Page(text), text[text.index('<section id="acceptance"') : text.index('id="architectures"')]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_resamples(monkeypatch)


@pytest.mark.parametrize(
    "share",
    [pytest.param(0, marks=pytest.mark.slow), 0.5, pytest.param(1, marks=pytest.mark.slow)],
)
def test_simulated_answers_are_never_shown_unmarked(
    protocol: str, share: float, tmp_path: Path, quick: None
) -> None:
    """One simulated person among others marks all: file, tables, figure and report."""
    rows = simulate(write_study(tmp_path / "drawn", protocol), 6, simulated=False)
    for row in rows:
        row["simulated"] = "yes" if int(row["person"], 16) < 6 * share else "no"
    page, source = reported(rows, tmp_path)
    found = json.loads((tmp_path / "study" / "acceptance.json").read_text())
    figure = (tmp_path / "figures" / "acceptance.svg").read_text()
    assert found["simulated"] == 6 * share * 30
    tables = [(tmp_path / "tables" / f"{name}.csv") for name in ("acceptance", "acceptance_images")]
    for table in tables:
        with open(table, encoding="utf-8", newline="") as file:
            assert {row["simulated"] for row in csv.DictReader(file)} == {"yes" if share else "no"}
    assert (SIMULATED in figure) == bool(share)
    captions = [
        rows for caption, rows in page.tables.items() if caption.startswith("Simulated answers.")
    ]
    tables_shown = 1 if protocol == "rating" else 2
    assert len(captions) == (tables_shown if share else 0)
    assert ("simulated" in source.lower()) == bool(share)
    assert ('<p class="note"><strong>Simulated answers.</strong>' in source) == bool(share)
    assert f"<figcaption>{'<strong' if share else 'H'}" in source
    assert ("simulated" in found["sentences"][0]) == bool(share)


def test_the_report_shows_what_was_found(tmp_path: Path, quick: None) -> None:
    rows = simulate(write_study(tmp_path / "drawn"), 9, simulated=False)
    for row in rows:
        if row["person"] == f"{8:032x}":
            row["finished"] = "no"
    page, _ = reported(rows, tmp_path)
    found = json.loads((tmp_path / "study" / "acceptance.json").read_text())
    unet, real = found["runs"][1], found["real"]
    shown = page.row("Pictures taken for real photographs", "unet, 30 epochs")
    assert shown[1] == f"{unet['answers']} 8 people, 24 photographs"
    percent = [f"{100 * unet[key]:.1f}" for key in ("value", "low", "high")]
    assert shown[2] == f"{percent[0]} {percent[1]} to {percent[2]}"
    assert shown[4].startswith(f"{unet['ratio']['value']:.2f} ")
    assert shown[-2:] == [each["verdict"] for each in unet["published"]]
    first = page.row("Pictures taken for real photographs", "Real photographs")
    assert first[2].startswith(f"{100 * real['value']:.1f} ") and first[4:] == ["–"] * 5
    for sentence in found["sentences"]:
        assert " ".join(sentence.split()) in page.text
    assert "9 gave answers, 8 finished, 8 are analyzed. 1 did not finish." in page.text
    assert page.row("To tell two shares of acceptance apart", "45.87 % against 53 %")[1] == "771"
    assert {"study/acceptance.json", "tables/acceptance.csv", "tables/acceptance_images.csv",
            "figures/acceptance.svg"} <= set(page.addresses("href"))  # fmt: skip
    assert "there are no answers of people to show" not in page.text


def test_without_answers_the_report_says_how_to_get_them(tmp_path: Path, quick: None) -> None:
    page = Page(render(write_results(tmp_path, [record("unet", 30)], {"unet_30": 22.0})))
    for words in ("there are no answers of people to show", "make study", "deepcolor study serve",
                  "deepcolor study export", "45.87 %"):  # fmt: skip
        assert words in page.text
