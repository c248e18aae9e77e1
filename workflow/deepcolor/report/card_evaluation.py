"""The evaluation in a model card: a run and the baselines that it has to beat."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.evaluation.bootstrap import METHOD
from deepcolor.evaluation.comparisons import compare_pairs
from deepcolor.evaluation.paired_scores import read_paired_scores
from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS
from deepcolor.files import read_json
from deepcolor.labels import run_label
from deepcolor.report.formatting import counted
from deepcolor.report.pairs import compared_pairs
from deepcolor.report.verdicts import describe_differences

# Measures in a card.
CARD_MEASURES = ("psnr", "ssim", "ciede2000", "colorfulness_difference")
# Baselines that a network has to beat.
TO_BEAT = {"grayscale-copy": "grayscale copy", "mean-chroma": "training set's mean chroma"}
# Luminance of the predictions in words, by the keys of metrics.json; first as it is used.
LUMINANCE_WORDS = {"luminance_kept": "With the input's luminance kept", "as_predicted": "As predicted"}


def evaluate_run(
    run: str, metrics: Mapping[str, Path], scores: Mapping[str, Path], split: str
) -> dict[str, Any]:
    """Return the measures of a run and of the baselines to beat, and whether it beats them.

    Args:
        run: Name of the run.
        metrics: The metrics.json of the run and of TO_BEAT, by name.
        scores: The per_image.csv of the same, by name.
        split: Split that was scored, "validation" or "test".
    """
    contents = {name: read_json(metrics[name]) for name in (run, *TO_BEAT)}
    table = compare_pairs(
        read_paired_scores({name: scores[name] for name in (run, *TO_BEAT)}),
        [("baseline", run, baseline) for baseline in TO_BEAT],
    )
    pairs = {pair["other"]: pair for pair in compared_pairs(table, ["baseline"])}
    beaten = {
        "luminance_kept": [name for name, pair in pairs.items() if _is_better(pair["kept"])],
        "as_predicted": [name for name, pair in pairs.items() if _is_better(pair)],
    }
    return {
        "split": split,
        "images": contents[run]["all"]["n"],
        "photographs": contents[run]["all"]["photographs"],
        "data_sets": {name: each["n"] for name, each in contents[run]["data_sets"].items()},
        "interval": METHOD,
        "rows": [
            {
                "run": name,
                "label": run_label(name),
                **{
                    key: {measure: content["all"][key][measure] for measure in CARD_MEASURES}
                    for key in LUMINANCE_WORDS
                },
            }
            for name, content in contents.items()
        ],
        "compared": [_compared(pair, TO_BEAT[baseline]) for baseline, pair in pairs.items()],
        "beaten": beaten,
        "verdict": _verdict(beaten["luminance_kept"], contents[run]["all"]["photographs"]),
    }


def _compared(pair: Mapping[str, Any], baseline: str) -> str:
    """Return the differences of a run from a baseline in words."""
    return (
        f"Against the {baseline}, with the input's luminance kept: "
        f"{describe_differences(pair['kept'])}. "
        f"As predicted: {describe_differences(pair)}."
    )


def _verdict(beaten: Sequence[str], photographs: int) -> str:
    """Return whether a run beats the baselines, with the input's luminance kept."""
    if photographs < MIN_PHOTOGRAPHS:
        return (
            f"It was scored on images of only {counted(photographs, 'photograph')}: nothing is tested, "
            "nothing called better, and the intervals are too narrow."
        )
    better, others = (
        " and the ".join(words for name, words in TO_BEAT.items() if (name in beaten) == is_beaten)
        for is_beaten in (True, False)
    )
    clauses = [f"is better than the {better}"] if better else []
    clauses += [f"is not shown to be better than the {others}"] if others else []
    return f"With the input's luminance kept it {', and '.join(clauses)}, on these images."


def _is_better(pair: Mapping[str, Any]) -> bool:
    """Return whether interval and test call a run better in one of two measures, and worse in none."""
    verdicts = [pair[name]["better"] for name in ("psnr", "ciede2000")]
    return pair["run"] in verdicts and pair["other"] not in verdicts
