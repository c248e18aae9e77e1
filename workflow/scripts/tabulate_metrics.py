from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import tabulate_metrics, write_table


def main(*, metrics: list[Path], table: Path) -> None:
    """Gather the metrics of all runs and baselines in one table.

    Args:
        metrics: metrics.json of runs, external predictions and baselines.
        table: CSV file to write.
    """
    write_table(table, tabulate_metrics(metrics))
    print(f"tabulate_metrics: {table.name}, {len(metrics)} rows of results", flush=True)


if __name__ == "__main__":
    script.run(main)
