from pathlib import Path

from deepcolor import script
from deepcolor.report.cost_figure import plot_costs
from deepcolor.report.tables import as_predicted, read_table


def main(*, metrics: Path, training: Path, figure: Path) -> None:
    """Plot the PSNR of networks against what they cost.

    Args:
        metrics: CSV table of the metrics.
        training: CSV table of the trainings.
        figure: SVG file to write.
    """
    means = as_predicted(read_table(metrics), "all")
    baseline = means[means["run"] == "grayscale-copy"]["psnr"].iloc[0]
    runs = read_table(training).merge(means[["run", "psnr"]], on="run")
    plot_costs(runs, baseline, figure)
    print(f"plot_costs: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
