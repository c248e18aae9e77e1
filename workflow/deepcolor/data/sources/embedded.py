"""The embedded data set: crops of color photographs that two Python packages carry."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from deepcolor.data.sources.base import Candidate, Rejection, Request, Source
from deepcolor.errors import first_line
from deepcolor.imaging.decoding import open_rgb


@dataclass(frozen=True)
class Photograph:
    """A photograph inside a package, with what its documentation says of its license."""

    package: str
    file: str
    license: str
    credit: str

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return Path(self.file).stem


PUBLIC_DOMAIN = "Public domain"
CC0 = "CC0"
CC_BY = "CC BY 2.0"
# The natural scenes among the packages' color pictures: microscopy, sky surveys, color wheels and
# pictures without a stated license are left out.
PHOTOGRAPHS = [
    Photograph("skimage", "data/astronaut.png", PUBLIC_DOMAIN, "Eileen Collins, NASA"),
    Photograph("skimage", "data/chelsea.png", CC0, "Chelsea the cat, Stefan van der Walt"),
    Photograph("skimage", "data/coffee.png", CC0, "Rachel Michetti, courtesy of Pikolo Espresso Bar"),
    Photograph("skimage", "data/rocket.jpg", PUBLIC_DOMAIN, "Launch of DSCOVR, SpaceX"),
    Photograph(
        "sklearn", "datasets/images/china.jpg", CC_BY,
        "danielbuechele, www.flickr.com/photos/danielbuechele/6061409035",
    ),
    Photograph(
        "sklearn", "datasets/images/flower.jpg", CC_BY,
        "vultilion, www.flickr.com/photos/vultilion/6056698931",
    ),
]  # fmt: skip
DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}


def photographs(request: Request, *, crop_size: int = 128) -> Source:
    """Square crops of the photographs inside scikit-image and scikit-learn.

    Each photograph is cut into upright bands, one crop wide or a little more, which go to training
    and validation in turn: no pixel is in both, and as scenes are layered from sky to ground, both
    see each photograph's colors. Every photograph gives the same number of crops, as far as it has
    them; their places are drawn with the seed, first from those that do not overlap.

    Args:
        request: What is asked for.
        crop_size: Side of a crop in pixels; a photograph of less than twice this width is rejected.
    """
    packages = " and ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS.values())
    return Source(
        candidates=partial(_candidates, request.seed, crop_size),
        revision=packages,
        about=(
            f"Crops of {crop_size}×{crop_size} pixels from {len(PHOTOGRAPHS)} color photographs that "
            f"{packages} carry. Training and validation crops come from alternating bands of the "
            "same photographs: they share scenes and colors, but no pixel."
        ),
        good_for=(
            "Good for trying the whole pipeline without a network, and for seeing whether a network "
            "learns at all. Not good for saying how well it colorizes photographs that it has not "
            "seen: every scene of the validation set is also in the training set, and there are "
            "only a handful."
        ),
        terms="Public domain, CC0 and CC BY 2.0: name the photographers that are listed below.",
    )


def _candidates(seed: int, crop_size: int) -> Iterator[Candidate | Rejection]:
    opened = []
    for photograph in PHOTOGRAPHS:
        path = Path(str(resources.files(photograph.package))) / photograph.file
        try:
            picture = open_rgb(path)
        except ValueError as error:
            yield Rejection(photograph.name, f"cannot be read: {first_line(error)}")
            continue
        if picture.width < 2 * crop_size or picture.height < crop_size:
            yield Rejection(photograph.name, f"too small: {picture.width}×{picture.height}")
            continue
        opened.append((photograph, picture))
    for split in ("training", "validation"):
        queues = [_crops(photograph, picture, split, seed, crop_size) for photograph, picture in opened]
        while queues:  # In turn, so that every photograph gives its share.
            for queue in list(queues):
                if queue:
                    yield queue.pop()
                else:
                    queues.remove(queue)


def _crops(
    photograph: Photograph, picture: Image.Image, split: str, seed: int, crop_size: int
) -> list[Candidate]:
    """All crops of one photograph for one split, in an order drawn with the seed."""
    bands = picture.width // crop_size
    step = crop_size // 4
    corners, grid = [], set()
    for band in range(0 if split == "training" else 1, bands, 2):
        left, right = band * picture.width // bands, (band + 1) * picture.width // bands
        for x in range(left, right - crop_size + 1, step):
            for y in range(0, picture.height - crop_size + 1, step):
                corners.append((x, y))
                if (x - left) % crop_size == 0 and y % crop_size == 0:
                    grid.add((x, y))
    # random.Random gives the same order on every machine and with every version of Python 3.
    random.Random(f"{seed}/{split}/{photograph.name}").shuffle(corners)
    # Taken from the end: first those of a grid, which do not overlap.
    corners.sort(key=lambda corner: corner in grid)
    return [
        Candidate(
            id=f"{photograph.name}-{x:04}-{y:04}",
            crop=partial(picture.crop, (x, y, x + crop_size, y + crop_size)),
            split=split,
            source=f"{DISTRIBUTIONS[photograph.package]}: {photograph.package}/{photograph.file}",
            license=photograph.license,
            credit=photograph.credit,
            group=photograph.name,
        )
        for x, y in corners
    ]
