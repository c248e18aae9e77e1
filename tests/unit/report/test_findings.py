"""What a report says it found: computed, with the verdict that the figures carry, and no more."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from deepcolor.report.formatting import interval, signed
from support.synthetic_records import record
from support.synthetic_results import fewer_resamples, summarize, write_results

MINUS = "\N{MINUS SIGN}"
Found = Callable[..., list[str]]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Found:
    """A function that gives the findings of runs with these levels."""
    fewer_resamples(monkeypatch)

    def findings(
        records: Sequence[dict[str, Any]], levels: Mapping[str, Any], **options: Any
    ) -> list[str]:
        content, text = summarize(write_results(tmp_path, records, levels, **options))
        bullets = [line for line in text.splitlines() if line.startswith("- ")]
        assert len(bullets) == len(content["found"])
        return list(content["found"])

    return findings


def about(sentences: Sequence[str], words: str) -> str:
    """The only sentence that says these words."""
    (sentence,) = [each for each in sentences if words in each]
    return sentence


def test_a_better_run_is_called_better_and_a_worse_one_worse(found: Found) -> None:
    sentences = found(
        [record("good", 1), record("bad", 1)], {"good_1": 21.0, "bad_1": 19.5}, photographs=40
    )
    assert sentences[0] == (
        "What a network has to beat, on 40 test images of 40 photographs: the input returned unchanged "
        "has 20.00 dB, CIEDE2000 30.00 and colorfulness 20.0; the training set's mean color everywhere "
        "has 20.50 dB, CIEDE2000 29.50 and colorfulness 20.5. The photographs' own colorfulness is 30.0."
    )
    good, bad = about(sentences, "good, 1 epoch: "), about(sentences, "bad, 1 epoch: ")
    assert good.startswith(
        "good, 1 epoch: 21.00 dB, CIEDE2000 29.00 and colorfulness 21.0. Against the grayscale copy: "
        "+1.00 dB ("
    )
    # Of CIEDE2000, lower is better: less of it is no loss.
    assert f"better; {MINUS}1.00 CIEDE2000 ({MINUS}1." in good
    assert good.count(", better") == 4 and "worse" not in good and "told apart" not in good
    assert bad.count(", worse") == 4 and "better" not in bad
    assert f"{MINUS}0.50 dB" in bad and "+0.50 CIEDE2000 (0." in bad
    assert about(sentences, "smallest color difference").endswith(
        "of the 2 is that of good, 1 epoch, and it is told apart from all others."
    )


def test_measures_that_disagree_have_a_verdict_each(found: Found) -> None:
    levels = {"vivid_1": {"psnr": 19.0, "ciede2000": 25.0}}
    sentence = about(found([record("vivid", 1)], levels, photographs=40), "vivid, 1 epoch: ")
    copy, mean = sentence.split(". Against the ")[1:]
    for part in (copy, mean):
        assert part.count(", worse; ") == 1 and part.rstrip(".").endswith(", better")


def test_what_cannot_be_told_apart_is_said_so(found: Found) -> None:
    runs = [record(name, 1) for name in ("one", "same", "far")]
    sentences = found(
        runs, {"one_1": 20.001, "same_1": 20.002, "far_1": 17.0}, photographs=40, noise=1.0
    )
    assert about(sentences, "one, 1 epoch: ").count(", not told apart") >= 2
    assert "copy: +0.00 dB" not in about(sentences, "one, 1 epoch: ")
    first = about(sentences, "smallest color difference")
    assert "From these it is not told apart: one, 1 epoch." in first and "far" not in first


def test_of_few_photographs_nothing_is_called_better(found: Found) -> None:
    # However many images: crops of one photograph are not independent.
    runs = [record("unet", 1), record("unet", 2), record("other", 2), record("flat", 2, varies="unet")]
    levels = {"unet_1": 21.0, "unet_2": 26.0, "other_2": 23.0, "flat_2": 18.0}
    sentences = found(runs, levels, photographs=6, per_photograph=4)
    assert "With images of only 6 photographs nothing is tested here" in sentences[0]
    for word in ("better", "worse", "told apart", "Duller"):
        assert not any(word in each for each in sentences[1:])
    assert about(sentences, "smallest").endswith("is that of unet, 2 epochs, on these images.")
    assert (
        "unet, 2 epochs: 26.00 dB, CIEDE2000 24.00 and colorfulness 26.0. Against the grayscale copy: "
        "+6.00 dB (" in "".join(sentences)
    )


def test_epochs_and_changes_are_compared(found: Found) -> None:
    runs = [
        record("unet", 10),
        record("unet", 30),
        record("noskip", 30, varies="unet", options={"skip_connections": False}),
        record("lab", 30, varies="unet", options={"target": "lab"}, training={"loss": "huber"}),
        record("alone", 4, varies="unet"),
    ]
    levels = {"unet_10": 21.0, "unet_30": 22.0, "noskip_30": 21.5, "lab_30": 23.0, "alone_4": 20.0}
    sentences = found(runs, levels, photographs=20)
    longer = about(sentences, "after 30 epochs instead of 10")
    assert longer.startswith("unet after 30 epochs instead of 10: +1.00 dB (") and ", better" in longer
    changes = about(sentences, "changes to networks")
    assert changes.startswith("Of 2 changes to networks the one that lowers CIEDE2000 most, or raises")
    lowest, highest = changes.split("The one at the other end: ")
    beside = "beside unet, 30 epochs (target: lab instead of rgb; loss: huber instead of mse)"
    assert f"lab, 30 epochs, {beside}: +1.00 dB (" in lowest and ", better" in lowest
    assert f"(skip_connections: false instead of true): {MINUS}0.50 dB (" in highest
    # The best network is named, variant or not; other variants only beside what they vary.
    assert about(sentences, "lab, 30 epochs: ")
    assert not any(each.startswith(("noskip, 30 epochs: ", "unet, 10 epochs: ")) for each in sentences)


def test_seeds_are_a_range_of_the_longest_training(found: Found) -> None:
    runs = [
        record("unet", 1),
        record("unet", 2),
        *(record("unet", 2, seed=seed, run=f"unet-seed{seed}_2") for seed in (1, 7)),
        record("other", 2),
    ]
    levels = {"unet_1": 5.0, "unet_2": 21.0, "unet-seed1_2": 22.0, "unet-seed7_2": 22.6, "other_2": 20.0}
    sentences = found(runs, levels)
    spread = about(sentences, "differ in nothing but the seed")
    assert "know nothing of that: 3 of unet for 2 epochs reach 21.00 to 22.60 dB." in spread
    # The model is what it is called, not what the name of a repetition begins with.
    assert not any("unet-seed" in each for each in sentences)
    assert not any("of other for" in each for each in sentences)
    assert about(sentences, "A single training carries the rank").endswith("may change it: other.")


@pytest.mark.parametrize(("names", "count"), [(["one"], 0), (["one", "two"], 1)])
def test_a_ranking_by_single_trainings_is_called_that(
    found: Found, names: list[str], count: int
) -> None:
    sentences = found([record(name, 1) for name in names], {f"{name}_1": 21.0 for name in names})
    assert sum(each.startswith("Every network was trained once: ") for each in sentences) == count


def test_collapses_are_told_and_are_no_finding(found: Found) -> None:
    black = [{"epoch": epoch, "collapse": "black"} for epoch in (1, 2, 3)]
    sentences = found(
        [
            record("failed", 4, collapses=[*black, {"epoch": 4, "collapse": "noise"}]),
            record("recovered", 5, collapses=[*black, {"epoch": 4, "collapse": "gray"}]),
            record("variant", 4, varies="failed"),
        ],
        {"failed_4": 10.0, "recovered_5": 21.0, "variant_4": 22.0},
        photographs=20,
    )
    told = about(sentences, "at the end of training")
    assert told.startswith("The pictures of failed_4 are noise at the end of training: its figures")
    recovered = about(sentences, "recovered: ")
    assert recovered.endswith("and recovered: recovered_5 (black 1-3, gray 4).")
    assert not any(each.startswith("failed, 4 epochs: ") for each in sentences)
    assert not any(
        "change to a network" in each or "variant, 4 epochs, beside" in each for each in sentences
    )


@pytest.mark.parametrize(("split", "said"), [("validation", True), ("test", False)])
def test_an_epoch_that_was_chosen_on_these_images_is_said(found: Found, split: str, said: bool) -> None:
    early = {"best_epoch": 2, "stopped_after": 3, "training": {"early_stopping": 1}}
    runs = [
        record("unet", 2),
        record("unet", 5, restart_reason="early stopping", **early),
        record("other", 2),
    ]
    sentences = found(runs, {"unet_2": 21.0, "unet_5": 22.0, "other_2": 21.0}, split=split)
    words = "Its epoch was chosen by these very images"
    assert (words in about(sentences, "unet, 5 epochs: ")) == said
    assert words not in about(sentences, "other, 2 epochs: ")
    assert f"10 {split} images" in sentences[0]
    # It was no longer than it was, however long it may have been.
    assert not any("5 epochs instead of" in each for each in sentences)


def test_luminance_and_colorfulness_are_told(found: Found) -> None:
    runs = [record("noisy", 1), record("clean", 1)]
    levels = {
        "noisy_1": {"psnr": 21.0, "kept_psnr": 24.0, "colorfulness_difference": -9.0},
        "clean_1": {"psnr": 23.0, "kept_psnr": 23.05, "colorfulness_difference": 4.0},
    }
    sentences = found(runs, levels, photographs=20)
    told = about(sentences, "With the luminance of the input, which is given, in place of their own: ")
    assert "noisy, 1 epoch +3.00 dB (" in told and "), to 24.00 dB, CIEDE2000 " in told
    assert about(sentences, "Duller").endswith("by colorfulness: noisy, 1 epoch by 9.0.")
    assert about(sentences, "More colorful").endswith("by colorfulness: clean, 1 epoch by 4.0.")


def test_what_the_luminance_alone_makes_better_is_said(found: Found) -> None:
    kept = {"kept_psnr": 23.0, "kept_ciede2000": 27.0}
    levels = {
        "rgb_1": {"psnr": 21.0, "ciede2000": 29.0, **kept, "kept_psnr": 23.5},
        "lab_1": {"psnr": 22.9, "ciede2000": 28.0, **kept},
    }
    sentences = found(
        [record("rgb", 1), record("lab", 1, varies="rgb", options={"target": "lab"})],
        levels,
        photographs=40,
    )
    change = about(sentences, "A change to a network: ")
    whole, color = change.split("; with the input's luminance kept ")
    assert whole.endswith(", better") and "+1.90 dB" in whole
    assert color.startswith(f"{MINUS}0.50 dB") and ", worse; " in color


def test_the_luminance_is_not_told_where_it_gains_nothing(found: Found) -> None:
    levels = {"lab_1": {"psnr": 22.0, "kept_psnr": 21.9}}
    sentences = found([record("lab", 1)], levels, photographs=20)
    assert not any("in place of their own" in each for each in sentences)


def test_other_programs_pictures_are_compared_and_have_no_epochs(found: Found) -> None:
    sentences = found([record("unet", 1)], {"unet_1": 21.0, "app": 23.0}, pictures=["app"])
    assert about(sentences, "smallest").endswith("is that of app, and it is told apart from all others.")
    assert about(sentences, "app: ").startswith(
        "app: 23.00 dB, CIEDE2000 27.00 and colorfulness 23.0. Against"
    )


def test_numbers_have_a_true_sign() -> None:
    assert [signed(value) for value in (1.234, -1.234, 0.001, -0.001, 0)] == [
        "+1.23", f"{MINUS}1.23", "0.00", "0.00", "0.00",
    ]  # fmt: skip
    assert signed(-12.35, 1) == f"{MINUS}12.3" or signed(-12.35, 1) == f"{MINUS}12.4"
    assert interval(-1.5, 0.25) == f"{MINUS}1.50 to 0.25"


def test_a_collapsed_run_is_neither_the_best_nor_what_epochs_are_told_of(found: Found) -> None:
    black = [{"epoch": 1, "collapse": "black"}]
    sentences = found(
        [
            record("gone", 1, collapses=black),
            record("fine", 1),
            record("late", 1, collapses=black),
            record("late", 2, collapses=black),
        ],
        {"gone_1": 25.0, "fine_1": 21.0, "late_1": 12.0, "late_2": 20.8},
        photographs=40,
    )
    assert "of the 2 is that of fine, 1 epoch" in about(sentences, "smallest color difference")
    assert not any("instead of 1" in each or "gone, 1 epoch" in each for each in sentences)
    assert about(sentences, "at the end of training").startswith("The pictures of gone_1, late_1 are")


def test_of_many_networks_the_best_are_named(found: Found) -> None:
    names = [f"network-{number}" for number in range(9)]
    levels = {f"{name}_1": 21.0 + number / 10 for number, name in enumerate(names)}
    sentences = found([record(name, 1) for name in names], levels, photographs=40)
    assert sum("Against the grayscale copy" in each for each in sentences) == 6
    assert any(each.startswith("network-8, 1 epoch: ") for each in sentences)
    assert any(each.startswith("3 more with a larger color difference") for each in sentences)


def test_several_trainings_outweigh_one(found: Found) -> None:
    runs = {"one": (21.0, 20.2), "two": (20.6, 20.7)}
    records = [
        record(name, 1, seed=seed, run=f"{name}-seed1_1" if seed else f"{name}_1")
        for name in runs
        for seed in (0, 1)
    ]
    levels = {each["run"]: runs[each["model"]][each["seed"]] for each in records}
    sentences = found(records, levels, photographs=40)
    assert about(sentences, "smallest color difference").endswith(
        "is that of one, 1 epoch. From these it is not told apart: two, 1 epoch (over several "
        "trainings of both)."
    )
    assert "one against two" in about(sentences, "Over several trainings of each network: ")
    assert not any("single training" in each or "trained once" in each for each in sentences)
