"""Measure trainings on a GPU, wherever Keras has one: under TensorFlow or JAX.

    KERAS_BACKEND=jax python tests/benchmarks/gpu.py --photographs photographs.npy
    python tests/benchmarks/gpu.py --toy    small networks on small images, to try it out on a CPU

Needs NumPy, Keras and the backend. Every case runs in a process of its own; gpu.json is written again
after each, and the script ends by itself after --seconds. On photographs, an .npy file of `(n, side,
side, 3)` uint8 RGB, U-Net is trained; its networks are written next to gpu.json.

What to expect: the U-Net of 3.48 million parameters takes 2.48 billion multiply-adds for the forward
pass of an image of 256×256; with two operations each, and the backward pass twice as much, a training
takes 14.9 GFLOP an image. 3,500 images a second are 52 TFLOP/s, 5 % of what an H200 can do in bfloat16;
10,000 are 15 %.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

# Peak of dense products in TFLOP/s, by NVIDIA's data sheets and part of the name, the longer first.
PEAKS: dict[str, dict[str, float]] = {
    "H200": {"bfloat16": 989, "tf32": 495, "float32": 67},
    "H100 PCIe": {"bfloat16": 756, "tf32": 378, "float32": 51},
    "H100": {"bfloat16": 989, "tf32": 495, "float32": 67},
    "A100": {"bfloat16": 312, "tf32": 156, "float32": 19.5},
    "A10": {"bfloat16": 125, "tf32": 62.5, "float32": 31.2},
    "L40S": {"bfloat16": 362, "tf32": 183, "float32": 91.6},
    "L4": {"bfloat16": 121, "tf32": 60, "float32": 30.3},
}
SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "gradient_accumulation_steps": 1, "batch_norm_momentum": 0.99, "augmentation": [],
    "ema_momentum": 0,
}  # fmt: skip
NETWORKS = ("unet", "densenet", "mobilenet")
XLA = {"auto": "auto", "true": True, "false": False}
BATCHES = (383, 192, 96, 48, 24)  # The first that fits is measured.
BLOCK = 5  # Steps between two looks at the clock, which wait for the device.
TIMED_SECONDS = 6.0  # For which steps are timed.
EQUAL_STEPS = 20  # Steps of the trainings whose bits are compared.
TRAIN_SECONDS = 75.0  # For which U-Net is trained on photographs, at most.
EPOCHS = 40  # Of these trainings, at most.
START_SECONDS = 20.0  # No case is begun with less time than this.
SAVE_SECONDS = 5.0  # Kept of a case's time to write what it has.


def start(precision: str, deterministic: bool) -> dict[str, Any]:
    """Set up Keras for "bfloat16", "float32" or "tf32"; return what a result says of the machine."""
    if deterministic and os.environ.get("KERAS_BACKEND") == "jax":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true"
    from deepcolor.compute import backend, devices

    options = {"precision": "float32", "tf32": True} if precision == "tf32" else {"precision": precision}
    backend.prepare_keras(os.cpu_count() or 1, deterministic=deterministic, **options)
    import keras

    name = keras.backend.backend()
    return {
        "device": (devices.visible_gpus() or ["GPU"])[0] if devices.usable_gpus() else "CPU",
        "backend": f"{name} {version(name)}", "keras": keras.__version__, "precision": precision,
        "deterministic": deterministic,
    }  # fmt: skip


def trainer_of(architecture: str, size: int, args: argparse.Namespace, **settings: Any) -> Any:
    """Return a model ready for training, its network, and what a result says of it."""
    from deepcolor.compute.distribution import Distribution
    from deepcolor.config.registry import ARCHITECTURES
    from deepcolor.models.macs import multiply_adds
    from deepcolor.training.settings import Settings, build_network, decided
    from deepcolor.training.trainer import compile_trainer

    options: dict[str, Any] = {"target": settings.pop("target", "rgb")}
    if architecture != "unet":
        options["weights"] = "none"
    elif args.toy:
        options["filters"] = [4, 8]
    length = {name: settings.pop(name) for name in ("epochs", "steps") if name in settings}
    training = {**SETTINGS, "xla": XLA[args.xla], "deterministic": args.deterministic, **settings}
    given = Settings(ARCHITECTURES[architecture], options, size, training)
    network = build_network(given)
    model = compile_trainer(network, decided(given, network, Distribution()).training, **length)
    facts = {
        "architecture": architecture, "parameters": network.count_params(), "size": size,
        "gflop_per_image": 6 * multiply_adds(network) / 1e9, "xla": bool(model.jit_compile),
    }  # fmt: skip
    return model, network, facts


def step_seconds(model: Any, batches: Iterable, steps: int, deadline: float) -> list[float]:
    """Train, at most until a time of `time.monotonic`; return the seconds of a step in each block.

    The first block does not count.
    """
    import keras

    marks = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict) -> None:
            if batch % BLOCK == 0:
                float(keras.ops.convert_to_numpy(logs["loss"]))
                marks.append(time.monotonic())
                self.model.stop_training = len(marks) > 2 and marks[-1] > deadline

    model.fit(batches, steps_per_epoch=steps, callbacks=[Clock()], shuffle=False, verbose=0)
    return [(after - before) / BLOCK for before, after in pairwise(marks[1:])]


def repeated(images: np.ndarray) -> Iterable:
    """Return one batch again and again, as the pipeline feeds TensorFlow; under JAX on the device."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(images).repeat().prefetch(2)
    batch = keras.ops.convert_to_tensor(images)
    return ((batch,) for _ in iter(int, 1))


def speed(architecture: str, precision: str, args: argparse.Namespace) -> dict[str, Any]:
    """Measure the speed of training steps, with the largest batch that fits."""
    machine = start(precision, args.deterministic)
    from deepcolor.compute import devices
    from deepcolor.errors import is_out_of_memory

    size, too_large = (32 if args.toy else 256), []
    for batch in (4,) if args.toy else BATCHES:
        model, _, facts = trainer_of(architecture, size, args)
        images = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3), np.uint8)
        began = time.monotonic()
        try:
            step_seconds(model, repeated(images), 1, args.deadline)
            first = time.monotonic() - began
            deadline = min(args.deadline, time.monotonic() + (1 if args.toy else TIMED_SECONDS))
            times = step_seconds(model, repeated(images), 10**6, deadline)
            break
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            too_large.append(batch)
    else:
        return {**machine, "problem": "no batch fits the memory", "too_large": too_large}
    images_per_second = batch / statistics.median(times) if times else None
    teraflops = images_per_second * facts["gflop_per_image"] / 1000 if images_per_second else None
    peaks = (peaks[precision] for name, peaks in PEAKS.items() if name in machine["device"])
    peak = args.peak or next(peaks, None)
    return {
        **machine, **facts, "batch": batch, "too_large": too_large, "first_step_seconds": first,
        "blocks": len(times), "images_per_second": images_per_second, "teraflops": teraflops,
        "peak_teraflops": peak, "fraction_of_peak": teraflops / peak if teraflops and peak else None,
        "peak_memory_bytes": devices.peak_device_memory() or devices.peak_memory(),
    }  # fmt: skip


def equal_bits(args: argparse.Namespace) -> dict[str, Any]:
    """Train U-Net twice with the same seed; compare the weights."""
    args.deterministic = True
    machine = start("bfloat16", deterministic=True)
    import keras
    from deepcolor.data.arrays import training_batches

    size, batch = (32, 4) if args.toy else (256, 96)
    images = np.random.default_rng(0).integers(0, 256, (2 * batch, size, size, 3), np.uint8)
    digests, times = [], []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model, _, facts = trainer_of("unet", size, args)
        batches = training_batches(images, batch, seed=0, epochs=range(EQUAL_STEPS))
        times += step_seconds(model, batches, EQUAL_STEPS, args.deadline)
        weights = b"".join(np.ascontiguousarray(each).tobytes() for each in model.get_weights())
        digests.append(hashlib.sha256(weights).hexdigest())
    if time.monotonic() > args.deadline:
        return {**machine, **facts, "problem": "no time was left for two trainings"}
    return {
        **machine, **facts, "batch": batch, "steps": EQUAL_STEPS, "equal": digests[0] == digests[1],
        "weights_sha256": digests, "images_per_second": batch / statistics.median(times),
    }  # fmt: skip


def train(target: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train U-Net on nine tenths of the photographs and their mirror images; validate on the others."""
    machine = start("bfloat16", args.deterministic)
    import keras
    from deepcolor.data.arrays import training_batches
    from deepcolor.imaging.lab import grayscale
    from deepcolor.models import heads

    photographs, batch = np.load(args.photographs), 4 if args.toy else 32
    validation, training = np.split(photographs, [max(1, len(photographs) // 10)])
    training = np.concatenate([training, training[:, :, ::-1]])
    training = training[: len(training) // batch * batch]  # XLA compiles every size of a batch.
    epochs, steps = 2 if args.toy else EPOCHS, len(training) // batch
    keras.utils.set_random_seed(0)
    model, network, facts = trainer_of(
        "unet", photographs.shape[1], args, target=target, schedule="cosine", warmup_epochs=1,
        epochs=epochs, steps=steps,
    )  # fmt: skip
    began = time.monotonic()
    deadline = min(args.deadline, began + TRAIN_SECONDS)

    class Deadline(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            if time.monotonic() > deadline:
                self.model.stop_training = True

    history = model.fit(
        training_batches(training, batch, seed=0, epochs=range(epochs)), steps_per_epoch=steps,
        epochs=epochs, validation_data=(validation,), validation_batch_size=batch, shuffle=False,
        callbacks=[Deadline()], verbose=0,
    ).history  # fmt: skip
    differences = (grayscale(validation).astype(float) - validation) / 255
    squares = np.maximum(np.square(differences).mean((1, 2, 3)), 1e-10)
    path = args.output.with_name(f"unet-{target}.keras")
    heads.with_rgb_output(heads.in_float32(network)).save(path)
    return {
        **machine, **facts, "target": target, "batch": batch, "epochs": len(history["val_psnr"]),
        "of_epochs": epochs, "seconds": time.monotonic() - began,
        "training_images": len(training), "validation_images": len(validation),
        "val_psnr": history["val_psnr"], "psnr_of_gray_copy": float((-10 * np.log10(squares)).mean()),
        "network": path.name, "network_bytes": path.stat().st_size,
    }  # fmt: skip


# By importance: what is left out for want of time are the last.
CASES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    **{f"{each}-bfloat16": partial(speed, each, "bfloat16") for each in NETWORKS},
    "unet-tf32": partial(speed, "unet", "tf32"),
    "equal-bits": equal_bits,
    "unet-rgb": partial(train, "rgb"),
    "unet-lab": partial(train, "lab"),
    **{f"{each}-float32": partial(speed, each, "float32") for each in NETWORKS},
}


def result_of(case: str, seconds: float) -> dict[str, Any]:
    """Return the result of a case, run in a process of its own, or what went wrong."""
    command = [sys.executable, __file__, *sys.argv[1:], "--case", case, "--seconds", str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"problem": f"ended after {seconds:.0f} s, when the time was up"}
    if done.returncode:
        return {"problem": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Run all cases; or, with --case, one, and print its result as JSON."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="JSON file to write")
    parser.add_argument("--photographs", type=Path, help="to train U-Net on, .npy")
    parser.add_argument("--seconds", type=float, default=360, help="after which it ends (360)")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--deterministic", action="store_true", help="as the pipeline is by default")
    parser.add_argument("--xla", choices=XLA, default="auto", help="as `training.xla` of the pipeline")
    parser.add_argument("--peak", type=float, help="peak TFLOP/s of a GPU that is not listed")
    parser.add_argument("--toy", action="store_true", help="small networks and images")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.deadline = began + args.seconds - SAVE_SECONDS
    if args.case:
        print(json.dumps(CASES[args.case](args)))
        return
    report: dict[str, Any] = {"cases": {}, "left_out": {}}
    for case in args.cases:
        left = began + args.seconds - time.monotonic()
        if case in ("unet-rgb", "unet-lab") and not args.photographs:
            report["left_out"][case] = "no photographs were given"
        elif left < START_SECONDS:
            report["left_out"][case] = "no time was left"
        else:
            report["cases"][case] = result_of(case, left)
        print(case, json.dumps(report["cases"].get(case) or report["left_out"][case]), flush=True)
        report["seconds"] = time.monotonic() - began
        temporary = args.output.with_name(f"{args.output.name}.part")
        temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
        temporary.replace(args.output)


if __name__ == "__main__":
    main()
