"""Measure the scoring of predictions against the obvious way, in the same run: `make bench`.

    python tests/benchmarks/evaluation.py            1,000 pictures
    python tests/benchmarks/evaluation.py --quick    100 pictures

Two threads measure; seconds are those of the clock, and those that the processor was at work.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

from deepcolor.compute import backend  # noqa: E402

backend.prepare_keras(threads=2)

import numpy as np  # noqa: E402
from deepcolor.evaluation import metrics  # noqa: E402
from skimage import data  # noqa: E402
from skimage.color import deltaE_ciede2000, rgb2lab  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402

SIZE, BATCH = 256, 32


def batches(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Crops of photographs, and the same with less color and with noise, batch by batch."""
    random = np.random.default_rng(0)
    photographs = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    for start in range(0, count, BATCH):
        truth = np.empty((min(BATCH, count - start), SIZE, SIZE, 3), np.uint8)
        for image in truth:
            photograph = photographs[random.integers(len(photographs))]
            y, x = (random.integers(0, side - SIZE + 1) for side in photograph.shape[:2])
            image[:] = photograph[y : y + SIZE, x : x + SIZE]
        gray = truth.mean(axis=-1, keepdims=True)
        noise = random.normal(0, 5, truth.shape)
        yield truth, np.clip(0.5 * truth + 0.5 * gray + noise, 0, 255).astype(np.uint8)


def the_obvious_way(truth: np.ndarray, prediction: np.ndarray) -> None:
    """Structural similarity and mean color difference of each image, and no more."""
    for photograph, picture in zip(truth, prediction, strict=True):
        structural_similarity(
            photograph, picture, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            channel_axis=-1, data_range=255,
        )  # fmt: skip
        deltaE_ciede2000(rgb2lab(photograph), rgb2lab(picture)).mean()


def timed(way: Callable[[np.ndarray, np.ndarray], object], count: int) -> tuple[float, float]:
    """Seconds for each image: of the clock, and of the processor."""
    clock = work = 0.0
    for truth, prediction in batches(count):
        began, worked = time.perf_counter(), time.process_time()
        way(truth, prediction)
        clock += time.perf_counter() - began
        work += time.process_time() - worked
    return clock / count, work / count


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 pictures")
    count = 100 if parser.parse_args().quick else 1000
    with ThreadPoolExecutor(2) as workers:
        clock, work = timed(lambda a, b: metrics.per_image(a, b, workers), count)
    _, obvious = timed(the_obvious_way, count // 10)
    print(f"Scoring {count:,} pictures of {SIZE}×{SIZE}, all measures, with and without their luminance")
    print(
        f"  two threads: {1 / clock:.0f} images/s, {1000 * clock:.0f} s for 1,000; the processor "
        f"{1000 * work:.0f} s"
    )
    print(
        f"  scikit-image's SSIM and CIEDE2000 alone, of the prediction as it is: the processor "
        f"{1000 * obvious:.0f} s for 1,000, ratio {obvious / work:.2f} (twice over, as DeepColor does "
        f"it: {2 * obvious / work:.2f})"
    )


if __name__ == "__main__":
    main()
