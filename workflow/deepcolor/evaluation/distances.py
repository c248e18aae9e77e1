"""Distances that need other networks' weights: FID and KID between sets of pictures, and LPIPS.

None of them is taken by default. FID and KID rest on InceptionV3 as Keras publishes it and on how
pictures are resized for it: they compare runs of one report, and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.inception import FEATURES, SIDE, inception_network
from deepcolor.evaluation.lpips import lpips_network
from deepcolor.files import sha256

BATCH_SIZE = 32
MIN_IMAGES = 50  # Images below which FID and KID say nothing.
KEPT = 10_000  # Images whose features are kept for KID: 80 MB a set.
SUBSET, SUBSETS = 1000, 100  # Images in a subset, and subsets, as in the code of KID's authors.

_FEATURES_OF = (
    f"{FEATURES} features of Keras's InceptionV3 (average pooling), of pictures resized to "
    f"{SIDE}x{SIDE} (bicubic, antialiased, clipped to 0 to 255). Published values rest on other "
    "networks, resizing and images: comparable within this report alone, on the same images."
)
DEFINITIONS = {
    "fid": {
        "definition": "Fréchet distance between normal distributions fitted to the predictions and to "
        f"the photographs (Heusel et al. 2017), in {_FEATURES_OF}",
        "unit": "1",
    },
    "kid": {
        "definition": "Squared maximum mean discrepancy between predictions and photographs with the "
        "kernel (x.y / d + 1)^3 (Binkowski et al. 2018); unbiased, and so at times below 0: no image is "
        "compared with itself nor with its own photograph. Mean over subsets drawn with the seed, the "
        "same images of both; subsets overlap, so that their standard deviation is no standard error. "
        f"In {_FEATURES_OF}",
        "unit": "1",
    },
    "lpips": {
        "definition": "Learned perceptual image patch similarity, version 0.1 (Zhang et al. 2018), of "
        "each image; mean and standard deviation over images. 0: the same. Published values are of "
        "other images, at other sizes, and of AlexNet's or VGG16's features, which differ.",
        "unit": "1",
    },
}


@dataclass(frozen=True)
class Moments:
    """What FID needs to know of a set of features, whatever its size.

    Attributes:
        count: Number of images.
        mean: `(features,)` float64.
        scatter: `(features, features)` float64: the sum of the outer products of what differs from the
            mean; divided by count - 1, the covariance.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray


def add_moments(moments: Moments | None, features: np.ndarray) -> Moments:
    """The moments of some images and more of them, `(n, features)`.

    Pairwise, as of T. Chan, G. Golub, R. LeVeque, "Updating Formulae and a Pairwise Algorithm for
    Computing Sample Variances" (1979): sums of squares would lose digits.
    """
    features = features.astype(np.float64)
    mean = features.mean(axis=0)
    centered = features - mean
    more = Moments(len(features), mean, centered.T @ centered)
    if moments is None:
        return more
    count = moments.count + more.count
    shift = more.mean - moments.mean
    return Moments(
        count,
        moments.mean + shift * more.count / count,
        moments.scatter + more.scatter + np.outer(shift, shift) * (moments.count * more.count / count),
    )


def fid(first: Moments, second: Moments) -> float:
    """Fréchet distance between normal distributions with these moments, at least 0.

    |m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2)); source: M. Heusel et al., "GANs Trained by a Two
    Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017). With C = B'B, the trace of the
    root is the sum of the singular values of B1 B2': real for covariances of any rank.

    Args:
        first: Of 2 images or more.
        second: Likewise.
    """
    roots = [_root(each.scatter / (each.count - 1)) for each in (first, second)]
    common = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(float(np.square(root).sum()) for root in roots)
    shift = float(np.square(first.mean - second.mean).sum())
    return max(0.0, shift + spread - 2 * float(common))


def _root(covariance: np.ndarray) -> np.ndarray:
    """B with B'B = covariance, `(rank, features)`."""
    values, vectors = np.linalg.eigh(covariance)
    # What rounding leaves of eigenvalues that are 0.
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T


def squared_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy with the kernel (x.y / d + 1)^3.

    Kernel: M. Binkowski et al., "Demystifying MMD GANs" (2018). Estimator: the U-statistic of A. Gretton
    et al., "A Kernel Two-Sample Test" (2012), equation 4. It leaves out the pairs of a row with the same
    row of the other set: here a prediction and its own photograph, which are no independent draws.

    Args:
        first: `(n, features)`, n at least 2.
        second: Likewise; row by row what belongs together.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        kernel = (a @ b.T / a.shape[1] + 1) ** 3
        return float(kernel.sum() - np.trace(kernel)) / (len(a) * (len(a) - 1))

    return mean(first, first) + mean(second, second) - 2 * mean(first, second)


def kid(first: np.ndarray, second: np.ndarray, seed: int) -> dict[str, Any]:
    """Mean and standard deviation of `squared_mmd` over subsets drawn with a seed.

    Args:
        first: `(n, features)`, n at least 2.
        second: Likewise; row by row what belongs together.
        seed: Of the subsets.

    Returns:
        value, sd, subset_size and subsets. Up to SUBSET images are one subset, and sd is None.
    """
    size = min(SUBSET, len(first))
    generator = np.random.default_rng(seed)
    subsets = SUBSETS if size < len(first) else 1
    values = []
    for _ in range(subsets):
        rows = np.sort(generator.permutation(len(first))[:size])
        values.append(squared_mmd(first[rows], second[rows]))
    return {
        "value": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)) if subsets > 1 else None,
        "subset_size": size,
        "subsets": subsets,
    }


def measure_with(
    weights: Mapping[str, Path],
    pictures: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
    *,
    size: int,
    seed: int,
) -> dict[str, Any]:
    """Return the content of distances.json, measured by networks with weights from files.

    Args:
        weights: Weights files of "inception" (FID, KID) and "lpips", either or both.
        pictures: Photographs and predictions in batches, see `predict.prediction_batches`.
        count: Number of photographs.
        size: Side of the pictures in pixels.
        seed: Random seed of the images and subsets that KID is taken on.
    """
    build = {"inception": inception_network, "lpips": lpips_network}
    networks = {name: build[name](path, size) for name, path in weights.items()}
    content = measure_distances(pictures, count, seed=seed, **networks)
    return content | {"weights_sha256": {name: sha256(path) for name, path in weights.items()}}


def measure_distances(
    pictures: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
    *,
    inception: keras.Model | None = None,
    lpips: keras.Model | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """The content of distances.json: what there are networks for, and the definitions of it.

    Args:
        pictures: Photographs and predictions in batches, see `predict.prediction_batches`.
        count: Their number.
        inception: See `inception_network`.
        lpips: See `deepcolor.evaluation.lpips.lpips_network`.
        seed: Of the images and subsets that KID is taken on.
    """
    moments: list[Moments | None] = [None, None]
    kept = np.sort(np.random.default_rng(seed).permutation(count)[:KEPT])
    features = np.empty((2, len(kept) if inception else 0, FEATURES), np.float32)
    distances, done, size = [], 0, 0
    for batch in pictures:
        size = batch[0].shape[1]
        floats = [each.astype(np.float32) for each in batch]
        end = done + len(floats[0])
        if inception:
            low, high = np.searchsorted(kept, [done, end])
            for number, each in enumerate(floats):
                found = _features(inception, each)
                moments[number] = add_moments(moments[number], found)
                features[number, low:high] = found[kept[low:high] - done]
        if lpips:
            distances.append(lpips.predict_on_batch(floats))
        done = end
    content: dict[str, Any] = {}
    if inception:
        content |= {"fid": _fid(moments), "kid": _kid(features, count, seed)}
    if lpips:
        content["lpips"] = _lpips(np.concatenate(distances).astype(np.float64), lpips.name, size)
    return content | {"definitions": {name: DEFINITIONS[name] for name in content}}


def _features(inception: keras.Model, pictures: np.ndarray) -> np.ndarray:
    found = inception.predict_on_batch(pictures)
    if not np.isfinite(found).all():
        raise DeepColorError(
            "evaluation.inception_weights: with these weights features are infinite or no numbers; "
            "name another file"
        )
    return found


def _too_few(count: int) -> str:
    return f"not taken: {count} images are too few to say anything; it needs {MIN_IMAGES}"


def _fid(moments: list[Moments | None]) -> dict[str, Any]:
    """The entry of FID."""
    first, second = moments
    assert first is not None and second is not None
    if first.count < MIN_IMAGES:
        return {"value": None, "n": first.count, "note": _too_few(first.count)}
    note = "depends on the number of images; compare runs on the same ones only"
    if first.count <= FEATURES:
        note = (
            f"{first.count} images leave the covariance of {FEATURES} features without full rank, which "
            "biases FID; compare runs on the same images only, and prefer KID"
        )
    return {"value": fid(first, second), "n": first.count, "note": note}


def _kid(features: np.ndarray, count: int, seed: int) -> dict[str, Any]:
    """The entry of KID."""
    empty = {"value": None, "sd": None, "subset_size": None, "subsets": 0}
    if count < MIN_IMAGES:
        return {**empty, "n": count, "note": _too_few(count)}
    found = kid(features[0], features[1], seed)
    notes = [f"{features.shape[1]} of {count} images, drawn with the seed"] if count > KEPT else []
    if found["sd"] is None:
        notes.append("all images are one subset, so that there is no spread")
    return {**found, "n": features.shape[1], "note": "; ".join(notes)}


def _lpips(distances: np.ndarray, network: str, size: int) -> dict[str, Any]:
    """The entry of LPIPS."""
    return {
        "value": float(distances.mean()),
        "sd": float(distances.std(ddof=1)) if len(distances) > 1 else None,
        "network": network,
        "n": len(distances),
        "note": f"pictures of {size}x{size} pixels; values at other sizes or of other networks differ",
    }


def summarize_distances(content: dict[str, Any]) -> str:
    """What was measured, in a few words: "FID 31.2, KID 0.0123, LPIPS 0.151 (alex)"."""
    words = []
    for name, digits in (("fid", 1), ("kid", 4), ("lpips", 3)):
        entry = content.get(name)
        if entry:
            value = "of too few images" if entry["value"] is None else f"{entry['value']:.{digits}f}"
            network = f" ({entry['network']})" if "network" in entry else ""
            words.append(f"{name.upper()} {value}{network}")
    return ", ".join(words)
