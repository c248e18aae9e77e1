"""Collapsed outputs: each kind of the published Figure 10 is named, and other pictures are not."""

import keras
import numpy as np
import pytest
from deepcolor.imaging.color import LUMA
from deepcolor.imaging.lab import grayscale
from deepcolor.training.collapse import MEASURES, Measures, detect_collapse
from skimage import data, transform

RNG = np.random.default_rng(0)


def photographs() -> np.ndarray:
    """Four photographs, `(4, 48, 48, 3)` uint8."""
    pictures = [data.astronaut(), data.coffee(), data.rocket(), data.cat()]
    resized = [transform.resize(picture, (48, 48), anti_aliasing=True) for picture in pictures]
    return (np.stack(resized) * 255).astype(np.uint8)


TRUTH = photographs()
REAL = TRUTH / 255
GRAY = grayscale(TRUTH) / 255


def measure(prediction: np.ndarray, batches: int = 1) -> dict[str, float]:
    measures = Measures()
    for truth, predicted in zip(
        np.split(TRUTH, batches), np.split(prediction.astype("float32"), batches), strict=True
    ):
        measures.update_state(truth, predicted)
    return {name: float(keras.ops.convert_to_numpy(v)) for name, v in measures.result().items()}


def blurred() -> np.ndarray:
    """The scene out of focus, as through an 8×8 bottleneck."""
    return np.stack(
        [transform.resize(transform.resize(each, (6, 6), anti_aliasing=True), (48, 48)) for each in REAL]
    )


def blobs() -> np.ndarray:
    """Soft random shapes of random colors that have nothing to do with the input."""
    return np.stack([transform.resize(RNG.random((6, 6, 3)), (48, 48), order=1) for _ in REAL])


def colored(chroma: np.ndarray) -> np.ndarray:
    """The input's luminance with a chroma (R-Y and B-Y) on it."""
    red, blue = GRAY[..., 0] + chroma[..., 0], GRAY[..., 0] + chroma[..., 1]
    green = (GRAY[..., 0] - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 1)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        (np.zeros_like(REAL), "black"),
        (REAL * 0.02, "black"),
        (np.full_like(REAL, 0.5), "uniform"),
        (np.ones_like(REAL), "uniform"),
        (np.broadcast_to([0.6, 0.3, 0.1], REAL.shape), "uniform"),
        (0.4 + 0.01 * RNG.standard_normal(REAL.shape), "uniform"),
        (GRAY, "gray"),
        (GRAY * 0.8 + 0.02, "gray"),
        (0.95 * GRAY + 0.05 * REAL, "gray"),
        (RNG.random(REAL.shape), "noise"),
        (blobs(), "noise"),
        (colored(0.2 * RNG.standard_normal((*REAL.shape[:3], 2))), "noise"),
        (1 - REAL, "noise"),
        (REAL, None),
        (0.7 * GRAY + 0.3 * REAL, None),
        (blurred(), None),
        (GRAY * [1.1, 1.0, 0.8], None),
    ],
    ids=[
        "black", "nearly black", "mid gray", "white", "brown", "nearly one color", "input",
        "paler input", "hardly colored", "pixel noise", "blobs", "noise in the colors alone", "negative",
        "photograph", "timid", "out of focus", "sepia",
    ],
)  # fmt: skip
def test_kinds_of_collapse_are_named(prediction: np.ndarray, expected: str | None) -> None:
    measures = measure(prediction)
    assert tuple(measures) == MEASURES
    assert detect_collapse(measures) == expected, measures


def test_photographs_measure_one_and_batches_add_up() -> None:
    assert measure(REAL) == pytest.approx(dict.fromkeys(MEASURES, 1.0), abs=1e-4)
    prediction = 0.5 * blobs() + 0.4 * REAL
    assert measure(prediction, batches=4) == pytest.approx(measure(prediction), rel=1e-5)


def test_measures_are_those_of_their_definitions() -> None:
    prediction = 0.5 * blobs() + 0.4 * REAL

    def quantities(rgb: np.ndarray) -> tuple[list[float], np.ndarray]:
        luma = rgb @ np.array(LUMA)
        chroma = np.stack([rgb[..., 0] - luma, rgb[..., 2] - luma], axis=-1)
        rough = np.abs(np.diff(chroma, axis=1)).mean() + np.abs(np.diff(chroma, axis=2)).mean()
        contrast = np.sqrt(rgb.var(axis=(1, 2)).mean(axis=-1)).mean()
        return [rgb.mean(), contrast, np.linalg.norm(chroma, axis=-1).mean(), rough], luma

    (predicted, luma), (true, luma_true) = quantities(prediction), quantities(REAL)
    structure = np.mean(
        [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(luma, luma_true, strict=True)]
    )
    expected = [*(p / t for p, t in zip(predicted, true, strict=True)), structure]
    assert list(measure(prediction).values()) == pytest.approx(expected, rel=1e-3)
