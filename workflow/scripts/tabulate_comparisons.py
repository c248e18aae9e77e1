from pathlib import Path

from deepcolor import script
from deepcolor.frames import write_frame
from deepcolor.report.comparison_tables import tabulate_ablations, tabulate_seeds, tabulate_transfer
from deepcolor.report.tables import read_table


def main(
    *,
    metrics: Path,
    records: list[Path],
    varies: script.Json[dict[str, str]],
    ablations: Path,
    seeds: Path,
    transfer: Path,
) -> None:
    """Tabulate variants next to the models that they vary, seeds, and data sets.

    Args:
        metrics: CSV table of the metrics.
        records: training.json of each run.
        varies: Model that a variant varies, by run.
        ablations: CSV file to write, of the variants.
        seeds: CSV file to write, of the seeds.
        transfer: CSV file to write, of the data sets.
    """
    scores = read_table(metrics)
    variants = tabulate_ablations(scores, records, varies)
    repeated = tabulate_seeds(scores, records)
    write_frame(ablations, variants)
    write_frame(seeds, repeated)
    write_frame(transfer, tabulate_transfer(scores, records))
    print(
        f"tabulate_comparisons: {ablations.name}, {len(variants)} runs of variants; "
        f"{seeds.name}, {transfer.name}",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
