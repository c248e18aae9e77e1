"""What jobs ask a cluster for: memory, run time and disk that follow their work. Standard library only.

It is on the safe side, as a job is killed that uses more than it has asked for. The constants are
measured: `python tests/benchmarks/demands.py` sets what was asked for beside what was used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MB = 1_000_000
# MB of a Python that makes figures and tables, and of one that has loaded Keras and TensorFlow.
PYTHON, KERAS = 700, 1500
SHUFFLED = (
    1100  # MB of the two windows in which training images are shuffled; see deepcolor.data.shards.
)
CUDA = 5000  # MB of the host's memory for CUDA's libraries and buffers.
PHOTOGRAPH = 400  # MB for a photograph while it is read, up to 100 megapixels.
FETCHERS = 4  # Threads of a job that fetches.
MARGIN = 10  # Minutes to start and to end, on a slow file system.
SCRATCH = 500  # MB of scratch files that libraries may write.
# Of one GPU over two cores, at least.
GPU_SPEEDUP = 10


@dataclass(frozen=True)
class Demand:
    """What a job asks for.

    Attributes:
        memory: MB.
        minutes: Of run time.
        disk: MB in the folder for scratch files; not what it writes into the project's folders.
    """

    memory: int = PYTHON
    minutes: int = MARGIN
    disk: int = SCRATCH


@dataclass(frozen=True)
class Network:
    """What the training of an architecture takes, measured with its usual options.

    Attributes:
        base: MB of a process that trains it, without the images of a batch.
        per_pixel: Bytes for every pixel of a batch: activations and their gradients.
        pixels_per_second: On two cores.
        weights: MB.
    """

    base: int
    per_pixel: int
    pixels_per_second: int
    weights: int


# By architecture; one's own counts as the most expensive in all respects.
NETWORKS: Mapping[str, Network] = {
    "unet": Network(1500, 1600, 300_000, 14),
    "densenet": Network(3000, 4000, 100_000, 40),
    "mobilenet": Network(2000, 2700, 150_000, 39),
    "denseunet": Network(3100, 4500, 80_000, 52),
    "koalarization": Network(6000, 4500, 40_000, 250),
}


def network(architecture: str) -> Network:
    """What an architecture takes; one that is not known, the most of all."""
    known = NETWORKS.values()
    return NETWORKS.get(architecture) or Network(
        max(each.base for each in known),
        max(each.per_pixel for each in known),
        min(each.pixels_per_second for each in known),
        max(each.weights for each in known),
    )


def training(
    architecture: str,
    *,
    images: int,
    epochs: int,
    batch_size: int,
    image_size: int,
    threads: int,
    gpus: int,
    scratch: bool,
) -> Demand:
    """Train a network.

    Args:
        architecture: Its name.
        images: Of an epoch, for training and validation.
        epochs: Without those of the run that it goes on from.
        batch_size: Images.
        image_size: Side in pixels.
        threads: Of the CPU.
        gpus: That are asked for; activations are in their memory then.
        scratch: Whether the shards are copied.
    """
    needs, pixels = network(architecture), image_size**2
    batch = CUDA if gpus else needs.per_pixel * batch_size * pixels / MB
    speed = needs.pixels_per_second * (GPU_SPEEDUP * gpus if gpus else max(1, threads / 4))
    pictures = stored(images, image_size)
    return _rounded(
        needs.base + batch + min(2 * pictures, SHUFFLED),
        2 * MARGIN + epochs * images * pixels / speed / 60,
        pictures if scratch else 0,
    )


def trying(architecture: str, image_size: int, gpus: int) -> Demand:
    """Train a network on some images, 8 at a time."""
    return training(
        architecture, images=100, epochs=1, batch_size=8, image_size=image_size, threads=1, gpus=gpus,
        scratch=False,
    )  # fmt: skip


def predicting(architecture: str, images: int, image_size: int, gpus: int) -> Demand:
    """Predict pictures with a network, 32 at a time."""
    # Without gradients, about half of a training's memory.
    forward = CUDA if gpus else network(architecture).per_pixel * 32 * image_size**2 / MB / 2
    return reading(images, image_size, rate=2, memory=loading(architecture).memory + forward)


def predicting_without_network(training: int, images: int, image_size: int) -> Demand:
    """Read external predictions at 5 pictures of 256×256 a second; or go through the training images."""
    return max(
        reading(training + images, image_size),
        reading(images, image_size, rate=5),
        key=lambda demand: demand.minutes,
    )


def scoring(images: int, image_size: int) -> Demand:
    """Score predictions, at 2 pictures of 256×256 a second."""
    return reading(images, image_size, rate=2)


def loading(architecture: str) -> Demand:
    """Load a network."""
    return _rounded(KERAS + 5 * network(architecture).weights, MARGIN)


def exporting(architecture: str) -> Demand:
    """Convert a network: its weights are copied many times."""
    needs = network(architecture)
    return _rounded(needs.base + 60 * needs.weights, 4 * MARGIN)


def measuring_distances(images: int, image_size: int, gpus: int) -> Demand:
    """Take FID, KID and LPIPS of pictures."""
    return reading(images, image_size, rate=1, memory=4 * KERAS + (CUDA if gpus else 0))


def fetching(images: int) -> Demand:
    """Fetch and examine photographs, at 3 a second."""
    return _rounded(PYTHON + FETCHERS * PHOTOGRAPH, MARGIN + images / 3 / 60)


def joining(images: int) -> Demand:
    """Join the ranges of a data set, at 2,000 photographs a second."""
    return _rounded(PYTHON + images * 400 / MB, MARGIN + images / 2000 / 60)


def writing_shard(images: int, image_size: int, scratch: bool) -> Demand:
    """Write a shard from photographs, 10 a second; first into a scratch file, if so."""
    disk = stored(images, image_size) if scratch else 0
    return _rounded(KERAS + PHOTOGRAPH, MARGIN + images / 10 / 60, disk)


def reading(images: int, image_size: int, *, rate: float = 50, memory: float = KERAS) -> Demand:
    """Go through the pictures of shards with TensorFlow.

    Args:
        images: How many.
        image_size: Side in pixels.
        rate: Pictures of 256×256 a second.
        memory: MB.
    """
    seconds = images * (image_size / 256) ** 2 / rate
    return _rounded(memory, MARGIN + seconds / 60)


def tabulating(images: int, *, runs: int, listed: int) -> Demand:
    """Make a table or a page of the scores of images by all runs.

    Args:
        images: That are scored.
        runs: Whose scores there are.
        listed: Images in all manifests.
    """
    return _rounded(
        PYTHON + (images * (runs + 4) + listed) * 1000 / MB,
        MARGIN + images * runs / 200 / 60 + listed / 2000 / 60,
    )


def colorizing(threads: int) -> Demand:
    """Colorize photographs of up to 100 megapixels, as many at a time as there are threads."""
    return _rounded(PYTHON + threads * 4 * PHOTOGRAPH, 12 * MARGIN)


def stored(images: int, image_size: int) -> float:
    """MB of pictures in shards."""
    return images * image_size**2 * 3 / MB


def _rounded(memory: float, minutes: float, disk: float = 0) -> Demand:
    return Demand(
        100 * math.ceil(memory / 100), math.ceil(minutes), SCRATCH + 100 * math.ceil(disk / 100)
    )
