"""Measure training against the obvious alternative, in the same run: `make bench`.

    python tests/benchmarks/training.py
    python tests/benchmarks/training.py --quick    one measurement of each kind, on small pictures

Every measurement runs in a process of its own, on all cores if nothing else is said; on a GPU, if
TensorFlow can use one, at the size and the batch of the published study.
"""

import argparse
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "workflow"))

from deepcolor.compute import backend  # noqa: E402
from deepcolor.config.registry import ARCHITECTURES  # noqa: E402

SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "batch_size": 32, "gradient_accumulation_steps": 1, "batch_norm_momentum": 0.99,
    "sampling": {}, "augmentation": [], "ema_momentum": 0, "early_stopping": 0, "precision": "float32",
    "xla": False,
    "deterministic": True, "tensorboard": False, "tf32": False,
}  # fmt: skip
# Side in pixels, images in a batch, batches in an epoch.
SIZES = [(64, 32, 12), (256, 8, 4)]
QUICK_SIZES = [(32, 8, 4)]
TURNS = 4


def make_shards(folder: Path, size: int, images: int) -> Path:
    """Write shards of so many training images, cut from a photograph; give their index."""
    import cv2
    import pandas as pd
    from deepcolor.data.shard_index import write_index
    from deepcolor.data.shard_writer import ShardFiles, write_shard
    from deepcolor.files import sha256
    from skimage import data

    cv2.imwrite(str(folder / "photograph.png"), data.astronaut())
    row = {"path": str(folder / "photograph.png"), "sha256": sha256(folder / "photograph.png")}
    rows = pd.DataFrame([{"id": str(number), "group": str(number), **row} for number in range(images)])
    facts = {}
    for split, part in {"training": rows, "validation": rows[:8]}.items():
        facts[split] = [folder / f"{split}.json"]
        files = ShardFiles(folder / f"{split}.tfrecord", facts[split][0])
        write_shard(files, part, data_set="d", size=size, manifest=folder)
    write_index(folder / "index.json", facts, data_set="d", size=size)
    return folder / "index.json"


def model_of(architecture: str, size: int, settings: dict[str, Any]) -> Any:
    """A network ready for training, from random weights."""
    from deepcolor.training.trainer import compile_trainer

    build = pkgutil.resolve_name(ARCHITECTURES[architecture])
    options = {} if architecture == "unet" else {"weights": "none"}
    return compile_trainer(build(size, **options), settings)


def images_per_second(model: Any, epochs: dict[str, Callable[[], Iterable]], images: int) -> dict:
    """The best of several turns, an epoch of each kind; the first, which traces, does not count."""
    best = dict.fromkeys(epochs, 0.0)
    for turn in range(TURNS):
        for name, epoch in epochs.items():
            began = time.perf_counter()
            model.fit(epoch(), verbose=0, shuffle=False)
            if turn:
                best[name] = max(best[name], images / (time.perf_counter() - began))
    return best


def measure_waiting(size: int, batch: int, steps: int) -> dict:
    """U-Net from shards, and from one batch that stays in memory."""
    backend.prepare_keras(os.cpu_count() or 1)
    import tensorflow as tf
    from deepcolor.data.shards import Shards

    with tempfile.TemporaryDirectory() as folder:
        shards = Shards([make_shards(Path(folder), size, batch * steps)])
        repeated = next(iter(shards.training_batches(batch, seed=0, epochs=range(1))))
        return images_per_second(
            model_of("unet", size, SETTINGS),
            {
                "shards": lambda: shards.training_batches(batch, seed=0, epochs=range(1)),
                "memory": lambda: tf.data.Dataset.from_tensors(repeated).repeat(steps),
            },
            batch * steps,
        )


def measure_setting(
    size: int, batch: int, settings: dict[str, Any], architecture: str = "unet", threads: int = 0
) -> dict:
    """A network on one batch that stays in memory, with other settings."""
    import numpy as np

    settings = {**SETTINGS, **settings}
    backend.prepare_keras(
        threads or os.cpu_count() or 1,
        deterministic=settings["deterministic"],
        precision=settings["precision"],
        tf32=settings["tf32"],
    )
    import tensorflow as tf
    from deepcolor.compute import devices
    from deepcolor.models.macs import multiply_adds

    steps = 8
    model = model_of(architecture, size, settings)
    pictures = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3), np.uint8)
    epochs = {"speed": lambda: tf.data.Dataset.from_tensors(pictures).repeat(steps)}
    return {
        **images_per_second(model, epochs, batch * steps),
        "multiply_adds": multiply_adds(model.layers[-1]),
        "device": devices.device_name(),
        "memory": devices.peak_device_memory() or devices.peak_memory(),
    }


def measure_start(architecture: str) -> dict:
    """Seconds from nothing to the first step of a training at 64×64 is done, and of a step after it."""
    seconds, began = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        seconds[name], began = time.perf_counter() - began, time.perf_counter()

    backend.prepare_keras(os.cpu_count() or 1)
    import numpy as np
    from deepcolor.training import loop  # noqa: F401 - part of what is measured

    lap("import")
    model = model_of(architecture, 64, SETTINGS)
    lap("build")
    pictures = np.zeros((8, 64, 64, 3), np.uint8)
    model.train_on_batch(pictures)
    lap("first step")
    model.train_on_batch(pictures)
    lap("a later step")
    return seconds


def measure_milestones() -> dict:
    """Seconds of 5 epochs and then 15, and of 15 at once; each with its start-up, and without."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        index = make_shards(folder, 64, 256)

        def train(run: str, epochs: int, *more: str) -> tuple[float, float]:
            target = folder / run
            began = time.perf_counter()
            subprocess.run(
                [
                    sys.executable, str(PROJECT / "workflow/scripts/train_model.py"), "--run", run,
                    "--model-name", "unet", "--architecture", ARCHITECTURES["unet"],
                    "--training", json.dumps(SETTINGS), "--image-size", "64", "--train-on", "d",
                    "--indexes", str(index), "--epochs", str(epochs), "--seed", "0",
                    "--threads", str(os.cpu_count()), "--model", str(target / "model.keras"),
                    "--history", str(target / "history.csv"), "--record", str(target / "training.json"),
                    "--state", str(target / "state.safetensors"), *more,
                ],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            record = json.loads((target / "training.json").read_text())
            return time.perf_counter() - began, record["seconds"]

        straight, steps = train("straight_15", 15)
        shorter, _ = train("unet_5", 5)
        longer, _ = train("unet_15", 15, "--start", str(folder / "unet_5" / "state.safetensors"))
        return {"together": shorter + longer, "straight": straight, "steps": steps}


def measure_side_by_side(architecture: str, size: int, batch: int) -> dict:
    """Images a second of one training on all cores, and of as many as cores with a thread each."""
    cores = os.cpu_count() or 1
    alone = measured("setting", size, batch, {}, architecture, cores)["speed"]
    with ThreadPoolExecutor(cores) as pool:
        jobs = [pool.submit(measured, "setting", size, batch, {}, architecture, 1) for _ in range(cores)]
        return {"alone": alone, "together": sum(job.result()["speed"] for job in jobs)}


MEASUREMENTS: dict[str, Callable[..., dict]] = {
    "waiting": measure_waiting,
    "setting": measure_setting,
    "start": measure_start,
    "milestones": measure_milestones,
}


def measured(name: str, *arguments: Any) -> dict:
    """The result of a measurement in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--measure", name, "--arguments", json.dumps(arguments)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(told.splitlines()[-1])


def main() -> None:
    """Measure and print; or, with --measure, do one measurement and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=MEASUREMENTS)
    parser.add_argument(
        "--quick", action="store_true", help="one measurement of each kind, on small pictures"
    )
    parser.add_argument("--arguments", type=json.loads, default=[])
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(MEASUREMENTS[args.measure](*args.arguments)))
        return
    sizes = QUICK_SIZES if args.quick else SIZES
    for size, batch, steps in sizes:
        speed = measured("waiting", size, batch, steps)
        print(f"Training U-Net at {size}×{size}, batches of {batch}")
        print(
            f"  from shards: {speed['shards']:.1f} images/s, from one batch in memory: "
            f"{speed['memory']:.1f}, ratio {speed['shards'] / speed['memory']:.2f}",
            flush=True,
        )
    size, batch, _ = sizes[0]
    usual = measured("setting", size, batch, {})
    print(f"U-Net at {size}×{size}, batches of {batch}, against the default settings, in memory")
    others = {
        "not deterministic": {"deterministic": False},
        "bfloat16": {"precision": "bfloat16"},
        "XLA": {"xla": True},
    }
    for what, settings in list(others.items())[: 1 if args.quick else None]:
        other = measured("setting", size, batch, settings)
        print(
            f"  {what}: {other['speed']:.1f} images/s, ratio {other['speed'] / usual['speed']:.2f}",
            flush=True,
        )
    print(f"Trainings at 64×64, batches of 8, with a thread each on {os.cpu_count()} cores")
    for architecture in ("unet",) if args.quick else ("unet", "mobilenet", "densenet"):
        speeds = measure_side_by_side(architecture, 64, 8)
        print(
            f"  {architecture}: {speeds['together']:.1f} images/s together, one on all cores "
            f"{speeds['alone']:.1f}, ratio {speeds['together'] / speeds['alone']:.2f}",
            flush=True,
        )
    architectures = ["unet"] if args.quick else ["unet", "mobilenet", "densenet"]
    print("From nothing to the first step, at 64×64")
    for architecture in architectures:
        parts = measured("start", architecture)
        later = parts.pop("a later step")
        listed = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
        print(f"  {architecture}: {listed} (later ones {later:.2f} s)", flush=True)
    if args.quick:
        return
    if usual["device"] == "GPU":
        print("U-Net at 256×256, batches of 383, on the GPU")
        for precision in ("float32", "bfloat16", "float16"):
            for xla in (False, True):
                found = measured("setting", 256, 383, {"precision": precision, "xla": xla})
                # Forward, and backward to the activations and to the weights; two operations each.
                trillions = 6 * found["multiply_adds"] * found["speed"] / 1e12
                print(
                    f"  {precision}{', XLA' if xla else ''}: {found['speed']:,.0f} images/s, "
                    f"{trillions:.1f} TFLOP/s in convolutions, {found['memory'] / 1e9:.1f} GB",
                    flush=True,
                )
    spent = measured("milestones")
    start = spent["straight"] - spent["steps"]
    print("U-Net for 5 epochs and on to 15, against 15 at once")
    print(
        f"  {spent['together']:.1f} s against {spent['straight']:.1f} s, {start:.1f} s of it start-up; "
        f"less one start-up, ratio {(spent['together'] - start) / spent['straight']:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
