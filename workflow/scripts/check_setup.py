from pathlib import Path
from typing import Any

from deepcolor import script
from deepcolor.config.preflight import Plan, describe, estimate
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json


def main(
    *,
    data_sets: list[Path],
    models: list[Path],
    images: script.Json[dict[str, int]],
    runs: script.Json[Any],
    predictions: int,
    split: str,
    image_size: int,
    data: Path,
    cache: Path,
    results: Path,
) -> None:
    """Say whether all is there that a run needs, and what it will cost; fail if something is missing.

    Args:
        data_sets: JSON file of each data set, see check_data_set.
        models: JSON file of each model, see check_training.
        images: Number of photographs of all data sets by split.
        runs: List of the settings of each run that decide what it costs.
        predictions: Number of files of predictions.
        split: Images that networks are evaluated on: validation or test.
        image_size: Side of the images in pixels.
        data: Folder for the data.
        cache: Folder for downloads.
        results: Folder for the results.
    """
    costs = estimate(
        [read_json(path) for path in data_sets],
        [read_json(path) for path in models],
        Plan(
            images=images,
            runs=runs,
            predictions=predictions,
            evaluated=split,
            image_size=image_size,
            folders=[cache, data, results],
        ),
    )
    for line in describe(costs):
        print(line, flush=True)
    if costs.problems:
        raise DeepColorError(
            f"{len(costs.problems)} of what this run needs is missing or too small, see above"
        )


if __name__ == "__main__":
    script.run(main)
