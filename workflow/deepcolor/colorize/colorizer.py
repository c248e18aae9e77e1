"""One photograph, from the content of its file to the content of a colorized one."""

import math
import time
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from deepcolor.colorize import icc, xmp
from deepcolor.colorize.chroma import compose, differences, luma
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MAX_MEGAPIXELS, Photograph, read
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.tiling import predict_colors, working_picture
from deepcolor.colorize.visible_label import label
from deepcolor.imaging.colorfulness import colorfulness
from deepcolor.version import VERSION

MAX_XMP_BYTES = 65_000  # Bytes that a JPEG file has room for, about.


@dataclass
class Colorized:
    """A colorized photograph, not yet written.

    Attributes:
        photograph: What it was made of.
        pixels: `(height, width, 3)` RGB, or 4 with alpha, uint8 or uint16, as stored.
        xmp: Packet, with the mark.
        noted: What the mark says, see `xmp.NOTED`.
        notes: What there is to say of it, a sentence each.
    """

    photograph: Photograph
    pixels: np.ndarray
    xmp: bytes
    noted: dict[str, str]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """Limits of one photograph.

    Attributes:
        most_megapixels: Size in megapixels above which photographs are refused.
        max_seconds: Time in seconds for the predictions of all tiles, see `predict_colors`.
    """

    most_megapixels: float = MAX_MEGAPIXELS
    max_seconds: float = math.inf


def colorize(
    content: bytes,
    checksum: str,
    network: Network,
    settings: Settings,
    *,
    limits: Limits | None = None,
    workers: Executor | None = None,
) -> Colorized:
    """Colorize a photograph.

    Args:
        content: Content of the photograph's file.
        checksum: SHA-256 checksum of the content, in hexadecimal.
        network: Network that predicts the colors.
        settings: Settings of the picture.
        limits: Limits of size and time.
        workers: Threads for the parts of a large photograph.

    Raises:
        ValueError: The photograph cannot be read, or exceeds a limit.
    """
    limits = limits or Limits()
    photograph = read(content, limits.most_megapixels)
    notes = list(photograph.notes)
    color = settings.saturation * _predicted(photograph, network, settings, limits.max_seconds)
    if photograph.kind == "toned":
        notes.append("its tint is kept" if settings.keep_tint else "its tint is removed")
        if settings.keep_tint:
            color = color + _resized(_upright_tint(photograph), color.shape[1:])
    elif photograph.kind == "color":
        notes.append("it had colors; they are replaced")
    pixels = _composed(photograph, color, workers)
    if settings.label and not label(photograph.upright(pixels)):
        notes.append("it is too small for the visible label")
    noted = {
        "Software": f"DeepColor {VERSION}",
        "Model": network.name,
        "ModelSHA256": network.sha256,
        "InputSHA256": checksum,
        "Settings": settings.text(),
        "Time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return Colorized(photograph, pixels, _marked(photograph, noted, notes), noted, notes)


def _composed(photograph: Photograph, color: np.ndarray, workers: Executor | None) -> np.ndarray:
    """Return the pixels of a photograph with new colors, as stored."""
    height, width = photograph.luminance.shape
    channels = 3 if photograph.alpha is None else 4
    pixels = np.empty((height, width, channels), photograph.luminance.dtype)
    compose(
        photograph.upright(photograph.luminance), color, photograph.upright(pixels)[..., :3], workers
    )
    if photograph.alpha is not None:
        pixels[..., 3] = photograph.alpha
    return pixels


def _marked(photograph: Photograph, noted: dict[str, str], notes: list[str]) -> bytes:
    """Return the photograph's XMP packet with the mark; add to the notes what is left out."""
    if photograph.xmp and not xmp.is_readable(photograph.xmp):
        notes.append("its XMP metadata cannot be read and are left out")
    packet = xmp.mark(photograph.xmp, noted)
    if photograph.format == "JPEG" and len(packet) > MAX_XMP_BYTES:
        packet = xmp.mark(b"", noted)
        notes.append("its XMP metadata leave no room for the mark and are left out")
    return packet


def _predicted(
    photograph: Photograph, network: Network, settings: Settings, max_seconds: float
) -> np.ndarray:
    """The predicted colors, upright, `(2, height, width)` of `chroma.differences`.

    Networks know sRGB. Where a photograph has a profile of its own, the small picture that the network
    sees is converted to sRGB and its prediction back; the photograph itself never is.
    """
    upright = photograph.upright(photograph.luminance)
    small = working_picture(upright, network.size, settings.tiles)
    profile = photograph.profile
    if profile:
        gray = np.repeat(_to_8bit(small)[..., None], 3, axis=-1)
        small = luma(icc.from_profile(gray, profile)) / np.float32(255)
    predict = network.predict
    if settings.vivid and (vividly := network.predict_vivid):
        predict = partial(vividly, vividness=settings.vivid)
    rgb = predict_colors(small, predict, network.size, settings.flip_average, max_seconds)
    if profile:
        rgb = icc.to_profile(_to_8bit(rgb), profile).astype(np.float32) / 255
    return differences(rgb)


def previews(done: Colorized, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Small upright pictures in sRGB of a photograph as it was and as it is.

    Args:
        done: The colorized photograph.
        longest: Their longer side in pixels, at most.

    Returns:
        Before and after, `(height, width, 3)` uint8 each.
    """
    photograph = done.photograph
    after = np.ascontiguousarray(photograph.upright(_shrunk(done.pixels[..., :3], longest)))
    gray = photograph.upright(_shrunk(photograph.luminance, longest))
    before = np.empty((*gray.shape, 3), gray.dtype)
    compose(gray, _upright_tint(photograph), before)
    if before.dtype == np.uint16:
        before, after = ((each >> 8).astype(np.uint8) for each in (before, after))
    if photograph.profile:
        before, after = (icc.from_profile(each, photograph.profile) for each in (before, after))
    return before, after


def colorfulness_of(preview: np.ndarray) -> float:
    """The colorfulness of a preview, with one decimal."""
    return round(colorfulness(preview), 1)


def _upright_tint(photograph: Photograph) -> np.ndarray:
    return np.moveaxis(photograph.upright(np.moveaxis(photograph.tint, 0, -1)), -1, 0)


def _resized(color: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = shape[1], shape[0]
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in color])


def _shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = min(1, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Of a large picture some rows will do: still two or more make one.
    pixels = pixels[:: max(1, height // (4 * size[1]))]
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)


def _to_8bit(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
