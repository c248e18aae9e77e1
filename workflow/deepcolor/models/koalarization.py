"""Deep Koalarization, the baseline of the published report: chroma from local and global features."""

import keras
from keras import layers

from deepcolor.imaging.color import rgb_to_lab
from deepcolor.models.encoder import grayscale_encoder
from deepcolor.models.heads import head

SIDE = 299  # Of the pictures that Inception-ResNet-v2 was trained on, in pixels.

# Filters and stride of the encoder's convolutions.
ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))

# Filters of the decoder's convolutions, and whether the picture is doubled after them.
DECODER = ((128, True), (64, False), (64, True), (32, False))

TARGETS = ("rgb", "lab")  # What it can predict.


def koalarization(
    image_size: int,
    *,
    batch_norm_momentum: float = 0.99,
    target: str = "lab",
    weights: str = "imagenet",
    freeze_encoder: bool = True,
) -> keras.Model:
    """Build Deep Koalarization; 62,447,530 parameters, 6,573,794 of them trained.

    An encoder of eight convolutions sees L* of the gray input, scaled to [-1, 1]. Beside it
    Inception-ResNet-v2, trained on ImageNet and frozen, says what the whole picture shows: its 1000
    class scores before the softmax are repeated at every position of the encoder's features, and a 1x1
    convolution of 256 filters fuses the two. The decoder predicts at half the side, and nearest
    neighbors double that. Source: F. Baldassarre, D. González Morín, L. Rodés-Guirao, "Deep
    Koalarization: Image Colorization using CNNs and Inception-ResNet-v2" (2017), and its code
    (baldassarreFe/deep-koalarization at a087ef2). That trains 6,574,050 parameters, 256 more:
    TensorFlow's Inception-ResNet-v2 has a 1001st class, the background, which Keras's has not, and
    every class has a weight in each of the 256 filters of the fusion.

    Args:
        image_size: Side of the square picture in pixels, a multiple of 8.
        batch_norm_momentum: Momentum of the moving averages of batch normalization, which
            Inception-ResNet-v2 alone has, in [0, 1); without effect while it is frozen.
        target: What is predicted: "lab" as published, or "rgb", see `deepcolor.models.heads`.
        weights: Of Inception-ResNet-v2 with its top: "imagenet", "none", or the path of a weights file.
        freeze_encoder: Whether Inception-ResNet-v2 stays as it is during training, as published.

    Returns:
        A model from luminance, `(batch, image_size, image_size, 1)` float in [0, 1], to RGB or chroma.

    Raises:
        DeepColorError: The weights cannot be had or do not fit, random weights would be frozen, or
            there is no such target.
    """
    name, channels, activation = head(target, TARGETS)
    luminance = keras.Input((image_size, image_size, 1), name="luminance")
    classifier = grayscale_encoder(
        layers.Resizing(SIDE, SIDE, name="classifier_resizing")(luminance),
        keras.applications.InceptionResNetV2,
        # keras.applications.inception_resnet_v2.preprocess_input, mode "tf": to [-1, 1].
        scale=2.0,
        offset=-1.0,
        weights=weights,
        imagenet="inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5",
        freeze_encoder=freeze_encoder,
        batch_norm_momentum=batch_norm_momentum,
        include_top=True,
        classifier_activation=None,
    )
    x = lightness(image_size)(luminance)
    for number, (count, stride) in enumerate(ENCODER, start=1):
        x = _convolution(x, count, f"encoder{number}_conv", strides=stride)
    classes = layers.Reshape((1, 1, classifier.output.shape[-1]), name="fusion_reshape")(
        classifier.output
    )
    classes = layers.UpSampling2D(x.shape[1], name="fusion_repetition")(classes)
    x = layers.Concatenate(name="fusion")([x, classes])
    x = layers.Conv2D(256, 1, activation="relu", name="fusion_conv")(x)
    for number, (count, doubles) in enumerate(DECODER, start=1):
        x = _convolution(x, count, f"decoder{number}_conv")
        if doubles:
            x = layers.UpSampling2D(name=f"decoder{number}_upsampling")(x)
    x = layers.Conv2D(
        channels, 3, padding="same", activation=activation, dtype="float32", name=f"{name}_conv"
    )(x)
    x = layers.UpSampling2D(dtype="float32", name=name)(x)
    return keras.Model(luminance, x, name="koalarization")


def lightness(image_size: int) -> keras.Model:
    """L* of a gray picture: from luminance, `(batch, image_size, image_size, 1)`, to [-1, 1].

    A model of Keras's own operations, so that a saved network needs no layer of ours for it.
    """
    luminance = keras.Input((image_size, image_size, 1), name="gray")
    gray = layers.Concatenate(dtype="float32", name="gray_rgb")([luminance] * 3)
    return keras.Model(luminance, rgb_to_lab(gray)[..., :1] / 50 - 1, name="lightness")


def _convolution(x: keras.KerasTensor, filters: int, name: str, strides: int = 1) -> keras.KerasTensor:
    """A 3x3 convolution with ReLU."""
    return layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu", name=name)(x)
