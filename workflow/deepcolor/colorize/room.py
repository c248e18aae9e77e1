"""How many megapixels are in memory at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcolor.imaging import bounds

# Megapixels in work at a time, except for a single larger photograph: some 10 bytes each, 16 with 16
# bits.
MEGAPIXELS_AT_A_TIME = 100


class Room:
    """A limit on the megapixels in work at a time."""

    def __init__(self, most: float) -> None:
        """Limit the megapixels to `most`, except for a single photograph that has more."""
        self._most, self._used = most, 0.0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, megapixels: float) -> Iterator[None]:
        """Wait until there is room for a photograph, and reserve it for a block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + megapixels <= self._most)
            self._used += megapixels
        try:
            yield
        finally:
            with self._changed:
                self._used -= megapixels
                self._changed.notify_all()


def megapixels_of(path: Path) -> float:
    """Return the size of an image file in megapixels; 0 of a broken one, which takes no room."""
    try:
        with bounds.read_header(path) as image:
            return image.width * image.height / 1e6
    except Exception:  # What is wrong with it is said when it is read.
        return 0.0
