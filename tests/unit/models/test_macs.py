"""Multiply-adds, against what is computed by hand, published, and counted by TensorFlow."""

import keras
import pytest
import tensorflow as tf
from deepcolor.models.macs import multiply_adds
from deepcolor.models.unet import unet
from keras import layers


def counted(layer: keras.Layer, *shape: int) -> int:
    picture = keras.Input(shape)
    return multiply_adds(keras.Model(picture, layer(picture)))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Conv2D(5, 3, padding="same"), (8, 8, 2), 64 * 9 * 2 * 5),
        (layers.Conv2D(5, 3, strides=2, padding="same"), (8, 8, 2), 16 * 9 * 2 * 5),
        (layers.Conv2D(5, 3), (8, 8, 2), 36 * 9 * 2 * 5),
        (layers.Conv2D(6, 3, groups=2, padding="same"), (8, 8, 4), 64 * 9 * 2 * 6),
        (layers.Conv2D(6, 3, dilation_rate=2, padding="same"), (8, 8, 4), 64 * 9 * 4 * 6),
        # Every value of the input is multiplied with the whole kernel.
        (layers.Conv2DTranspose(5, 3, strides=2, padding="same"), (8, 8, 2), 64 * 9 * 2 * 5),
        (layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), (8, 8, 4), 64 * 9 * 8),
        (layers.SeparableConv2D(5, 3, strides=2, padding="same"), (8, 8, 2), 16 * (9 * 2 + 2 * 5)),
        (layers.Dense(7), (3,), 3 * 7),
        (layers.Dense(7), (8, 8, 3), 64 * 3 * 7),
        (layers.BatchNormalization(), (8, 8, 3), 0),
        (layers.UpSampling2D(), (8, 8, 3), 0),
    ],
)
def test_counts_what_is_counted_by_hand(
    layer: keras.Layer, shape: tuple[int, ...], expected: int
) -> None:
    assert counted(layer, *shape) == expected


def test_counts_a_layer_as_often_as_it_is_called() -> None:
    shared = layers.Conv2D(2, 3, padding="same")
    picture = keras.Input((8, 8, 2))
    x = shared(keras.ops.relu(shared(picture)))
    assert multiply_adds(keras.Model(picture, x)) == 2 * 64 * 9 * 2 * 2
    # Another network that uses it, too, does not count.
    assert multiply_adds(keras.Model(picture, shared(picture))) == 64 * 9 * 2 * 2


@pytest.mark.parametrize("side", [8, None])
def test_counts_inside_of_nested_models(side: int | None) -> None:
    inner = keras.Input((side, side, 3))
    nested = keras.Model(inner, layers.Conv2D(2, 3, padding="same")(inner))
    sequence = keras.Sequential([layers.Conv2D(3, 1), layers.Conv2D(3, 1)])
    picture = keras.Input((8, 8, 1))
    x = layers.Concatenate()([picture, nested(sequence(picture))])
    assert multiply_adds(keras.Model(picture, x)) == 64 * (3 + 9 + 9 * 3 * 2)


def test_a_size_that_is_not_fixed_is_refused() -> None:
    picture = keras.Input((None, None, 1))
    with pytest.raises(ValueError, match="not fixed"):
        multiply_adds(keras.Model(picture, layers.Conv2D(2, 3)(picture)))


def test_mobilenet_has_what_its_authors_count() -> None:
    network = keras.applications.MobileNet((224, 224, 3), weights=None)
    # 569 million: Howard et al., "MobileNets" (2017), table 4.
    assert round(multiply_adds(network) / 1e6) == 569


def test_unet_has_what_tensorflow_counts() -> None:
    network = unet(32, filters=(4, 8))
    signature = tf.TensorSpec((1, 32, 32, 1))
    graph = tf.function(lambda x: network(x, training=False)).get_concrete_function(signature).graph
    profiler = tf.compat.v1.profiler
    options = (
        profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
        .with_empty_output()
        .build()
    )
    node, found = profiler.profile(graph, cmd="op", options=options), {}
    while node.children:  # Each kind of operation stands below the one before.
        node = node.children[0]
        found[node.name] = node.float_ops
    convolutions = found["Conv2D"] + found["Conv2DBackpropInput"]
    assert multiply_adds(network) == convolutions / 2
