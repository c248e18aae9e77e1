"""Color classes: against plain NumPy, and what an oracle that knows the true classes would score."""

import keras
import numpy as np
import pytest
from deepcolor.evaluation import metrics
from deepcolor.imaging import color, color_classes, lab
from deepcolor.models import heads
from skimage import data
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import downscale_local_mean

RANDOM = np.random.default_rng(7)
CHROMA = RANDOM.uniform(-110, 110, (3, 4, 5, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def embedded() -> np.ndarray:
    """Photographs of scikit-image, `(n, 128, 128, 3)` uint8."""
    photographs = [data.astronaut(), data.coffee(), data.chelsea()]
    return np.stack([photograph[:256:2, 100:356:2] for photograph in photographs])


def numpy(values: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(values))


def softmax(values: np.ndarray) -> np.ndarray:
    values = np.exp(values - values.max(axis=-1, keepdims=True))
    return values / values.sum(axis=-1, keepdims=True)


def decode(
    logits: np.ndarray, shares: np.ndarray, temperature: float, prior: float, gain: float
) -> np.ndarray:
    """The annealed mean, in double precision: probabilities are divided by the prior, and raised."""
    probabilities = softmax(logits.astype(np.float64)) / (0.5 * shares + 0.5 / len(shares)) ** prior
    sharpened = (probabilities / probabilities.max(axis=-1, keepdims=True)) ** (1 / temperature)
    return gain * sharpened / sharpened.sum(axis=-1, keepdims=True) @ color_classes.CENTERS


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")  # scikit-image, of negative Z.
def test_classes_are_grid_points_that_srgb_has() -> None:
    centers = color_classes.CENTERS
    assert 150 <= len(centers) <= 170
    assert len(np.unique(centers, axis=0)) == len(centers) and not (centers % 10).any()
    assert [0, 0] in centers.tolist()
    lightness = np.arange(101.0)
    for center in centers[::10]:
        every = np.stack([lightness, *np.broadcast_to(center[:, None], (2, 101))], axis=-1)
        # scikit-image clips what sRGB has not: such colors do not come back.
        back = lab.to_lab(np.rint(lab2rgb(every[None]) * 255).astype(np.uint8))
        kept = np.abs(np.moveaxis(back, -3, -1)[0, :, 1:] - center).max(axis=-1) < 4
        assert kept.sum() >= color_classes.MIN_LIGHTNESS_RANGE


def test_soft_encoding_is_that_of_numpy() -> None:
    distances = np.square(CHROMA[..., None, :] - color_classes.CENTERS).sum(axis=-1)
    expected = softmax(-distances.astype(np.float64) / (2 * color_classes.SIGMA**2))
    encoded = numpy(color_classes.encode(CHROMA))
    assert encoded.shape == (3, 4, 5, color_classes.COUNT)
    np.testing.assert_allclose(encoded, expected, atol=1e-5)
    nearest = np.sort(encoded, axis=-1)[..., -5:].sum(axis=-1)
    assert nearest.mean() > 0.9


@pytest.mark.parametrize("settings", [(1, 0, 1), (0.38, 0, 1.5), (0.6, 0.5, 1), (0.3, 1, 2)])
def test_decoding_is_that_of_numpy(settings: tuple[float, float, float]) -> None:
    logits = RANDOM.normal(0, 3, (2, 3, 4, color_classes.COUNT)).astype(np.float32)
    shares = RANDOM.dirichlet(np.ones(color_classes.COUNT)).astype(np.float32)
    decoded = numpy(color_classes.decode(logits, shares, *settings))
    np.testing.assert_allclose(decoded, decode(logits, shares, *settings), atol=2e-3)


def test_low_temperature_gives_the_likeliest_class() -> None:
    logits = RANDOM.normal(0, 3, (50, color_classes.COUNT)).astype(np.float32)
    equal = np.full(color_classes.COUNT, 1 / color_classes.COUNT, np.float32)
    likeliest = color_classes.CENTERS[logits.argmax(axis=-1)]
    decoded = numpy(color_classes.decode(logits, equal, 1e-4))
    np.testing.assert_allclose(decoded, likeliest, atol=1e-3)


def test_prior_that_is_divided_out_leaves_the_evidence() -> None:
    # By Bayes' rule: posteriors made of likelihoods and shares give the likelihoods back.
    shares = RANDOM.dirichlet(np.ones(color_classes.COUNT)).astype(np.float32)
    likelihoods = RANDOM.dirichlet(np.ones(color_classes.COUNT), 20)
    logits = np.log(likelihoods * color_classes.smoothed(shares)).astype(np.float32)
    decoded = numpy(color_classes.decode(logits, shares, 1.0, 1.0))
    np.testing.assert_allclose(decoded, likelihoods @ color_classes.CENTERS, atol=1e-3)


def test_oracle_of_classes_scores_like_the_ceiling(embedded: np.ndarray) -> None:
    luminance = color.to_luminance(embedded)
    truth = heads.targets_of(embedded, "classes")
    oracle = lab.to_8bit(numpy(heads.to_rgb(luminance, keras.ops.log(truth + 1e-9), "classes")))
    chroma = color_classes.grid_chroma(color.to_float(embedded), heads.CLASS_STEP)
    exact = color_classes.enlarged(chroma / color.CHROMA_SCALE, heads.CLASS_STEP)
    ceiling = lab.to_8bit(numpy(color.add_chroma(luminance, exact)))

    def decibels(pictures: np.ndarray) -> float:
        errors = [metrics.mse(*pair) for pair in zip(embedded, pictures, strict=True)]
        return float(metrics.psnr_of_mse(np.array(errors)).mean())

    gray = decibels(lab.grayscale(embedded))
    assert decibels(ceiling) > gray + 8
    assert decibels(oracle) > decibels(ceiling) - 1


def test_chroma_of_the_grid_is_that_of_scikit_image(embedded: np.ndarray) -> None:
    small = downscale_local_mean(embedded[0] / 255, (4, 4, 1))
    chroma = numpy(color_classes.grid_chroma(color.to_float(embedded[:1]), 4))[0]
    np.testing.assert_allclose(chroma, rgb2lab(small)[..., 1:], atol=2e-3)
