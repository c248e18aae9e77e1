"""Measure the data part against the obvious way, in the same run: `make bench`.

    python tests/benchmarks/data.py            on the embedded photographs
    python tests/benchmarks/data.py FOLDER     on the JPEG files of a folder

Preprocessing is timed on one core, reading on all; in turns, and the best of the turns counts.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from deepcolor.compute import backend  # noqa: E402

backend.prepare_keras(os.cpu_count() or 1)

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tensorflow as tf  # noqa: E402
from deepcolor.data.shard_index import write_index  # noqa: E402
from deepcolor.data.shard_writer import ShardFiles, write_shard  # noqa: E402
from deepcolor.data.shards import Shards  # noqa: E402
from deepcolor.data.sources.embedded import PHOTOGRAPHS  # noqa: E402
from deepcolor.files import sha256  # noqa: E402
from deepcolor.imaging.decoding import open_rgb, read_square  # noqa: E402
from PIL import Image  # noqa: E402

SIZE = 256
TURNS = 5
IMAGES_PER_SHARD = 512


def photographs(folder: Path | None) -> list[Image.Image]:
    """Up to twelve color photographs."""
    if folder:
        paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg")]
    else:
        paths = [Path(str(resources.files(each.package))) / each.file for each in PHOTOGRAPHS]
    return [open_rgb(path) for path in paths[:12]]


def best(ways: dict[str, Callable[[Path], object]], paths: list[Path]) -> dict[str, float]:
    """Files a second of every way, the best of several turns."""
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(TURNS):
        for name, way in ways.items():
            began = time.perf_counter()
            for path in paths:
                way(path)
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return {name: len(paths) / value for name, value in seconds.items()}


def with_pillow(path: Path) -> np.ndarray:
    """The obvious way."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def exactly(path: Path) -> np.ndarray:
    """Full decoding, and the average of exact areas."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    return cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def measure_preprocessing(pictures: list[Image.Image], folder: Path) -> None:
    """Decoding and resizing JPEG files."""
    print(f"Preprocessing JPEG files (quality 90) to {SIZE}×{SIZE}, one core")
    for width, height in ((640, 480), (1024, 768), (2048, 1536)):
        paths = []
        for number, picture in enumerate(pictures):
            paths.append(folder / f"{width}-{number}.jpg")
            content = io.BytesIO()
            picture.resize((width, height), Image.Resampling.LANCZOS).save(content, "JPEG", quality=90)
            paths[-1].write_bytes(content.getvalue())
        ways = {"Pillow": with_pillow, "DeepColor": lambda path: read_square(path, SIZE)}
        speed = best(ways, paths)
        away = [np.abs(read_square(path, SIZE)[0].astype(int) - exactly(path)).mean() for path in paths]
        print(
            f"  {width}×{height}: {speed['DeepColor']:6.0f} images/s, Pillow {speed['Pillow']:5.0f}, "
            f"ratio {speed['DeepColor'] / speed['Pillow']:.2f}; {np.mean(away):.2f}/255 (at most "
            f"{np.max(away):.2f}) from full decoding and area averaging"
        )


def make_shards(pictures: list[Image.Image], folder: Path, size: int, images: int) -> Shards:
    """Shards of so many pictures, with the same ones again and again."""
    for number, picture in enumerate(pictures):
        picture.resize((size, size)).save(folder / f"{size}-{number}.jpg", quality=90)
    paths = [folder / f"{size}-{number}.jpg" for number in range(len(pictures))]
    sums = {path: sha256(path) for path in paths}
    rows = [
        {"id": str(number), "group": str(number), "path": str(path), "sha256": sums[path]}
        for number, path in zip(range(images), cycle(paths), strict=False)
    ]
    facts: dict[str, list[Path]] = {"training": [], "validation": []}
    for split, start in [
        *(("training", start) for start in range(0, images, IMAGES_PER_SHARD)),
        ("validation", 0),
    ]:
        shard = folder / f"{size}-{split}-{start}.tfrecord"
        part = pd.DataFrame(rows[start : start + (IMAGES_PER_SHARD if split == "training" else 2)])
        facts[split].append(shard.with_suffix(".json"))
        files = ShardFiles(shard, facts[split][-1])
        write_shard(files, part, data_set="d", size=size, manifest=Path("manifest"))
    write_index(folder / f"{size}.json", facts, data_set="d", size=size)
    return Shards([folder / f"{size}.json"])


def measure_reading(pictures: list[Image.Image], folder: Path) -> None:
    """Reading shards into shuffled batches."""
    images = 8 * IMAGES_PER_SHARD
    shards = make_shards(pictures, folder, SIZE, images)
    records = [str(path) for path in sorted(folder.glob(f"{SIZE}-training-*.tfrecord"))]
    files = [str(folder / f"{SIZE}-{number}.jpg") for number in range(len(pictures))]
    paths = tf.data.Dataset.from_tensor_slices(files).repeat().take(images).shuffle(images, seed=0)
    decoded = paths.map(
        lambda path: tf.io.decode_jpeg(tf.io.read_file(path)), num_parallel_calls=tf.data.AUTOTUNE
    )
    ways: dict[str, Callable[[], tf.data.Dataset]] = {
        "shards": lambda: shards.training_batches(32, seed=0, epochs=range(1)),
        "validation": lambda: shards.evaluation_batches("training", 32),
        "records": lambda: tf.data.TFRecordDataset(records).batch(32),
        "files": lambda: decoded.batch(32),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(TURNS):
        for name, way in ways.items():
            began = time.perf_counter()
            assert sum(len(batch) for batch in way()) == images
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    speed = {name: images / value for name, value in seconds.items()}
    print(f"Reading {images:,} pictures of {SIZE}×{SIZE} in batches of 32, {os.cpu_count()} cores")
    print(
        f"  shards into shuffled batches: {speed['shards']:,.0f} images/s, in order "
        f"{speed['validation']:,.0f}; the same records unparsed {speed['records']:,.0f}, ratio "
        f"{speed['shards'] / speed['records']:.2f}; JPEG files of that size {speed['files']:,.0f}, "
        f"ratio {speed['shards'] / speed['files']:.2f}"
    )


def main() -> None:
    """Measure."""
    pictures = photographs(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    with tempfile.TemporaryDirectory() as folder:
        measure_reading(pictures, Path(folder))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        measure_preprocessing(pictures, Path(folder))


if __name__ == "__main__":
    main()
