"""See whether a network can be built and trained here, and how fast: a few steps on random pictures."""

import argparse
import json
import pkgutil
import time
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend, devices
from deepcolor.errors import DeepColorError, is_out_of_memory

# Images in the steps. After two sizes the graph serves every size; what memory the last takes beyond the
# one before, a larger batch takes in proportion.
STEPS = (1, 2, 4, 12, 12)


def main() -> None:
    """Parse the command line and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="its name")
    parser.add_argument("--architecture", required=True, help='"module:function" that builds it')
    parser.add_argument("--options", type=json.loads, default={}, help="of the network, as JSON")
    parser.add_argument("--training", type=json.loads, required=True, help="its settings, as JSON")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--devices", type=int, default=1, help="to spread each batch over")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--findings", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    backend.prepare_keras(
        args.threads,
        accelerator=args.accelerator,
        devices=args.devices,
        deterministic=args.training["deterministic"],
        precision=args.training["precision"],
    )
    from deepcolor.files import write_json

    findings = {"name": args.model, "problem": None, "batch_size": args.training["batch_size"]}
    try:
        findings.update(try_training(args))
    except DeepColorError as error:
        findings["problem"] = str(error)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        findings["problem"] = (
            f"{STEPS[-1]} images at a time do not fit the memory; lower 'image_size' in config.yaml"
        )
    write_json(args.findings, findings)


def try_training(args: argparse.Namespace) -> dict:
    """Train for some steps; extrapolate the memory of a full batch.

    Returns:
        parameters, images_per_second, memory (bytes of a full batch, on each device), device (its
        kind), device_memory (bytes).
    """
    import numpy as np
    from deepcolor.training import loop

    devices.check_batches(args.training, {})
    with devices.scope():
        network = pkgutil.resolve_name(args.architecture)(
            args.image_size,
            batch_norm_momentum=args.training["batch_norm_momentum"],
            **args.options,
        )
        model = loop.trainer(network, args.training)
    shape = (STEPS[-1] * args.devices, args.image_size, args.image_size, 3)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    memory, seconds = {}, 0.0
    for images in STEPS:
        began = time.perf_counter()
        batch_size = images * args.devices
        model.fit(pictures[:batch_size], batch_size=batch_size, shuffle=False, verbose=0)
        seconds = time.perf_counter() - began
        memory[images] = devices.peak_device_memory() or devices.peak_memory()
    small, large = STEPS[-3], STEPS[-1]
    each = max(0, memory[large] - memory[small]) / (large - small)
    batch = args.training["batch_size"] / args.devices
    return {
        "parameters": network.count_params(),
        "images_per_second": large * args.devices / seconds,
        "memory": int(memory[large] + each * max(0, batch - large)),
        "device": devices.device_name(),
        "device_memory": devices.device_memory(),
    }


if __name__ == "__main__":
    script.run(main)
