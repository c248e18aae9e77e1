"""What a data source is asked for, and what it yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Request:
    """What a data source is asked for.

    Attributes:
        seed: Of the order in which photographs are taken.
        count: Photographs wanted in all, by all ranges; more may be taken, as some are rejected.
        cache: Folder for downloads, shared by all data sets.
        range: The number, from 0, of the range whose candidates alone are yielded.
        ranges: How many there are. Each candidate of the source is in one of them.
    """

    seed: int
    count: int
    cache: Path
    range: int = 0
    ranges: int = 1

    def place_in(self, folder: Path) -> Path:
        """Where in a folder of downloads a range has its own: the folder itself for a single one."""
        return folder if self.ranges == 1 else folder / f"range-{self.range:05}-of-{self.ranges:05}"


@dataclass(frozen=True)
class Candidate:
    """A photograph, or a crop of one, that a data set may take.

    Attributes:
        id: Unique in the data set.
        path: The image file, None for a crop.
        crop: Cuts out a crop, None for a photograph.
        split: "training", "validation" or "test" where the source must decide; the source then
            also answers for keeping the splits apart. None where it does not care.
        source: URL or name in the source.
        license: Name of the license, "" where it is not known.
        credit: Whom to credit, "" where it is not known.
        group: The photograph that a crop comes from; "" for a whole photograph.
    """

    id: str
    path: Path | None = None
    crop: Callable[[], Image.Image] | None = None
    split: str | None = None
    source: str = ""
    license: str = ""
    credit: str = ""
    group: str = ""


@dataclass(frozen=True)
class Rejection:
    """A photograph that cannot be taken, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Needs:
    """What fetching a request's photographs will take, as far as it can be known before.

    Attributes:
        download: Bytes still to be downloaded, about.
        notes: What else there is to know, a sentence each.
    """

    download: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A source's photographs in the order in which they are taken, and what to know of them.

    Attributes:
        candidates: Yields candidates and rejections.
        revision: Version of the source.
        about: What the photographs are, one sentence.
        good_for: What figures from them can and cannot show, one sentence or two.
        terms: Terms of use, one sentence, "" where none are known.
        needs: Says what fetching will take; raises DeepColorError if it cannot succeed.
    """

    candidates: Callable[[], Iterator[Candidate | Rejection]]
    revision: str
    about: str
    good_for: str
    terms: str = ""
    needs: Callable[[], Needs] = Needs
