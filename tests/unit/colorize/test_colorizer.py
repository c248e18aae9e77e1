"""Colorizing one photograph: every kind of file, and what stays as it was."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from deepcolor.colorize import xmp
from deepcolor.colorize.chroma import luma
from deepcolor.colorize.colorizer import Colorized, colorfulness_of, colorize, previews
from deepcolor.colorize.icc import gray_to_srgb
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import read, without_thumbnail
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.write import write
from deepcolor.imaging import color
from deepcolor.imaging.decoding import UPRIGHT
from PIL import Image, ImageCms
from support import sample_photographs as photos

SIZE = 32
KINDS = photos.kinds()


def across(luminance: np.ndarray) -> np.ndarray:
    """A network: red to the right, blue to the bottom, whatever the picture."""
    down, right = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    rgb = np.stack([right, np.full_like(right, 0.5), down], -1).astype(np.float32)
    return np.repeat(rgb[None], len(luminance), 0)


def network(predict: Callable[[np.ndarray], np.ndarray] = across) -> Network:
    return Network("unet_30", "0" * 64, SIZE, predict)


def done(content: bytes, *, predict: Any = across, **settings: Any) -> tuple[Colorized, bytes]:
    """A photograph colorized, and its file."""
    checksum = hashlib.sha256(content).hexdigest()
    colorized = colorize(content, checksum, network(predict), Settings(**settings))
    file = io.BytesIO()
    write(file, colorized.pixels, colorized.photograph, colorized.xmp, Settings(**settings).quality)
    return colorized, file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_luma_is_what_networks_see() -> None:
    pixels = photos.colored()
    seen = np.asarray(color.to_luminance(pixels))[..., 0] * 255
    assert np.abs(luma(pixels) - seen).max() < 1e-3
    assert np.abs(read(KINDS["color, PNG"]).luminance - seen).max() <= 0.51


@pytest.mark.parametrize("kind", KINDS)
def test_luminance_size_depth_and_alpha_stay(kind: str) -> None:
    content = KINDS[kind]
    colorized, written = done(content)
    before, after = colorized.photograph, read(written)
    levels = 257 if "16 bits" in kind else 1
    assert before.luminance.dtype == (np.uint16 if "16 bits" in kind else np.uint8)
    assert after.luminance.dtype == before.luminance.dtype
    # JPEG files lose something where a picture is cut off at black and white; see below.
    most = 5 if before.format == "JPEG" else levels
    assert np.abs(after.luminance.astype(int) - before.luminance).max() <= most
    assert np.abs(after.luminance.astype(int) - before.luminance).mean() <= levels
    if before.format != "JPEG":  # Not even one of 16 bits' levels is lost where files lose nothing.
        assert np.abs(after.luminance.astype(int) - before.luminance).max() <= 1
    assert opened(written).size == opened(content).size
    assert (
        (before.alpha is None)
        == (after.alpha is None)
        == ("alpha" not in kind and "a transparent" not in kind)
    )
    if before.alpha is not None:
        np.testing.assert_array_equal(after.alpha, before.alpha)
    assert opened(written).format == {"GIF": "PNG", "BMP": "PNG"}.get(kind[-3:], kind.split(", ")[-1])
    assert xmp.noted(after.xmp)["Model"] == "unet_30"


@pytest.mark.parametrize("quality", [30, 75, 90, 100])
def test_luminance_of_a_jpeg_file_is_quantized_as_it_was(quality: int) -> None:
    """Whole blocks of 8×8 pixels, with values that nothing cuts off, come back as they were."""
    shades = 60 + photos.gray(64, 48) // 2
    content = photos.encoded(Image.fromarray(shades), "JPEG", quality=quality)
    for options in ({}, {"saturation": 0.3}):
        _, written = done(content, **options)
        difference = np.abs(read(written).luminance.astype(int) - read(content).luminance)
        assert difference.max() <= 1
    assert len(done(content, quality=20)[1]) < len(done(content, quality=95)[1])


def test_gray_values_are_read_as_they_are() -> None:
    shades, shades16 = (
        photos.gray(),
        photos.in_16_bits(photos.gray()),
    )
    for kind in ("gray, PNG", "gray, TIFF", "gray, WEBP", "gray with alpha, PNG"):
        np.testing.assert_array_equal(read(KINDS[kind]).luminance, shades)
    for kind in ("16 bits gray, PNG", "16 bits gray, TIFF"):
        np.testing.assert_array_equal(read(KINDS[kind]).luminance, shades16)
    np.testing.assert_array_equal(read(KINDS["16 bits, white is 0, TIFF"]).luminance, 65535 - shades16)
    colors16 = photos.in_16_bits(photos.colored())
    for kind in ("16 bits color, PNG", "16 bits color, TIFF", "16 bits in planes, TIFF"):
        assert np.abs(read(KINDS[kind]).luminance - luma(colors16)).max() <= 0.51
    for kind in ("CMYK, TIFF", "YCbCr, TIFF", "CIELAB, TIFF"):
        assert np.abs(read(KINDS[kind]).luminance - luma(photos.colored())).mean() < 4


@pytest.mark.parametrize("kind", ["gray, PNG", "color, JPEG", "sepia, WEBP"])
def test_kinds_are_told_apart(kind: str) -> None:
    colorized, _ = done(KINDS[kind])
    assert colorized.photograph.kind == {"sepia": "toned"}.get(kind.split(",")[0], kind.split(",")[0])
    notes = {"gray": [], "toned": ["its tint is removed"], "color": ["it had colors; they are replaced"]}
    assert colorized.notes == notes[colorized.photograph.kind]


def test_the_tint_of_a_print_is_removed_or_kept() -> None:
    def neutral(luminance: np.ndarray) -> np.ndarray:
        return np.repeat(luminance, 3, axis=-1)

    removed, _ = done(KINDS["sepia, PNG"], predict=neutral)
    assert np.ptp(removed.pixels.astype(int), axis=-1).max() <= 1
    kept, _ = done(KINDS["sepia, PNG"], predict=neutral, keep_tint=True)
    assert kept.notes == ["its tint is kept"]
    assert np.abs(kept.pixels.astype(int) - photos.sepia()).mean() < 4


def test_colors_are_those_of_the_network() -> None:
    flat = photos.encoded(Image.new("L", (200, 100), 128), "PNG")
    colorized, _ = done(flat)
    red, green, blue = np.moveaxis(colorized.pixels.astype(int), -1, 0)
    assert (np.diff((red - green)[50]) >= -1).all() and (red - green)[50, -1] > (red - green)[
        50, 0
    ] + 100
    assert (blue - green)[-1, 100] > (blue - green)[0, 100] + 100
    none, _ = done(flat, saturation=0)
    assert np.ptp(none.pixels.astype(int), axis=-1).max() == 0
    more, _ = done(flat, saturation=1.5)
    assert (
        np.ptp(more.pixels.astype(int), axis=-1).mean()
        > np.ptp(colorized.pixels.astype(int), axis=-1).mean()
    )
    # The mirror image's colors run the other way here, so that the average has none of them.
    mirrored, _ = done(flat, flip_average=True)
    middle = mirrored.pixels[50].astype(int)
    assert np.ptp(middle[:, 0] - middle[:, 1]) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turned_photograph_is_seen_upright_and_stays_turned(format: str, orientation: int) -> None:
    content = photos.encoded(Image.fromarray(photos.gray()), format, exif=photos.exif(orientation))
    colorized, written = done(content)
    upright = colorized.photograph.upright(colorized.pixels)
    straight, _ = done(
        photos.encoded(
            Image.fromarray(
                np.ascontiguousarray(
                    UPRIGHT[orientation](photos.gray()) if orientation in UPRIGHT else photos.gray()
                )
            ),
            "PNG",
        )
    )
    if format != "JPEG":
        np.testing.assert_array_equal(upright, straight.pixels)
    # Pillow turns TIFF files upright when it loads them, and then forgets the orientation.
    assert opened(written).getexif()[0x0112] == orientation
    assert opened(written).size == opened(content).size


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("deep", [False, True])
def test_metadata_stay(format: str, deep: bool) -> None:
    profile = photos.srgb_profile()
    if deep:
        if format not in ("PNG", "TIFF"):
            pytest.skip("8 bits are all that the format has")
        colors16 = photos.in_16_bits(photos.colored())
        made, _ = done(
            photos.encoded(
                Image.fromarray(photos.colored()),
                format,
                exif=photos.exif(),
                icc_profile=profile,
                dpi=(300, 200),
            )
        )
        made.photograph.kept["compression"] = "tiff_lzw"
        file = io.BytesIO()
        write(file, colors16, made.photograph, b"", 95)
        content = file.getvalue()
    else:
        content = photos.encoded(
            Image.fromarray(photos.colored()),
            format,
            exif=photos.exif(),
            icc_profile=profile,
            dpi=(300, 200),
        )
    colorized, written = done(content)
    assert colorized.pixels.dtype == (np.uint16 if deep else np.uint8)
    after = opened(written)
    assert after.info["icc_profile"] == profile
    found = after.getexif()
    assert found[0x010F] == "Maker"
    assert found.get_ifd(0x8769)[0x9003] == "1931:05:01 12:00:00"
    assert found.get_ifd(0x8825)[1] == "N"
    if format != "WEBP":  # It has no place for it.
        assert after.info["dpi"] == pytest.approx((300, 200), abs=0.02)
    after.load()


def test_what_a_jpeg_file_says_beside_exif_stays() -> None:
    records = b"\xff\xed" + (2 + 14 + 8).to_bytes(2, "big") + b"Photoshop 3.0\0" + b"8BIMtest"
    content = photos.encoded(Image.fromarray(photos.gray()), "JPEG", comment=b"Aunt Mary", extra=records)
    _, written = done(content)
    assert opened(written).info["comment"] == b"Aunt Mary"
    assert records in written


def test_the_gray_thumbnail_is_left_out() -> None:
    whole = photos.exif().tobytes()
    assert without_thumbnail(whole) == whole
    # A second directory behind the first: its address stands behind the first one's entries.
    count = int.from_bytes(whole[14:16], "little" if whole[6:8] == b"II" else "big")
    place = 14 + 2 + 12 * count
    with_second = whole[:place] + b"\0\0\0\x63" + whole[place + 4 :]
    assert without_thumbnail(with_second) == whole
    assert without_thumbnail(b"Exif\0\0broken") == b"Exif\0\0broken"


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "curve",
    [
        b"curv\0\0\0\0\0\0\0\x01" + int(1.8 * 256).to_bytes(2, "big"),
        b"curv\0\0\0\0\0\0\0\x00",
        b"curv\0\0\0\0\0\0\0\x03" + np.array([0, 20000, 65535], ">u2").tobytes(),
        b"para\0\0\0\0\0\0\0\0" + np.array([2.2 * 65536], ">i4").tobytes(),
        b"para\0\0\0\0\0\x03\0\0"
        + np.array([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
        .__mul__(65536)
        .astype(">i4")
        .tobytes(),
    ],
)
def test_gray_profiles_become_srgb_as_littlecms_has_it(curve: bytes, bits: int) -> None:
    profile = photos.gray_profile(curve)
    shades = np.tile(np.arange(256, dtype=np.uint8), (40, 1))
    theirs = ImageCms.profileToProfile(
        Image.fromarray(shades),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
        flags=ImageCms.Flags.NOOPTIMIZE,
    )
    pixels = shades if bits == 8 else shades.astype(np.uint16) * 257
    ours = gray_to_srgb(pixels, profile) / (1 if bits == 8 else 257)
    assert np.abs(ours - np.asarray(theirs)[..., 1]).max() <= 1.01
    content = photos.encoded(Image.fromarray(shades), "PNG", icc_profile=profile)
    colorized, written = done(content)
    assert colorized.notes == ["its gray profile became sRGB"]
    assert "icc_profile" not in opened(written).info
    np.testing.assert_array_equal(colorized.photograph.luminance, gray_to_srgb(shades, profile))


def test_a_wide_profile_is_kept_and_gets_the_same_colors() -> None:
    """In a profile whose red, green and blue are other ones, the same color has other numbers."""
    profile = bytearray(photos.srgb_profile())
    # Red and blue change places.
    profile = bytearray(
        bytes(profile).replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    )
    flat = Image.new("RGB", (64, 64), (128, 128, 128))
    plain, _ = done(photos.encoded(flat, "PNG"), saturation=0.3)
    swapped, written = done(photos.encoded(flat, "PNG", icc_profile=bytes(profile)), saturation=0.3)
    assert opened(written).info["icc_profile"] == bytes(profile)
    difference = swapped.pixels[..., ::-1].astype(int) - plain.pixels
    # The luma of the numbers stays, which weighs blue less than red: shades differ, colors do not.
    chroma = difference - difference.mean(axis=-1, keepdims=True)
    assert np.abs(chroma).max() <= 3
    shown = previews(swapped, 64)[1].astype(int) - previews(plain, 64)[1]
    assert np.abs(shown - shown.mean(axis=-1, keepdims=True)).max() <= 4


def test_a_broken_profile_is_no_reason_to_fail() -> None:
    for broken in (
        b"nonsense",
        photos.srgb_profile()[:200],
        photos.gray_profile(b"none"),
    ):
        colorized, _ = done(photos.encoded(Image.fromarray(photos.gray()), "PNG", icc_profile=broken))
        assert colorized.notes == ["its ICC profile is broken: taken for sRGB"]


def test_a_label_is_drawn_upright_in_the_corner() -> None:
    for orientation in (1, 3, 6, 8):
        flat = Image.new("L", (400, 300), 200)
        content = photos.encoded(flat, "PNG", exif=photos.exif(orientation))
        plain, _ = done(content)
        labeled, _ = done(content, label=True)
        changed = (
            labeled.photograph.upright(labeled.pixels) != plain.photograph.upright(plain.pixels)
        ).any(axis=-1)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert rows.max() == changed.shape[0] - 1 and columns.min() == 0
        assert len(rows) < 25 and len(rows) < len(columns) < 150
    small, _ = done(photos.encoded(flat.resize((20, 20)), "PNG"), label=True)
    assert small.notes == ["it is too small for the visible label"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no image, or of an unknown format"),
        (b"This is a letter.", "no image, or of an unknown format"),
        (KINDS["gray, PNG"][:400], "truncated|broken|incomplete"),
        (KINDS["gray, JPEG"][:-200], "[Pp]remature end|truncated"),
        (KINDS["color, TIFF"][:-200], "truncated|not enough|cannot"),
        (KINDS["16 bits color, PNG"][:-300], "."),
        (KINDS["16 bits color, TIFF"][:-300], "."),
        (KINDS["color, WEBP"][:-200], "."),
        (
            photos.tiff(photos.gray().astype(np.float32)),
            "mode F have no known range",
        ),
        (
            photos.tiff(photos.gray().astype(np.uint32)),
            "mode I have no known range",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        read(content)
    assert "\n" not in str(error.value)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = photos.encoded(Image.new("1", (30000, 30000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(ValueError, match="30000×30000 pixels are 900 megapixels; --most-megapixels"):
        read(bomb)
    with pytest.raises(ValueError, match="allows more than 0.001"):
        read(KINDS["gray, PNG"], most_megapixels=0.001)


def test_first_of_several_pictures() -> None:
    frames = [Image.fromarray(photos.gray()), Image.new("L", (9, 9))]
    colorized, _ = done(photos.encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert colorized.notes == ["the first of its 2 pictures"]


def test_previews_are_small_upright_and_before_and_after() -> None:
    colorized, _ = done(KINDS["sepia, PNG"])
    before, after = previews(colorized, 30)
    assert before.shape == after.shape == (22, 30, 3)
    assert (
        np.abs(
            before.astype(int) - cv2.resize(photos.sepia(), (30, 22), interpolation=cv2.INTER_AREA)
        ).mean()
        < 5
    )
    assert colorfulness_of(after) > colorfulness_of(before) > 0
