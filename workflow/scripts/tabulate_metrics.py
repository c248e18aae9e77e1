from pathlib import Path

from deepcolor import script
from deepcolor.frames import write_frame
from deepcolor.report.metrics_table import tabulate_metrics


def main(*, metrics: list[Path], table: Path) -> None:
    """Gather the metrics of all runs and baselines in one table.

    Args:
        metrics: metrics.json of runs, external predictions and baselines.
        table: CSV file to write.
    """
    write_frame(table, tabulate_metrics(metrics))
    print(f"tabulate_metrics: {table.name}, {len(metrics)} rows of results", flush=True)


if __name__ == "__main__":
    script.run(main)
