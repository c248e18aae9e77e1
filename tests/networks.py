"""Tiny networks as ONNX files, whose predictions are known."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_onnx(
    path: Path,
    size: int = 32,
    weights: Sequence[float] = (0.6, 0.4, 0.2),
    biases: Sequence[float] = (0.3, 0.2, 0.1),
    card: dict[str, Any] | None = None,
) -> Path:
    """Write a network that gives every pixel `weights * luminance + biases`, cut off to [0, 1].

    Args:
        path: Of the file; its folder is made.
        size: Side of its pictures in pixels.
        weights: Of red, green and blue.
        biases: Likewise.
        card: What its model card says, such as `{"run": "unet_30", "in_short": ["Trained on …"]}`.

    Returns:
        The path.
    """
    of_channels = {"weights": weights, "biases": biases}
    constants = [
        numpy_helper.from_array(np.asarray(values, np.float32).reshape(1, 1, 1, 3), name)
        for name, values in of_channels.items()
    ]
    limits = [
        numpy_helper.from_array(np.array(value, np.float32), name)
        for name, value in (("least", 0), ("most", 1))
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["luminance", "weights"], ["weighted"]),
            helper.make_node("Add", ["weighted", "biases"], ["moved"]),
            helper.make_node("Clip", ["moved", "least", "most"], ["rgb"]),
        ],
        "colors",
        [helper.make_tensor_value_info("luminance", TensorProto.FLOAT, ["n", size, size, 1])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["n", size, size, 3])],
        [*constants, *limits],
    )
    opsets = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tests")
    if card is not None:
        helper.set_model_props(model, {"deepcolor.card": json.dumps(card)})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
