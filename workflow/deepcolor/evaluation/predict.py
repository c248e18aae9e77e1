"""Predictions of a split: one picture per image, stored as they are scored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing
from deepcolor.imaging.lab import to_8bit

if TYPE_CHECKING:  # They need TensorFlow; what is here does not.
    import keras

    from deepcolor.data.shards import Shards

BATCH_SIZE = 32

# From photographs, `(batch, size, size, 3)` uint8, and their rows of `Shards.images` to predictions of
# the same shape and type.
Predictor = Callable[[np.ndarray, pd.DataFrame], np.ndarray]


def predict_images(shards: "Shards", split: str, predictor: Predictor, path: Path) -> int:
    """Predict every image of a split and store the predictions. One batch is in memory at a time.

    Args:
        shards: Shards of the data sets.
        split: Name of the split.
        predictor: Network, external predictions or baseline.
        path: `.npy` file to write, `(n, size, size, 3)` uint8, in the order of `Shards.images`.

    Returns:
        The number of images.
    """
    images = shards.images(split)
    with streamed_array(path, (len(images), shards.size, shards.size, 3)) as file:
        done = 0
        for batch in shards.evaluation_batches(split, BATCH_SIZE):
            truth = batch.numpy()
            file.write(predictor(truth, images.iloc[done : done + len(truth)]).tobytes())
            done += len(truth)
    return len(images)


@contextmanager
def streamed_array(path: Path, shape: tuple[int, ...], dtype: Any = np.uint8) -> Iterator[BinaryIO]:
    """Give a file to write the bytes of an array to, whatever its size.

    Args:
        path: `.npy` file to write, whole or not at all.
        shape: Shape of the array.
        dtype: Type of its elements.
    """
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    # Written as a stream: a full disk is an error here, where a memory map would crash.
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def network_predictor(network: "keras.Model") -> Predictor:
    """Return the predictor of a network that maps luminance to RGB."""
    from deepcolor.imaging import color

    return lambda images, _: to_8bit(network.predict_on_batch(color.to_luminance(images)))


def prediction_batches(
    shards: "Shards", split: str, predictions: Path
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the photographs of a split and their predictions, in batches.

    Args:
        shards: Shards of the data sets.
        split: Name of the split.
        predictions: `.npy` file of `predict_images`.

    Yields:
        Photographs and predictions, `(batch, size, size, 3)` uint8.

    Raises:
        DeepColorError: The predictions are broken, or of other images.
    """
    remedy = "delete it and run the same command again"
    try:
        stored = np.load(predictions, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise DeepColorError(f"{predictions} is broken ({first_line(error)}); {remedy}") from error
    shape = (shards.count(split), shards.size, shards.size, 3)
    if stored.shape != shape or stored.dtype != np.uint8:
        raise DeepColorError(
            f"{predictions} is {stored.dtype} {stored.shape}, not uint8 {shape}; {remedy}"
        )
    for number, batch in enumerate(shards.evaluation_batches(split, BATCH_SIZE)):
        images = batch.numpy()
        yield images, np.asarray(stored[number * BATCH_SIZE : number * BATCH_SIZE + len(images)])
