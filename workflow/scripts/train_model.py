"""Train one network up to a number of epochs."""

import argparse
import hashlib
import json
import math
import pkgutil
import platform
import shutil
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.errors import DeepColorError
from deepcolor.files import alone_in, replacing, sha256, write_json

if TYPE_CHECKING:
    import keras

# Keys of `training` that do not change what the network becomes.
UNIMPORTANT = {"tensorboard"}


def main() -> None:
    """Parse the command line and train."""
    args = _arguments()
    # A training that has outlived its Snakemake would delete the backup of this one.
    with alone_in(args.state.parent), script.scratch(args) as scratch:
        train(args, scratch)


def train(args: argparse.Namespace, scratch: Path | None) -> None:
    """Train, and write model, history, record and state.

    Args:
        args: Of the command line.
        scratch: An empty folder, into which shards are copied; None reads them where they are.
    """
    backend.prepare_keras(
        args.threads,
        accelerator=args.accelerator,
        devices=args.devices,
        deterministic=args.training["deterministic"],
        precision=args.training["precision"],
    )
    import keras
    import pandas as pd
    from deepcolor.compute import devices
    from deepcolor.data.shards import Shards
    from deepcolor.models import heads, macs
    from deepcolor.training import loop

    settings = {
        "architecture": args.architecture,
        "options": args.options,
        "image_size": args.image_size,
        "training": args.training,
    }
    keras.utils.set_random_seed(args.seed)
    shards = Shards(args.indexes, scratch)
    batch_size = args.training["batch_size"]
    steps = shards.steps(batch_size)
    images = {split: shards.count(split) for split in ("training", "validation")}
    devices.check_batches(args.training, images)
    with devices.scope():
        network = build(args)
        model = loop.trainer(network, args.training, epochs=args.epochs, steps=steps)
    identity = [
        {**settings, "training": {k: v for k, v in args.training.items() if k not in UNIMPORTANT}},
        args.epochs,
        args.seed,
        args.devices,
        network.to_json(),
        shards.checksums(),
        args.start and sha256(args.start),
        sha256(weights) if Path(weights := args.options.get("weights", "")).is_file() else weights,
        [version("keras"), keras.backend.backend(), version(keras.backend.backend())],
        # What an edit of the code makes run again must not go on with what the old code has made.
        args.code,
    ]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    backup = args.state.with_name(f"backup-{key}.safetensors")
    history = loop.train(
        model,
        lambda epochs: shards.training_batches(
            batch_size,
            seed=args.seed,
            epochs=epochs,
            flip="flip" in args.training["augmentation"],
            rotate="rotate" in args.training["augmentation"],
        ),
        shards.evaluation_batches("validation", batch_size),
        args.training,
        epochs=args.epochs,
        steps=steps,
        validation_steps=math.ceil(images["validation"] / batch_size) if args.devices > 1 else None,
        images=images,
        seed=args.seed,
        backup=backup,
        start=args.start,
        tensorboard=args.state.with_name("tensorboard") if args.training["tensorboard"] else None,
        report=lambda line: print(f"train_model {args.run}: {line}", flush=True),
    )

    finished = heads.colorizer(heads.in_float32(network))
    with replacing(args.model) as temporary:
        finished.save(temporary)
    with replacing(args.history) as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")

    best = loop.best_epoch(history) if args.training["early_stopping"] else None

    def median(column: str) -> float:
        return statistics.median(row[column] for row in history)

    write_json(
        args.record,
        {
            "run": args.run,
            "model": args.model_name,
            "epochs": args.epochs,
            "seed": args.seed,
            "train_on": args.train_on,
            "continued_from": args.start and args.start.parent.name,
            "anew": args.anew,
            "settings": settings,
            "parameters": network.count_params(),
            "trainable_parameters": sum(
                math.prod(variable.shape) for variable in network.trainable_variables
            ),
            "multiply_adds": macs.multiply_adds(network),
            "model_bytes": args.model.stat().st_size,
            "images": images,
            "shards": shards.checksums(),
            "steps_per_epoch": steps,
            "effective_batch_size": batch_size * args.training["gradient_accumulation_steps"],
            "seconds": sum(row["seconds"] for row in history),
            "seconds_per_epoch": median("seconds"),
            "images_per_second": median("images_per_second"),
            "inference_images_per_second": median("val_images_per_second"),
            "peak_memory_bytes": devices.peak_memory(),
            "peak_device_memory_bytes": devices.peak_device_memory(),
            "device": devices.device_name(),
            "devices": args.devices,
            "threads": args.threads,
            "backend": keras.backend.backend(),
            "stopped_after": len(history),
            "best_epoch": best,
            "faults": loop.faults(history),
            "outputs": {name: history[(best or 0) - 1][f"val_{name}"] for name in loop.MEASURES},
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("keras", "numpy", keras.backend.backend())},
            },
        },
    )
    with replacing(args.state) as temporary:
        shutil.copyfile(backup, temporary)
    for leftover in backup.parent.glob("*backup-*.safetensors"):
        leftover.unlink()


def build(args: argparse.Namespace) -> "keras.Model":
    """Build the network that the arguments name.

    Raises:
        DeepColorError: It does not map a luminance to RGB or chroma of the same size.
    """
    network = pkgutil.resolve_name(args.architecture)(
        args.image_size,
        batch_norm_momentum=args.training["batch_norm_momentum"],
        **args.options,
    )
    shape = (None, args.image_size, args.image_size)
    outputs = [(*shape, 3), (*shape, 2)]
    if network.input_shape != (*shape, 1) or network.output_shape not in outputs:
        raise DeepColorError(
            f"{args.architecture} maps {network.input_shape} to {network.output_shape}; it should map "
            f"{(*shape, 1)} to {outputs[0]} (RGB) or {outputs[1]} (chroma)"
        )
    return network


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--model-name", required=True, help="of the model that it is a run of")
    parser.add_argument("--architecture", required=True, help='"module:function" that builds it')
    parser.add_argument("--options", type=json.loads, default={}, help="of the network, as JSON")
    parser.add_argument("--training", type=json.loads, required=True, help="its settings, as JSON")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--train-on", nargs="+", required=True, help="names of the data sets")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of their shards")
    parser.add_argument("--epochs", type=int, required=True, help="when to stop")
    parser.add_argument("--start", type=Path, nargs="?", help="state of a shorter run to go on from")
    # Snakemake prints an empty text as nothing.
    parser.add_argument(
        "--anew", nargs="?", const="", default="", help="why it does not go on from a shorter run"
    )
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--devices", type=int, default=1, help="to spread each batch over")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    script.add_scratch(parser)
    parser.add_argument("--code", default="", help="digest of the code, for the backup's name")
    parser.add_argument("--model", type=Path, required=True, help=".keras file to write")
    parser.add_argument("--history", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--record", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--state", type=Path, required=True, help=".safetensors file to write")
    return parser.parse_args()


if __name__ == "__main__":
    script.run(main)
