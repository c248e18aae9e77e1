"""Shares of color classes, weights for rare ones, and the decoding that is chosen after training."""

import keras
import numpy as np
import pytest
from deepcolor.imaging import color, color_classes, lab
from deepcolor.imaging.colorfulness import colorfulness
from deepcolor.models import heads
from deepcolor.training import class_statistics
from deepcolor.training.trainer import class_weights
from keras import layers
from skimage import data

SIDE = 64


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    """Crops of scikit-image's photographs, `(8, 64, 64, 3)` uint8."""
    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.cat()]
    crops = [each[y : y + 128 : 2, x : x + 128 : 2] for each in sources for y, x in ((0, 0), (100, 150))]
    return np.stack(crops)


def batches(images: np.ndarray) -> list[np.ndarray]:
    return [images[start : start + 3] for start in range(0, len(images), 3)]


def test_shares_are_those_of_the_photographs_colors(photographs: np.ndarray) -> None:
    shares = class_statistics.count_classes(batches(photographs))
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    small = photographs.reshape(8, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    chroma = np.moveaxis(lab.to_lab(np.rint(small).astype(np.uint8)), 1, -1)[..., 1:].reshape(-1, 2)
    np.testing.assert_allclose(shares @ color_classes.CENTERS, chroma.mean(axis=0), atol=0.5)
    # Soft encoding adds the variance of its kernel.
    variance = shares @ np.square(color_classes.CENTERS) - np.square(shares @ color_classes.CENTERS)
    expected = chroma.var(axis=0) + color_classes.SIGMA**2
    np.testing.assert_allclose(variance, expected, rtol=0.1)


def test_rare_classes_weigh_more(photographs: np.ndarray) -> None:
    shares = class_statistics.count_classes(batches(photographs))
    weights = class_weights(shares, 1.0)
    assert (weights * shares).sum() == pytest.approx(1)
    assert weights[shares.argmin()] > 20 * weights[shares.argmax()]
    np.testing.assert_allclose(weights * (0.5 * shares + 0.5 / len(shares)), weights[0] * (
        0.5 * shares[0] + 0.5 / len(shares)
    ))  # fmt: skip
    np.testing.assert_allclose(class_weights(shares, 0.0), 1)


def timid(photographs: np.ndarray, doubt: float) -> keras.Model:
    """An oracle that knows each photograph by its mean, but thinks gray too likely.

    Its logits are those of the true classes, flattened, plus what favors gray.
    """
    truth = np.asarray(heads.targets_of(photographs, "classes"))
    gray = -np.square(color_classes.CENTERS).sum(axis=-1) / 200
    logits = (np.log(truth + 1e-6) / 2 + doubt * gray).astype(np.float32)
    means = np.asarray(color.to_luminance(photographs)).mean(axis=(1, 2, 3))
    luminance = keras.Input((SIDE, SIDE, 1))
    mean = layers.GlobalAveragePooling2D(keepdims=True)(luminance)

    def look_up(mean: keras.KerasTensor) -> keras.KerasTensor:
        nearest = keras.ops.argmin(keras.ops.abs(mean[:, 0, 0] - means[None]), axis=-1)
        return keras.ops.take(keras.ops.convert_to_tensor(logits), nearest, axis=0)

    shape = logits.shape[1:]
    return keras.Model(luminance, layers.Lambda(look_up, output_shape=shape, name="logits")(mean))


def test_decoding_is_sharpened_and_made_as_colorful_as_photographs(photographs: np.ndarray) -> None:
    network = timid(photographs, doubt=0.3)
    shares = np.exp(-np.square(color_classes.CENTERS).sum(axis=-1) / 100).astype(np.float32)
    shares /= shares.sum()
    decoding = class_statistics.choose_decoding(network, batches(photographs), 8, shares)
    assert decoding.exact[1] == 0
    luminance = np.asarray(color.to_luminance(photographs))

    def pictures(*settings: float) -> np.ndarray:
        chosen = heads.ClassDecoding(shares, settings, decoding.vivid)
        return lab.to_8bit(heads.with_rgb_output(network, chosen).predict_on_batch(luminance))

    def error(pictures: np.ndarray) -> float:
        return float(np.square(pictures.astype(float) - photographs).mean())

    exact, vivid = pictures(*decoding.exact), pictures(*decoding.vivid)
    assert error(exact) < error(pictures(1.0, 0.0, 1.0)) * 1.001
    colorful = [np.mean([colorfulness(each) for each in images]) for images in (exact, vivid)]
    truth = np.mean([colorfulness(each) for each in photographs])
    assert colorful[0] < colorful[1]
    assert colorful[1] > 0.8 * truth  # Of the true chroma on the grid, 0.85.
