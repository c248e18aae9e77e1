"""The limits in a model card, and the card in short."""

from collections.abc import Mapping
from typing import Any

from deepcolor.report.formatting import counted

# With fewer a network has not seen enough to color other photographs. In trials at 64×64 pixels a U-Net
# that had learned from 1,950 did not come closer to others than the mean color of these; one that had
# learned from 3,600 did.
MIN_TRAINING_PHOTOGRAPHS = 2000
# With fewer, such as the embedded ones, a training only tries the machinery.
MIN_TRIAL_PHOTOGRAPHS = 100
# Data sets that a card in short names; of more, it gives the number.
MAX_NAMES = 5


def card_limits(card: Mapping[str, Any]) -> list[str]:
    """Return the limits of a network in sentences.

    Args:
        card: Content of the card, all but its limits.
    """
    size, evaluation = card["image_size"], card["evaluation"]
    photographs = sum(each["photographs"] for each in card["data_sets"])
    limits = []
    if card["collapsed"]:
        limits.append(f"{_collapse(card)} It is of no use.")
    elif card["collapsed_on_the_way"]:
        limits.append(
            "Its training collapsed on the way and recovered; what its pictures were, and after which "
            f"epochs: {card['collapsed_on_the_way']}."
        )
    if photographs < MIN_TRAINING_PHOTOGRAPHS:
        limits.append(
            f"It has learned from {counted(photographs, 'photograph')}. Fewer than "
            f"{MIN_TRAINING_PHOTOGRAPHS:,} are too few to learn the colors of the world from"
            f"{': it is for trying the machinery only' if photographs < MIN_TRIAL_PHOTOGRAPHS else ''}."
        )
    limits.append(evaluation["verdict"])
    if card["best_epoch"] is not None and evaluation["split"] == "validation":
        limits.append("Its epoch was chosen by the very images that it is scored on: that flatters it.")
    limits.append(
        f"It works at {size}×{size} pixels: a larger photograph gets the colors of its reduced copy, in "
        "which small colored things have no place."
    )
    return limits


def card_in_short(card: Mapping[str, Any]) -> list[str]:
    """Return what a program prints before it uses a network: what it is, and its main limit.

    Args:
        card: Content of the card.
    """
    images, photographs = (
        sum(each[key] for each in card["data_sets"]) for key in ("training", "photographs")
    )
    names = ", ".join(each["name"] for each in card["data_sets"])
    if len(card["data_sets"]) > MAX_NAMES:
        names = f"{len(card['data_sets'])} data sets"
    kept = card["best_epoch"] or card["stopped_after"]
    epochs = counted(card["epochs"], "epoch")
    if kept != card["epochs"]:
        epochs = f"epoch {kept} of at most {card['epochs']}"
    sentences = [
        f"{card['run']}: {card['architecture_label']}, {epochs}, {card['image_size']}×"
        f"{card['image_size']} pixels, trained on {counted(images, 'image')} of "
        f"{counted(photographs, 'photograph')} ({names})."
    ]
    if card["collapsed"]:
        sentences.append(_collapse(card))
    if photographs < MIN_TRIAL_PHOTOGRAPHS:
        sentences.append("It is for trying the machinery only: train on your own photographs first.")
    elif photographs < MIN_TRAINING_PHOTOGRAPHS:
        sentences.append("These are few to learn from: expect colors that are dull, and often wrong.")
    elif not card["collapsed"] and not card["evaluation"]["beaten"]["luminance_kept"]:
        sentences.append(
            f"On {counted(card['evaluation']['images'], 'image')} kept aside it is not shown to be "
            "better than gray, nor than the mean color of what it learned from."
        )
    return sentences


def _collapse(card: Mapping[str, Any]) -> str:
    """Return how the training of a network collapsed."""
    return f"Its training collapsed: its pictures are {card['collapsed']}."
