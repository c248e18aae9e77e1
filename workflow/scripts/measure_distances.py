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
    seed: int,
    threads: int,
    distances: Path,
    inception_weights: script.Json[str | None] = None,
    lpips_weights: script.AtMostOne[Path] = (),
    accelerator: backend.Accelerator = "auto",
) -> None:
    """Measure FID, KID and LPIPS between predictions and photographs, those whose weights are given.

    Args:
        run: Name of the run, for messages.
        predictions: predictions.npy of the run.
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        seed: Random seed of the subsets of KID.
        threads: CPU threads.
        distances: JSON file to write.
        inception_weights: Weights of InceptionV3 for FID and KID: "imagenet", a file or null.
        lpips_weights: Weights file of LPIPS.
        accelerator: Device that networks run on.
    """
    backend.prepare_keras(threads, accelerator=accelerator)
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.distances import measure_with, summarize_distances
    from deepcolor.evaluation.inception import inception_file
    from deepcolor.evaluation.predict import prediction_batches

    shards = Shards(indexes)
    weights = {}
    if inception_weights:
        weights["inception"] = inception_file(inception_weights)
    if lpips_weights:
        weights["lpips"] = lpips_weights[0]
    pictures = prediction_batches(shards, split, predictions)
    content = measure_with(weights, pictures, shards.count(split), size=shards.size, seed=seed)
    write_json(distances, content)
    print(f"measure_distances {run}: {summarize_distances(content)}", flush=True)


if __name__ == "__main__":
    script.run(main)
