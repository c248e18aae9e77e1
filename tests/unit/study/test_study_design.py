"""The user study's design: balance, and no photograph twice."""

from collections import Counter
from typing import Any

from deepcolor.study import design
from deepcolor.study.design import PROTOCOLS, person_trials
from hypothesis import given
from hypothesis import strategies as st


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """What person_trials needs of study.json, of any size."""
    protocol = draw(st.sampled_from(PROTOCOLS))
    runs = [f"run-{number}_1" for number in range(draw(st.integers(1, 6)))]
    conditions = design.slots(protocol, runs, draw(st.floats(0.1, 0.9)))
    count = draw(st.integers(len(conditions), len(conditions) + 40))
    practiced, caught = draw(st.integers(0, 12)), draw(st.integers(0, 6))

    def trial(kind: str, image: int, condition: str) -> dict[str, Any]:
        real = f"{image} real" if protocol == "pairs" else None
        picture = f"{image} {condition}"
        return {"kind": kind, "image": image, "condition": condition, "picture": picture, "real": real}

    pairs = design.practice(protocol, range(count, count + practiced), runs)
    return {
        "protocol": protocol,
        "seed": draw(st.integers(0, 2**31 - 1)),
        "runs": runs,
        "conditions": conditions,
        "lists": [
            [trial("test", *pair) for pair in each] for each in design.lists(range(count), conditions)
        ],
        "practice": [trial("practice", *pair) for pair in pairs],
        "catch": [
            trial("catch", image, "catch")
            for image in range(count + practiced, count + practiced + caught)
        ],
    }


@given(studies())
def test_every_list_has_every_photograph_once(study: dict[str, Any]) -> None:
    images = sorted(trial["image"] for trial in study["lists"][0])
    for each in study["lists"]:
        assert sorted(trial["image"] for trial in each) == images
        assert len(set(images)) == len(each)


@given(studies())
def test_conditions_are_balanced_in_every_list(study: dict[str, Any]) -> None:
    slots = Counter(study["conditions"])
    for each in study["lists"]:
        counts = Counter(trial["condition"] for trial in each)
        assert counts.keys() == slots.keys()
        for condition, times in slots.items():
            whole = len(each) // len(study["conditions"])
            assert whole * times <= counts[condition] <= (whole + 1) * times


@given(studies())
def test_over_all_lists_a_photograph_goes_through_all_conditions(study: dict[str, Any]) -> None:
    for image in {trial["image"] for trial in study["lists"][0]}:
        met = [
            trial["condition"] for each in study["lists"] for trial in each if trial["image"] == image
        ]
        assert sorted(met) == sorted(study["conditions"])


@given(studies(), st.integers(0, 5000))
def test_nobody_sees_a_photograph_twice(study: dict[str, Any], ordinal: int) -> None:
    shown = person_trials(study, ordinal % len(study["lists"]), ordinal)
    assert len(shown) == design.max_answers(study)
    assert len({each.image for each in shown}) == len(shown)
    names = [name for each in shown for name in each.pictures]
    assert len(set(names)) == len(names)


@given(studies(), st.integers(0, 5000))
def test_practice_comes_first_and_a_catch_trial_never_before_a_photograph(
    study: dict[str, Any], ordinal: int
) -> None:
    kinds = [each.kind for each in person_trials(study, ordinal % len(study["lists"]), ordinal)]
    practiced = len(study["practice"])
    assert kinds[:practiced] == ["practice"] * practiced
    assert kinds[practiced] == "test"
    assert Counter(kinds[practiced:]) == {
        kind: count
        for kind, count in {"test": len(study["lists"][0]), "catch": len(study["catch"])}.items()
        if count
    }


@given(studies(), st.integers(0, 5000))
def test_a_person_can_be_told_the_trials_again(study: dict[str, Any], ordinal: int) -> None:
    number = ordinal % len(study["lists"])
    assert person_trials(study, number, ordinal) == person_trials(study, number, ordinal)


@given(studies(), st.integers(0, 5000))
def test_sides_and_right_answers(study: dict[str, Any], ordinal: int) -> None:
    shown = person_trials(study, ordinal % len(study["lists"]), ordinal)
    if study["protocol"] == "pairs":
        sides = Counter(each.side for each in shown)
        assert abs(sides["left"] - sides["right"]) <= 1
        for each in shown:
            place = each.pictures.index(f"{each.image} real")
            assert ("left", "right")[place] == each.right != each.side
    else:
        for each in shown:
            assert each.side == "" and len(each.pictures) == 1
            real = "real" if each.condition == "real" else "colorized"
            assert each.right == ("" if study["protocol"] == "rating" else real)


def test_orders_differ_from_person_to_person() -> None:
    trials = [
        {"kind": "test", "image": image, "condition": "real", "picture": f"{image}", "real": None}
        for image in range(20)
    ]
    study = {"protocol": "yes-no", "seed": 0, "lists": [trials], "practice": [], "catch": []}
    orders = {tuple(each.image for each in person_trials(study, 0, ordinal)) for ordinal in range(50)}
    assert len(orders) == 50
    # No place in the order is a photograph's own.
    first = Counter(person_trials(study, 0, ordinal)[0].image for ordinal in range(2000))
    assert all(50 < first[image] < 150 for image in range(20))


def test_share_of_real_photographs() -> None:
    runs = ["a_1", "b_1", "c_1"]
    assert design.slots("yes-no", runs, 0.5).count("real") == 3
    assert design.slots("yes-no", runs, 0.25).count("real") == 1
    assert design.slots("yes-no", runs, 0.1).count("real") == 1
    assert design.slots("rating", runs, 0.5) == [*runs, "real"]
    assert design.slots("pairs", runs, 0.5) == runs
    assert design.answers_per_run(36, design.slots("yes-no", runs, 0.5), runs) == 6
    assert design.answers_per_run(36, design.slots("pairs", runs, 0.5), runs) == 12


def test_how_long_pictures_are_shown() -> None:
    assert [design.seconds(protocol, None) for protocol in PROTOCOLS] == [0, 1, 0]
    assert design.seconds("yes-no", 2) == 2 and design.seconds("pairs", 0) == 0
