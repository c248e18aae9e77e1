from pathlib import Path

from deepcolor import script
from deepcolor.report.grid_figures import plot_samples


def main(
    *,
    samples: Path,
    baseline: Path,
    runs: list[str],
    predictions: list[Path],
    scores: list[Path],
    figure: Path,
) -> None:
    """Plot inputs, predictions and photographs side by side.

    Args:
        samples: `.npz` file of the images, see draw_samples.
        baseline: per_image.csv of the grayscale copy.
        runs: Names of the runs, in the order of the columns.
        predictions: predictions.npy of each run, in the order of `--runs`.
        scores: per_image.csv of each run, in the order of `--runs`.
        figure: PNG file to write.
    """
    files = zip(predictions, scores, strict=True)
    plot_samples(samples, baseline, dict(zip(runs, files, strict=True)), figure)
    print(f"plot_grid: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
