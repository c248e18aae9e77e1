"""How photographs are colorized: what a user can turn."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Settings:
    """What decides, with the network, what a photograph becomes.

    Attributes:
        saturation: Factor of the predicted chroma; 0 gives a gray picture.
        vivid: How vivid colors shall be, from 0 for the most exact ones to 1 for ones as vivid as
            photographs'; for networks that predict color classes.
        tiles: Tiles along the shorter side, each of the network's own size, half overlapping and with
            the picture's aspect ratio; 0 squeezes the whole picture into one, as in training.
        flip_average: Whether the predictions of the picture and of its mirror image are averaged.
        keep_tint: Whether the tint of a toned print, such as sepia, is added to the predicted colors.
        label: Whether a visible mark is drawn.
        quality: Of JPEG and lossy WebP, 1 to 100; 0 keeps that of a JPEG file's luminance, and is 95 for
            all else.
    """

    saturation: float = 1.0
    vivid: float = 0.0
    tiles: int = 0
    flip_average: bool = False
    keep_tint: bool = False
    label: bool = False
    quality: int = 0

    def text(self) -> str:
        """All of it as JSON, the same for equal settings."""
        return json.dumps(asdict(self), sort_keys=True)
