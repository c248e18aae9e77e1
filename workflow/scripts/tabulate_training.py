from pathlib import Path

from deepcolor import script
from deepcolor.frames import write_frame
from deepcolor.report.training_table import tabulate_training


def main(*, records: list[Path], varies: script.Json[dict[str, str]], table: Path) -> None:
    """Gather the records of all trainings in one table.

    Args:
        records: training.json of each run.
        varies: Model that a variant varies, by run.
        table: CSV file to write.
    """
    write_frame(table, tabulate_training(records, varies))
    print(f"tabulate_training: {table.name}, {len(records)} runs", flush=True)


if __name__ == "__main__":
    script.run(main)
