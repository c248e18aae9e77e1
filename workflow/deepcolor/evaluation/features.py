"""What other networks see in photographs and predictions: what FID, KID and LPIPS are taken from.

Networks compute it once, on a GPU if there is one; measuring needs none of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.inception import inception_network
from deepcolor.evaluation.lpips import lpips_network
from deepcolor.evaluation.predict import streamed_array
from deepcolor.files import sha256


def extract_with(
    weights: Mapping[str, Path],
    pictures: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
    path: Path,
    *,
    size: int,
) -> dict[str, Any]:
    """Write what networks with weights from files see; see `extract_features`.

    Args:
        weights: Weights files of "inception" (FID, KID) and "lpips", either or both.
        pictures: Photographs and predictions in batches, see `predict.prediction_batches`.
        count: Number of photographs.
        path: `.npy` file to write.
        size: Side of the pictures in pixels.

    Returns:
        What `distances.measure_distances` needs to know of the networks: size, the name of the
        LPIPS network, and weights_sha256 by network.
    """
    build = {"inception": inception_network, "lpips": lpips_network}
    networks = {name: build[name](file, size) for name, file in weights.items()}
    extract_features(pictures, count, path, **networks)
    return {
        "size": size,
        "lpips": networks["lpips"].name if "lpips" in networks else None,
        "weights_sha256": {name: sha256(file) for name, file in weights.items()},
    }


def extract_features(
    pictures: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
    path: Path,
    *,
    inception: keras.Model | None = None,
    lpips: keras.Model | None = None,
) -> None:
    """Write what networks see in photographs and predictions. One batch is in memory at a time.

    Args:
        pictures: Photographs and predictions in batches, see `predict.prediction_batches`.
        count: Number of photographs.
        path: `.npy` file to write: a row per photograph with the fields `inception`, features of
            the photograph and the prediction, `(2, features)`, and `lpips`, their distance; float32.
            A field is there if its network is given.
        inception: See `inception_network`.
        lpips: See `deepcolor.evaluation.lpips.lpips_network`.

    Raises:
        DeepColorError: Features are infinite or no numbers.
    """
    fields: list[Any] = []
    if inception:
        fields.append(("inception", "<f4", (2, inception.output_shape[-1])))
    if lpips:
        fields.append(("lpips", "<f4"))
    dtype = np.dtype(fields)
    with streamed_array(path, (count,), dtype) as file:
        for batch in pictures:
            floats = [each.astype(np.float32) for each in batch]
            rows = np.empty(len(floats[0]), dtype)
            if inception:
                rows["inception"] = np.stack([_features(inception, each) for each in floats], axis=1)
            if lpips:
                rows["lpips"] = lpips.predict_on_batch(floats)
            file.write(rows.tobytes())


def _features(inception: keras.Model, pictures: np.ndarray) -> np.ndarray:
    found = inception.predict_on_batch(pictures)
    if not np.isfinite(found).all():
        raise DeepColorError(
            "evaluation.inception_weights: with these weights features are infinite or no numbers; "
            "name another file"
        )
    return found
