"""Try whether a network can be trained here, and how fast: a few steps on random images."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import write_json


def main() -> None:
    """Parse the command line and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--architecture", required=True, help='"module:function" that builds it')
    parser.add_argument("--options", type=json.loads, default={}, help="of the network, as JSON")
    parser.add_argument("--training", type=json.loads, required=True, help="its settings, as JSON")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--devices", type=int, default=1, help="to spread each batch over")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--findings", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    distribution = backend.prepare_keras(
        args.threads,
        accelerator=args.accelerator,
        devices=args.devices,
        deterministic=args.training["deterministic"],
        precision=args.training["precision"],
    )
    from deepcolor.training.settings import Settings
    from deepcolor.training.trial import try_model

    settings = Settings(args.architecture, args.options, args.image_size, args.training)
    write_json(args.findings, try_model(args.model, settings, distribution))


if __name__ == "__main__":
    script.run(main)
