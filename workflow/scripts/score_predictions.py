from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow
from deepcolor.evaluation import score


def main(
    *,
    run: str,
    predictions: Path,
    indexes: list[Path],
    split: str,
    threads: int,
    metrics: Path,
    per_image: Path,
) -> None:
    """Score predictions of the held-out images.

    Args:
        run: Name of the run, for messages.
        predictions: predictions.npy of the run.
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        threads: CPU threads.
        metrics: JSON file to write.
        per_image: CSV file to write.
    """
    import_tensorflow()
    from deepcolor.data.shards import Shards

    scores = score.score_predictions(Shards(indexes), split, predictions, threads)
    summary = score.write_scores(scores, per_image, metrics)
    print(f"score_predictions {run}: {summary}", flush=True)


if __name__ == "__main__":
    script.run(main)
