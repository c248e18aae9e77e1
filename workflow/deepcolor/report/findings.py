"""What was found, in sentences computed from the tables; they say no more than the intervals carry."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from deepcolor.evaluation.comparisons import LEAST_PHOTOGRAPHS
from deepcolor.evaluation.measures import MEASURES
from deepcolor.labels import label
from deepcolor.report.context import comparisons, luminance_changes

MINUS = "\N{MINUS SIGN}"
# Networks of which sentences are made; a list of more is cut.
NAMED = 6
# Decibels below which a gain by the input's luminance is of rounding alone, and not worth a word.
LEAST_GAIN = 0.05


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, a true minus, and none for what rounds to zero."""
    text = f"{value:+z.{digits}f}".replace("-", MINUS)
    return text[1:] if float(text[1:]) == 0 else text


def decimal(value: float, digits: int = 2) -> str:
    """A number with so many digits after the point, a true minus, and none for what rounds to zero."""
    return f"{value:z.{digits}f}".replace("-", MINUS)


def interval(low: float, high: float, digits: int = 2) -> str:
    """The ends of an interval: "1.20 to 3.40"."""
    return f"{decimal(low, digits)} to {decimal(high, digits)}"


def findings(
    results: list[dict[str, Any]],
    table: pd.DataFrame,
    split: str,
    ablations: pd.DataFrame,
    seeds: pd.DataFrame,
) -> list[str]:
    """What the figures say.

    Args:
        results: Of `views.results`.
        table: Of `comparisons.compare_all`.
        split: The images that figures were taken on, "validation" or "test".
        ablations: Of `tables.tabulate_ablations`.
        seeds: Of `tables.tabulate_seeds`: models with several, over all data sets.
    """
    rows = {row["run"]: row for row in results}
    trained = [row for row in results if row["trained"]]
    # Figures of collapsed trainings are no findings; that they collapsed is one.
    uneven = {row["trained"]["model"] for row in trained if row["trained"]["collapse"]}
    pairs = {
        key: pair for key, pair in by_pair(table).items() if key[0] != "seeds" or not uneven & {*key[1:]}
    }
    sound = [row for row in results if row["kind"] in ("run", "pictures") and not _collapsed(row)]
    longest = [row for row in set_side_by_side(results) if row in sound]
    longest.sort(key=lambda row: row["predicted"]["ciede2000"]["value"])
    # Variants stand beside what they vary; the best network is named whatever it is.
    variants = set(ablations["model"])
    named = [
        row
        for row in longest
        if row is longest[0] or not row["trained"] or row["trained"]["model"] not in variants
    ]
    sentences = [_ground(rows, split), *_collapses([row["trained"] for row in trained])]
    sentences += [_against_baselines(row, pairs) for row in named[:NAMED]]
    if len(named) > NAMED:
        sentences.append(
            f"{len(named) - NAMED} more with a larger color difference are in the tables of results."
        )
    if len(longest) > 1:
        sentences.append(_first_and_second(longest, pairs))
    sentences += [*_luminance(named, pairs), *_dull(named)]
    sentences += _epochs(named[:NAMED], [row for row in sound if row["trained"]], pairs)
    failed = {row["run"] for row in trained if row["trained"]["collapse"]}
    changes = ablations[~ablations["run"].isin(failed) & ~ablations["varied_run"].isin(failed)]
    sentences += _changes(changes, pairs) + _spreads(seeds[~seeds["model"].isin(uneven)])
    return sentences + _over_seeds(pairs)


def by_pair(table: pd.DataFrame) -> dict[tuple[str, str, str], dict[str, Any]]:
    """All pairs by kind, run and other, with what they say on the input's luminance under "kept"."""
    kinds = ["baseline", "network", "epochs", "change", "seeds"]
    found = {_key(row): row for row in comparisons(table, kinds)}
    for (kind, run, other), pair in list(found.items()):
        if kind == "seeds":
            found[kind, other, run] = {**_turned(pair), "kept": _turned(pair["kept"])}
    return found | {_key(row): row for row in luminance_changes(table)}


def _turned(pair: Mapping[str, Any]) -> dict[str, Any]:
    """A pair from the other side."""
    figures = {
        name: {
            **pair[name],
            "difference": -pair[name]["difference"],
            "low": -pair[name]["high"],
            "high": -pair[name]["low"],
        }
        for name in ("psnr", "ciede2000")
    }
    return {**pair, "run": pair["other"], "other": pair["run"], **figures}


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["kind"], row["run"], row["other"]


def set_side_by_side(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the longest run of every network, with its first seed, and of others' pictures."""
    first = [row for row in results if row["trained"] and row["first"]]
    longest = {row["trained"]["model"]: row for row in first}
    return [*longest.values(), *(row for row in results if row["kind"] == "pictures")]


def _collapsed(row: Mapping[str, Any]) -> bool:
    """Whether the pictures of a row are those of a training that collapsed."""
    return bool(row["trained"] and row["trained"]["collapse"])


def _ground(rows: Mapping[str, dict[str, Any]], split: str) -> str:
    """What a network has to beat, and on how much that rests."""
    copy, mean = rows["grayscale-copy"], rows["mean-chroma"]
    count = copy["photographs"]
    text = (
        f"What a network has to beat, on {_count(copy['n'], f'{split} image')} of "
        f"{_count(count, 'photograph')}: the input returned unchanged has {_both(copy)}; the training "
        f"set's mean color everywhere has {_both(mean)}."
    )
    if count < LEAST_PHOTOGRAPHS:
        text += (
            f" With images of only {_count(count, 'photograph')} nothing is tested here, nothing called "
            "better, and intervals are too narrow: the figures describe these images alone."
        )
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _both(row: Mapping[str, Any], luminance: str = "predicted") -> str:
    """PSNR and CIEDE2000 of a row, in words."""
    figures = row[luminance]
    return f"{figures['psnr']['value']:.2f} dB and CIEDE2000 {figures['ciede2000']['value']:.2f}"


def _against_baselines(row: Mapping[str, Any], pairs: Mapping[Any, dict[str, Any]]) -> str:
    """What a run reaches, and whether that is more than the constants do."""
    told = [f"{row['label']}: {_both(row)}."]
    for baseline, words in {
        "grayscale-copy": "grayscale copy",
        "mean-chroma": "mean chroma",
    }.items():
        told.append(f"Against the {words}: {_told(pairs['baseline', row['run'], baseline])}.")
    if row["chosen"]:
        told.append("Its epoch was chosen by these very images, which flatters it a little.")
    return " ".join(told)


def _told(pair: Mapping[str, Any]) -> str:
    """A pair's differences in PSNR and CIEDE2000, and what can be said of them.

    What holds on the input's luminance is told, too, where it is something else: a network that keeps
    the luminance may be better for that alone.
    """
    names = ("psnr", "ciede2000")
    text = differences(pair)
    kept = pair["kept"]
    if any(_verdict(pair, name) != _verdict(kept, name) for name in names):
        text += f"; with the input's luminance kept {differences(kept)}"
    return text


def differences(pair: Mapping[str, Any]) -> str:
    """A pair's differences in PSNR and CIEDE2000 with one luminance, and what can be said of them.

    Args:
        pair: Of `views.comparisons`, or what it has under "kept".
    """
    return "; ".join(
        f"{_difference(pair[name], name)}{_verdict(pair, name)}" for name in ("psnr", "ciede2000")
    )


def _difference(figures: Mapping[str, float], measure: str) -> str:
    """A difference with its interval: "+1.20 dB (0.80 to 1.60)"."""
    unit = f" {MEASURES[measure].unit}" if MEASURES[measure].unit else ""
    digits = MEASURES[measure].digits
    name = "" if unit else f" {MEASURES[measure].label}"
    text = f"{signed(figures['difference'], digits)}{unit}{name}"
    if figures["low"] == figures["low"]:
        text += f" ({interval(figures['low'], figures['high'], digits)})"
    return text


def _verdict(pair: Mapping[str, Any], measure: str) -> str:
    """What an interval and a test allow to be said of a pair; with few photographs, nothing."""
    if pair["photographs"] < LEAST_PHOTOGRAPHS:
        return ""
    figures = pair[measure]
    if figures["better"]:
        return ", better" if figures["better"] == pair["run"] else ", worse"
    beyond = figures["low"] > 0 or figures["high"] < 0
    return ", which the test does not bear out" if beyond else ", not told apart"


def _first_and_second(compared: Sequence[dict[str, Any]], pairs: Mapping[Any, dict[str, Any]]) -> str:
    """Whether the first can be told from those after it."""
    first, *others = compared
    unsure = []
    for row in others:
        pair = (
            pairs.get(("network", first["run"], row["run"]))
            or pairs["network", row["run"], first["run"]]
        )
        if pair["ciede2000"]["better"] != first["run"]:
            unsure.append(row["label"])
        elif _seeds_disagree(first, row, pairs):
            unsure.append(f"{row['label']} (over several trainings of both)")
    start = (
        f"The smallest color difference (CIEDE2000) of the {len(compared)} is that of {first['label']}"
    )
    if first["photographs"] < LEAST_PHOTOGRAPHS:
        return f"{start}, on these images."
    if not unsure:
        return f"{start}, and it is told apart from all others."
    return f"{start}. From these it is not told apart: {_listed(unsure)}."


def _seeds_disagree(
    first: Mapping[str, Any], other: Mapping[str, Any], pairs: Mapping[Any, dict[str, Any]]
) -> bool:
    """Whether several trainings of two networks do not bear out that the first is better."""
    if not first["trained"] or not other["trained"]:
        return False
    model, against = first["trained"]["model"], other["trained"]["model"]
    pair = pairs.get(("seeds", model, against))
    return pair is not None and pair["ciede2000"]["better"] != model


def _luminance(named: Sequence[Mapping[str, Any]], pairs: Mapping[Any, dict[str, Any]]) -> list[str]:
    """Which pictures are closer to the photograph with the luminance of the input in place of theirs."""
    told = []
    for row in named:
        pair = pairs["luminance", row["run"], row["run"]]
        told_at_all = pair["photographs"] < LEAST_PHOTOGRAPHS or pair["psnr"]["better"]
        if told_at_all and pair["psnr"]["difference"] > LEAST_GAIN:
            gain = _difference(pair["psnr"], "psnr")
            told.append(f"{row['label']} {gain}, to {_both(row, 'kept')}")
    if not told:
        return []
    return [f"With the luminance of the input, which is given, in place of their own: {_listed(told)}."]


def _dull(named: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which predictions are duller, or more colorful, than the photographs."""
    dull, vivid = [], []
    for row in named:
        figures = row["predicted"]["colorfulness_difference"]
        if row["photographs"] >= LEAST_PHOTOGRAPHS and figures["high"] < 0:
            dull.append(f"{row['label']} by {decimal(-figures['value'], 1)}")
        if row["photographs"] >= LEAST_PHOTOGRAPHS and figures["low"] > 0:
            vivid.append(f"{row['label']} by {decimal(figures['value'], 1)}")
    return [
        f"{words} than the photographs by colorfulness: {_listed(told)}."
        for words, told in {"Duller": dull, "More colorful": vivid}.items()
        if told
    ]


def _listed(told: Sequence[str]) -> str:
    """A list in a sentence, cut where it is long."""
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more


def _epochs(
    named: Sequence[Mapping[str, Any]],
    trained: Sequence[Mapping[str, Any]],
    pairs: Mapping[Any, dict[str, Any]],
) -> list[str]:
    """What longer trainings change."""
    sentences = []
    for row in named:
        facts = row["trained"]
        # Early stopping keeps an epoch of its own choice, however long a training may be.
        if not facts or facts["best_epoch"] != "":
            continue
        same = [each for each in trained if each["first"] and each["trained"]["model"] == facts["model"]]
        shorter = same[-2] if len(same) > 1 else None
        # None where the next shorter one has collapsed.
        pair = pairs.get(("epochs", row["run"], shorter["run"])) if shorter else None
        if shorter and pair:
            sentences.append(
                f"{facts['model']} after {facts['epochs']} epochs instead of "
                f"{shorter['trained']['epochs']}: {_told(pair)}."
            )
    return sentences


def _collapses(trained: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which trainings ended with pictures that are none, and which did for a time."""
    sentences = []
    for collapse in sorted({row["collapse"] for row in trained if row["collapse"]}):
        runs = [row["run"] for row in trained if row["collapse"] == collapse]
        sentences.append(
            f"The pictures of {', '.join(runs)} are {collapse} at the end of training: "
            f"{'its figures are those' if len(runs) == 1 else 'their figures are those'} of a "
            "training that collapsed."
        )
    # The history of a run that goes on from a shorter one holds that one's.
    continued = {row["continued_from"] for row in trained}
    last = [row for row in trained if row["run"] not in continued]
    passing = [
        f"{row['run']} ({row['collapses']})" for row in last if row["collapses"] and not row["collapse"]
    ]
    if passing:
        sentences.append(
            f"Trainings that collapsed on the way, after the epochs named, and recovered: "
            f"{'; '.join(passing)}."
        )
    return sentences


def _changes(ablations: pd.DataFrame, pairs: Mapping[Any, dict[str, Any]]) -> list[str]:
    """Which variant lies lowest, and which highest, after the longest training with the first seed."""
    firsts = ablations.drop_duplicates(["model", "epochs"])
    last = firsts.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    changes = [(pairs["change", row["run"], row["varied_run"]], row) for row in last.to_dict("records")]
    changes.sort(key=lambda change: change[0]["ciede2000"]["difference"])
    if not changes:
        return []
    told = [_change(pair, row, pairs) for pair, row in (changes[0], changes[-1])]
    if len(changes) == 1:
        return [f"A change to a network: {told[0]}."]
    return [
        f"Of {len(changes)} changes to networks the one that lowers CIEDE2000 most, or raises it least: "
        f"{told[0]}. The one at the other end: {told[1]}."
    ]


def _change(pair: Mapping[str, Any], row: Mapping[str, Any], pairs: Mapping[Any, dict[str, Any]]) -> str:
    """What a change makes; of several trainings, if both networks have them."""
    text = f"{label(row['run'])}, beside {label(row['varied_run'])} ({row['differs']}): "
    model, varied = row["model"], row["varies"]
    if ("seeds", model, varied) in pairs:
        return f"{text}{_told(pairs['seeds', model, varied])}, over several trainings of both"
    return text + _told(pair)


def _over_seeds(pairs: Mapping[Any, dict[str, Any]]) -> list[str]:
    """What several trainings of two networks say, of the first pairs."""
    seen = [key[1:] for key in pairs if key[0] == "seeds"]
    told = [
        f"{run} against {other} {_told(pairs['seeds', run, other])}"
        for number, (run, other) in enumerate(seen)
        if (other, run) not in seen[:number]
    ]
    return [f"Over several trainings of each network: {_listed(told)}."] if told else []


def _spreads(seeds: pd.DataFrame) -> list[str]:
    """How far seeds are apart, after the longest training of every model that has several."""
    last = seeds.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    told = [
        f"{row['seeds']} of {row['model']} for {row['epochs']} epoch{'' if row['epochs'] == 1 else 's'} "
        f"reach {row['psnr_min']:.2f} to {row['psnr_max']:.2f} dB"
        for row in last.to_dict("records")
    ]
    if not told:
        return []
    return [
        "Trainings that differ in nothing but the seed differ, too, and intervals over images know "
        f"nothing of that: {_listed(told)}. Other sentences are of the first seed, where they do not "
        "say otherwise."
    ]
