from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import write_json


def main(
    *,
    run: str,
    model: Path,
    indexes: list[Path],
    split: str,
    threads: int,
    certainty: Path,
    maps: Path,
    accelerator: backend.Accelerator = "auto",
) -> None:
    """Measure how sure a network of color classes is of the held-out images, and how often it is right.

    Args:
        run: Name of the run, for messages.
        model: `.keras` file of the run.
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        threads: CPU threads.
        certainty: JSON file to write.
        maps: `.npy` file to write, the entropy of every cell.
        accelerator: Device that the network runs on.
    """
    backend.prepare_keras(threads, accelerator=accelerator)
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.certainty import class_predictor, measure_certainty
    from deepcolor.models.loading import load_network

    shards = Shards(indexes)
    predictor = class_predictor(load_network(model, shards.size))
    content = measure_certainty(shards, split, predictor, maps)
    write_json(certainty, content)
    print(
        f"measure_certainty {run}: confidence {content['confidence']:.1%}, accuracy "
        f"{content['accuracy']:.1%} on {content['n']} images",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
