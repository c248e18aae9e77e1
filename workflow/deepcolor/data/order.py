"""The order of the photographs of a data set: random, but always the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Order:
    """The order of the rows of a manifest: by split, and randomly within a split.

    Any run of consecutive rows, such as a shard, is a random sample of its split, even if the source
    is sorted by class. A row's place depends on its id, not on the photograph's content.

    Attributes:
        seed: Random seed of the data sets.
        data_set: Name of the data set.
    """

    seed: int
    data_set: str

    def key(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """Return what rows are sorted by: the split, and a SHA-256 digest of seed, data set and id.

        Args:
            row: Row of a manifest, with the keys "split" and "id".
        """
        name = f"{self.seed}/{self.data_set}/{row['id']}"
        return row["split"], hashlib.sha256(name.encode()).hexdigest()
