"""Train the same U-Net on a CPU under every framework, side by side: `make bench`.

    python tests/benchmarks/backends.py
    python tests/benchmarks/backends.py --quick        one contender per framework, on small pictures
    python tests/benchmarks/backends.py --threads 1    on one core; otherwise on all
    python tests/benchmarks/backends.py --emulate      bfloat16 also without instructions for it

A step takes uint8 photographs through luminance and the U-Net of 3.48 million parameters to the MSE, and
back to Adam's update: in the pipeline's own trainer under each of Keras's backends, and in a loop
written in PyTorch alone, which takes no metrics. Each contender runs in a process of its own, in turns
with the pipeline's way, so that both see the same machine.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "workflow"))

TORCH = PROJECT / ".venv-torch" / "bin" / "python"
NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
REMEDIES = {"tensorflow": "make setup", "jax": "make setup", "torch": "make test-torch"}
TRAINABLE = 3_474_371  # Weights of the U-Net, without what batch normalization remembers.
# Side in pixels, images in a batch, steps in a turn.
SIZES = [(64, 32, 6), (256, 8, 2)]
QUICK_SIZES = [(32, 4, 2)]
TURNS, QUICK_TURNS = 5, 2
SETTINGS: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "warmup_epochs": 0,
    "loss": "mse", "gradient_accumulation_steps": 1, "augmentation": [], "ema_momentum": 0, "xla": False,
}  # fmt: skip


@dataclass(frozen=True)
class Contender:
    """A way to train the U-Net.

    Attributes:
        framework: Package that computes: "tensorflow", "jax" or "torch".
        keras: Whether the pipeline's trainer runs, not a loop written in PyTorch.
        bfloat16: Whether layers compute in bfloat16.
        xla: Whether TensorFlow compiles with XLA.
        onednn: Whether TensorFlow computes with oneDNN.
        fused: Whether TensorFlow's fused batch normalization and Adam replace Keras's own.
        channels_last: Whether PyTorch keeps the channels of a pixel side by side.
        quick: Whether it is measured in the short form.
    """

    framework: str
    keras: bool = True
    bfloat16: bool = False
    xla: bool = False
    onednn: bool = True
    fused: bool = True
    channels_last: bool = False
    quick: bool = False

    @property
    def name(self) -> str:
        """Its name for people."""
        parts = [f"Keras on {NAMES[self.framework]}" if self.keras else "PyTorch, plain loop"]
        parts += ["channels last"] * self.channels_last + ["bfloat16"] * self.bfloat16
        parts += ["XLA"] * self.xla + ["without oneDNN"] * (not self.onednn)
        parts += ["Keras's own normalization and Adam"] * (not self.fused)
        return ", ".join(parts)


PIPELINE = Contender("tensorflow", quick=True)
CONTENDERS = [
    Contender("tensorflow", fused=False),
    Contender("tensorflow", onednn=False),
    Contender("tensorflow", xla=True),
    Contender("jax", quick=True),
    Contender("torch"),
    Contender("torch", keras=False, quick=True),
    Contender("torch", keras=False, channels_last=True),
    Contender("tensorflow", bfloat16=True),
    Contender("tensorflow", bfloat16=True, fused=False),
    Contender("tensorflow", bfloat16=True, xla=True),
    Contender("jax", bfloat16=True),
    Contender("torch", keras=False, bfloat16=True, channels_last=True),
]


def keras_training(contender: Contender, photographs: np.ndarray, batch: int, threads: int) -> Callable:
    """Return a function that trains on the photographs once, in the pipeline's trainer."""
    from deepcolor.compute import backend, keras_settings

    keras_settings.SET["TF_ENABLE_ONEDNN_OPTS"] = str(int(contender.onednn))
    precision = "bfloat16" if contender.bfloat16 else "float32"
    backend.prepare_keras(threads, accelerator="cpu", precision=precision)
    import keras
    from deepcolor.models.unet import unet
    from deepcolor.training import fused, trainer

    if not contender.fused:
        fused.fuse_batch_normalization = lambda network: None
        trainer.OPTIMIZERS["adam"] = keras.optimizers.Adam
    settings = {**SETTINGS, "xla": contender.xla}
    model = trainer.compile_trainer(unet(photographs.shape[1]), settings)
    return lambda: model.fit(photographs, batch_size=batch, shuffle=False, verbose=0)


def torch_training(contender: Contender, photographs: np.ndarray, batch: int, threads: int) -> Callable:
    """Return a function that trains on the photographs once, in a loop written in PyTorch alone."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads)

    class UNet(nn.Module):
        """The U-Net of `deepcolor.models.unet`."""

        def __init__(self, filters: tuple[int, ...] = (64, 128, 256, 512)) -> None:
            super().__init__()
            sides = list(zip((1, *filters[:-1]), filters, strict=True))
            self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in sides)
            self.norms = nn.ModuleList(nn.BatchNorm2d(b, 1e-3, 0.01) for _, b in sides)
            inner = list(
                zip((filters[-1], *(2 * b for b in filters[-2:0:-1])), filters[-2::-1], strict=True)
            )
            self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 3, 2, 1, 1) for a, b in inner)
            self.up_norms = nn.ModuleList(nn.BatchNorm2d(2 * b, 1e-3, 0.01) for _, b in inner)
            self.rgb = nn.ConvTranspose2d(2 * filters[0], 3, 3, 2, 1, 1)

        def forward(self, x: Any) -> Any:
            skips = []
            for convolution, norm in zip(self.down, self.norms, strict=True):
                x = functional.leaky_relu(norm(convolution(x)), 0.01)
                skips.append(x)
            for convolution, norm, skip in zip(self.up, self.up_norms, skips[-2::-1], strict=True):
                x = norm(torch.cat([convolution(x), skip], dim=1))
                x = functional.relu(functional.dropout(x, 0.5))
            return torch.sigmoid(self.rgb(x).float())

    layout = torch.channels_last if contender.channels_last else torch.contiguous_format
    network = UNet().to(memory_format=layout)
    assert sum(weight.numel() for weight in network.parameters()) == TRAINABLE
    optimizer = torch.optim.Adam(network.parameters(), lr=SETTINGS["learning_rate"], eps=1e-7)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]

    def train() -> None:
        for first in range(0, len(photographs), batch):
            pixels = torch.from_numpy(photographs[first : first + batch]).permute(0, 3, 1, 2)
            rgb = pixels.to(memory_format=layout, dtype=torch.float32) / 255
            with torch.autocast("cpu", torch.bfloat16, enabled=contender.bfloat16):
                prediction = network((rgb * luma).sum(dim=1, keepdim=True))
            optimizer.zero_grad()
            functional.mse_loss(prediction, rgb).backward()
            optimizer.step()

    return train


def work(contender: Contender, size: int, batch: int, steps: int, threads: int) -> None:
    """Train once for every line on stdin; answer with seconds of the processor and of the clock."""
    shape = (batch * steps, size, size, 3)
    photographs = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    prepare = keras_training if contender.keras else torch_training
    train = prepare(contender, photographs, batch, threads)
    train()  # Traces and compiles.
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.process_time(), time.perf_counter()
        train()
        seconds = time.process_time() - began[0], time.perf_counter() - began[1]
        print(json.dumps(seconds), flush=True)


class Process:
    """A contender at work in a process of its own, and its best turn so far."""

    def __init__(
        self, python: str, contender: Contender, case: tuple[int, int, int], threads: int
    ) -> None:
        given = json.dumps([asdict(contender), *case, threads])
        self.process = subprocess.Popen(
            [python, __file__, "--work", given],
            env={**os.environ, "KERAS_BACKEND": contender.framework},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.images = case[1] * case[2]
        self.best = [float("inf")] * 2
        self._answer()

    def _answer(self) -> str:
        """Return a line that the process prints."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a contender has failed: {self.process.args!r}")
        return line

    def turn(self) -> None:
        """Let it train once."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.best = [min(pair) for pair in zip(self.best, json.loads(self._answer()), strict=True)]

    def speeds(self) -> tuple[float, float]:
        """Return images per second of the processor, and of the clock."""
        return self.images / self.best[0], self.images / self.best[1]

    def end(self) -> None:
        """End it."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def interpreters() -> dict[str, str]:
    """Return the Python that has each framework; those that none has are missing."""
    program = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)"
    found: dict[str, str] = {}
    for framework in NAMES:
        for python in (sys.executable, str(TORCH)):
            exists = Path(python).exists()
            if exists and not subprocess.run([python, "-c", program, framework], check=False).returncode:
                found.setdefault(framework, python)
    return found


def chosen(args: argparse.Namespace, found: dict[str, str]) -> list[Contender]:
    """Return the contenders that can be measured here; say which cannot, and how they could."""
    from deepcolor.compute import devices

    for framework in NAMES.keys() - found.keys():
        print(f"{NAMES[framework]} is left out: `{REMEDIES[framework]}` installs it")
    listed = [each for each in CONTENDERS if each.framework in found and (each.quick or not args.quick)]
    if args.emulate or devices.BFLOAT16_FLAGS & devices.cpu_flags():
        return listed
    if not args.quick:
        print("bfloat16 is left out: this processor has no AMX or AVX512-BF16; --emulate measures it")
    return [each for each in listed if not each.bfloat16]


def main() -> None:
    """Measure and print; or, with --work, be a contender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one contender per framework, small pictures"
    )
    parser.add_argument(
        "--emulate", action="store_true", help="measure 16 bits without instructions for them"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        contender, *case = args.work
        work(Contender(**contender), *case)
        return
    found = interpreters()
    contenders = chosen(args, found)
    for case in QUICK_SIZES if args.quick else SIZES:
        size, batch, _ = case
        print(
            f"U-Net at {size}×{size}, batches of {batch}, {args.threads} threads: images per CPU-second"
        )
        print(f"  (and per second; ratio of the former to that of {PIPELINE.name} in the same turns)")
        pipeline = Process(found["tensorflow"], PIPELINE, case, args.threads)
        for contender in contenders:
            other = Process(found[contender.framework], contender, case, args.threads)
            pipeline.best = [float("inf")] * 2
            for _ in range(QUICK_TURNS if args.quick else TURNS):
                pipeline.turn()
                other.turn()
            ours, theirs = pipeline.speeds(), other.speeds()
            other.end()
            if contender is contenders[0]:
                print(f"  {PIPELINE.name}: {ours[0]:.3g} ({ours[1]:.3g})", flush=True)
            ratio = theirs[0] / ours[0]
            print(
                f"  {contender.name}: {theirs[0]:.3g} ({theirs[1]:.3g}), ratio {ratio:.2f}", flush=True
            )
        pipeline.end()


if __name__ == "__main__":
    main()
