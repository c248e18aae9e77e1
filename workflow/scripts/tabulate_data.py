from pathlib import Path

from deepcolor import script
from deepcolor.report.tables import tabulate_credits, tabulate_data, write_table


def main(*, about: list[Path], manifests: list[Path], table: Path, credits: Path) -> None:
    """Tabulate the facts of the data sets, and whom to credit for the photographs.

    Args:
        about: data_set.json of each data set.
        manifests: Manifest of each data set.
        table: CSV file to write, of the data sets.
        credits: CSV file to write, of the credits.
    """
    write_table(table, tabulate_data(about, manifests))
    write_table(credits, tabulate_credits(about, manifests))
    print(f"tabulate_data: {table.name}, {len(about)} data sets", flush=True)


if __name__ == "__main__":
    script.run(main)
