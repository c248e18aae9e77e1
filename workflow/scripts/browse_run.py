from pathlib import Path

from deepcolor import script
from deepcolor.config import configuration
from deepcolor.config.data_sets import data_sets
from deepcolor.config.models import external_predictions
from deepcolor.config.runs import find_run
from deepcolor.errors import DeepColorError
from deepcolor.report import browse


def main(*, run: str, configfile: Path | None = None, port: int = 5151) -> None:
    """Open the FiftyOne app on a run: inputs, predictions and photographs, sortable by their metrics.

    No rule: it runs until it is stopped.

    Args:
        run: Name of the run, such as unet_30.
        configfile: Configuration laid over config.yaml.
        port: Port of the app.
    """
    config = configuration.read(configfile)
    folder = Path(config["results"]) / run
    needed, certainty = [folder / "metrics.json"], None
    if run not in external_predictions(config) and find_run(config, run).predicts_classes:
        certainty = folder / "certainty.npy"
        needed.append(certainty)
    if not all(path.exists() for path in needed):
        overlay = f"--configfile {configfile} " if configfile else ""
        raise DeepColorError(
            f"{folder} is not finished; run: snakemake {overlay}--cores all -- "
            f"{' '.join(map(str, needed))}"
        )
    manifests = [Path(config["data"]) / data_set.name / "manifest.csv" for data_set in data_sets(config)]
    for path in manifests:
        if not path.exists():
            raise DeepColorError(f"{path} is missing; make report writes it again")
    samples = browse.collect(folder, manifests, config["image_size"], certainty)
    browse.browse(f"{folder.parent.name}-{run}", samples, port)


if __name__ == "__main__":
    script.run(main, noted=False)
