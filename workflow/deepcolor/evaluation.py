"""Predictions of a trained network, and what they score."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import keras
import numpy as np
import pandas as pd

from deepcolor import color, metrics
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing, write_json

if TYPE_CHECKING:  # It needs TensorFlow; what is here does not.
    from deepcolor.shards import Shards

BATCH_SIZE = 32


def load_network(path: Path, image_size: int) -> keras.Model:
    """Load a saved network.

    Raises:
        DeepColorError: The file is broken, or the network is for pictures of another size.
    """
    try:
        network = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DeepColorError(
            f"{path} cannot be loaded ({first_line(error)}); delete it and run the same command again"
        ) from error
    if network.input_shape[1:] != (image_size, image_size, 1):
        raise DeepColorError(
            f"{path} takes {network.input_shape[1:]}, the shards have side {image_size}; "
            "delete it and run the same command again"
        )
    return network


def to_8bit(rgb: np.ndarray) -> np.ndarray:
    """Round floats in [0, 1] to uint8."""
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def grayscale(images: np.ndarray) -> np.ndarray:
    """The input as a picture: `(n, height, width, 3)` uint8 RGB to the same with R = G = B."""
    luminance = keras.ops.convert_to_numpy(color.to_luminance(images))
    return np.repeat(to_8bit(luminance), 3, axis=-1)


def evaluate_network(
    network: keras.Model, shards: "Shards", split: str, predictions: Path
) -> pd.DataFrame:
    """Predict every image of a split and compare it with the photograph.

    Figures are taken from the predictions as they are stored, 8-bit, so that anybody can take them
    again. One batch is in memory at a time.

    Args:
        network: From luminance to RGB.
        shards: Of the data sets.
        split: Which images.
        predictions: A `.npy` file to write, `(n, size, size, 3)` uint8, in the order of the rows.

    Returns:
        A row per image: data_set, id, and the columns of `metrics.per_image`.
    """
    shape = (shards.count(split), shards.size, shards.size, 3)
    # Written as a stream: a full disk is an error here, where a memory map would crash.
    with replacing(predictions) as temporary, open(temporary, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

        def predict(images: np.ndarray) -> np.ndarray:
            predicted = to_8bit(network.predict_on_batch(color.to_luminance(images)))
            file.write(predicted.tobytes())
            return predicted

        return _score(shards, split, predict)


def evaluate_grayscale(shards: "Shards", split: str) -> pd.DataFrame:
    """Compare the input itself, unchanged, with the photograph; see `evaluate_network`."""
    return _score(shards, split, grayscale)


def _score(shards: "Shards", split: str, predict: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Score `predict` over a split, batch by batch."""
    parts = []
    for batch in shards.evaluation_batches(split, BATCH_SIZE):
        images = batch.numpy()
        parts.append(metrics.per_image(images, predict(images)))
    names = pd.DataFrame(shards.names(split), columns=["data_set", "id"])
    return pd.concat([names, pd.concat(parts, ignore_index=True)], axis=1)


def draw_samples(shards: "Shards", split: str, count: int, seed: int, path: Path) -> int:
    """Draw images of a split at random, never by their looks, and store them for the figures.

    Writes a `.npz` with, an item per image: `row` (its place in the split), `data_set`, `id`,
    `truth` and `grayscale` (`(size, size, 3)` uint8), in the order of the split.

    Returns:
        The number of images drawn: `count`, or all where there are fewer.
    """
    names = list(shards.names(split))
    rows = sorted(random.Random(f"{seed}").sample(range(len(names)), min(count, len(names))))
    wanted, truth = set(rows), []
    dataset = shards.evaluation_batches(split, 1)
    for row, image in enumerate(dataset):
        if row in wanted:
            truth.append(image[0].numpy())
    with replacing(path) as temporary:
        np.savez(
            temporary,
            row=rows,
            data_set=[names[row][0] for row in rows],
            id=[names[row][1] for row in rows],
            truth=truth,
            grayscale=grayscale(np.stack(truth)),
        )
    return len(rows)


def write_scores(scores: pd.DataFrame, per_image: Path, summary: Path) -> str:
    """Write per_image.csv and metrics.json; say the mean PSNR in a few words."""
    with replacing(per_image) as temporary:
        scores.to_csv(temporary, index=False, lineterminator="\n")
    content = metrics.summarize(scores)
    write_json(summary, content)
    return f"PSNR {content['all']['psnr']:.2f} dB on {content['all']['n']} images"
