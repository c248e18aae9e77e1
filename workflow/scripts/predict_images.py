from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.compute.startup import import_tensorflow


def main(
    *,
    run: str,
    indexes: list[Path],
    split: str,
    threads: int,
    predictions: Path,
    model: script.AtMostOne[Path] = (),
    pictures: script.Json[str | None] = None,
    accelerator: backend.Accelerator = "auto",
) -> None:
    """Predict the held-out images with a network, external predictions or a baseline.

    Args:
        run: Name of a run, or baselines/{baseline}.
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        threads: CPU threads.
        predictions: `.npy` file to write.
        model: `.keras` file of a run.
        pictures: Folder of external predictions.
        accelerator: Device that a network runs on.
    """
    if model:
        backend.prepare_keras(threads, accelerator=accelerator)
    else:
        import_tensorflow()
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation import baselines, external, predict
    from deepcolor.models import loading

    shards = Shards(indexes)
    if model:
        predictor = predict.network_predictor(loading.load_network(model[0], shards.size))
    elif pictures:
        images = shards.images(split)[["data_set", "id"]].itertuples(index=False, name=None)
        files = external.find_predictions(Path(pictures), images, run)
        predictor = external.external_predictor(files, shards.size)
    else:
        predictor = baselines.baseline_predictor(Path(run).name, shards)
    count = predict.predict_images(shards, split, predictor, predictions)
    print(f"predict_images {run}: {count} images", flush=True)


if __name__ == "__main__":
    script.run(main)
