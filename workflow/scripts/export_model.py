"""Export a trained network as ONNX and TensorFlow Lite, with its card, checked against Keras."""

import argparse
import os
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--model", type=Path, required=True, help=".keras file")
    parser.add_argument("--card", type=Path, required=True, help="JSON, of the run")
    parser.add_argument("--markdown", type=Path, required=True, help="the card to read")
    parser.add_argument("--threads", type=int, required=True, help="of the CPU")
    parser.add_argument("--folder", type=Path, required=True, help="to write to")
    args = parser.parse_args()
    # What both formats are converted from, whatever backend the network was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    backend.prepare_keras(args.threads, accelerator="cpu")
    from deepcolor.export import formats
    from deepcolor.files import sha256
    from deepcolor.models import loading

    found = formats.export(
        loading.load_network(args.model),
        args.folder,
        run=args.run,
        card=args.card,
        markdown=args.markdown,
        checksum=sha256(args.model),
    )
    for line in formats.describe(found):
        print(f"export_model {args.run}: {line}", flush=True)


if __name__ == "__main__":
    script.run(main)
