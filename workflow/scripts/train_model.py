"""Train one network up to a number of epochs."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import alone_in


def main() -> None:
    """Parse the command line and train."""
    args = _arguments()
    # A training that has outlived its Snakemake would delete the backup of this one.
    with alone_in(args.state.parent), script.scratch(args) as scratch:
        distribution = backend.prepare_keras(
            args.threads,
            accelerator=args.accelerator,
            devices=args.devices,
            deterministic=args.training["deterministic"],
            precision=args.training["precision"],
        )
        from deepcolor.training.session import Outputs, Run, train_run
        from deepcolor.training.settings import Settings

        train_run(
            Run(
                name=args.run,
                model=args.model_name,
                settings=Settings(args.architecture, args.options, args.image_size, args.training),
                train_on=args.train_on,
                indexes=args.indexes,
                epochs=args.epochs,
                seed=args.seed,
                start=args.start,
                restart_reason=args.restart_reason,
                code=args.code,
            ),
            Outputs(args.model, args.history, args.record, args.state),
            distribution,
            threads=args.threads,
            scratch=scratch,
            report=lambda line: print(f"train_model {args.run}: {line}", flush=True),
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--model-name", required=True, help="name of the model that it is a run of")
    parser.add_argument("--architecture", required=True, help='"module:function" that builds it')
    parser.add_argument("--options", type=json.loads, default={}, help="of the network, as JSON")
    parser.add_argument("--training", type=json.loads, required=True, help="its settings, as JSON")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--train-on", nargs="+", required=True, help="names of the data sets")
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of their shards")
    parser.add_argument("--epochs", type=int, required=True, help="when to stop")
    parser.add_argument("--start", type=Path, nargs="?", help="state to resume from")
    # Snakemake prints an empty text as nothing.
    parser.add_argument(
        "--restart-reason",
        nargs="?",
        const="",
        default="",
        help="why it does not resume from a shorter run",
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
