"""Resources that jobs ask a cluster for: memory, run time and disk. Standard library only.

The estimates are on the safe side, as a job is killed that exceeds its request. The constants are
measured: `python tests/benchmarks/demands.py` lists what was requested next to what was used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

MB = 1_000_000
PYTHON_MB = 700  # A Python that makes figures and tables.
KERAS_MB = 1500  # A Python that has loaded Keras and TensorFlow.
SHUFFLE_MB = 1100  # The buffer in which training images are shuffled, and what is read ahead.
CUDA_MB = 5000  # Host memory for CUDA's libraries and buffers.
PHOTOGRAPH_MB = 400  # A photograph of up to 100 megapixels while it is read.
FETCH_THREADS = 4
STARTUP_MINUTES = 10  # To start and to end, on a slow file system.
SCRATCH_MB = 500  # Scratch files that libraries may write.
BATCH_PIXELS_PER_THREAD = 2**15  # 8 images of 64×64: of less, a second thread is mostly waiting.
CLUSTER_THREADS = 8  # Of a job on a cluster, at most, unless the configuration says more.

# The run time of a training is that at an assumed speed, times the headroom; one that takes longer
# resumes in another job. On a CPU the speed grows with the threads; a GPU sustains at least this many
# operations a second: a quarter of the peak of an A100 in float32, 1/200 of that of an H200 in bfloat16.
HEADROOM = 2
GPU_OPERATIONS_PER_SECOND = 5e12
# Seconds that a job is expected to take to start and to end, and a training to build its graph, too.
START_S, TRAINING_START_S = 5, 20
MARGIN = 5  # What is requested for the work of a job other than a training, over what is expected.


@dataclass(frozen=True)
class Resources:
    """Resources of a job.

    Attributes:
        memory: Memory in MB.
        minutes: Run time in minutes.
        disk: Scratch space in MB, without files in the project's folders.
        seconds: Run time that is expected, which nothing asks a cluster for.
    """

    memory: int = PYTHON_MB
    minutes: int = STARTUP_MINUTES
    disk: int = SCRATCH_MB
    seconds: float = START_S


@dataclass(frozen=True)
class Footprint:
    """What training an architecture takes, measured with its usual options.

    Attributes:
        base: Memory in MB of the training process, without the images of a batch.
        per_pixel: Bytes for each pixel of a batch: activations and their gradients.
        pixels_per_second: Training speed on two cores.
        multiply_adds: Multiply-adds of the forward pass for each pixel, at 256x256.
        weights: Size of the weights in MB.
    """

    base: int
    per_pixel: int
    pixels_per_second: int
    multiply_adds: int
    weights: int


# By architecture; one that is not listed counts as the most expensive in all respects.
FOOTPRINTS: Mapping[str, Footprint] = {
    "unet": Footprint(1500, 1600, 300_000, 37_900, 14),
    "densenet": Footprint(3000, 4000, 100_000, 80_400, 40),
    "mobilenet": Footprint(2000, 2700, 150_000, 104_400, 39),
    "denseunet": Footprint(3100, 4500, 80_000, 117_000, 52),
    "lite": Footprint(1400, 1300, 700_000, 11_900, 5),
    "koalarization": Footprint(6000, 4500, 40_000, 351_300, 250),
}


@dataclass(frozen=True)
class TrainingJob:
    """What decides the resources of a training.

    Attributes:
        architecture: Name of the architecture.
        images: Images of an epoch, for training and validation.
        epochs: Epochs, without those of the run that it resumes.
        batch_size: Images of a batch.
        image_size: Side of the images in pixels.
        threads: CPU threads.
        gpus: Number of GPUs; with any, activations are in their memory.
        scratch: Whether the shards are copied to scratch space.
    """

    architecture: str
    images: int
    epochs: int
    batch_size: int
    image_size: int
    threads: int = 1
    gpus: int = 0
    scratch: bool = False


def training_threads(configured: int | None, batch_pixels: int, most: int) -> int:
    """Return the CPU threads of a training.

    Small batches get few, so that several trainings run side by side: faster than one after the other
    on all cores, with scores that do not depend on the number of cores.

    Args:
        configured: Threads according to the configuration; None for a number by size.
        batch_pixels: Pixels of a batch, of all its images.
        most: Threads that there are.
    """
    return configured or max(1, min(most, batch_pixels // BATCH_PIXELS_PER_THREAD))


def footprint(architecture: str) -> Footprint:
    """Return the footprint of an architecture; of an unknown one, the largest of all."""
    known = FOOTPRINTS.values()
    return FOOTPRINTS.get(architecture) or Footprint(
        max(each.base for each in known),
        max(each.per_pixel for each in known),
        min(each.pixels_per_second for each in known),
        max(each.multiply_adds for each in known),
        max(each.weights for each in known),
    )


def training(job: TrainingJob) -> Resources:
    """Return the resources to train a network."""
    needs, pixels = footprint(job.architecture), job.image_size**2
    batch = CUDA_MB if job.gpus else needs.per_pixel * job.batch_size * pixels / MB
    shards = shard_megabytes(job.images, job.image_size)
    seconds = job.epochs * job.images * pixels / _pixels_per_second(job)
    rounded = _rounded(
        needs.base + batch + min(2 * shards, SHUFFLE_MB),
        2 * STARTUP_MINUTES + HEADROOM * seconds / 60,
        shards if job.scratch else 0,
    )
    return replace(rounded, seconds=TRAINING_START_S + seconds)


def _pixels_per_second(job: TrainingJob) -> float:
    """Return the assumed speed of a training."""
    needs = footprint(job.architecture)
    if not job.gpus:
        return needs.pixels_per_second * job.threads / 2
    # Forward, and backward to the activations and to the weights; two operations each.
    return GPU_OPERATIONS_PER_SECOND * job.gpus / (6 * needs.multiply_adds)


def trial_training(architecture: str, image_size: int, gpus: int) -> Resources:
    """Return the resources to train a network on some images, 12 at a time."""
    return training(TrainingJob(architecture, 100, 1, 12, image_size, gpus=gpus))


def predicting(architecture: str, images: int, image_size: int, gpus: int) -> Resources:
    """Return the resources to predict images with a network, 32 at a time."""
    # Without gradients, about half of a training's memory.
    forward = CUDA_MB if gpus else footprint(architecture).per_pixel * 32 * image_size**2 / MB / 2
    memory = loading(architecture).memory + forward
    return reading(images, image_size, rate=50 if gpus else 2, memory=memory)


def predicting_without_network(training: int, images: int, image_size: int) -> Resources:
    """Return the resources for external predictions (5 images of 256×256 a second) or a baseline.

    Args:
        training: Number of training images, which a baseline reads.
        images: Number of evaluated images.
        image_size: Side of the images in pixels.
    """
    return max(
        reading(training + images, image_size),
        reading(images, image_size, rate=5),
        key=lambda resources: resources.minutes,
    )


def scoring(images: int, image_size: int) -> Resources:
    """Return the resources to score predictions, at 2 images of 256×256 a second."""
    return reading(images, image_size, rate=2)


def loading(architecture: str) -> Resources:
    """Return the resources to load a network."""
    return _rounded(KERAS_MB + 5 * footprint(architecture).weights, STARTUP_MINUTES)


def exporting(architecture: str) -> Resources:
    """Return the resources to convert a network, whose weights are copied many times."""
    needs = footprint(architecture)
    return _rounded(needs.base + 60 * needs.weights, 4 * STARTUP_MINUTES)


def extracting_features(images: int, image_size: int, gpus: int) -> Resources:
    """Return the resources to let InceptionV3 and LPIPS look at images and their predictions."""
    memory = 4 * KERAS_MB + (CUDA_MB if gpus else 0)
    return reading(images, image_size, rate=20 if gpus else 1, memory=memory)


def measuring_distances(images: int) -> Resources:
    """Return the resources to compute FID, KID and LPIPS from features, at 100 images a second."""
    return _rounded(2 * PYTHON_MB, 2 * STARTUP_MINUTES + images / 100 / 60)


def fetching(images: int) -> Resources:
    """Return the resources to fetch and check photographs, at 3 a second."""
    return _rounded(PYTHON_MB + FETCH_THREADS * PHOTOGRAPH_MB, STARTUP_MINUTES + images / 3 / 60)


def merging(images: int) -> Resources:
    """Return the resources to merge the ranges of a data set, at 2,000 photographs a second."""
    return _rounded(PYTHON_MB + images * 400 / MB, STARTUP_MINUTES + images / 2000 / 60)


def writing_shard(images: int, image_size: int, scratch: bool) -> Resources:
    """Return the resources to write a shard, at 10 photographs a second.

    Args:
        images: Number of photographs.
        image_size: Side of the images in pixels.
        scratch: Whether the shard is first written to scratch space.
    """
    disk = shard_megabytes(images, image_size) if scratch else 0
    return _rounded(KERAS_MB + PHOTOGRAPH_MB, STARTUP_MINUTES + images / 10 / 60, disk)


def reading(images: int, image_size: int, *, rate: float = 50, memory: float = KERAS_MB) -> Resources:
    """Return the resources to read the images of shards with TensorFlow.

    Args:
        images: Number of images.
        image_size: Side of the images in pixels.
        rate: Images of 256×256 pixels a second.
        memory: Memory in MB.
    """
    seconds = images * (image_size / 256) ** 2 / rate
    return _rounded(memory, STARTUP_MINUTES + seconds / 60)


def tabulating(images: int, *, runs: int, listed: int) -> Resources:
    """Return the resources to make a table or a page of the scores of images by all runs.

    Args:
        images: Number of images that are scored.
        runs: Number of runs that have scores.
        listed: Number of images in all manifests.
    """
    return _rounded(
        PYTHON_MB + (images * (runs + 4) + listed) * 1000 / MB,
        STARTUP_MINUTES + images * runs / 200 / 60 + listed / 2000 / 60,
    )


def colorizing(threads: int) -> Resources:
    """Return the resources to colorize photographs of up to 100 megapixels, one a thread."""
    return _rounded(PYTHON_MB + threads * 4 * PHOTOGRAPH_MB, 12 * STARTUP_MINUTES)


def shard_megabytes(images: int, image_size: int) -> float:
    """Return the size in MB of images in shards."""
    return images * image_size**2 * 3 / MB


def _rounded(memory: float, minutes: float, disk: float = 0) -> Resources:
    return Resources(
        100 * math.ceil(memory / 100),
        math.ceil(minutes),
        SCRATCH_MB + 100 * math.ceil(disk / 100),
        START_S + 60 * (minutes - STARTUP_MINUTES) / MARGIN,
    )
