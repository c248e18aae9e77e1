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

from deepcolor import command
from deepcolor.errors import DeepColorError

# Arguments that decide what the network becomes; a state is only taken up under the same ones.
SETTINGS = [
    "architecture", "options", "image_size", "batch_norm_momentum", "optimizer", "learning_rate",
    "loss", "batch_size", "augmentation", "seed",
]  # fmt: skip


def main() -> None:
    """Parse the command line, train, and write model, history, record and state."""
    args = _arguments()
    command.prepare_keras(args.threads)
    import keras
    import pandas as pd
    from deepcolor import training
    from deepcolor.files import replacing, sha256, write_json
    from deepcolor.shards import Shards

    settings = {name: getattr(args, name) for name in SETTINGS}
    keras.utils.set_random_seed(args.seed)
    shards = Shards(args.indexes)
    network = pkgutil.resolve_name(args.architecture)(
        args.image_size, batch_norm_momentum=args.batch_norm_momentum, **args.options
    )
    shape = (args.image_size, args.image_size)
    if network.input_shape != (None, *shape, 1) or network.output_shape != (None, *shape, 3):
        raise DeepColorError(
            f"{args.architecture} maps {network.input_shape} to {network.output_shape}; it should map "
            f"{(None, *shape, 1)} to {(None, *shape, 3)}"
        )
    model = training.trainer(
        network,
        image_size=args.image_size,
        optimizer=args.optimizer,
        learning_rate=args.learning_rate,
        loss=args.loss,
    )
    identity = [
        settings,
        network.to_json(),
        shards.checksums(),
        args.start and sha256(args.start),
        sha256(weights) if Path(weights := args.options.get("weights", "")).is_file() else weights,
        [version("keras"), version(keras.backend.backend())],
    ]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    backup = args.state.with_name(f"backup-{key}.safetensors")
    history = training.train(
        model,
        lambda epochs: shards.training_batches(
            args.batch_size,
            seed=args.seed,
            epochs=epochs,
            flip="flip" in args.augmentation,
            rotate="rotate" in args.augmentation,
        ),
        shards.evaluation_batches("validation", args.batch_size).map(lambda rgb: (rgb, rgb)),
        epochs=args.epochs,
        steps=shards.steps(args.batch_size),
        images=shards.count("training"),
        seed=args.seed,
        backup=backup,
        start=args.start,
        report=lambda line: print(f"train_model {args.run}: {line}", flush=True),
    )

    with replacing(args.model) as temporary:
        network.save(temporary)
    with replacing(args.history) as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")
    write_json(
        args.record,
        {
            "run": args.run,
            "epochs": args.epochs,
            "continued_from": args.start and args.start.parent.name,
            "settings": settings,
            "parameters": network.count_params(),
            "trainable_parameters": sum(
                math.prod(variable.shape) for variable in network.trainable_variables
            ),
            "images": {split: shards.count(split) for split in ("training", "validation")},
            "shards": shards.checksums(),
            "seconds": sum(row["seconds"] for row in history),
            "images_per_second": statistics.median(row["images_per_second"] for row in history),
            "peak_memory_bytes": training.peak_memory(),
            "peak_device_memory_bytes": training.peak_device_memory(),
            "device": training.device_name(),
            "threads": args.threads,
            "backend": keras.backend.backend(),
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, for messages")
    parser.add_argument("--architecture", required=True, help='"module:function" that builds it')
    parser.add_argument("--options", type=json.loads, default={}, help="of the network, as JSON")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--batch-norm-momentum", type=float, required=True)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--epochs", type=int, required=True, help="when to stop")
    parser.add_argument("--start", type=Path, nargs="?", help="state of a shorter run to go on from")
    parser.add_argument("--optimizer", required=True, help="Keras name")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--loss", required=True, help="Keras name")
    parser.add_argument("--batch-size", type=int, required=True, help="images a step")
    parser.add_argument(
        "--augmentation", nargs="*", choices=["flip", "rotate"], default=[], help="of training"
    )
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--model", type=Path, required=True, help=".keras file to write")
    parser.add_argument("--history", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--record", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--state", type=Path, required=True, help=".safetensors file to write")
    return parser.parse_args()


if __name__ == "__main__":
    command.run(main)
