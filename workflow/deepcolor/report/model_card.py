"""The model card of a run: what a network is, what it learned from, how good it is, and its limits.

All of it is computed from files that the run has left, so that the card of a network that travels says
what is true of it. There is no time and no speed in it: the same files give the same bytes.
"""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from deepcolor.data.manifest import chunks, distinct, read_manifest
from deepcolor.errors import shown
from deepcolor.evaluation.bootstrap import METHOD
from deepcolor.evaluation.comparisons import LEAST_PHOTOGRAPHS, compare, read_scores
from deepcolor.evaluation.measures import MEASURES
from deepcolor.files import read_json, sha256, write_json, write_text
from deepcolor.labels import label
from deepcolor.report.context import comparisons
from deepcolor.report.findings import decimal, differences, interval
from deepcolor.report.tables import said, tabulate_training

TEMPLATES = Path(__file__).parent / "templates"
# With fewer a network has not seen enough to color other photographs. In trials at 64×64 pixels a U-Net
# that had learned from 1,950 did not come closer to others than the mean color of these; one that had
# learned from 3,600 did.
LEAST_TO_LEARN_FROM = 2000
# With fewer, such as the embedded ones, it has seen next to nothing.
LEAST_TO_TRY = 100
# Photographers that a card names; of more it gives the number.
CREDITS_SHOWN = 20
# The figures that a card shows.
SHOWN = ("psnr", "ssim", "ciede2000", "colorfulness_difference")
# What a network has to beat.
TO_BEAT = {"grayscale-copy": "grayscale copy", "mean-chroma": "training set's mean chroma"}
# Whose luminance a prediction has, by the keys of metrics.json; first as it is used.
LUMINANCE_WORDS = {"luminance_kept": "With the input's luminance kept", "as_predicted": "As predicted"}

ARCHITECTURES = {
    "unet": "U-Net",
    "densenet": "DenseNet",
    "mobilenet": "MobileNet",
    "denseunet": "DenseNet with U-Net's skip connections",
    "koalarization": "Deep Koalarization",
}
# What is known of the weights that an encoder started from; what else is a file of somebody's.
TERMS_OF_WEIGHTS = {
    "imagenet": (
        "Keras's weights, trained on ImageNet. ImageNet gives its pictures for non-commercial research "
        "and education only; whether that binds what was trained on them is not settled: look into it "
        "before any other use."
    ),
    "file": "A weights file of one's own; its terms are those of whoever made it.",
}


def write_card(
    json_file: Path,
    markdown_file: Path,
    *,
    record: Path,
    model: Path,
    metrics: Mapping[str, Path],
    scores: Mapping[str, Path],
    about: Sequence[Path],
    manifests: Sequence[Path],
    split: str,
) -> dict[str, Any]:
    """Write a run's card, for programs and for people.

    Args:
        json_file: To write.
        markdown_file: To write.
        record: The run's training.json.
        model: The run's model.keras.
        metrics: metrics.json of the run and of TO_BEAT, by name.
        scores: per_image.csv of the same.
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
        split: The images that figures were taken on, "validation" or "test".

    Returns:
        The content of the JSON file.
    """
    facts = card(record, model, metrics, scores, about, manifests, split)
    template = _environment().get_template("MODEL_CARD.md.j2")
    text = template.render(card=facts, measures=MEASURES, luminance=LUMINANCE_WORDS)
    write_json(json_file, facts)
    write_text(markdown_file, text)
    return facts


def card(
    record: Path,
    model: Path,
    metrics: Mapping[str, Path],
    scores: Mapping[str, Path],
    about: Sequence[Path],
    manifests: Sequence[Path],
    split: str,
) -> dict[str, Any]:
    """What a card says; see `write_card`.

    Returns:
        Among others run, model_sha256, architecture, target, image_size, epochs, data_sets (those that
        it learned from: name, training, photographs, licenses, terms, about, good_for …), evaluation,
        limits, and in_short: one to three sentences, for a program that uses the network to print.
    """
    trained = read_json(record)
    settings = trained["settings"]
    options = settings["options"]
    row = tabulate_training([record], {}).iloc[0]
    files = {
        read_json(facts)["name"]: (facts, path) for facts, path in zip(about, manifests, strict=True)
    }
    data_sets = [_data_set(*files[name]) for name in trained["train_on"]]
    evaluation = _evaluation(trained["run"], metrics, scores, split)
    found = {
        "run": trained["run"],
        "model": trained["model"],
        "model_sha256": sha256(model),
        "architecture": row["architecture"],
        "architecture_label": ARCHITECTURES.get(row["architecture"], row["architecture"]),
        "target": options.get("target", "rgb"),
        "options": options,
        "image_size": settings["image_size"],
        "parameters": trained["parameters"],
        "trainable_parameters": trained["trainable_parameters"],
        "multiply_adds": trained["multiply_adds"],
        "encoder_weights": _encoder_weights(options),
        "epochs": trained["epochs"],
        "stopped_after": trained["stopped_after"],
        "best_epoch": trained["best_epoch"],
        "seed": trained["seed"],
        "training": settings["training"],
        "steps_per_epoch": trained["steps_per_epoch"],
        "effective_batch_size": trained["effective_batch_size"],
        "backend": trained["backend"],
        "versions": trained["versions"],
        "collapsed": row["collapse"],
        "collapsed_on_the_way": row["collapses"],
        "data_sets": data_sets,
        "evaluation": evaluation,
    }
    found["limits"] = _limits(found)
    return {**found, "in_short": _in_short(found)}


def _data_set(about: Path, manifest: Path) -> dict[str, Any]:
    """What a network has learned from: counts, where it comes from, and under which terms."""
    content = read_json(about)
    learned = read_manifest(manifest, ["credit", "license"], "training")
    pairs = {*learned.drop_duplicates().itertuples(index=False, name=None)}
    credits = sorted((credit, terms) for credit, terms in pairs if credit)
    groups = (
        rows["group"][rows["split"] == "training"] for rows in chunks(manifest, ["group", "split"])
    )
    return {
        "name": content["name"],
        "training": len(learned),
        "photographs": distinct(groups),
        "licenses": sorted({terms for _, terms in pairs} - {""}),
        "terms": content["terms"],
        "about": content["about"],
        "good_for": content["good_for"],
        "revision": content["revision"],
        "credited": len(credits),
        "credits": [
            {"credit": credit, "license": terms}
            for credit, terms in (credits if len(credits) <= CREDITS_SHOWN else [])
        ],
        "manifest_sha256": sha256(manifest),
    }


def _encoder_weights(options: Mapping[str, Any]) -> dict[str, str] | None:
    """The pre-trained weights that the encoder started from, and their terms; None if there are none."""
    weights = options.get("weights", "none")
    if weights == "none":
        return None
    kind = weights if weights in TERMS_OF_WEIGHTS else "file"
    return {"weights": Path(weights).name, "terms": TERMS_OF_WEIGHTS[kind]}


def _evaluation(
    run: str, metrics: Mapping[str, Path], scores: Mapping[str, Path], split: str
) -> dict[str, Any]:
    """The figures of a run beside those of what it has to beat, and whether it does."""
    contents = {name: read_json(metrics[name]) for name in (run, *TO_BEAT)}
    table = compare(
        read_scores({name: scores[name] for name in (run, *TO_BEAT)}),
        [("baseline", run, baseline) for baseline in TO_BEAT],
    )
    pairs = {pair["other"]: pair for pair in comparisons(table, ["baseline"])}
    beaten = {
        "luminance_kept": [name for name, pair in pairs.items() if _beats(pair["kept"])],
        "as_predicted": [name for name, pair in pairs.items() if _beats(pair)],
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
                "label": label(name),
                **{
                    key: {measure: content["all"][key][measure] for measure in SHOWN}
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
    """How a run stands to a baseline, in figures."""
    return (
        f"Against the {baseline}, with the input's luminance kept: {differences(pair['kept'])}. "
        f"As predicted: {differences(pair)}."
    )


def _verdict(beaten: Sequence[str], photographs: int) -> str:
    """Whether a run is better than what it has to beat, with the input's luminance kept."""
    if photographs < LEAST_PHOTOGRAPHS:
        return (
            f"It was scored on images of only {_count(photographs, 'photograph')}: nothing is tested, "
            "nothing called better, and the intervals are too narrow."
        )
    better, others = (
        " and the ".join(words for name, words in TO_BEAT.items() if (name in beaten) == wanted)
        for wanted in (True, False)
    )
    told = [f"is better than the {better}"] if better else []
    told += [f"is not shown to be better than the {others}"] if others else []
    return f"With the input's luminance kept it {', and '.join(told)}, on these images."


def _beats(pair: Mapping[str, Any]) -> bool:
    """Whether interval and test call a run better in one of two measures, and worse in neither."""
    verdicts = [pair[name]["better"] for name in ("psnr", "ciede2000")]
    return pair["run"] in verdicts and pair["other"] not in verdicts


def _limits(card: Mapping[str, Any]) -> list[str]:
    """What the files say against relying on a network, in sentences."""
    size, evaluation = card["image_size"], card["evaluation"]
    photographs = sum(each["photographs"] for each in card["data_sets"])
    told = []
    if card["collapsed"]:
        told.append(f"{_collapse(card)} It is of no use.")
    elif card["collapsed_on_the_way"]:
        told.append(
            "Its training collapsed on the way and recovered; what its pictures were, and after which "
            f"epochs: {card['collapsed_on_the_way']}."
        )
    if photographs < LEAST_TO_LEARN_FROM:
        told.append(
            f"It has learned from {_count(photographs, 'photograph')}. Fewer than "
            f"{LEAST_TO_LEARN_FROM:,} are too few to learn the colors of the world from"
            f"{': it is for trying the machinery only' if photographs < LEAST_TO_TRY else ''}."
        )
    told.append(evaluation["verdict"])
    if card["best_epoch"] is not None and evaluation["split"] == "validation":
        told.append("Its epoch was chosen by the very images that it is scored on: that flatters it.")
    told.append(
        f"It works at {size}×{size} pixels: a larger photograph gets the colors of its reduced copy, in "
        "which small colored things have no place."
    )
    return told


def _in_short(card: Mapping[str, Any]) -> list[str]:
    """What a program prints before it uses a network: what it is, and what speaks against it."""
    images, photographs = (
        sum(each[key] for each in card["data_sets"]) for key in ("training", "photographs")
    )
    names = ", ".join(each["name"] for each in card["data_sets"])
    kept = card["best_epoch"] or card["stopped_after"]
    epochs = _count(card["epochs"], "epoch")
    if kept != card["epochs"]:
        epochs = f"epoch {kept} of at most {card['epochs']}"
    told = [
        f"{card['run']}: {card['architecture_label']}, {epochs}, {card['image_size']}×"
        f"{card['image_size']} pixels, trained on {_count(images, 'image')} of "
        f"{_count(photographs, 'photograph')} ({names})."
    ]
    if card["collapsed"]:
        told.append(_collapse(card))
    if photographs < LEAST_TO_TRY:
        told.append("It is for trying the machinery only: train on your own photographs first.")
    elif photographs < LEAST_TO_LEARN_FROM:
        told.append("These are few to learn from: expect colors that are dull, and often wrong.")
    elif not card["collapsed"] and not card["evaluation"]["beaten"]["luminance_kept"]:
        told.append(
            f"On {_count(card['evaluation']['images'], 'image')} kept aside it is not shown to be "
            "better than gray, nor than the mean color of what it learned from."
        )
    return told


def _collapse(card: Mapping[str, Any]) -> str:
    """That the pictures of a network are none."""
    return f"Its training collapsed: its pictures are {card['collapsed']}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plain(text: object) -> str:
    """Return a text for Markdown, on one line, that is no markup, whatever is in it."""
    escaped = html.escape(shown(" ".join(str(text).split())), quote=False)
    escaped = re.sub(r"([\\`*\[\]|~$#])", r"\\\1", escaped)
    escaped = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", escaped)  # Within a word it is none.
    # At the beginning of a line: lists, underlines of headings, front matter.
    return re.sub(r"^(\d*)(?=[-+.)](\s|$)|--|=)", r"\1\\", escaped)


def _environment() -> jinja2.Environment:
    """The template's, with what it is filled in by."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(plain=plain, said=said, figure=_figure, count=_count)
    return found


def _figure(figures: Mapping[str, float | None], digits: int) -> str:
    """A mean with its interval: "21.20 (20.10 to 22.30)"."""
    text = decimal(figures["value"] or 0.0, digits)
    if figures["low"] is None or figures["high"] is None:
        return text
    return f"{text} ({interval(figures['low'], figures['high'], digits)})"
