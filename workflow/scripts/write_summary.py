from pathlib import Path

from deepcolor import script
from deepcolor.report.summary import write_summary


def main(
    *,
    title: script.Json[str],
    split: str,
    metrics: Path,
    training: Path,
    ablations: Path,
    seeds: Path,
    comparisons: Path,
    json: Path,
    markdown: Path,
) -> None:
    """Write the findings and the main figures on one page.

    Args:
        title: Title of the report.
        split: Images that networks are evaluated on: validation or test.
        metrics: CSV table of the metrics.
        training: CSV table of the trainings.
        ablations: CSV table of the variants.
        seeds: CSV table of the seeds.
        comparisons: CSV table of the comparisons of runs.
        json: JSON file to write.
        markdown: Markdown file to write.
    """
    tables = {
        "metrics": metrics,
        "training": training,
        "ablations": ablations,
        "seeds": seeds,
        "comparisons": comparisons,
    }
    write_summary(json, markdown, title=title, tables=tables, split=split)
    print(f"write_summary: {json}, {markdown.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
