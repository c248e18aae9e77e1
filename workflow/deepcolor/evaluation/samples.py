"""The images that figures show, and the inputs for other programs: picked from shards and stored."""

import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from deepcolor.files import replacing, replacing_folder
from deepcolor.imaging.lab import grayscale

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.data.shards import Shards


def draw_samples(shards: "Shards", split: str, count: int, seed: int, path: Path) -> int:
    """Draw images of a split at random, never by their looks, and store them for the figures.

    Writes a `.npz` with, an item per image: `row` (its place in the split), `data_set`, `id`,
    `truth` and `grayscale` (`(size, size, 3)` uint8), in the order of the split.

    Returns:
        The number of images drawn: `count`, or all where there are fewer.
    """
    images = shards.images(split)
    rows = draw_stratified(images["data_set"].to_list(), count, seed)
    truth = read_images(shards, split, rows)
    with replacing(path) as temporary:
        np.savez(
            temporary,
            row=rows,
            data_set=images["data_set"].iloc[rows].to_list(),
            id=images["id"].iloc[rows].to_list(),
            truth=truth,
            grayscale=grayscale(truth),
        )
    return len(rows)


def draw_extremes(
    shards: "Shards", split: str, scores: Mapping[str, Path], count: int, path: Path
) -> None:
    """Store the photographs that runs color best and worst, by mean CIEDE2000.

    Writes a `.npz` with, an item per image: `row` (its place in the split), `truth` and `grayscale`
    (`(size, size, 3)` uint8); and for every run `best_{run}` and `worst_{run}`, the rows of its images,
    the best and the worst first.

    Args:
        shards: Of the data sets.
        split: Which images.
        scores: per_image.csv by run.
        count: How many images of either kind, at most.
        path: File to write.
    """
    chosen = {}
    for run, file in scores.items():
        order = pd.read_csv(file)["ciede2000"].to_numpy().argsort(kind="stable")
        best = min(count, len(order) // 2)  # No image is among the best and the worst.
        worst = min(count, len(order) - best, max(best, 1))
        chosen[f"best_{run}"], chosen[f"worst_{run}"] = order[:best], order[::-1][:worst]
    rows = sorted({int(row) for each in chosen.values() for row in each})
    truth = read_images(shards, split, rows)
    with replacing(path) as temporary:
        np.savez(temporary, row=rows, truth=truth, grayscale=grayscale(truth), **chosen)


def draw_stratified(
    data_sets: Sequence[str], count: int, seed: int | str, taken: Collection[int] = ()
) -> list[int]:
    """Return places of images drawn at random, as many of every data set as far as it has them.

    Args:
        data_sets: Data set of every image.
        count: Number of images to draw; all where there are fewer.
        seed: Random seed of the draw.
        taken: Places of images that are not drawn again.
    """
    waiting = {
        name: [row for row, each in enumerate(data_sets) if each == name and row not in taken]
        for name in dict.fromkeys(data_sets)
    }
    shares = dict.fromkeys(waiting, 0)
    for _ in range(min(count, sum(map(len, waiting.values())))):
        free = [name for name in waiting if shares[name] < len(waiting[name])]
        shares[min(free, key=shares.__getitem__)] += 1
    return sorted(
        row
        for name, rows in waiting.items()
        for row in random.Random(f"{seed}").sample(rows, shares[name])
    )


def read_images(shards: "Shards", split: str, rows: Sequence[int]) -> np.ndarray:
    """Return images of a split by their places, in its order, `(n, size, size, 3)` uint8."""
    wanted = set(rows)
    picked = [
        image[0].numpy()
        for row, image in enumerate(shards.evaluation_batches(split, 1))
        if row in wanted
    ]
    return np.stack(picked) if picked else np.zeros((0, shards.size, shards.size, 3), np.uint8)


def export_inputs(shards: "Shards", split: str, folder: Path) -> int:
    """Write the input of every image as a grayscale PNG, `{data_set}/{id}.png`, for other programs.

    The folder appears when it is whole, and takes the place of one that is there.

    Returns:
        The number of pictures.
    """
    images = shards.images(split)
    names = zip(images["data_set"], images["id"], strict=True)
    with replacing_folder(folder) as parts:
        for (data_set, name), image in zip(names, shards.evaluation_batches(split, 1), strict=True):
            path = parts / data_set / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(grayscale(image.numpy())[0, ..., 0]).save(path)
    return len(images)
