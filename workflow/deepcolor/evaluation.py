"""Predictions of a trained network, and what they score."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from deepcolor import lab, metrics
from deepcolor.decoding import read_square
from deepcolor.errors import DeepColorError
from deepcolor.files import listing, replacing
from deepcolor.lab import grayscale, to_8bit

if TYPE_CHECKING:  # They need TensorFlow; what is here does not.
    import keras

    from deepcolor.shards import Shards

BATCH_SIZE = 32


def evaluate_network(
    network: "keras.Model", shards: "Shards", split: str, predictions: Path, threads: int = 1
) -> pd.DataFrame:
    """Predict every image of a split and compare it with the photograph.

    Figures are taken from the predictions as they are stored, 8-bit, so that anybody can take them
    again. One batch is in memory at a time.

    Args:
        network: From luminance to RGB.
        shards: Of the data sets.
        split: Which images.
        predictions: A `.npy` file to write, `(n, size, size, 3)` uint8, in the order of the rows.
        threads: CPU threads that measure.

    Returns:
        A row per image: data_set, id, and the columns of `metrics.per_image`.
    """
    from deepcolor import color

    def predict(images: np.ndarray, _: pd.DataFrame) -> np.ndarray:
        return to_8bit(network.predict_on_batch(color.to_luminance(images)))

    return _evaluate(shards, split, predict, threads, predictions)


def evaluate_pictures(
    files: Mapping[tuple[str, str], Path],
    shards: "Shards",
    split: str,
    predictions: Path,
    threads: int = 1,
) -> pd.DataFrame:
    """Compare pictures that another program has made with the photographs; see `evaluate_network`.

    Args:
        files: The picture of every image, by data set and id; of another size, it is resized.
        shards: Of the data sets.
        split: Which images.
        predictions: See `evaluate_network`.
        threads: CPU threads that measure.

    Raises:
        DeepColorError: A picture cannot be read.
    """

    def predict(_: np.ndarray, names: pd.DataFrame) -> np.ndarray:
        pictures = []
        for name in names.itertuples(index=False):
            try:
                pictures.append(read_square(files[name.data_set, name.id], shards.size)[0])
            except ValueError as error:
                raise DeepColorError(
                    f"{files[name.data_set, name.id]} cannot be read ({error}); make it anew"
                ) from error
        return np.stack(pictures)

    return _evaluate(shards, split, predict, threads, predictions)


def evaluate_baseline(baseline: str, shards: "Shards", split: str, threads: int = 1) -> pd.DataFrame:
    """Score what needs no network; see `evaluate_network`.

    Args:
        baseline: A key of `names.BASELINES`.
        shards: Of the data sets.
        split: Which images.
        threads: CPU threads that measure.
    """
    average = training_chroma(shards) if baseline == "mean-chroma" else np.zeros(0)
    predict = {
        "grayscale-copy": grayscale,
        "mean-chroma": lambda images: _constant_chroma(images, average),
        "mean-chroma-oracle": lambda images: _constant_chroma(images, _mean_chroma(images)),
        "true-chroma": lambda images: metrics.with_luminance(images, images),
    }[baseline]
    return _evaluate(shards, split, lambda images, _: predict(images), threads)


def training_chroma(shards: "Shards") -> np.ndarray:
    """The mean a* and b* of all training images: `(2, 1, 1)` float32."""
    means = [_mean_chroma(batch.numpy()) for batch in shards.evaluation_batches("training", BATCH_SIZE)]
    return np.concatenate(means).mean(axis=0, dtype=np.float64).astype("float32")


def _mean_chroma(images: np.ndarray) -> np.ndarray:
    """The mean a* and b* of each image: `(n, height, width, 3)` uint8 to `(n, 2, 1, 1)`."""
    return lab.to_lab(images)[:, 1:].mean(axis=(2, 3), keepdims=True)


def _constant_chroma(images: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Images with their own luminance and the same chroma everywhere, `(…, 2, 1, 1)`."""
    lightness = lab.lightness(images)[:, None]
    planes = np.broadcast_to(chroma, (len(images), 2, *lightness.shape[2:]))
    return lab.to_rgb(np.concatenate([lightness, planes], axis=1))


def _evaluate(
    shards: "Shards",
    split: str,
    predict: Callable[[np.ndarray, pd.DataFrame], np.ndarray],
    threads: int,
    predictions: Path | None = None,
) -> pd.DataFrame:
    """Score `predict` over a split, batch by batch, and store what it gives."""
    names = pd.DataFrame(shards.names(split), columns=["data_set", "id"])
    shape = (len(names), shards.size, shards.size, 3)
    parts = []
    with ExitStack() as stack:
        file = None
        if predictions is not None:
            # Written as a stream: a full disk is an error here, where a memory map would crash.
            file = stack.enter_context(open(stack.enter_context(replacing(predictions)), "wb"))
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
        workers = stack.enter_context(ThreadPoolExecutor(threads))
        done = 0
        for batch in shards.evaluation_batches(split, BATCH_SIZE):
            images = batch.numpy()
            predicted = predict(images, names.iloc[done : done + len(images)])
            done += len(images)
            if file is not None:
                file.write(predicted.tobytes())
            parts.append(metrics.per_image(images, predicted, workers))
    return pd.concat([names, pd.concat(parts, ignore_index=True)], axis=1)


def find_pictures(
    folder: Path, names: Iterable[tuple[str, str]], run: str
) -> dict[tuple[str, str], Path]:
    """The files that another program has made of the images of a split.

    The picture of an image is `{data_set}/{id}` or `{id}` in the folder, with the suffix of any format
    that Pillow knows; other files are passed over.

    Args:
        folder: Where the files are.
        names: Data set and id of the images.
        run: Name of the pictures in the configuration, for messages.

    Returns:
        The file of every image, by data set and id.

    Raises:
        DeepColorError: Some have none, or several, or two the same one.
    """
    files: dict[str, list[Path]] = {}
    suffixes = Image.registered_extensions()
    for file in listing(folder):
        if file.suffix.lower() not in suffixes:
            continue
        own = file.relative_to(folder)
        for key in (own, own.with_suffix("")):  # Ids may be names of files, suffix and all.
            files.setdefault(key.as_posix(), []).append(file)
    found, missing = {}, []
    of: dict[Path, str] = {}  # The data set that a file is taken for.
    for data_set, name in names:
        matches = [file for key in (f"{data_set}/{name}", name) for file in files.get(key, [])]
        if len(matches) > 1:
            raise DeepColorError(
                f"{matches[0]} and {matches[1]} are both a picture of '{name}'; keep one of them"
            )
        if matches:
            if other := of.get(matches[0]):
                raise DeepColorError(
                    f"{matches[0]} would be the picture of two images; put it into the folder of its "
                    f"data set, {other} or {data_set}"
                )
            of[matches[0]] = data_set
            found[data_set, name] = matches[0]
        else:
            missing.append(f"{data_set}/{name}")
    if missing:
        raise DeepColorError(
            f"models.{run}.predictions: of {len(missing)} images there is no picture in {folder}, "
            f"such as {missing[0]}.png; what to make them from: snakemake --cores 1 results/inputs"
        )
    return found
