"""Open the FiftyOne app on a run: input, prediction and photograph, to be sorted by their metrics.

No rule: it runs until it is stopped.
"""

import argparse
from pathlib import Path

from deepcolor import script
from deepcolor.config import configuration
from deepcolor.config.data_sets import data_sets
from deepcolor.config.models import external_predictions
from deepcolor.config.runs import find_run
from deepcolor.errors import DeepColorError
from deepcolor.report import browse


def main() -> None:
    """Parse the command line, collect the run's pictures, and open the app."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name, such as unet_30")
    parser.add_argument("--configfile", type=Path, help="what is laid over config.yaml")
    parser.add_argument("--port", type=int, default=5151, help="of the app")
    args = parser.parse_args()
    config = configuration.read(args.configfile)
    if args.run not in external_predictions(config):
        find_run(config, args.run)
    folder = Path(config["results"]) / args.run
    if not (folder / "metrics.json").exists():
        overlay = f"--configfile {args.configfile} " if args.configfile else ""
        raise DeepColorError(
            f"{folder} is not finished; run: snakemake {overlay}--cores all -- {folder}/metrics.json"
        )
    manifests = [Path(config["data"]) / each.name / "manifest.csv" for each in data_sets(config)]
    for path in manifests:
        if not path.exists():
            raise DeepColorError(f"{path} is missing; make report writes it again")
    samples = browse.collect(folder, manifests, config["image_size"])
    browse.browse(f"{folder.parent.name}-{args.run}", samples, args.port)


if __name__ == "__main__":
    script.run(main, noted=False)
