from pathlib import Path

from deepcolor import script
from deepcolor.frames import write_frame
from deepcolor.report.data_tables import tabulate_credits, tabulate_data


def main(*, about: list[Path], manifests: list[Path], table: Path, credits: Path) -> None:
    """Tabulate the facts of the data sets, and whom to credit for the photographs.

    Args:
        about: data_set.json of each data set.
        manifests: Manifest of each data set.
        table: CSV file to write, of the data sets.
        credits: CSV file to write, of the credits.
    """
    write_frame(table, tabulate_data(about, manifests))
    write_frame(credits, tabulate_credits(about, manifests))
    print(f"tabulate_data: {table.name}, {len(about)} data sets", flush=True)


if __name__ == "__main__":
    script.run(main)
