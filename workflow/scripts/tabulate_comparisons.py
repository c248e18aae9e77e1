from pathlib import Path

from deepcolor import script
from deepcolor.report import tables


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
    scores = tables.read_table(metrics)
    variants = tables.tabulate_ablations(scores, records, varies)
    repeated = tables.tabulate_seeds(scores, records)
    tables.write_table(ablations, variants)
    tables.write_table(seeds, repeated)
    tables.write_table(transfer, tables.tabulate_transfer(scores, records))
    print(
        f"tabulate_comparisons: {ablations.name}, {len(variants)} runs of variants; "
        f"{seeds.name}, {transfer.name}",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
