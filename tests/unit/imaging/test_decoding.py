"""Image files as pixels: every mode, every orientation, and the fast way beside the exact one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from deepcolor.imaging import decoding
from PIL import Image
from skimage import data
from skimage.transform import downscale_local_mean
from support.sample_images import encoded, picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = orientation
    picture(0).save(tmp_path / "a.jpg", exif=exif, quality=95)
    upright = decoding.open_rgb(tmp_path / "a.jpg")
    assert upright.size == ((120, 90) if orientation < 5 else (90, 120))
    square, size = decoding.read_square(tmp_path / "a.jpg", 64)
    assert size == upright.size
    assert np.abs(square - decoding.resize(np.asarray(upright), 64).astype(float)).mean() < 0.5


def test_every_mode_is_read_as_it_looks(tmp_path: Path) -> None:
    deep = np.full((4, 4), 1000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert decoding.open_rgb(tmp_path / "deep.png").getpixel((0, 0)) == (4, 4, 4)
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    assert decoding.open_rgb(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    assert decoding.read_square(tmp_path / "print.jpg", 2)[0][0, 0, 0] > 200
    Image.new("L", (4, 4), 77).save(tmp_path / "gray.jpg")
    assert (decoding.read_square(tmp_path / "gray.jpg", 2)[0] == 77).all()
    for name in ("palette.gif", "tile.webp", "scan.tiff"):
        picture(0).save(tmp_path / name)
        square, size = decoding.read_square(tmp_path / name, 32)
        assert square.shape == (32, 32, 3) and size == (120, 90)
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match="mode F"):
        decoding.read_square(tmp_path / "float.tif", 2)


@pytest.mark.parametrize("name", ["gone.jpg", "text.jpg", "empty.png", "short.jpg"])
def test_what_is_no_picture_is_refused(tmp_path: Path, name: str) -> None:
    whole = encoded(picture(0))
    contents = {"text.jpg": b"no picture", "empty.png": b"", "short.jpg": whole[:-30]}
    if name in contents:
        (tmp_path / name).write_bytes(contents[name])
    with pytest.raises(ValueError):
        decoding.read_square(tmp_path / name, 32)


def test_bytes_between_markers_are_no_damage(tmp_path: Path) -> None:
    whole = encoded(picture(0))
    header = whole.index(b"\xff\xdb")
    (tmp_path / "camera.jpg").write_bytes(whole[:header] + bytes(7) + whole[header:])
    expected = decoding.resize(np.asarray(decoding.open_rgb(tmp_path / "camera.jpg")), 32)
    assert np.array_equal(decoding.read_square(tmp_path / "camera.jpg", 32)[0], expected)


# Odd sides: a picture decoded at a fraction of its size ends within the last column.
@pytest.mark.parametrize("size", [(640, 480), (641, 483), (1023, 681), (1280, 960), (2047, 1533)])
def test_fast_reading_is_close_to_exact_averages(tmp_path: Path, size: tuple[int, int]) -> None:
    photograph = Image.fromarray(data.astronaut()).resize(size, Image.Resampling.LANCZOS)
    photograph.save(tmp_path / "a.jpg", quality=92)
    whole = np.asarray(Image.open(tmp_path / "a.jpg"))
    exact = cv2.resize(whole, (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(decoding.read_square(tmp_path / "a.jpg", 256)[0] - exact.astype(int)).mean() < 1.5


@pytest.mark.parametrize("factor", [2, 5])
def test_shrinking_averages_areas(factor: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32 * factor, 32 * factor, 3), np.uint8)
    ours = decoding.resize(pixels, 32).astype(float)
    exact = downscale_local_mean(pixels.astype(float), (factor, factor, 1))
    assert np.abs(ours - exact).max() <= 1


def test_enlarging_keeps_the_picture() -> None:
    pixels = np.asarray(picture(0, 24, 24))
    assert np.abs(decoding.resize(decoding.resize(pixels, 48), 24) - pixels.astype(float)).mean() < 3


def test_a_picture_of_the_size_stays_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "same.png")
    assert np.array_equal(decoding.read_square(tmp_path / "same.png", 32)[0], pixels)
    # Also where a JPEG file is decoded at half its size, which is then the one that is wanted.
    large = np.kron(pixels, np.ones((8, 8, 1), np.uint8))
    Image.fromarray(large).save(tmp_path / "large.jpg", quality=100, subsampling=0)
    shrunk = decoding.read_square(tmp_path / "large.jpg", 32)[0].astype(int)
    assert np.abs(shrunk - pixels).mean() < 3
