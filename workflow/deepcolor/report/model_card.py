"""The model card of a run: what a network is, its training data, its results and its limits.

All of it is computed from the files of the run, without any time or speed: the same files give the same
bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.data.manifest import chunks, distinct, read_manifest
from deepcolor.evaluation.measures import MEASURES
from deepcolor.files import read_json, sha256, write_json, write_text
from deepcolor.report.card_evaluation import LUMINANCE_WORDS, evaluate_run
from deepcolor.report.card_limits import card_in_short, card_limits
from deepcolor.report.formatting import counted, decimal, interval
from deepcolor.report.markdown import escape_markdown
from deepcolor.report.tables import format_setting
from deepcolor.report.templating import template_environment
from deepcolor.report.training_table import tabulate_training

# Photographers that a card names; of more, it gives the number.
MAX_CREDITS = 20

ARCHITECTURES = {
    "unet": "U-Net",
    "densenet": "DenseNet",
    "mobilenet": "MobileNet",
    "denseunet": "DenseNet with U-Net's skip connections",
    "koalarization": "Deep Koalarization",
    "lite": "Lite, on EfficientNet-Lite0",
}
# What a network predicts, as Markdown.
TARGETS = {
    "rgb": "RGB",
    "lab": r"chroma: a\* and b\* of CIELAB, put on the luminance of the input",
    "classes": (
        r"a distribution over color classes, which becomes a\* and b\* of CIELAB, put on the luminance "
        "of the input"
    ),
}
# Terms of the pre-trained weights of an encoder, by their source.
TERMS_OF_WEIGHTS = {
    "imagenet": (
        "Weights trained on ImageNet, as Keras or a package publishes them. ImageNet gives its pictures "
        "for non-commercial research and education only; whether that binds what was trained on them is "
        "not settled: look into it before any other use."
    ),
    "bundled": (
        "The network that comes with DeepColor; its card, beside it, names the photographs that it was "
        "trained on and their terms, most of which allow research only."
    ),
    "file": "A weights file of one's own; its terms are those of whoever made it.",
}


@dataclass(frozen=True)
class CardInputs:
    """The files that a model card is computed from.

    Attributes:
        record: The run's training.json.
        model: The run's model.keras.
        metrics: The metrics.json of the run and of `card_evaluation.TO_BEAT`, by name.
        scores: The per_image.csv of the same, by name.
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
        split: Split that was scored, "validation" or "test".
    """

    record: Path
    model: Path
    metrics: Mapping[str, Path]
    scores: Mapping[str, Path]
    about: Sequence[Path]
    manifests: Sequence[Path]
    split: str


def write_model_card(json_file: Path, markdown_file: Path, inputs: CardInputs) -> dict[str, Any]:
    """Write a run's card, for programs and for people.

    Args:
        json_file: JSON file to write.
        markdown_file: Markdown file to write.
        inputs: Files that the card is computed from.

    Returns:
        The content of the JSON file.
    """
    content = card_content(inputs)
    environment = template_environment(
        autoescape=False, plain=escape_markdown, said=format_setting, figure=_mean, count=counted
    )
    template = environment.get_template("MODEL_CARD.md.j2")
    text = template.render(
        card=content, target=TARGETS[content["target"]], measures=MEASURES, luminance=LUMINANCE_WORDS
    )
    write_json(json_file, content)
    write_text(markdown_file, text)
    return content


def card_content(inputs: CardInputs) -> dict[str, Any]:
    """Return the content of a card.

    Args:
        inputs: Files that the card is computed from.

    Returns:
        Among others run, model_sha256, architecture, target, image_size, epochs, data_sets (those that
        it was trained on: name, training, photographs, licenses, terms, about, good_for …), evaluation,
        limits, and in_short: one to three sentences, for a program that uses the network to print.
    """
    record = read_json(inputs.record)
    files = {
        read_json(about)["name"]: (about, manifest)
        for about, manifest in zip(inputs.about, inputs.manifests, strict=True)
    }
    row = tabulate_training([inputs.record], {}).iloc[0]
    content = {
        **_network(record, row["architecture"], sha256(inputs.model)),
        **_training(record),
        "collapsed": row["collapse"],
        "collapsed_on_the_way": row["collapses"],
        "data_sets": [_data_set(*files[name]) for name in record["train_on"]],
        "evaluation": evaluate_run(record["run"], inputs.metrics, inputs.scores, inputs.split),
    }
    content["limits"] = card_limits(content)
    return {**content, "in_short": card_in_short(content)}


def _network(record: Mapping[str, Any], architecture: str, model_sha256: str) -> dict[str, Any]:
    """Return what a network is."""
    settings = record["settings"]
    options = settings["options"]
    return {
        "run": record["run"],
        "model": record["model"],
        "model_sha256": model_sha256,
        "architecture": architecture,
        "architecture_label": ARCHITECTURES.get(architecture, architecture),
        "target": options.get("target", "rgb"),
        "options": options,
        "image_size": settings["image_size"],
        "parameters": record["parameters"],
        "trainable_parameters": record["trainable_parameters"],
        "multiply_adds": record["multiply_adds"],
        "encoder_weights": _encoder_weights(options),
    }


def _training(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a network was trained."""
    return {
        "epochs": record["epochs"],
        "stopped_after": record["stopped_after"],
        "best_epoch": record["best_epoch"],
        "seed": record["seed"],
        "training": record["settings"]["training"],
        "steps_per_epoch": record["steps_per_epoch"],
        "effective_batch_size": record["effective_batch_size"],
        "backend": record["backend"],
        "versions": record["versions"],
    }


def _data_set(about: Path, manifest: Path) -> dict[str, Any]:
    """Return counts, source and terms of a data set that a network was trained on."""
    content = read_json(about)
    training = read_manifest(manifest, ["credit", "license"], "training")
    pairs = {*training.drop_duplicates().itertuples(index=False, name=None)}
    credits = sorted((credit, terms) for credit, terms in pairs if credit)
    groups = (
        rows["group"][rows["split"] == "training"] for rows in chunks(manifest, ["group", "split"])
    )
    return {
        "name": content["name"],
        "training": len(training),
        "photographs": distinct(groups),
        "licenses": sorted({terms for _, terms in pairs} - {""}),
        "terms": content["terms"],
        "about": content["about"],
        "good_for": content["good_for"],
        "revision": content["revision"],
        "credited": len(credits),
        "credits": [
            {"credit": credit, "license": terms}
            for credit, terms in (credits if len(credits) <= MAX_CREDITS else [])
        ],
        "manifest_sha256": sha256(manifest),
    }


def _encoder_weights(options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the pre-trained weights of the encoder and their terms, None for none."""
    weights = options.get("weights", "none")
    if weights == "none":
        return None
    kind = weights if weights in TERMS_OF_WEIGHTS else "file"
    return {"weights": Path(weights).name, "terms": TERMS_OF_WEIGHTS[kind]}


def _mean(measure: Mapping[str, float | None], digits: int) -> str:
    """Return a mean with its interval: "21.20 (20.10 to 22.30)"."""
    text = decimal(measure["value"] or 0.0, digits)
    if measure["low"] is None or measure["high"] is None:
        return text
    return f"{text} ({interval(measure['low'], measure['high'], digits)})"
