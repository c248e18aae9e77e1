from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow


def main(
    *,
    indexes: list[Path],
    split: str,
    runs: list[str],
    scores: list[Path],
    images: int,
    extremes: Path,
) -> None:
    """Draw the images that runs color best and worst.

    Args:
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        runs: Names of the runs.
        scores: per_image.csv of each run, in the order of `--runs`.
        images: Largest number of best and of worst images of a run.
        extremes: `.npz` file to write.
    """
    import_tensorflow()
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import draw_extremes

    by_run = dict(zip(runs, scores, strict=True))
    draw_extremes(Shards(indexes), split, by_run, images, extremes)
    print(f"draw_extremes: {extremes.name}, {len(by_run)} runs", flush=True)


if __name__ == "__main__":
    script.run(main)
