from pathlib import Path

from deepcolor import script
from deepcolor.report.context import ReportInputs
from deepcolor.report.render import render_report


def main(
    *,
    config: script.Json[dict],
    tables: list[Path],
    records: list[Path],
    scores: list[Path],
    predictions: list[Path],
    compared: list[str],
    samples: Path,
    extremes: Path,
    figures: list[Path],
    rules: list[str],
    report: Path,
    as_published: script.AnyNumber[str] = (),
    distances: script.AnyNumber[Path] = (),
    certainty: script.AnyNumber[Path] = (),
    acceptance: script.AnyNumber[Path] = (),
) -> None:
    """Render the report from tables and figures.

    Args:
        config: Complete configuration.
        tables: CSV tables.
        records: training.json of each run.
        scores: per_image.csv of runs, external predictions and baselines.
        predictions: predictions.npy of each run.
        compared: Names of the runs to set side by side.
        samples: `.npz` file of the drawn images, see draw_samples.
        extremes: `.npz` file of the best and worst images, see draw_extremes.
        figures: SVG and PNG files.
        rules: Names of the rules of the workflow, whose costs are shown.
        report: HTML file to write.
        as_published: Names of the runs to set next to published values.
        distances: distances.json of each run.
        certainty: certainty.json of each run that predicts color classes; next to each lies its
            certainty.npy.
        acceptance: JSON and CSV files of the user study.
    """
    inputs = ReportInputs(
        title=config["title"],
        config=config,
        tables={table.stem: table for table in tables},
        records=records,
        scores={file.parent.name: file for file in scores},
        predictions={file.parent.name: file for file in predictions},
        compared=compared,
        as_published=as_published,
        samples=samples,
        extremes=extremes,
        figures=figures,
        distances={file.parent.name: file for file in distances},
        certainty={file.parent.name: file for file in certainty},
        benchmarks=Path(config["results"], "benchmarks"),
        rules=rules,
        acceptance=acceptance,
    )
    render_report(report, inputs)
    print(f"render_report: {report}", flush=True)


if __name__ == "__main__":
    script.run(main)
