"""Layers in the words of a diagram."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import keras

# Layers whose names say less than a word does; others are called by the name of their class.
WORDS = {
    "Add": "addition", "AveragePooling2D": "average pooling",
    "BatchNormalization": "batch normalization",
    "Concatenate": "concatenation", "Cropping2D": "cropping", "CustomScaleLayer": "scaling",
    "Dropout": "dropout", "Flatten": "flattening", "GlobalAveragePooling2D": "global average pooling",
    "InputLayer": "input", "LayerNormalization": "layer normalization", "MaxPooling2D": "max pooling",
    "Multiply": "multiplication", "Rescaling": "rescaling", "Reshape": "reshaping",
    "Resizing": "resizing", "UpSampling2D": "upsampling", "ZeroPadding2D": "padding",
}  # fmt: skip
ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "relu6": "ReLU6"}


def own_title(layers: Sequence[tuple[Any, int]]) -> str:
    """What layers are called together: "encoder2", "decoder2–3"; empty where their names say nothing.

    Args:
        layers: With the number of their parameters. Where some have any, the others do not count, and
            otherwise the last one does.
    """
    parts: dict[str, list[int]] = {}  # Numbers by word.
    for layer, _ in [each for each in layers if each[1]] or layers[-1:]:
        found = re.match(r"([a-z]+)(\d*)(?=_|$)", layer.name, flags=re.IGNORECASE)
        if not found or type(layer).__name__.lower().startswith(found[1].lower()):
            return ""  # The name repeats the kind of layer, as conv2d_3 does.
        parts.setdefault(found[1], []).extend([int(found[2])] if found[2] else [])
    words = [
        word + "–".join(str(number) for number in sorted({min(numbers), max(numbers)}))
        if numbers
        else word
        for word, numbers in parts.items()
    ]
    return " + ".join(words) if len(words) < 3 else ""


def kinds(operations: Iterable[Any]) -> list[str]:
    """Layers in words, with their numbers: "6 × Conv2D 3×3, ReLU".

    Where one kind comes in more than two forms, only the kind is told. Operations of `keras.ops` are
    counted together.
    """
    found = Counter(_kind(operation) for operation in operations)
    various = Counter(word for word, _ in found)
    told: Counter[str] = Counter()
    for (word, details), count in found.items():
        told[word if various[word] > 2 else " ".join([word, details]).strip()] += count
    return [
        word if count == 1 else f"{count} operations" if word == "operation" else f"{count} × {word}"
        for word, count in told.items()
    ]


def _kind(operation: Any) -> tuple[str, str]:
    """A layer in words, and the settings that tell it from others of its kind."""
    if not isinstance(operation, keras.Layer):
        return "operation", ""
    name = type(operation).__name__
    function = getattr(getattr(operation, "activation", None), "__name__", "linear")
    activation = ACTIVATIONS.get(function, function)
    if name == "Activation":
        return activation, ""
    kernel = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None)
    strides = getattr(operation, "strides", None)
    details = ["×".join(map(str, kernel))] if kernel else []
    if strides and max(strides) > 1:
        details.append(f"stride {max(strides)}")
    if name == "UpSampling2D":
        details.append(f"{max(operation.size)}×")
    if name == "Dropout":
        details.append(f"{operation.rate:g}")
    if activation != "linear" and name not in ("LeakyReLU", "ReLU"):
        details.append(activation)
    return WORDS.get(name, name), ", ".join(details)
