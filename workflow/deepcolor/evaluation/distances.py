"""Distances that need other networks' weights: FID and KID between sets of pictures, and LPIPS.

None of them is taken by default. FID and KID rest on InceptionV3 as Keras publishes it and on how
pictures are resized for it: they compare runs of one report, and nothing else. What the networks see
is taken before, by `features`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Side of the pictures that InceptionV3 sees, in pixels, and the features of its last layer but one.
SIDE, FEATURES = 299, 2048
BATCH_SIZE = 1000  # Images whose features are in memory at a time.
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


def moments_of(features: np.ndarray) -> Moments:
    """Return the moments of features, `(n, features)`, some of which are in memory at a time."""
    moments = None
    for start in range(0, len(features), BATCH_SIZE):
        moments = add_moments(moments, features[start : start + BATCH_SIZE])
    if moments is None:
        raise ValueError("no features")
    return moments


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


def measure_distances(features: np.ndarray, networks: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the content of distances.json: what there are features for, and the definitions of it.

    Args:
        features: A row per image, as `features.extract_features` writes them; may be a memory map.
        networks: What `features.extract_with` returns.
        seed: Random seed of the images and subsets that KID is taken on.
    """
    content: dict[str, Any] = {}
    fields = features.dtype.names or ()
    if "inception" in fields:
        content |= {"fid": _fid(features["inception"]), "kid": _kid(features["inception"], seed)}
    if "lpips" in fields:
        content["lpips"] = _lpips(features["lpips"], networks["lpips"], networks["size"])
    return content | {
        "definitions": {name: DEFINITIONS[name] for name in content},
        "weights_sha256": networks["weights_sha256"],
    }


def _too_few(count: int) -> str:
    return f"not taken: {count} images are too few to say anything; it needs {MIN_IMAGES}"


def _fid(features: np.ndarray) -> dict[str, Any]:
    """Return the entry of FID, from features of photographs and predictions, `(n, 2, features)`."""
    count, _, size = features.shape
    if count < MIN_IMAGES:
        return {"value": None, "n": count, "note": _too_few(count)}
    note = "depends on the number of images; compare runs on the same ones only"
    if count <= size:
        note = (
            f"{count} images leave the covariance of {size} features without full rank, which "
            "biases FID; compare runs on the same images only, and prefer KID"
        )
    return {"value": fid(*(moments_of(features[:, each]) for each in (0, 1))), "n": count, "note": note}


def _kid(features: np.ndarray, seed: int) -> dict[str, Any]:
    """Return the entry of KID, from features as for FID; of so many images, some are drawn."""
    count = len(features)
    if count < MIN_IMAGES:
        empty = {"value": None, "sd": None, "subset_size": None, "subsets": 0}
        return {**empty, "n": count, "note": _too_few(count)}
    kept = np.sort(np.random.default_rng(seed).permutation(count)[:KEPT])
    drawn = features[kept]
    found = kid(drawn[:, 0], drawn[:, 1], seed)
    notes = [f"{len(kept)} of {count} images, drawn with the seed"] if count > KEPT else []
    if found["sd"] is None:
        notes.append("all images are one subset, so that there is no spread")
    return {**found, "n": len(kept), "note": "; ".join(notes)}


def _lpips(distances: np.ndarray, network: str, size: int) -> dict[str, Any]:
    """Return the entry of LPIPS."""
    distances = distances.astype(np.float64)
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
