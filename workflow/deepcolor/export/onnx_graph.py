"""Conversion of a network to an ONNX graph, the same for equal networks."""

import os
from collections.abc import Callable
from typing import Any

import keras
import onnx

from deepcolor.constants import DECODING
from deepcolor.imaging.color_classes import DecodeClasses
from deepcolor.models.heads import class_decoder

# Read by every onnxruntime since 1.12, of 2022, and all that the networks need; tf2onnx writes up to 18.
OPSET = 17
# What the graph calls its input and its output.
INPUT, OUTPUT = "luminance", "rgb"


def to_onnx(network: keras.Model) -> onnx.ModelProto:
    """Convert a network to ONNX, its batch of any size; equal networks give equal models.

    Args:
        network: From luminance, `(batch, size, size, 1)`, to RGB.

    Returns:
        A model from INPUT to OUTPUT, with the operations of OPSET alone. Of a network that predicts
        color classes it has more inputs, with the network's own values as defaults: DECODING.
    """
    # Its optimizer would copy the whole network in each of its steps, in case one should fail.
    os.environ["TF2ONNX_CATCH_ERRORS"] = "FALSE"
    import tensorflow as tf
    import tf2onnx

    decoder = class_decoder(network)
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name=INPUT)]
    computed: Callable[..., dict[str, Any]] = inference(network)
    if decoder is not None:
        signature += [tf.TensorSpec((), tf.float32, name=name) for name in DECODING]
        computed = _decoded_inference(network, decoder)
    function = tf.function(computed, input_signature=signature, autograph=False)
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    _keep_constants(model, function.get_concrete_function())
    for value, shape in (
        (model.graph.input[0], network.input_shape),
        (model.graph.output[0], network.output_shape),
    ):
        dimensions = ["batch", *shape[1:]]
        described = onnx.helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, dimensions)
        value.CopyFrom(described)
    if decoder is not None:
        for name in DECODING:
            default = keras.ops.convert_to_numpy(getattr(decoder, name))
            model.graph.initializer.append(onnx.numpy_helper.from_array(default, name))
    _rename(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def inference(network: keras.Model) -> Callable[[Any], dict[str, Any]]:
    """Return the network as a function, as it is used and not as it is trained."""
    return lambda luminance: {OUTPUT: network(luminance, training=False)}


def _decoded_inference(network: keras.Model, decoder: DecodeClasses) -> Callable[..., dict[str, Any]]:
    """Return a network that predicts color classes as a function of luminance and `DECODING`."""
    predicts_classes = keras.Model(network.input, decoder.input)
    adds_chroma = network.layers[-1]

    def computed(luminance: Any, *settings: Any) -> dict[str, Any]:
        logits = predicts_classes(luminance, training=False)
        return {OUTPUT: adds_chroma(luminance, decoder(logits, *settings))}

    return computed


def _keep_constants(model: onnx.ModelProto, function: Any) -> None:
    """Put constants that a TensorFlow function has captured, but are no variables, into a model.

    A network holds such ones where an operation was given an array, as in a conversion to CIELAB.
    tf2onnx takes them for inputs.
    """
    captured = function.captured_inputs
    values = {
        placeholder.name: tensor
        for placeholder, tensor in zip(
            function.inputs[len(function.inputs) - len(captured) :], captured, strict=True
        )
    }
    for each in [each for each in model.graph.input if each.name in values]:
        array = values[each.name].numpy()
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, each.name))
        model.graph.input.remove(each)


def _rename(model: onnx.ModelProto) -> None:
    """Name what a graph computes by its place in it, and order its weights by their use.

    The names that TensorFlow and tf2onnx give depend on what they have named before, and on the order
    of sets.
    """
    graph = model.graph
    names = {each.name: each.name for each in [*graph.input, *graph.output]}
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        node.doc_string = ""
        for value in [*node.input, *node.output]:
            if value:  # Empty is an input that is left out.
                names.setdefault(value, f"value_{len(names)}")
        node.input[:] = [names.get(value, "") for value in node.input]
        node.output[:] = [names.get(value, "") for value in node.output]
    # A weight is kept if it is used.
    weights = {names[each.name]: each for each in graph.initializer if each.name in names}
    for name, weight in weights.items():
        weight.name, weight.doc_string = name, ""
    order = {name: place for place, name in enumerate(names.values())}
    ordered = [weights[name] for name in sorted(weights, key=order.__getitem__)]
    kept = [onnx.TensorProto.FromString(each.SerializeToString()) for each in ordered]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]
    graph.name, graph.doc_string, model.doc_string = "deepcolor", "", ""
    domains = {node.domain for node in graph.node}
    used = [each for each in model.opset_import if each.domain in domains]
    del model.opset_import[:]
    model.opset_import.extend(used)
