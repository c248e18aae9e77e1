"""The measures of an image, against other implementations of them and by hand."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from deepcolor.evaluation import metrics
from deepcolor.evaluation.measures import KEPT, MEASURES
from deepcolor.imaging import color, lab
from skimage import data
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

# The test data of Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula: implementation
# notes, supplementary test data, and mathematical observations", table 1: L*, a*, b* twice, and the
# difference, to four decimals.
SHARMA = np.array(
    [
        (50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425),
        (50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615),
        (50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412),
        (50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669),
        (50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461),
        (50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065),
        (50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492),
        (50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977),
        (50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030),
        (50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000),
        (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
        (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
        (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
        (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
        (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
        (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
        (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
        (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
        (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
        (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
    ]
)
CORNERS = np.array(np.meshgrid([0, 255], [0, 255], [0, 255]), np.uint8).reshape(3, -1).T
GRAYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
RANDOM = np.random.default_rng(0).integers(0, 256, (20_000, 3), np.uint8)
# As a picture of one row.
COLORS = np.concatenate([CORNERS, GRAYS, RANDOM, RANDOM[:1000] // 20])[None]


def photograph(height: int, width: int, name: str = "astronaut") -> np.ndarray:
    return getattr(data, name)()[40 : 40 + height, 100 : 100 + width]


def noisy(picture: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def flat(*rgb: int, side: int = 16) -> np.ndarray:
    return np.full((side, side, 3), rgb, np.uint8)


def channels_last(planes: np.ndarray) -> np.ndarray:
    return np.moveaxis(planes, -3, -1)


def one(truth: np.ndarray, prediction: np.ndarray) -> pd.Series:
    return metrics.per_image(truth[None], prediction[None]).iloc[0]


# Color differences.


def test_ciede2000_of_sharma_wu_and_dalal() -> None:
    assert SHARMA.shape == (34, 7)
    first, second, expected = SHARMA[:, :3], SHARMA[:, 3:6], SHARMA[:, 6]
    assert np.abs(deltaE_ciede2000(first, second) - expected).max() < 1e-4
    assert np.abs(metrics.ciede2000(first.T, second.T) - expected).max() < 1e-4
    assert np.abs(metrics.ciede2000(second.T, first.T) - expected).max() < 1e-4


def test_ciede2000_is_scikit_images() -> None:
    random = np.random.default_rng(1)
    scale, shift = np.array([100, 250, 250]), np.array([0, 125, 125])
    first, second = random.random((2, 50_000, 3)) * scale - shift
    near = first + random.normal(0, 1, first.shape)
    for other in (second, near, first):
        expected = deltaE_ciede2000(first, other)
        assert np.abs(metrics.ciede2000(first.T, other.T) - expected).max() < 1e-9
        assert np.abs(metrics.ciede2000(other.T, first.T) - expected).max() < 1e-9
        ours = metrics.ciede2000(first.T.astype("float32"), other.T.astype("float32"))
        assert ours.dtype == np.float32 and np.abs(ours - expected).max() < 1e-3


def test_ciede2000_of_gray_and_equal_colors() -> None:
    gray = np.stack([np.linspace(0, 100, 101), np.zeros(101), np.zeros(101)])
    assert np.array_equal(metrics.ciede2000(gray, gray), np.zeros(101))
    colors = np.random.default_rng(2).normal(0, 30, (101, 3)) + [50, 0, 0]
    for shade in (gray, gray * [[1], [-1], [-1]], gray[:, ::-1]):  # With negative zeros, too.
        expected = deltaE_ciede2000(shade.T, colors)
        assert np.abs(metrics.ciede2000(shade, colors.T) - expected).max() < 1e-9
        assert np.abs(metrics.ciede2000(colors.T, shade) - expected).max() < 1e-9
    black, white = gray[:, :1], gray[:, -1:]
    assert metrics.ciede2000(black, white) == pytest.approx(100)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_mean_color_difference_of_photographs(name: str) -> None:
    truth = photograph(64, 96, name)
    black = np.zeros_like(truth)
    for prediction in (noisy(truth, 20), np.roll(truth, 1, axis=-1), truth[::-1], black):
        expected = deltaE_ciede2000(rgb2lab(truth), rgb2lab(prediction)).mean()
        assert one(truth, prediction)["ciede2000"] == pytest.approx(expected, abs=1e-3)


# CIELAB.


def test_lab_is_scikit_images() -> None:
    expected = rgb2lab(COLORS)
    assert np.abs(channels_last(lab.to_lab(COLORS)) - expected).max() < 1e-3
    batch = COLORS[:, :24].reshape(2, 3, 4, 3)
    assert lab.to_lab(batch).shape == (2, 3, 3, 4) and lab.to_lab(batch).dtype == np.float32
    assert np.abs(channels_last(lab.to_lab(batch)) - rgb2lab(batch)).max() < 1e-3


def test_lab_is_that_of_the_device() -> None:
    on_device = keras.ops.convert_to_numpy(color.rgb_to_lab(color.to_float(COLORS)))
    assert np.abs(channels_last(lab.to_lab(COLORS)) - on_device).max() < 1e-3


def test_lab_and_back_is_the_same() -> None:
    assert np.array_equal(lab.to_rgb(lab.to_lab(COLORS)), COLORS)


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")  # scikit-image's, of negative Z.
def test_colors_that_srgb_has_not_are_clipped() -> None:
    planes = np.random.default_rng(3).random((1, 5000, 3)) * [100, 254, 254] - [0, 127, 127]
    ours = lab.to_rgb(np.moveaxis(planes, -1, -3).astype("float32"))
    assert ours.min() == 0 and ours.max() == 255
    assert np.abs(ours - 255 * lab2rgb(planes)).max() < 0.501 + 0.255


def test_lightness_is_what_the_network_sees() -> None:
    luminance = color.to_luminance(COLORS)
    gray = keras.ops.concatenate([luminance] * 3, axis=-1)
    on_device = keras.ops.convert_to_numpy(color.rgb_to_lab(gray))[..., 0]
    assert np.abs(lab.lightness(COLORS) - on_device).max() < 1e-3
    assert lab.lightness(COLORS).dtype == np.float32
    # Of grays it is their own.
    assert np.abs(lab.lightness(GRAYS[None]) - rgb2lab(GRAYS[None])[..., 0]).max() < 2e-3


def test_kept_luminance_is_that_of_a_network_that_predicts_chroma() -> None:
    truth = COLORS
    prediction = np.random.default_rng(4).permuted(COLORS, axis=1)
    chroma = color.to_chroma(color.to_float(prediction))
    network = keras.ops.convert_to_numpy(color.add_chroma(color.to_luminance(truth), chroma))
    ours = lab.with_luminance(truth, prediction)
    assert ours.dtype == np.uint8
    assert np.abs(ours / 255 - network).max() < 0.5 / 255 + 1e-3
    again = lab.with_luminance(truth[None], prediction[None])
    assert np.array_equal(again[0], ours)


def test_kept_luminance_leaves_grays_alone() -> None:
    assert np.array_equal(lab.with_luminance(GRAYS[None], GRAYS[None]), GRAYS[None])
    # Whatever the prediction's luminance is: a gray prediction gives the gray input.
    truth = photograph(32, 32)
    luma = keras.ops.convert_to_numpy(color.to_luminance(truth))
    kept = lab.with_luminance(truth, flat(90, 90, 90, side=32))
    assert np.abs(kept / 255 - luma).max() < 0.51 / 255


def test_rounding_to_8_bits() -> None:
    values = np.array([-1, 0, 0.4 / 255, 0.6 / 255, 254.4 / 255, 1, 2])
    assert lab.to_8bit(values).tolist() == [0, 0, 0, 1, 254, 255, 255]


# Structural similarity.


def of_scikit_image(truth: np.ndarray, prediction: np.ndarray) -> float:
    return structural_similarity(
        truth, prediction, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        channel_axis=-1, data_range=255,
    )  # fmt: skip


def of_tensorflow(truth: np.ndarray, prediction: np.ndarray) -> float:
    return float(tf.image.ssim(tf.constant(truth), tf.constant(prediction), max_val=255))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "retina"])
@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (48, 91), (11, 40)])
def test_ssim_is_that_of_others(name: str, shape: tuple[int, int]) -> None:
    truth = photograph(*shape, name)
    noise = np.random.default_rng(5).integers(0, 256, truth.shape, np.uint8)
    for prediction in (noisy(truth, 2), noisy(truth, 30), truth[::-1, ::-1], 255 - truth, noise):
        ours = metrics.ssim(truth, prediction)
        assert ours == pytest.approx(of_scikit_image(truth, prediction), abs=1e-6)
        # TensorFlow computes in 32 bits.
        assert ours == pytest.approx(of_tensorflow(truth, prediction), abs=3e-4)
        assert metrics.ssim(prediction, truth) == pytest.approx(ours, abs=1e-9)


@pytest.mark.parametrize("deviation", [0.5, 1, 4])
def test_ssim_of_nearly_flat_pictures(deviation: float) -> None:
    # Bright ones, of whose large squares small variances are the difference.
    white, checked = flat(255, 255, 255, side=40), flat(0, 0, 0, side=40)
    checked[::8], checked[:, 20:] = 255, 251
    for truth in (white, checked, flat(255, 250, 0, side=40)):
        prediction = noisy(truth, deviation)
        expected = of_scikit_image(truth, prediction)
        assert metrics.ssim(truth, prediction) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_flat_and_equal_pictures() -> None:
    black, white, gray = (flat(*[value] * 3, side=32) for value in (0, 255, 128))
    for picture in (black, white, gray, photograph(32, 32)):
        assert metrics.ssim(picture, picture) == pytest.approx(1, abs=1e-12)
    # Without structure what is left is the luminance term.
    c1 = (0.01 * 255) ** 2
    assert metrics.ssim(black, white) == pytest.approx(c1 / (255**2 + c1), abs=1e-9)
    expected = (2 * 128 * 255 + c1) / (128**2 + 255**2 + c1)
    assert metrics.ssim(gray, white) == pytest.approx(expected, abs=1e-9)


# Errors.


def test_mse_and_psnr_are_those_of_others() -> None:
    truth = photograph(32, 48)
    for prediction in (noisy(truth, 3), noisy(truth, 60), 255 - truth, np.zeros_like(truth)):
        row = one(truth, prediction)
        assert row["mse"] == pytest.approx(mean_squared_error(truth / 255, prediction / 255))
        assert row["psnr"] == pytest.approx(peak_signal_noise_ratio(truth, prediction))
        assert row["psnr"] == pytest.approx(
            float(tf.image.psnr(tf.constant(truth), tf.constant(prediction), 255)), abs=1e-3
        )


def test_mse_and_psnr_by_hand() -> None:
    assert metrics.mse(flat(0, 0, 0), flat(255, 255, 255)) == 1
    assert metrics.mse(flat(255, 0, 0), flat(0, 0, 0)) == pytest.approx(1 / 3)
    assert metrics.mse(flat(10, 10, 10), flat(61, 61, 61)) == pytest.approx(0.04)
    values = metrics.psnr_of_mse(np.array([1, 0.1, 0.01, 1e-10, 1e-12, 0]))
    assert values == pytest.approx([0, 10, 20, 100, 100, 100])
    # The least error that 8-bit pictures can have is far from the cap, even of 4096×4096 pixels.
    assert metrics.psnr_of_mse(1 / (255**2 * 3 * 4096**2)) < 126


def test_equal_pictures() -> None:
    truth = photograph(32, 32)
    row = one(truth, truth)
    assert row[["mse", "ciede2000", "chroma_rmse", "chroma_deficit"]].tolist() == [0, 0, 0, 0]
    assert (row["psnr"], row["ssim"]) == (100, 1)
    assert (row["dominant_channel_accuracy"], row["colorfulness_difference"]) == (1, 0)


# Chroma.


def test_chroma_errors_by_hand() -> None:
    # a* and b* of two pixels, whatever L* is.
    truth = np.array([[[10, 90]], [[3, 0]], [[4, 12]]], float)
    prediction = np.array([[[50, 50]], [[0, 0]], [[0, 13]]], float)
    assert metrics.chroma_of(truth).tolist() == [[5, 12]]
    assert metrics.chroma_rmse(truth, prediction) == pytest.approx(np.sqrt((9 + 16 + 0 + 1) / 4))


def test_chroma_errors_of_pictures() -> None:
    truth, prediction = photograph(32, 32), noisy(photograph(32, 32), 25)
    a, b = rgb2lab(truth), rgb2lab(prediction)
    lengths = [np.hypot(each[..., 1], each[..., 2]) for each in (a, b)]
    row = one(truth, prediction)
    assert row["chroma_rmse"] == pytest.approx(np.sqrt(((a - b)[..., 1:] ** 2).mean()), abs=1e-3)
    expected = np.mean([max(0, x - y) for x, y in zip(*map(np.ravel, lengths), strict=True)])
    assert row["chroma_deficit"] == pytest.approx(expected, abs=1e-3)


def test_deficit_is_of_what_is_missing_alone() -> None:
    vivid, gray = flat(255, 0, 0), flat(127, 127, 127)
    chroma = np.hypot(*rgb2lab(vivid)[0, 0, 1:])
    assert one(vivid, gray)["chroma_deficit"] == pytest.approx(chroma, abs=0.02)
    assert one(gray, vivid)["chroma_deficit"] == 0
    half = vivid.copy()
    half[:8] = gray[:8]
    assert one(vivid, half)["chroma_deficit"] == pytest.approx(chroma / 2, abs=0.02)


def test_kept_luminance_scores_chroma_alone() -> None:
    truth = photograph(32, 32)
    dark = lab.with_luminance(truth // 4, truth)  # The same chroma, as far as it goes.
    row, right = one(truth, dark), one(truth, truth)
    assert row["psnr"] < 15 < 25 < row["kept_psnr"]
    assert right["psnr"] == 100 and 25 < right["kept_psnr"] < 60  # Luma is not luminance.


# Colorfulness and the strongest channel.


def of_hasler_and_suesstrunk(rgb: np.ndarray) -> float:
    red, green, blue = (rgb[..., channel].astype(float) for channel in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    deviation = np.sqrt(np.std(rg) ** 2 + np.std(yb) ** 2)
    return float(deviation + 0.3 * np.sqrt(np.mean(rg) ** 2 + np.mean(yb) ** 2))


def test_colorfulness_is_that_of_the_paper() -> None:
    for name in ("astronaut", "coffee", "chelsea"):
        picture = photograph(64, 80, name)
        expected = of_hasler_and_suesstrunk(picture)
        assert metrics.colorfulness(picture) == pytest.approx(expected, abs=1e-9)
        row = one(picture, np.roll(picture, 1, axis=-1))
        rolled = of_hasler_and_suesstrunk(np.roll(picture, 1, axis=-1))
        assert row["colorfulness"] == pytest.approx(rolled, abs=1e-9)
        assert row["colorfulness_difference"] == pytest.approx(rolled - expected, abs=1e-9)


def test_colorfulness_by_hand() -> None:
    assert metrics.colorfulness(GRAYS[None]) == 0
    assert metrics.colorfulness(flat(255, 0, 0)) == pytest.approx(0.3 * 255 * np.hypot(1, 0.5))
    assert metrics.colorfulness(flat(0, 255, 0)) == pytest.approx(0.3 * 255 * np.hypot(1, 0.5))
    assert metrics.colorfulness(flat(0, 0, 255)) == pytest.approx(0.3 * 255)
    # Signed channels: red and green in equal parts cancel in the mean of red less green.
    both = flat(255, 0, 0)
    both[8:] = [0, 255, 0]
    assert metrics.colorfulness(both) == pytest.approx(255 + 0.3 * 127.5)


def test_strongest_channel_is_that_of_argmax() -> None:
    levels = np.array(np.meshgrid([0, 1, 2, 255], [0, 1, 2, 255], [0, 1, 2, 255]), np.uint8)
    for colors in (levels.reshape(3, -1).T, COLORS[0], COLORS.reshape(4, -1, 3)):  # With ties.
        assert np.array_equal(metrics.dominant_channel(colors), colors.argmax(axis=-1))
    truth = flat(9, 5, 1)
    half = truth.copy()
    half[:8] = [5, 9, 1]
    assert one(truth, half)["dominant_channel_accuracy"] == 0.5
    assert one(truth, flat(9, 9, 9))["dominant_channel_accuracy"] == 1  # The first of equal ones.


# All of them.


def test_rows_are_of_the_images_in_order_and_threads_change_nothing() -> None:
    truth = np.stack([photograph(32, 32, name) for name in ("astronaut", "coffee", "chelsea")])
    prediction = np.stack([noisy(picture, 10 * n) for n, picture in enumerate(truth)])
    scores = metrics.per_image(truth, prediction)
    assert list(scores.columns) == [*MEASURES, *(f"{KEPT}{name}" for name in MEASURES)]
    assert len(scores) == 3 and scores["mse"].is_monotonic_increasing
    with ThreadPoolExecutor(2) as workers:
        pd.testing.assert_frame_equal(metrics.per_image(truth, prediction, workers), scores)
    for number in range(3):
        pd.testing.assert_series_equal(
            one(truth[number], prediction[number]), scores.iloc[number], check_names=False
        )
    # The second half are the measures of the prediction on the input's luminance.
    kept = metrics.per_image(truth, lab.with_luminance(truth, prediction))[list(MEASURES)]
    second = scores[[f"{KEPT}{name}" for name in MEASURES]].set_axis(list(MEASURES), axis=1)
    pd.testing.assert_frame_equal(second, kept)


def test_no_picture_has_a_score_that_is_no_number() -> None:
    corners = [flat(*(int(value) for value in rgb)) for rgb in CORNERS]
    noise = np.random.default_rng(6).integers(0, 256, (16, 16, 3), np.uint8)
    pictures = np.stack([*corners, noise])
    for shift in range(len(pictures)):
        scores = metrics.per_image(pictures, np.roll(pictures, shift, axis=0))
        assert np.isfinite(scores.to_numpy()).all()
        assert (scores["ssim"] <= 1 + 1e-12).all()
        assert scores["dominant_channel_accuracy"].between(0, 1).all()
