from pathlib import Path

from deepcolor import script
from deepcolor.report.results import result_rows
from deepcolor.report.score_figure import plot_scores
from deepcolor.report.tables import read_table


def main(*, metrics: Path, training: Path, split: str, figure: Path) -> None:
    """Plot the scores of runs and baselines with their intervals.

    Args:
        metrics: CSV table of the metrics.
        training: CSV table of the trainings.
        split: Images that networks are evaluated on: validation or test.
        figure: SVG file to write.
    """
    rows = result_rows(read_table(metrics), read_table(training), [], split)
    # The ceiling lies so far off that all else would be crowded.
    plot_scores([row for row in rows if row["run"] != "true-chroma"], figure)
    print(f"plot_scores: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
