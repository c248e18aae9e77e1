"""The variables of the report's template, from tables, figures and images."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcolor.evaluation.bootstrap import METHOD
from deepcolor.evaluation.measures import AGGREGATE_MEASURES, MEASURES
from deepcolor.evaluation.significance import MIN_PHOTOGRAPHS
from deepcolor.files import read_json
from deepcolor.frames import read_frame
from deepcolor.labels import run_label
from deepcolor.report import image_grids, provenance, sections
from deepcolor.report.findings import findings, repeated_seeds
from deepcolor.report.pairs import compared_pairs
from deepcolor.report.results import photographs_colorfulness, result_rows
from deepcolor.report.tables import read_table
from deepcolor.report.training_findings import trained_once

# Photographs whose credits are in the page; of more, the table is named.
MAX_CREDITS = 50

Tables = Mapping[str, pd.DataFrame]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ReportInputs:
    """The files and names that a report is rendered from.

    Attributes:
        title: Title of the page.
        config: Completed configuration, shown in the page.
        tables: Tables by name: metrics, training, ablations, seeds, transfer, comparisons,
            data_sets, credits.
        records: The training.json of the runs; next to each lies model.keras.
        scores: The per_image.csv of runs, external predictions and baselines, by name.
        predictions: The predictions.npy of runs and external predictions, by name.
        compared: Names of the runs compared with each other: the longest ones and external predictions.
        as_published: Names of the runs whose networks are the published ones.
        samples: File of `samples.draw_samples`.
        extremes: File of `samples.draw_extremes`.
        figures: Files of figures, such as curves-unet.svg.
        distances: The distances.json by run, where FID, KID or LPIPS were measured.
        certainty: The certainty.json by run that predicts color classes; next to each lies its
            certainty.npy.
        benchmarks: Folder of Snakemake's benchmark files.
        rules: Names of the rules of the workflow, whose costs are shown.
        acceptance: The acceptance.json, acceptance.csv and acceptance_images.csv of a user study.
    """

    title: str
    config: dict[str, Any]
    tables: Mapping[str, Path]
    records: Sequence[Path]
    scores: Mapping[str, Path]
    predictions: Mapping[str, Path]
    compared: Sequence[str]
    as_published: Sequence[str]
    samples: Path
    extremes: Path
    figures: Sequence[Path]
    distances: Mapping[str, Path]
    benchmarks: Path
    rules: Sequence[str]
    certainty: Mapping[str, Path] = field(default_factory=dict)
    acceptance: Sequence[Path] = ()


def report_context(inputs: ReportInputs, folder: Path) -> dict[str, Any]:
    """Return the variables of the template report.html.j2.

    Args:
        inputs: Files and names that the report is rendered from.
        folder: Folder of the page, to which its links are relative.
    """
    tables = {name: read_table(file) for name, file in inputs.tables.items()}
    split = inputs.config["evaluation"]["split"]
    results = result_rows(tables["metrics"], tables["training"], inputs.as_published, split)
    return {
        "title": inputs.title,
        "config": json.dumps(inputs.config, indent=2, ensure_ascii=False),
        "image_size": inputs.config["image_size"],
        "split": split,
        "seed": inputs.config["seed"],
        "measures": {**MEASURES, **AGGREGATE_MEASURES},
        "method": METHOD,
        "least_photographs": MIN_PHOTOGRAPHS,
        **_results(inputs, tables, results),
        **_training(inputs, tables["training"]),
        **_images(inputs, tables["training"]),
        **_files(inputs, folder),
        **_data_sets(tables),
    }


def _results(inputs: ReportInputs, tables: Tables, results: Rows) -> dict[str, Any]:
    """Return findings, results and comparisons."""
    comparisons, ablations = tables["comparisons"], tables["ablations"]
    split = inputs.config["evaluation"]["split"]
    seeds = repeated_seeds(tables["seeds"])
    training = tables["training"]
    varying = training[(training["varies"] != "") & ~training["model"].isin(ablations["model"])]
    # Of those that have not collapsed, if there are such.
    collapses = dict(zip(training["run"], training["collapse"], strict=True))
    best = min(
        (row for row in results if row["run"] in inputs.compared),
        key=lambda row: (bool(collapses.get(row["run"])), row["predicted"]["ciede2000"]["value"]),
    )["run"]
    return {
        "findings": findings(results, comparisons, split, ablations, seeds),
        "results": results,
        "compared": inputs.compared,
        "best": best,
        "choices": [{"key": run, "label": run_label(run)} for run in inputs.predictions],
        "pairs": sections.shown_pairs(comparisons, best),
        "seed_pairs": compared_pairs(comparisons, ["seeds"]),
        "epoch_pairs": compared_pairs(comparisons, ["epochs"]),
        "change_pairs": {row["run"]: row for row in compared_pairs(comparisons, ["change"])},
        "data_set_results": sections.results_by_data_set(
            tables["metrics"], tables["transfer"], inputs.compared
        ),
        "ablations": ablations.to_dict("records"),
        "alone": varying.drop_duplicates("model").to_dict("records"),
        "seeds": seeds.to_dict("records"),
        "trained_once": trained_once(results, seeds),
        "collapses": collapses,
        "photographs_colorfulness": photographs_colorfulness(results),
        "distances": {run: read_json(file) for run, file in inputs.distances.items()},
        "certainty": {run: read_json(file) for run, file in inputs.certainty.items()},
    }


def _training(inputs: ReportInputs, training: pd.DataFrame) -> dict[str, Any]:
    """Return settings, versions and costs of the trainings."""
    return {
        "weights": sections.encoder_weights(training[training["run"].isin(inputs.as_published)]),
        "settings": sections.training_settings(training, list(inputs.config["training"])),
        "training": training.to_dict("records"),
        "versions": read_json(inputs.records[0])["versions"],
        "commit": provenance.commit(Path(__file__).parent),
        "checksums": provenance.checksums(inputs.records),
        "jobs": sections.job_costs(inputs.benchmarks, inputs.rules),
    }


def _images(inputs: ReportInputs, training: pd.DataFrame) -> dict[str, Any]:
    """Return the grids of drawn, extreme and collapsed images."""
    types = {"data_set": str, "id": str}
    scores = {run: read_frame(file, types) for run, file in inputs.scores.items()}
    samples, extremes = dict(np.load(inputs.samples)), dict(np.load(inputs.extremes))
    predictions, compared = inputs.predictions, inputs.compared
    certainty = {run: file for run, file in inputs.certainty.items() if run in compared}
    collapses = {
        run: kind for run, kind in zip(training["run"], training["collapse"], strict=True) if kind
    }
    return {
        "grid": image_grids.sample_grid(samples, predictions, scores, compared, certainty),
        "by_epochs": image_grids.epoch_grids(samples, predictions, training),
        "extremes": image_grids.extreme_images(extremes, predictions, scores, compared),
        "collapsed": image_grids.collapsed_images(samples, predictions, collapses),
    }


def _files(inputs: ReportInputs, folder: Path) -> dict[str, Any]:
    """Return the files that the page shows or links to."""
    acceptance = {file.name: file for file in inputs.acceptance}
    drawn = [file.stem for file in inputs.figures if file.name.startswith("architecture-")]
    return {
        "acceptance": read_json(acceptance["acceptance.json"]) if acceptance else None,
        "acceptance_files": acceptance,
        "figures": {file.name: file for file in inputs.figures},
        "drawn": [name.removeprefix("architecture-") for name in drawn],
        "shown": sections.shown_figures(inputs.figures),
        "link": lambda file: Path(file).relative_to(folder).as_posix(),
        "tables": inputs.tables,
    }


def _data_sets(tables: Tables) -> dict[str, Any]:
    """Return the data sets and the credits of their photographs."""
    credits = tables["credits"]
    return {
        "data_sets": tables["data_sets"].to_dict("records"),
        "credits": credits.head(MAX_CREDITS).to_dict("records"),
        "credits_left_out": max(0, len(credits) - MAX_CREDITS),
    }
