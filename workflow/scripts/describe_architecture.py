"""Describe a trained network stage by stage, for its diagram."""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main() -> None:
    """Parse the command line and describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, for messages")
    parser.add_argument("--model", type=Path, required=True, help=".keras file")
    parser.add_argument("--image-size", type=int, required=True, help="pixels")
    parser.add_argument("--architecture", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    backend.prepare_keras(1, accelerator="cpu")
    from deepcolor.files import write_json
    from deepcolor.models import loading
    from deepcolor.report.diagrams import stages

    described = stages.describe(loading.load_network(args.model, args.image_size))
    write_json(args.architecture, described)
    print(f"describe_architecture {args.run}: {len(described['stages'])} stages", flush=True)


if __name__ == "__main__":
    script.run(main)
