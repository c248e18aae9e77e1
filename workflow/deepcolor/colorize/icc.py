"""ICC profiles: of the colors that are predicted and written, and of gray scans."""

import struct
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

WHITE_OF_LAB = 100.0
# Larger profiles are left out. Those of printers, with tables both ways, have up to some 3 MB.
MAX_BYTES = 4_000_000
# Conversions that are kept, with their profiles: there and back of two.
MAX_TRANSFORMS = 4


def space_of(profile: bytes) -> str:
    """The color space of a profile, such as "RGB", "GRAY" or "CMYK"; "" of none or a broken one."""
    return profile[16:20].decode("latin-1").strip() if profile[36:40] == b"acsp" else ""


def split(profile: bytes) -> tuple[bytes, bytes]:
    """A profile as one of RGB colors, or as one of a gray scan; b"" for what it is not.

    Raises:
        OSError, ImageCms.PyCMSError: It is broken.
    """
    space = space_of(profile)
    if space == "RGB":
        _transform(profile, True)
        return profile, b""
    if profile and not space:
        raise OSError("no profile")
    return b"", profile if space == "GRAY" else b""


def leads_back(profile: bytes) -> bool:
    """Whether colors can be converted to a profile of RGB, too: those of some scanners lead one way."""
    try:
        _transform(profile, False)
    except ImageCms.PyCMSError:
        return False
    return True


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert CMYK or CIELAB to sRGB, by its profile if it has one."""
    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif space_of(profile) == image.mode:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
    else:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(
        image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None
    return converted


def from_profile(rgb: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert small 8-bit pictures, `(height, width, 3)`, from a profile's colors to sRGB."""
    return _apply(_transform(profile, True), rgb)


def to_profile(rgb: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert small 8-bit pictures, `(height, width, 3)`, from sRGB to a profile's colors."""
    return _apply(_transform(profile, False), rgb)


def _apply(transform: ImageCms.ImageCmsTransform, rgb: np.ndarray) -> np.ndarray:
    converted = ImageCms.applyTransform(Image.fromarray(rgb), transform)
    assert converted is not None
    return np.asarray(converted)


@lru_cache(MAX_TRANSFORMS)
def _transform(profile: bytes, to_srgb: bool) -> ImageCms.ImageCmsTransform:
    own, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
    source, target = (own, srgb) if to_srgb else (srgb, own)
    return ImageCms.buildTransform(source, target, "RGB", "RGB")


def gray_to_srgb(luminance: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert a gray picture from its own tone curve to sRGB's, at its full depth.

    Args:
        luminance: `(height, width)` uint8 or uint16.
        profile: ICC profile of a gray device.

    Raises:
        ValueError: The profile has no curve.
    """
    most = np.iinfo(luminance.dtype).max
    values = tone_curve(profile, np.arange(most + 1) / most)
    if profile[20:24] == b"Lab ":  # The curve gives L*.
        f = (values * WHITE_OF_LAB + 16) / 116
        values = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    values = np.clip(values, 0, 1)
    encoded = np.where(
        values > 0.0031308, 1.055 * np.maximum(values, 0.0031308) ** (1 / 2.4) - 0.055, 12.92 * values
    )
    return np.rint(encoded * most).astype(luminance.dtype)[luminance]


def tone_curve(profile: bytes, values: np.ndarray) -> np.ndarray:
    """Apply the tone curve of a gray profile (tag kTRC; ICC.1:2022, 10.6 and 10.18).

    Args:
        profile: ICC profile.
        values: Of the device, in [0, 1].

    Returns:
        Luminance, or L* / 100 if the profile connects to Lab, in [0, 1].

    Raises:
        ValueError: It has no curve of a known kind.
    """
    tags = {}
    for number in range(int.from_bytes(profile[128:132], "big")):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags[name] = profile[offset : offset + size]
    curve = tags.get(b"kTRC", b"")
    if curve[:4] == b"curv":
        count = int.from_bytes(curve[8:12], "big")
        points = np.frombuffer(curve, ">u2", count, 12)
        if count == 0:
            return values
        if count == 1:
            return values ** (points[0] / 256)
        return np.interp(values, np.linspace(0, 1, count), points / 65535)
    if curve[:4] == b"para":
        kind = int.from_bytes(curve[8:10], "big")
        g, *rest = np.frombuffer(curve, ">i4", (1, 3, 4, 5, 7)[kind], 12) / 65536
        a, b = rest[:2] or (1, 0)
        c, d = (0, -b / a) if kind < 3 else rest[2:4]  # The straight piece's slope, and its end.
        e, f = (rest[2], rest[2]) if kind == 2 else rest[4:] or (0, 0)  # What is added.
        return np.where(values >= d, np.maximum(a * values + b, 0) ** g + e, c * values + f)
    raise ValueError("its gray profile has no tone curve; save it without a profile")
