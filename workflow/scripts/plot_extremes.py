from pathlib import Path

from deepcolor import script
from deepcolor.report.grid_figures import plot_extremes


def main(*, run: str, extremes: Path, predictions: Path, scores: Path, figure: Path) -> None:
    """Plot the images that a run colors best and worst, side by side.

    Args:
        run: Name of the run.
        extremes: `.npz` file of the images, see draw_extremes.
        predictions: predictions.npy of the run.
        scores: per_image.csv of the run.
        figure: PNG file to write.
    """
    plot_extremes(run, extremes, predictions, scores, figure)
    print(f"plot_extremes: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
