"""What makes a photograph unfit."""

import io
import tracemalloc

import numpy as np
import pytest
from deepcolor.data.near_duplicates import HashIndex
from deepcolor.data.quality import Checks, defect, perceptual_hash
from deepcolor.imaging.decoding import resize
from PIL import Image, ImageEnhance, ImageOps
from support.sample_images import encoded, picture

CHECKS = Checks(min_side=64, min_chroma=1.5, toned=False, near_duplicates=6)
NOISE = np.random.default_rng(0).normal(0, 4, (90, 120, 3))


def square(image: Image.Image) -> np.ndarray:
    """What is looked at, after the picture was stored as JPEG."""
    stored = Image.open(io.BytesIO(encoded(image, quality=85)))
    return resize(np.asarray(stored.convert("RGB")), 128)


def said(image: Image.Image, checks: Checks = CHECKS) -> str | None:
    """The fault of a picture."""
    return defect(square(image), *image.size, checks)


def test_color_is_taken() -> None:
    assert said(picture(0)) is None


def test_too_small_is_refused() -> None:
    assert said(picture(0, width=300, height=63)) == "too small: 300×63"


@pytest.mark.parametrize("noise", [0, 1])
def test_gray_stored_as_color_is_refused(noise: int) -> None:
    gray = np.asarray(picture(0).convert("L").convert("RGB")) + noise * NOISE
    reason = said(Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8)))
    assert reason is not None and reason.startswith("gray: mean chroma ")


@pytest.mark.parametrize(("dark", "light"), [("#201408", "#f4e4c0"), ("#001030", "#e0f0ff")])
def test_one_tone_is_refused_unless_configured(dark: str, light: str) -> None:
    toned = ImageOps.colorize(picture(0).convert("L"), dark, light)
    reason = said(toned)
    assert reason is not None and reason.startswith("one tone: mean chroma ")
    assert said(toned, Checks(64, 1.5, True, 6)) is None


def test_flat_pictures_have_no_spread() -> None:
    reason = said(Image.new("RGB", (120, 90), "red"))
    assert reason is not None and reason.startswith("one tone")


def test_near_duplicates_are_found_whatever_was_done_to_them() -> None:
    index = HashIndex(6)
    for number in range(2000):
        index.add(perceptual_hash(square(picture(number))))
    changed = {
        "smaller": picture(7).resize((60, 45)),
        "brighter": ImageEnhance.Brightness(picture(7)).enhance(1.2),
        "gray": picture(7).convert("L").convert("RGB"),
    }
    for image in changed.values():
        assert list(index.find(perceptual_hash(square(image)))) == [7]
    assert list(index.find(perceptual_hash(square(picture(5000))))) == []


@pytest.mark.parametrize(
    "distance", [0, 6, *(pytest.param(d, marks=pytest.mark.slow) for d in (3, 11, 16))]
)
def test_near_duplicates_are_those_of_a_comparison_of_each_with_each(distance: int) -> None:
    generator = np.random.default_rng(distance)
    hashes = generator.integers(0, 2**64, 40_000, np.uint64)
    flips = generator.integers(0, 64, (20_000, distance + 2))
    hashes[20_000:] = hashes[:20_000] ^ np.bitwise_xor.reduce(np.uint64(1) << flips.astype(np.uint64), 1)
    hashes[100:200] = hashes[0]
    index = HashIndex(distance)
    # In the tables, and after them.
    for part in np.split(hashes, [1, 500, 30_000, 36_000]):
        index.add(part)
    found = {}
    for number in [0, 150, 19_999, 20_000, *range(35_900, 36_100), 39_999]:
        bits = np.bitwise_count(hashes ^ hashes[number])
        near = np.flatnonzero(bits <= distance)
        expected = near[np.argsort(bits[near], kind="stable")]
        found[number] = list(expected)
        assert np.array_equal(index.find(int(hashes[number])), expected)
    unique = index.unique()
    assert {number: bool(unique[number]) for number in found} == {
        number: near == [number] for number, near in found.items()
    }
    assert 0 < unique.sum() < 40_000


def test_many_equal_hashes_take_no_more_memory() -> None:
    """As of a camera that does not move: each with each would be 9e8."""
    generator = np.random.default_rng(0)
    hashes = np.full(30_000, 12345, np.uint64)
    hashes[::3] = generator.integers(0, 2**64, 10_000, np.uint64)
    hashes[1::30] ^= np.uint64(1) << generator.integers(0, 64, 1000).astype(np.uint64)
    index = HashIndex(6)
    index.add(hashes)
    tracemalloc.start()
    unique = index.unique()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150e6
    assert unique.sum() == 10_000 and unique[::3].all()
