"""The composition of luminance and enlarged chroma, and the tiles that networks see."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from deepcolor.colorize.chroma import _bicubic, compose, differences, luma
from deepcolor.colorize.tiling import predict_colors, working_picture, working_size
from hypothesis import given, settings
from hypothesis import strategies as st
from support import sample_photographs as photos


def composed(luminance: np.ndarray, color: np.ndarray, workers: int = 0) -> np.ndarray:
    rgb = np.empty((*luminance.shape, 3), luminance.dtype)
    if workers:
        with ThreadPoolExecutor(workers) as pool:
            compose(luminance, color, rgb, pool)
    else:
        compose(luminance, color, rgb)
    return rgb


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    side=st.sampled_from([1, 2, 8, 32]),
    scale=st.floats(0, 4),
    deep=st.booleans(),
)
def test_luma_stays_whatever_the_colors(
    seed: int, height: int, width: int, side: int, scale: float, deep: bool
) -> None:
    random = np.random.default_rng(seed)
    kind = np.uint16 if deep else np.uint8
    luminance = random.integers(0, np.iinfo(kind).max + 1, (height, width), kind)
    color = scale * differences(random.random((side, side, 3), np.float32))
    rgb = composed(luminance, color)
    assert np.abs(luma(rgb) - luminance).max() <= 0.51


def test_colors_of_the_same_size_come_back_exactly() -> None:
    pixels = photos.colored() // 2 + 60  # Away from black and white, where luma is rounded.
    luminance = np.rint(luma(pixels)).astype(np.uint8)
    rgb = composed(luminance, differences(pixels.astype(np.float32) / 255))
    assert np.abs(rgb.astype(int) - pixels).max() <= 1


def test_what_fits_no_rgb_loses_chroma_and_keeps_its_hue() -> None:
    luminance = np.arange(256, dtype=np.uint8)[None].repeat(4, 0)
    wanted = np.array([0.9, 0.1, 0.3], np.float32)
    color = np.broadcast_to(differences(wanted[None, None]), (2, 4, 4)).copy()
    rgb = composed(luminance, color).astype(float)
    away = rgb - luma(rgb)[..., None]
    direction = wanted - luma(wanted[None, None])[0, 0]
    # Rounding turns short ones.
    long = np.linalg.norm(away, axis=-1) > 40
    cosine = away @ direction / np.linalg.norm(away, axis=-1).clip(1) / np.linalg.norm(direction)
    assert long.sum() > 500 and cosine[long].min() > 0.999
    assert np.ptp(rgb[:, [0, 255]], axis=-1).max() == 0  # Black and white have no room for color.
    clipped = np.clip(luminance[..., None] + direction * 255, 0, 255)
    assert np.abs(luma(clipped) - luminance).max() > 20  # What is avoided.


@pytest.mark.parametrize("size", [(301, 203), (64, 64), (40, 300), (20, 30)])
def test_strips_give_what_enlarging_the_whole_gives(size: tuple[int, int]) -> None:
    height, width = size
    color = differences(np.random.default_rng(0).random((64, 64, 3), np.float32) * 0.2)
    luminance = np.full(size, 128, np.uint8)
    rgb = composed(luminance, color)
    np.testing.assert_array_equal(rgb, composed(luminance, color, workers=3))
    target = min(width, 64), min(height, 64)
    small = [cv2.resize(plane, target, interpolation=cv2.INTER_AREA) for plane in color]
    red = cv2.resize(small[0], (width, height), interpolation=cv2.INTER_CUBIC) * 255 + 128
    assert np.abs(red - rgb[..., 0]).max() <= 0.6
    assert _bicubic(target[1], height)[1].sum(axis=1) == pytest.approx(1)
    # A picture on its side gets the same colors.
    turned = composed(luminance.T.copy(), color.transpose(0, 2, 1).copy())
    assert np.abs(turned.transpose(1, 0, 2).astype(int) - rgb).max() <= 1


def test_a_view_is_filled_like_an_array() -> None:
    luminance = photos.gray()
    color = differences(np.random.default_rng(0).random((8, 8, 3), np.float32))
    target = np.zeros((luminance.shape[1], luminance.shape[0], 4), np.uint8)
    compose(luminance, color, np.rot90(target)[..., :3])
    np.testing.assert_array_equal(np.rot90(target)[..., :3], composed(luminance, color))
    assert not target[..., 3].any()


def test_enlarged_chroma_beats_enlarged_rgb_and_lab() -> None:
    """On a picture with fine detail in its luminance, as photographs have."""
    from skimage.color import lab2rgb, rgb2lab

    size = (256, 320)
    smooth = cv2.resize(photos.colored(), size[::-1], interpolation=cv2.INTER_CUBIC).astype(float)
    detail = np.random.default_rng(0).normal(0, 20, size)[..., None]
    truth = np.clip(smooth * 0.6 + 50 + detail, 0, 255).astype(np.uint8)
    small = cv2.resize(truth, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    luminance = np.rint(luma(truth)).astype(np.uint8)

    def decibels(rgb: np.ndarray) -> float:
        return float(-10 * np.log10(np.mean((rgb.astype(float) - truth) ** 2) / 255**2))

    ours = decibels(composed(luminance, differences(small)))
    enlarged = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    lab = rgb2lab(np.repeat(luminance[..., None] / 255, 3, -1))
    lab[..., 1:] = cv2.resize(rgb2lab(small)[..., 1:], size[::-1], interpolation=cv2.INTER_CUBIC)
    assert ours > decibels(np.clip(lab2rgb(lab), 0, 1) * 255) + 3 > decibels(enlarged * 255) + 6


def pointwise(luminance: np.ndarray) -> np.ndarray:
    """A network that sees each pixel alone."""
    return np.concatenate([luminance, 0.5 * luminance + 0.2, 1 - luminance], axis=-1)


def test_tiles_give_what_a_network_of_any_size_would() -> None:
    small = working_picture(photos.gray(200, 150), 16, 3)
    assert small.shape == (48, 64)
    expected = pointwise(small[None, :, :, None])[0]
    np.testing.assert_allclose(predict_colors(small, pointwise, 16, False), expected, atol=1e-6)
    np.testing.assert_allclose(predict_colors(small, pointwise, 16, True), expected, atol=1e-6)


def test_tiles_have_no_seams() -> None:
    """Tiles of quite different colors run into each other: no step is larger than a window's."""
    count = 0

    def flat(tiles: np.ndarray) -> np.ndarray:
        nonlocal count
        colors = np.random.default_rng(count).random((len(tiles), 1, 1, 3), np.float32)
        count += len(tiles)
        return np.broadcast_to(colors, (*tiles.shape[:3], 3))

    rgb = predict_colors(np.full((64, 96), 0.5, np.float32), flat, 32, False)
    assert count > 10
    steps = max(np.abs(np.diff(rgb, axis=axis)).max() for axis in (0, 1))
    assert np.ptp(rgb) > 0.5 and steps < np.pi / 32 * 1.3  # The steepest slope of the squared sine.


@pytest.mark.parametrize(
    ("shape", "tiles", "expected"),
    [
        ((3000, 4000), 1, (64, 85)),
        ((3000, 4000), 4, (256, 341)),
        ((4000, 3000), 2, (171, 128)),
        ((100, 120), 8, (100, 120)),  # No more than there is.
        ((30, 40), 2, (64, 64)),  # A tile at least.
        ((1, 5000), 2, (64, 5000)),
        ((1, 1), 3, (64, 64)),
    ],
)
def test_working_size(shape: tuple[int, int], tiles: int, expected: tuple[int, int]) -> None:
    assert working_size(shape, 64, tiles) == expected
    luminance = np.zeros(shape, np.uint8)
    assert working_picture(luminance, 64, tiles).shape == expected
    assert working_picture(luminance, 64, 0).shape == (64, 64)
