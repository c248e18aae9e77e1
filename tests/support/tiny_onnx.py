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


def write_endless_onnx(path: Path, size: int = 32) -> Path:
    """Write a network that never finishes, unless its pictures are black: those it makes black.

    Args:
        path: Of the file; its folder is made.
        size: Side of its pictures in pixels.

    Returns:
        The path.
    """
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, None)
    kept = helper.make_tensor_value_info("kept", TensorProto.FLOAT, None)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["and_more"]),
            helper.make_node("Identity", ["state"], ["kept"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("more", TensorProto.BOOL, []),
            state,
        ],
        [helper.make_tensor_value_info("and_more", TensorProto.BOOL, []), kept],
    )
    nodes = [
        helper.make_node("ReduceMax", ["luminance"], ["lightest"], keepdims=0),
        helper.make_node("Greater", ["lightest", "zero"], ["begun"]),
        helper.make_node("Concat", ["luminance"] * 3, ["gray"], axis=3),
        helper.make_node("Loop", ["", "begun", "gray"], ["rgb"], body=body),
    ]
    return _write(path, nodes, size, [numpy_helper.from_array(np.array(0, np.float32), "zero")])


def write_huge_onnx(path: Path, gigabytes: int, size: int = 32) -> Path:
    """Write a network of some hundred bytes that makes a tensor of many gigabytes."""
    shape = np.array([gigabytes * 10**9 // 4000, 1000], np.int64)
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceMax", ["huge"], ["none"], keepdims=0),
        helper.make_node("Concat", ["luminance"] * 3, ["gray"], axis=3),
        helper.make_node("Add", ["gray", "none"], ["rgb"]),
    ]
    return _write(path, nodes, size, [numpy_helper.from_array(shape, "shape")])


def write_outside_onnx(path: Path, location: str, size: int = 32) -> Path:
    """Write a network whose weights are in another file, of which it names the place."""
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[3])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    nodes = [helper.make_node("Mul", ["luminance", "weights"], ["rgb"])]
    return _write(path, nodes, size, [weights])


def _write(path: Path, nodes: Sequence[Any], size: int, constants: Sequence[Any]) -> Path:
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("luminance", TensorProto.FLOAT, ["n", size, size, 1])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["n", size, size, 3])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
