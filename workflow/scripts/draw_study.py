"""Draw the photographs of a user study, and export its pictures and its design."""

import argparse
import json
from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="of the shards")
    parser.add_argument("--split", required=True, help="validation or test")
    parser.add_argument("--runs", nargs="+", required=True, help="whose pictures are judged")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=".npy, one a run")
    parser.add_argument("--settings", type=json.loads, required=True, help="study: of config.yaml")
    parser.add_argument("--seed", type=int, required=True, help="of the draw")
    parser.add_argument("--study", type=Path, required=True, help="study.json to write")
    parser.add_argument("--pictures", type=Path, required=True, help="folder for the pictures")
    args = parser.parse_args()
    import_tensorflow()  # Before `shards`, which imports it too.
    from deepcolor.data.shards import Shards
    from deepcolor.study.material import draw_study

    predictions = dict(zip(args.runs, args.predictions, strict=True))
    study = draw_study(
        Shards(args.indexes),
        args.split,
        predictions,
        args.settings,
        args.seed,
        args.study,
        args.pictures,
    )
    print(
        f"draw_study: {args.settings['images']} photographs, {len(study['lists'])} lists, protocol "
        f"{study['protocol']}; pictures of {', '.join(args.runs)}",
        flush=True,
    )
    if not study["contact"]:
        print("draw_study: warning: study.contact is empty; nobody will know whom to ask", flush=True)


if __name__ == "__main__":
    script.run(main)
