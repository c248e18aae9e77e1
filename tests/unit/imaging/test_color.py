"""Color: as scikit-image converts it, with gradients that training can use."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from deepcolor.imaging import color

skimage_color = pytest.importorskip("skimage.color")

CORNERS = np.array(np.meshgrid([0, 1], [0, 1], [0, 1]), np.float32).reshape(3, -1).T
GRAYS = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, axis=1)
RANDOM = np.random.default_rng(0).random((20_000, 3), np.float32)
DARK = RANDOM[:2000] * 0.05  # Where sRGB's and CIELAB's curves have their straight pieces.
COLORS = np.concatenate([CORNERS, GRAYS, RANDOM, DARK])


def numpy(tensor: keras.KerasTensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_rgb_to_lab_is_scikit_images() -> None:
    assert np.abs(numpy(color.rgb_to_lab(COLORS)) - skimage_color.rgb2lab(COLORS)).max() < 1e-3


def test_lab_to_rgb_is_scikit_images() -> None:
    lab = skimage_color.rgb2lab(COLORS.astype(np.float64))
    assert np.abs(numpy(color.lab_to_rgb(lab)) - skimage_color.lab2rgb(lab)).max() < 1e-3


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")  # scikit-image's, of negative Z.
def test_colors_that_srgb_has_not_are_clipped() -> None:
    lab = RANDOM * [100, 254, 254] - [0, 127, 127]
    rgb = numpy(color.lab_to_rgb(lab))
    assert rgb.min() == 0 and rgb.max() == 1
    assert np.abs(rgb - skimage_color.lab2rgb(lab)).max() < 1e-3


def test_round_trip() -> None:
    assert np.abs(numpy(color.lab_to_rgb(color.rgb_to_lab(COLORS))) - COLORS).max() < 1e-3


def test_images_and_batches_keep_their_shape() -> None:
    for shape in ((5, 7, 3), (2, 5, 7, 3)):
        rgb = RANDOM[: np.prod(shape[:-1])].reshape(shape)
        assert np.abs(numpy(color.rgb_to_lab(rgb)) - skimage_color.rgb2lab(rgb)).max() < 1e-3
        assert color.to_chroma(rgb).shape == (*shape[:-1], 2)


def test_chroma_is_within_the_range_of_tanh() -> None:
    levels = np.linspace(0, 1, 18, dtype=np.float32)
    every = np.array(np.meshgrid(levels, levels, levels)).reshape(3, -1).T
    chroma = numpy(color.to_chroma(every))
    assert np.abs(chroma - skimage_color.rgb2lab(every)[:, 1:] / color.CHROMA_SCALE).max() < 1e-5
    assert np.abs(chroma).max() < 0.9
    assert np.abs(numpy(color.to_chroma(GRAYS))).max() < 1e-3


class Colors(keras.layers.Layer):
    """Numbers that can be trained, through a function."""

    def __init__(self, start: np.ndarray, function: Callable[..., keras.KerasTensor]) -> None:
        super().__init__()
        self.start, self.function = start, function

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.numbers = self.add_weight(
            shape=self.start.shape, initializer=lambda *_, **__: keras.ops.convert_to_tensor(self.start)
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        # The input, a 1, takes part as it must in a model.
        return self.function(self.numbers * keras.ops.mean(inputs))


def gradient(start: np.ndarray, function: Callable[..., keras.KerasTensor]) -> np.ndarray:
    """The gradient of a function's sum, under whatever backend: the step that plain descent takes."""
    start = np.asarray(start, np.float32)
    layer = Colors(start, function)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(1.0), lambda _, predicted: keras.ops.sum(predicted))
    model.train_on_batch(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))
    return start - numpy(layer.numbers)


def test_gradients_are_finite_at_the_corners() -> None:
    colors = np.concatenate([CORNERS, GRAYS[[0, 1, 10, 11, 128, 255]]])
    slope = gradient(colors, color.rgb_to_lab)
    assert np.isfinite(slope).all() and (np.abs(slope).sum(axis=-1) > 0).all()
    slope = gradient(skimage_color.rgb2lab(colors), color.lab_to_rgb)
    assert np.isfinite(slope).all() and np.abs(slope).max() > 0
    # Outside of sRGB, down to where Z would be negative.
    outside = np.array([[0, 127, 127], [100, -127, 127], [50, 0, -127], [1, 0, 127]])
    slope = gradient(outside, color.lab_to_rgb)
    assert np.isfinite(slope).all()


def test_gradient_is_the_slope() -> None:
    # Compared with differences, away from the kinks, in the function's own 32 bits.
    colors = 0.2 + 0.6 * RANDOM[:50]
    for function, start, step in (
        (color.rgb_to_lab, colors, 1e-2),
        (color.lab_to_rgb, skimage_color.rgb2lab(colors), 1e-1),
    ):
        found = gradient(start, function)
        for channel in range(3):
            shift = np.eye(3, dtype=np.float32)[channel] * step
            above, below = (numpy(function(start + sign * shift)).sum(axis=-1) for sign in (1, -1))
            expected = (above - below) / (2 * step)
            assert np.allclose(
                found[:, channel], expected, rtol=0.02, atol=0.02 * np.abs(expected).max()
            )


def test_added_chroma_keeps_the_inputs_luminance() -> None:
    gray = np.linspace(0.02, 0.98, 97, dtype=np.float32)[:, None]
    chroma = np.random.default_rng(1).uniform(-0.05, 0.05, (97, 2)).astype(np.float32)
    rgb = numpy(color.add_chroma(gray, chroma))
    lab = skimage_color.rgb2lab(rgb)
    lightness = skimage_color.rgb2lab(np.repeat(gray, 3, axis=-1))[:, 0]
    inside = ((rgb > 0) & (rgb < 1)).all(axis=-1)
    assert inside.sum() > 60
    assert np.abs(lab[inside, 0] - lightness[inside]).max() < 0.05
    assert np.abs(lab[inside, 1:] / color.CHROMA_SCALE - chroma[inside]).max() < 1e-3
    # Without chroma it is the input itself.
    assert np.abs(numpy(color.add_chroma(gray, np.zeros((97, 2), np.float32))) - gray).max() < 1e-4


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    luminance = keras.Input((8, 8, 1), name="luminance")
    chroma = keras.layers.Conv2D(2, 3, padding="same", activation="tanh", name="chroma")(luminance)
    return keras.Model(luminance, color.AddChroma(name="rgb")(luminance, chroma))


def test_add_chroma_is_saved_and_loaded(tmp_path: Path) -> None:
    model = network()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    gray = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    assert np.array_equal(again.predict_on_batch(gray), model.predict_on_batch(gray))
    assert again.output_shape == (None, 8, 8, 3)


def test_add_chroma_computes_in_32_bits_whatever_the_precision() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network()
    finally:
        keras.config.set_dtype_policy("float32")
    gray = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    parts = keras.Model(model.input, [model.get_layer("chroma").output, model.output])
    chroma, rgb = parts.predict_on_batch(gray)
    assert chroma.dtype == np.float16 and rgb.dtype == np.float32
    # In 16 bits a gray value of 0.8 alone is up to 0.0002 off, and L* up to 0.03.
    assert np.abs(rgb - numpy(color.add_chroma(gray, chroma))).max() < 2e-5
