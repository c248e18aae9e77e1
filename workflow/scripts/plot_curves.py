from pathlib import Path

import pandas as pd
from deepcolor import script
from deepcolor.report.figures import plot_curves


def main(*, history: Path, milestones: list[int], figure: Path) -> None:
    """Plot the curves of a training.

    Args:
        history: history.csv of the run.
        milestones: Epochs to mark.
        figure: SVG file to write.
    """
    plot_curves(pd.read_csv(history), milestones, figure)
    print(f"plot_curves: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
