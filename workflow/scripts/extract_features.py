from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import write_json


def main(
    *,
    run: str,
    predictions: Path,
    indexes: list[Path],
    split: str,
    threads: int,
    features: Path,
    networks: Path,
    inception_weights: script.Json[str | None] = None,
    lpips_weights: script.AtMostOne[Path] = (),
    accelerator: backend.Accelerator = "auto",
) -> None:
    """Write what InceptionV3 and LPIPS see in photographs and predictions, where weights are given.

    Args:
        run: Name of the run, for messages.
        predictions: predictions.npy of the run.
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        threads: CPU threads.
        features: `.npy` file to write.
        networks: JSON file to write, about the networks.
        inception_weights: Weights of InceptionV3 for FID and KID: "imagenet", a file or null.
        lpips_weights: Weights file of LPIPS.
        accelerator: Device that networks run on.
    """
    backend.prepare_keras(threads, accelerator=accelerator)
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.features import extract_with
    from deepcolor.evaluation.inception import inception_file
    from deepcolor.evaluation.predict import prediction_batches

    shards = Shards(indexes)
    weights = {}
    if inception_weights:
        weights["inception"] = inception_file(inception_weights)
    if lpips_weights:
        weights["lpips"] = lpips_weights[0]
    pictures = prediction_batches(shards, split, predictions)
    count = shards.count(split)
    write_json(networks, extract_with(weights, pictures, count, features, size=shards.size))
    print(f"extract_features {run}: {count} images", flush=True)


if __name__ == "__main__":
    script.run(main)
