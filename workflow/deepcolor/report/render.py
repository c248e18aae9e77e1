"""The report: one HTML file that needs nothing else, rendered from tables, figures and pictures."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from deepcolor.evaluation.bootstrap import METHOD
from deepcolor.evaluation.comparisons import LEAST_PHOTOGRAPHS
from deepcolor.evaluation.measures import MEASURES, OF_MEANS
from deepcolor.files import read_json, write_json, write_text
from deepcolor.frames import read_frame
from deepcolor.labels import label
from deepcolor.report import context, image_grids, provenance
from deepcolor.report.data_uris import data_uri, picture_uri
from deepcolor.report.findings import decimal, findings, interval, signed
from deepcolor.report.tables import read_table

TEMPLATES = Path(__file__).parent / "templates"
CREDITS_SHOWN = 50
# Pairs of runs in the page's table; of more, those with the best network are shown.
PAIRS_SHOWN = 45
# Bytes of a page for figures; those that do not fit are named with their file.
FIGURES_BUDGET = 2_000_000


def render(
    path: Path,
    *,
    title: str,
    config: dict[str, Any],
    tables: Mapping[str, Path],
    records: Sequence[Path],
    scores: Mapping[str, Path],
    predictions: Mapping[str, Path],
    compared: Sequence[str],
    as_published: Sequence[str],
    samples: Path,
    extremes: Path,
    figures: Sequence[Path],
    distances: Mapping[str, Path],
    benchmarks: Path,
    acceptance: Sequence[Path] = (),
) -> None:
    """Render the report.

    Args:
        path: HTML file to write.
        title: Of the page.
        config: The completed configuration, to be shown.
        tables: Of `tables`: metrics, training, ablations, seeds, transfer, comparisons, data,
            credits.
        records: training.json of the runs; beside it lies model.keras.
        scores: per_image.csv by run, other programs' pictures, and baselines.
        predictions: predictions.npy by run and other programs' pictures.
        compared: What is set side by side, by name: the longest runs and other programs' pictures.
        as_published: Names of the runs whose networks are the published ones.
        samples: Of `samples.draw_samples`.
        extremes: Of `samples.draw_extremes`.
        figures: Files of figures; their names say what they are, such as curves-unet.svg.
        distances: distances.json by run, where FID, KID or LPIPS are asked for.
        benchmarks: Folder of Snakemake's benchmark files.
        acceptance: acceptance.json, acceptance.csv and acceptance_images.csv, if people were asked.
    """
    table = {name: read_table(file) for name, file in tables.items()}
    metrics, training = table["metrics"], table["training"]
    ablations, comparisons = table["ablations"], table["comparisons"]
    seeds = table["seeds"]
    repeated = seeds[(seeds["seeds"] > 1) & (seeds["data_set"] == "all")]
    split = config["evaluation"]["split"]
    results = context.results(metrics, training, as_published, split)
    varying = training[(training["varies"] != "") & ~training["model"].isin(ablations["model"])]
    collapses = dict(zip(training["run"], training["collapse"], strict=True))
    names = {"data_set": str, "id": str}
    per_image = {run: read_frame(file, names) for run, file in scores.items()}
    drawn, outermost = dict(np.load(samples)), dict(np.load(extremes))
    # Of those that have not collapsed, if there are such.
    best = min(
        (row for row in results if row["run"] in compared),
        key=lambda row: (bool(collapses.get(row["run"])), row["predicted"]["ciede2000"]["value"]),
    )["run"]
    credits = table["credits"]
    folder = path.parent
    studied = {file.name: file for file in acceptance}
    text = (
        environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            config=json.dumps(config, indent=2, ensure_ascii=False),
            image_size=config["image_size"],
            split=split,
            seed=config["seed"],
            measures={**MEASURES, **OF_MEANS},
            method=METHOD,
            least_photographs=LEAST_PHOTOGRAPHS,
            findings=findings(results, comparisons, split, ablations, repeated),
            results=results,
            compared=compared,
            best=best,
            choices=[{"key": run, "label": label(run)} for run in predictions],
            pairs=_pairs(comparisons, best),
            seed_pairs=context.comparisons(comparisons, ["seeds"]),
            epoch_pairs=context.comparisons(comparisons, ["epochs"]),
            change_pairs={row["run"]: row for row in context.comparisons(comparisons, ["change"])},
            data_set_results=context.by_data_set(metrics, table["transfer"], compared),
            ablations=ablations.to_dict("records"),
            alone=varying.drop_duplicates("model").to_dict("records"),
            seeds=repeated.to_dict("records"),
            collapses=collapses,
            grid=image_grids.grid(drawn, predictions, per_image, compared),
            by_epochs=image_grids.by_epochs(drawn, predictions, training),
            extremes=image_grids.extremes(outermost, predictions, per_image, compared),
            collapsed=image_grids.collapsed(
                drawn, predictions, {run: kind for run, kind in collapses.items() if kind}
            ),
            distances={run: read_json(file) for run, file in distances.items()},
            acceptance=read_json(studied["acceptance.json"]) if studied else None,
            acceptance_files=studied,
            weights=context.encoder_weights(training[training["run"].isin(as_published)]),
            data_sets=table["data_sets"].to_dict("records"),
            credits=credits.head(CREDITS_SHOWN).to_dict("records"),
            credits_left_out=max(0, len(credits) - CREDITS_SHOWN),
            settings=context.settings(training, list(config["training"])),
            training=training.to_dict("records"),
            versions=read_json(records[0])["versions"],
            commit=provenance.commit(Path(__file__).parent),
            checksums=provenance.checksums(records),
            jobs=context.benchmarks(benchmarks),
            figures={file.name: file for file in figures},
            drawn=[
                file.stem.removeprefix("architecture-")
                for file in figures
                if file.name.startswith("architecture-")
            ],
            shown=_shown(figures),
            link=lambda file: Path(file).relative_to(folder).as_posix(),
            tables=tables,
        )
    )
    write_text(path, text)


def environment() -> jinja2.Environment:
    """The templates, with what they are filled in by."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        data_uri=data_uri,
        picture_uri=picture_uri,
        signed=signed,
        decimal=decimal,
        short=short,
        duration=duration,
        label=label,
        p_value=p_value,
        oneline=oneline,
    )
    found.globals.update(interval=interval, known=lambda value: value == value)
    return found


def short(value: float) -> str:
    """A number in three digits, or in all that it has before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as "12 s", "3.4 min" or "5.6 h"."""
    if seconds >= 7200:
        return f"{short(seconds / 3600)} h"
    return f"{short(seconds / 60)} min" if seconds >= 120 else f"{short(seconds)} s"


def oneline(text: str) -> str:
    """A text for Markdown, on one line: neither markup nor the end of a table's cell is in it."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def p_value(p: float) -> str:
    """A p-value in two digits, or as less than 0.001; a dash for nan, where nothing was tested."""
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def _pairs(comparisons: pd.DataFrame, best: str) -> dict[str, Any]:
    """The pairs that the page shows: all of networks, or those with the best one where they are many."""
    rows = context.comparisons(comparisons, ["network"])
    few = [row for row in rows if best in (row["run"], row["other"])]
    return {"rows": rows if len(rows) <= PAIRS_SHOWN else few, "all": len(rows)}


def _shown(figures: Sequence[Path]) -> set[str]:
    """The names of the figures that fit into a page, curves last; grids of pictures are not taken."""
    shown, total = set(), 0
    # There may be curves of forty networks, and one graph of the workflow.
    for file in sorted(figures, key=lambda file: file.name.startswith("curves-")):
        if file.suffix == ".svg" or file.name.startswith("preprocessing-"):
            size = file.stat().st_size * 4 // 3
            if total + size <= FIGURES_BUDGET:
                total += size
                shown.add(file.name)
    return shown


def write_summary(
    json_file: Path,
    markdown_file: Path,
    *,
    title: str,
    tables: Mapping[str, Path],
    split: str,
) -> None:
    """Write what was found, and the main figures, on one page for machines and for pull requests.

    Args:
        json_file: To write.
        markdown_file: To write.
        title: Of the report.
        tables: Of `deepcolor.report.tables`: metrics, training, ablations, seeds, comparisons.
        split: The images that the figures were taken on.
    """
    table = {name: read_table(file) for name, file in tables.items()}
    seeds = table["seeds"]
    repeated = seeds[(seeds["seeds"] > 1) & (seeds["data_set"] == "all")]
    results = context.results(table["metrics"], table["training"], [], split)
    found = findings(results, table["comparisons"], split, table["ablations"], repeated)
    names = ("psnr", "ssim", "ciede2000", "colorfulness_difference")
    write_json(
        json_file,
        {
            "title": title,
            "split": split,
            "images": results[0]["n"],
            "photographs": results[0]["photographs"],
            "interval": METHOD,
            "found": found,
            "runs": [
                {
                    "run": row["run"],
                    "kind": row["kind"],
                    "chosen_on_these_images": row["chosen"],
                    "collapsed": row["trained"]["collapse"] if row["trained"] else "",
                    **{
                        luminance: {name: _finite(row[luminance][name]) for name in names}
                        for luminance in ("predicted", "kept")
                    },
                }
                for row in results
            ],
        },
    )
    text = (
        environment()
        .get_template("summary.md.j2")
        .render(title=title, split=split, results=results, found=found, method=METHOD, measures=MEASURES)
    )
    write_text(markdown_file, text)


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {key: value if value == value else None for key, value in figures.items()}
