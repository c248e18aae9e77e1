"""The tables of data sets and of the photographs' sources and credits."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from deepcolor.data.manifest import chunks, distinct, read_manifest
from deepcolor.files import read_json

SPLITS = ("training", "validation", "test")


def tabulate_data(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """Tabulate data sets, a row each: counts, photographs, rejections, content and purpose.

    Args:
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
    """
    rows = []
    for description, manifest in zip(about, manifests, strict=True):
        content = read_json(description)
        rejected = content["rejected"]
        licenses = set().union(*(rows["license"] for rows in chunks(manifest, ["license"])))
        rows.append(
            {
                "data_set": content["name"],
                **{split: content["delivered"].get(split, 0) for split in SPLITS},
                "asked": sum(content["asked"].values()),
                "delivered": sum(content["delivered"].values()),
                "photographs": distinct(rows["group"] for rows in chunks(manifest, ["group"])),
                "rejected": sum(rejected.values()),
                "reasons": "; ".join(f"{reason}: {count}" for reason, count in rejected.items()),
                "licenses": "; ".join(sorted(licenses - {""})) or "not stated",
                "near_duplicates": content["near_duplicates"],
                "revision": content["revision"],
                "terms": content["terms"],
                "about": content["about"],
                "good_for": content["good_for"],
            }
        )
    return pd.DataFrame(rows)


def tabulate_credits(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """Tabulate photographs, a row each: source, license, credit and number of images.

    Args:
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
    """
    parts = []
    for description, manifest in zip(about, manifests, strict=True):
        keys = ["group", "source", "license", "credit"]
        counted = read_manifest(manifest, keys).groupby(keys, as_index=False).size()
        counted.insert(0, "data_set", read_json(description)["name"])
        parts.append(counted.rename(columns={"group": "photograph", "size": "images"}))
    return pd.concat(parts, ignore_index=True)
