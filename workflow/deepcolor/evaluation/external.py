"""External predictions: pictures that another program has made of the inputs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.predict import Predictor
from deepcolor.files import listing
from deepcolor.imaging.decoding import read_square


def external_predictor(files: Mapping[tuple[str, str], Path], size: int) -> Predictor:
    """Return the predictor that reads pictures from files.

    Args:
        files: The picture of every image, by data set and id; see `find_predictions`.
        size: Side in pixels to which pictures of another size are resized.

    Raises:
        DeepColorError: On prediction, a picture cannot be read.
    """

    def predict(_: np.ndarray, images: pd.DataFrame) -> np.ndarray:
        pictures = []
        for image in images.itertuples(index=False):
            file = files[image.data_set, image.id]
            try:
                pictures.append(read_square(file, size)[0])
            except ValueError as error:
                raise DeepColorError(f"{file} cannot be read ({error}); make it anew") from error
        return np.stack(pictures)

    return predict


def find_predictions(
    folder: Path, names: Iterable[tuple[str, str]], run: str
) -> dict[tuple[str, str], Path]:
    """Return the files that another program has made of the images of a split.

    The picture of an image is `{data_set}/{id}` or `{id}` in the folder, with the suffix of any format
    that Pillow knows; other files are passed over.

    Args:
        folder: Folder of the files.
        names: Data set and id of the images.
        run: Name of the external predictions in the configuration, for messages.

    Returns:
        The file of every image, by data set and id.

    Raises:
        DeepColorError: An image has no picture or several, or two images have the same one.
    """
    files = _files_by_name(folder)
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


def _files_by_name(folder: Path) -> dict[str, list[Path]]:
    """Return the pictures in a folder by their paths in it, with and without suffix."""
    files: dict[str, list[Path]] = {}
    suffixes = Image.registered_extensions()
    for file in listing(folder):
        if file.suffix.lower() not in suffixes:
            continue
        own = file.relative_to(folder)
        for key in (own, own.with_suffix("")):  # Ids may be names of files, suffix and all.
            files.setdefault(key.as_posix(), []).append(file)
    return files
