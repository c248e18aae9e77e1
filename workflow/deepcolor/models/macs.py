"""What one picture costs a network, whatever the machine: the multiply-adds of its forward pass."""

import math
from typing import Any

import keras
from keras import layers

Shape = tuple[int | None, ...]


def multiply_adds(network: keras.Model) -> int:
    """Count the multiply-adds of a network's forward pass for one picture.

    Counted are Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D and Dense, in nested models,
    too, and as often as the network calls them: one multiplication with its addition for every weight
    and place that it is applied at, zero padding included, as papers count (MobileNet: 569 million).
    Left out is what takes little beside them: biases, normalization, activations, pooling, resizing,
    color conversion; and the inside of layers that are not Keras's own.

    Args:
        network: A functional or sequential model, of pictures of a fixed size.

    Raises:
        ValueError: The size of a picture is not fixed.
    """
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)
    by_name = {layer.name: layer for layer in network.layers}
    total = 0
    # The configuration tells with which shapes each layer is called, be it once or several times.
    for entry in network.get_config()["layers"]:
        layer = by_name.get(entry["name"])  # None: an operation without weights.
        for call in entry["inbound_nodes"] if layer else []:
            total += _of_call(layer, _shape(call))
    return total


def _of_call(layer: keras.Layer, shape: Shape) -> int:
    """The multiply-adds of a layer for an input of a shape."""
    if isinstance(layer, keras.Model):
        if None in layer.input_shape[1:]:
            layer = keras.models.clone_model(layer, input_tensors=keras.Input(shape[1:]))
        return multiply_adds(layer)
    if isinstance(layer, layers.Conv2D):
        return _values(layer.compute_output_shape(shape)) * math.prod(layer.kernel.shape[:3])
    if isinstance(layer, layers.Conv2DTranspose):  # Its kernel is (height, width, outputs, inputs).
        return _values(shape) * math.prod(layer.kernel.shape[:3])
    if isinstance(layer, layers.DepthwiseConv2D):
        return _values(layer.compute_output_shape(shape)) * math.prod(layer.kernel.shape[:2])
    if isinstance(layer, layers.SeparableConv2D):
        places = _values(layer.compute_output_shape(shape)) // layer.filters
        kernels = (layer.depthwise_kernel.shape, layer.pointwise_kernel.shape)
        return places * sum(math.prod(kernel) for kernel in kernels)
    if isinstance(layer, layers.Dense):
        return _values(shape) * layer.units
    return 0


def _shape(call: dict[str, Any]) -> Shape:
    """The shape of the first tensor that a layer is called with."""
    first = [*call["args"], *call["kwargs"].values()][0]
    while isinstance(first, list):
        first = first[0]
    return tuple(first["config"]["shape"])


def _values(shape: Shape) -> int:
    """The values of one picture's tensor."""
    sides = [side for side in shape[1:] if side is not None]
    if len(sides) < len(shape) - 1:
        raise ValueError(f"a layer's shape is {shape}: the size of the pictures is not fixed")
    return math.prod(sides)
