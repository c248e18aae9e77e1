"""The data sets of a configuration, and what follows from it for each."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcolor.config.options import options
from deepcolor.config.registry import CURATED_SOURCES, SOURCES
from deepcolor.config.validation import check_names, check_options
from deepcolor.errors import DeepColorError, did_you_mean

ENVS = Path(__file__).parents[3] / "envs"
SPLITS = ("training", "validation", "test")

# Shards of a split, and ranges, that a data set may have at most.
MAX_PARTS = 10_000

# Keys of a data set that are not options of its source.
DATA_SET_KEYS = {"source", *SPLITS, "checks"}


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        name: Name in the configuration.
        source: Name of the source, a key of `registry.SOURCES`.
        options: Options of the source, by name.
        images: Number of images asked for, by split; without splits that have none.
        checks: Quality checks of photographs; None for a curated source.
    """

    name: str
    source: str
    options: dict[str, Any]
    images: dict[str, int]
    checks: dict[str, Any] | None

    @property
    def lister(self) -> str:
        """Return the "module:function" that lists the source's photographs."""
        return SOURCES[self.source]

    @property
    def environment(self) -> str:
        """Return the environment of envs/ for fetching: the source's own if it has one."""
        return self.source if (ENVS / f"{self.source}.in").exists() else "data"

    def ranges(self, images_per_range: int) -> int:
        """Return the number of ranges in which photographs are fetched; 1 for a curated source."""
        if self.checks is None:
            return 1
        return math.ceil(sum(self.images.values()) / images_per_range)

    def shards(self, split: str, images_per_shard: int) -> int:
        """Return the number of shards of a split."""
        return math.ceil(self.images[split] / images_per_shard)


def data_sets(config: dict[str, Any]) -> list[DataSet]:
    """Return the data sets in use, in the configuration's order."""
    used = []
    for name in config["compare"].get("data_sets", config["data_sets"]):
        entry = config["data_sets"][name]
        checks = None
        if entry["source"] not in CURATED_SOURCES:
            checks = {**entry["checks"]}
            if checks["min_side"] is None:
                checks["min_side"] = config["image_size"]
        used.append(
            DataSet(
                name=name,
                source=entry["source"],
                options=options(SOURCES[entry["source"]], entry),
                images={split: entry[split] for split in SPLITS if entry[split]},
                checks=checks,
            )
        )
    return used


def images(config: dict[str, Any], names: Collection[str] | None = None) -> dict[str, int]:
    """Return the number of images by split, of all data sets in use or of those named."""
    used = [data_set for data_set in data_sets(config) if names is None or data_set.name in names]
    return {split: sum(data_set.images.get(split, 0) for data_set in used) for split in SPLITS}


def find_data_set(config: dict[str, Any], name: str) -> DataSet:
    """Return the data set of that name.

    Raises:
        DeepColorError: No data set in use has this name.
    """
    known = {data_set.name: data_set for data_set in data_sets(config)}
    if name not in known:
        raise DeepColorError(
            f"Unknown data set '{name}'{did_you_mean(name, known)} "
            f"Data sets in use (compare.data_sets): {', '.join(known)}."
        )
    return known[name]


def compared_before(config: dict[str, Any], data_set: DataSet) -> list[DataSet]:
    """Return the data sets in use before one, which are also searched for its near-duplicates.

    They are trained and evaluated on together: a training photograph of one must not be a
    validation photograph of another, nor a copy of it.
    """
    if data_set.checks is None:
        return []
    used = data_sets(config)
    return [earlier for earlier in used[: used.index(data_set)] if earlier.checks is not None]


def check_data_sets(config: dict[str, Any], given: dict[str, Any]) -> None:
    """Check all data sets, and more closely those in use.

    Args:
        config: Configuration with defaults.
        given: Configuration as the user wrote it.

    Raises:
        DeepColorError: A source, an option or a file is unknown, or keys contradict one another.
    """
    for name, entry in config["data_sets"].items():
        check_names(f"data_sets.{name}.source", [entry["source"]], SOURCES)
        what = f"source '{entry['source']}'"
        check_options(f"data_sets.{name}", what, SOURCES[entry["source"]], entry, DATA_SET_KEYS)
        if entry["source"] in CURATED_SOURCES:
            for key in ("checks", "test"):
                if key in given.get("data_sets", {}).get(name, {}):
                    raise DeepColorError(f"data_sets.{name}: {what} has no option '{key}'; take it out")
    used = data_sets(config)
    for data_set in used:
        _check_parts(data_set, config)
    for data_set in used:
        _check_used(data_set, config["evaluation"]["split"])
    embedded = [data_set.name for data_set in used if data_set.source == "photographs"]
    if len(embedded) > 1:
        raise DeepColorError(
            f"compare.data_sets: {' and '.join(embedded)} are cut from the same photographs, so that "
            "training would see pixels of the validation images; select one of them"
        )


def _check_used(data_set: DataSet, evaluated: str) -> None:
    """Refuse a data set in use whose files or evaluated images are missing."""
    folder = data_set.options.get("folder")
    if folder is not None and not Path(folder).is_dir():
        raise DeepColorError(
            f"data_sets.{data_set.name}.folder: there is no folder {folder}; make it and put "
            "photographs there, or name another"
        )
    listed = data_set.options.get("list")
    if listed and not Path(listed).is_file():
        raise DeepColorError(
            f"data_sets.{data_set.name}.list: there is no file {listed}; write the path of a "
            "photograph in the folder on every line of it, or leave the key out"
        )
    if evaluated not in data_set.images:
        remedy = "evaluate on validation"
        if data_set.checks is not None:
            remedy = f"give it '{evaluated}: 1000', or {remedy}"
        raise DeepColorError(
            f"evaluation.split: data set '{data_set.name}' has no {evaluated} images; {remedy}"
        )


def _check_parts(data_set: DataSet, config: dict[str, Any]) -> None:
    """Refuse a data set in more shards or ranges than Snakemake can plan in a minute."""
    shards = [data_set.shards(split, config["images_per_shard"]) for split in data_set.images]
    parts = {
        "images_per_shard": max(shards),
        "images_per_range": data_set.ranges(config["images_per_range"]),
    }
    for key, count in parts.items():
        if count > MAX_PARTS:
            least = math.ceil(config[key] * count / MAX_PARTS)
            raise DeepColorError(
                f"{key}: {config[key]} is too small for data set '{data_set.name}', which would have "
                f"{count:,} parts, more than {MAX_PARTS:,}; set it to at least {least}"
            )
