from pathlib import Path

from deepcolor import script
from deepcolor.evaluation.comparisons import compare_all
from deepcolor.evaluation.paired_scores import read_paired_scores
from deepcolor.evaluation.run_pairs import read_trained_runs
from deepcolor.frames import write_frame


def main(
    *,
    scores: list[Path],
    records: list[Path],
    varies: script.Json[dict[str, str]],
    table: Path,
    pictures: script.AnyNumber[str] = (),
) -> None:
    """Compare runs on the same images: paired differences, with intervals and tests.

    Args:
        scores: per_image.csv of runs, external predictions and baselines.
        records: training.json of each run.
        varies: Model that a variant varies, by run.
        table: CSV file to write.
        pictures: Names of external predictions.
    """
    trained = read_trained_runs(records, varies)
    by_run = read_paired_scores({file.parent.name: file for file in scores})
    compared = compare_all(by_run, trained, pictures)
    write_frame(table, compared)
    print(f"compare_runs: {table.name}, {len(compared)} comparisons", flush=True)


if __name__ == "__main__":
    script.run(main)
