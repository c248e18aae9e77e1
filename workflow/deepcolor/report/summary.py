"""The summary of the report on one page, for programs and for pull requests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepcolor.evaluation.bootstrap import METHOD
from deepcolor.evaluation.measures import MEASURES
from deepcolor.files import write_json, write_text
from deepcolor.report.findings import findings, repeated_seeds
from deepcolor.report.formatting import decimal, oneline
from deepcolor.report.results import photographs_colorfulness, result_rows
from deepcolor.report.tables import read_table
from deepcolor.report.templating import template_environment

SUMMARY_MEASURES = ("psnr", "colorfulness", "ssim", "ciede2000", "colorfulness_difference")


def write_summary(
    json_file: Path,
    markdown_file: Path,
    *,
    title: str,
    tables: Mapping[str, Path],
    split: str,
) -> None:
    """Write the findings and the main measures, as JSON and as Markdown.

    Args:
        json_file: JSON file to write.
        markdown_file: Markdown file to write.
        title: Title of the report.
        tables: Tables by name: metrics, training, ablations, seeds, comparisons.
        split: Split that was scored, "validation" or "test".
    """
    table = {name: read_table(file) for name, file in tables.items()}
    seeds = repeated_seeds(table["seeds"])
    results = result_rows(table["metrics"], table["training"], [], split)
    found = findings(results, table["comparisons"], split, table["ablations"], seeds)
    colorfulness = photographs_colorfulness(results)
    content = {
        "title": title,
        "split": split,
        "images": results[0]["n"],
        "photographs": results[0]["photographs"],
        "photographs_colorfulness": colorfulness,
        "interval": METHOD,
        "found": found,
        "runs": [_summarized(row) for row in results],
    }
    write_json(json_file, content)
    environment = template_environment(autoescape=True, decimal=decimal, oneline=oneline)
    text = environment.get_template("summary.md.j2").render(
        title=title,
        split=split,
        results=results,
        photographs_colorfulness=colorfulness,
        found=found,
        method=METHOD,
        measures=MEASURES,
    )
    write_text(markdown_file, text)


def _summarized(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of results with the main measures alone."""
    return {
        "run": row["run"],
        "kind": row["kind"],
        "chosen_on_these_images": row["chosen"],
        "collapsed": row["trained"]["collapse"] if row["trained"] else "",
        **{
            luminance: {name: _finite(row[luminance][name]) for name in SUMMARY_MEASURES}
            for luminance in ("predicted", "kept")
        },
    }


def _finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers for JSON, None for nan."""
    return {key: value if value == value else None for key, value in numbers.items()}
