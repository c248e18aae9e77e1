"""Augmentation: each function against another implementation, and the layers that draw."""

import io
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.config.augmentation import strengths
from deepcolor.constants import LUMA
from deepcolor.errors import DeepColorError
from deepcolor.imaging import color, lab
from deepcolor.training import augmentation, geometric, photometric
from deepcolor.training.trainer import compile_trainer
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.transform import rotate

SIZE, COUNT = 64, 4
ALL = [
    "flip", {"rotate": 15}, {"gray_mix": 0.5}, {"gamma": 0.5}, {"fading": 0.3}, {"blur": 3},
    {"grain": 0.5}, {"jpeg": 30},
]  # fmt: skip
array = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Photographs, `(COUNT, SIZE, SIZE, 3)` uint8."""
    opened = (
        Image.fromarray(read()) for read in (data.astronaut, data.chelsea, data.coffee, data.rocket)
    )
    return np.stack([np.asarray(image.resize((SIZE, SIZE))) for image in opened])


def values(*numbers: float) -> keras.KerasTensor:
    """A value for each photograph."""
    return keras.ops.convert_to_tensor(numbers, dtype="float32")


def test_flip_mirrors_the_photographs_that_are_to_be(pictures: np.ndarray) -> None:
    result = array(geometric.flip(pictures, np.array([True, False, True, False])))
    assert result.dtype == np.uint8
    for number, image in enumerate(pictures):
        assert np.array_equal(result[number], image if number % 2 else image[:, ::-1])


def test_turn_is_numpy_s_rot90(pictures: np.ndarray) -> None:
    result = array(geometric.turn(pictures, values(0, 1, 2, 3)))
    expected = np.stack([np.rot90(image, turns) for turns, image in enumerate(pictures)])
    assert result.dtype == np.uint8 and np.array_equal(result, expected)


def test_rotate_is_that_of_scikit_image(pictures: np.ndarray) -> None:
    degrees = (15, -7.5, 45, 180)
    result = array(geometric.rotate(pictures, values(*degrees)))
    for number, image in enumerate(pictures):
        expected = rotate(image, degrees[number], order=1, mode="symmetric", preserve_range=True)
        assert result.dtype == np.uint8
        assert np.abs(result[number] - expected).max() < 0.51  # Rounded to 8 bits.


def test_rotate_by_right_angles_is_exact(pictures: np.ndarray) -> None:
    result = array(geometric.rotate(pictures, values(0, 90, 180, 270)))
    assert np.array_equal(result, array(geometric.turn(pictures, values(0, 1, 2, 3))))


def test_mix_gray_weighs_the_channels(pictures: np.ndarray) -> None:
    weights = np.random.default_rng(0).dirichlet([1, 1, 1], COUNT).astype("float32")
    result = array(photometric.mix_gray(pictures, keras.ops.convert_to_tensor(weights)))
    expected = np.einsum("nijc,nc->nij", pictures / 255, weights)[..., None]
    assert np.abs(result - expected).max() < 1e-6


def test_film_weights_run_from_luma_to_a_film_blind_to_red() -> None:
    weights = array(photometric.film_weights(values(0, 1, 1, 0.5), values(0.3, 0, 0.5, 0.2)))
    assert np.allclose(weights.sum(-1), 1)
    assert np.allclose(weights[:3], [LUMA, (0, 0, 1), (0, 0.5, 0.5)])
    assert np.allclose(weights[3], (np.array(LUMA) + (0, 0.2, 0.8)) / 2)


def luminances(pictures: np.ndarray) -> np.ndarray:
    return lab.luminance(pictures)


def test_adjust_gamma_is_a_power(pictures: np.ndarray) -> None:
    exponents = (0.5, 1, 1.3, 2)
    result = array(photometric.adjust_gamma(luminances(pictures), values(*exponents)))
    expected = luminances(pictures).astype(float) ** np.reshape(exponents, (-1, 1, 1, 1))
    assert np.abs(result - expected).max() < 1e-5


def test_fade_stretches_between_two_grays(pictures: np.ndarray) -> None:
    blacks, whites = (0, 0.1, 0.3, 0), (1, 0.9, 0.7, 0.6)
    result = array(photometric.fade(luminances(pictures), values(*blacks), values(*whites)))
    for number, plane in enumerate(luminances(pictures)):
        expected = np.interp(plane, [0, 1], [blacks[number], whites[number]])
        assert np.abs(result[number] - expected).max() < 1e-6


def test_blur_is_scipy_s_gaussian_with_the_pixels_inside_alone(pictures: np.ndarray) -> None:
    sigmas = (0, 0.4, 1.5, 4)
    result = array(photometric.blur(luminances(pictures), values(*sigmas)))[..., 0]
    assert np.abs(result[0] - luminances(pictures)[0, ..., 0]).max() < 1e-6

    def blurred(plane: np.ndarray, sigma: float) -> np.ndarray:
        return gaussian_filter(plane.astype(float), sigma, mode="constant", truncate=10)

    for number, plane in enumerate(luminances(pictures)[..., 0]):
        sigma = max(sigmas[number], 0.01)
        expected = blurred(plane, sigma) / blurred(np.ones_like(plane), sigma)
        assert np.abs(result[number] - expected).max() < 1e-5


def test_add_grain_adds_and_stays_within_bounds(pictures: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (COUNT, SIZE, SIZE, 1)).astype("float32")
    result = array(photometric.add_grain(luminances(pictures), noise))
    assert np.allclose(result, np.clip(luminances(pictures) + noise, 0, 1), atol=1e-6)


def test_compress_is_pillow_s_jpeg(pictures: np.ndarray) -> None:
    gray = lab.grayscale(pictures)[..., 0]
    for quality in (5, 30, 50, 75, 90, 100):
        luminance = gray[..., None] / np.float32(255)
        result = array(photometric.compress(luminance, values(*[quality] * COUNT)))[..., 0] * 255
        for number, plane in enumerate(gray):
            file = io.BytesIO()
            Image.fromarray(plane).save(file, "JPEG", quality=quality)
            expected = np.asarray(Image.open(file)).astype(float)
            difference = np.abs(result[number] - expected)
            # libjpeg computes its DCT in integers: some coefficients are rounded the other way.
            assert difference.mean() < 0.4 and (difference < 1.5).mean() > 0.9
            lost = np.abs(plane - expected).mean()
            assert quality == 100 or difference.mean() < 0.2 * lost


def draws(
    entries: list[Any], pictures: np.ndarray, training: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Photographs and luminance, as the layers give them."""
    keras.utils.set_random_seed(3)
    names = strengths(entries)
    changed = augmentation.GeometricAugmentation(names)(pictures, training=training)
    luminance = augmentation.PhotometricAugmentation(names)(changed, training=training)
    return array(changed), array(luminance)


@pytest.mark.parametrize(("entries", "training"), [([], True), (ALL, False)])
def test_without_augmentation_or_training_every_bit_stays(
    entries: list[Any], training: bool, pictures: np.ndarray
) -> None:
    photographs, luminance = draws(entries, pictures, training)
    assert np.array_equal(photographs, pictures)
    assert np.array_equal(luminance, array(color.to_luminance(pictures)))


def test_flip_and_rotate_draw_for_every_photograph() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    many = np.repeat(image[None], 400, axis=0)
    kinds = [np.rot90(mirrored, turns) for mirrored in (image, image[:, ::-1]) for turns in range(4)]
    for entries, expected in ((["flip"], 2), (["rotate"], 4), (["flip", "rotate"], 8)):
        photographs, _ = draws(entries, many)
        counts = np.array([(photographs == kind).all(axis=(1, 2, 3)).sum() for kind in kinds])
        assert counts.sum() == 400 and (counts > 0).sum() == expected
        assert counts[counts > 0].min() > 0.6 * 400 / expected


def test_rotate_stays_within_its_angle() -> None:
    # A picture of its own columns: down the middle, it rises with the sine of the angle.
    ramp = np.broadcast_to(np.arange(65, dtype=np.uint8)[None, :, None] * 3, (65, 65, 3))
    photographs, _ = draws([{"rotate": 15}], np.repeat(ramp[None], 300, axis=0))
    slope = (photographs[:, 52, 32, 0].astype(float) - photographs[:, 12, 32, 0]) / 40 / 3
    degrees = np.rad2deg(np.arcsin(slope))
    assert np.abs(degrees).max() < 15.5 and np.abs(degrees).max() > 14
    assert abs(degrees.mean()) < 2 and np.abs(degrees).mean() == pytest.approx(7.5, abs=1)


@pytest.mark.parametrize("entry", ALL[2:], ids=lambda entry: next(iter(entry)))
def test_luminance_changes_and_photographs_do_not(entry: dict[str, float], pictures: np.ndarray) -> None:
    photographs, luminance = draws([entry], pictures)
    assert np.array_equal(photographs, pictures)
    change = np.abs(luminance - luminances(pictures)).mean(axis=(1, 2, 3))
    assert (change > 0.001).any() and change.max() < 0.3
    assert luminance.min() >= 0 and luminance.max() <= 1 + 1e-6
    again, other = draws([entry], pictures)
    assert np.array_equal(other, luminance) and np.array_equal(again, photographs)


def test_gray_mix_puts_a_part_of_the_photographs_on_film_to_all_degrees() -> None:
    red = np.broadcast_to(np.array([255, 0, 0], np.uint8), (600, 8, 8, 3))
    shares = 1 - draws([{"gray_mix": 0.4}], red)[1][:, 0, 0, 0] / LUMA[0]
    film = shares[shares > 1e-6]
    assert shares.min() > -1e-6 and len(film) == pytest.approx(0.4 * 600, abs=40)
    assert film.min() < 0.03 and film.max() > 0.97 and film.mean() == pytest.approx(0.5, abs=0.06)


def test_fading_lifts_black_and_lowers_white_up_to_its_strength() -> None:
    halves = np.zeros((300, 8, 8, 3), np.uint8)
    halves[:, :, 4:] = 255
    faded = draws([{"fading": 0.3}], halves)[1]
    lifted, lowered = faded[:, 0, 0, 0], 1 - faded[:, 0, 4, 0]
    for change in (lifted, lowered):
        assert 0 <= change.min() < 0.02 and 0.28 < change.max() <= 0.3
        assert change.mean() == pytest.approx(0.15, abs=0.02)
    assert abs(np.corrcoef(lifted, lowered)[0, 1]) < 0.25


def test_grain_has_up_to_its_deviation() -> None:
    gray = np.full((200, 32, 32, 3), 128, np.uint8)
    deviations = draws([{"grain": 0.1}], gray)[1].std(axis=(1, 2, 3))
    assert deviations.max() == pytest.approx(0.1, abs=0.01) and deviations.min() < 0.01
    assert deviations.mean() == pytest.approx(0.05, abs=0.01)


def loss_of_a_copy(entries: list[Any], pictures: np.ndarray) -> float:
    """The training loss of a network that returns its input, on gray photographs."""
    luminance = keras.Input((SIZE, SIZE, 1))
    gray = keras.layers.Conv2D(3, 1, kernel_initializer="ones", name="rgb")(luminance)
    settings = {
        "optimizer": "sgd", "learning_rate": 1e-9, "schedule": "constant", "loss": "mse",
        "gradient_accumulation_steps": 1, "ema_momentum": 0, "xla": False, "augmentation": entries,
    }  # fmt: skip
    model = compile_trainer(keras.Model(luminance, gray), settings)
    return float(model.train_on_batch(lab.grayscale(pictures), return_dict=True)["loss"])


def test_networks_are_compared_with_the_photographs_that_they_saw(pictures: np.ndarray) -> None:
    assert loss_of_a_copy(["flip", {"rotate": 15}], pictures) < 1e-9
    assert loss_of_a_copy(["flip", {"rotate": 15}, {"gamma": 1}], pictures) > 1e-4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["flip", "gamma"], "training.augmentation: 'gamma' needs a number; write 'gamma: …'"),
        (["rotate", {"rotate": 15}], "training.augmentation: 'rotate' appears twice; keep one"),
        (
            ["flipp"],
            "training.augmentation: unknown augmentation 'flipp'; known: flip, rotate, rotate: ",
        ),
        ([{"flip": 0.5}], "training.augmentation: unknown augmentation 'flip'"),
    ],
)
def test_augmentation_that_cannot_be_is_refused(entries: list[Any], message: str) -> None:
    with pytest.raises(DeepColorError) as caught:
        strengths(entries)
    assert str(caught.value).startswith(message)
