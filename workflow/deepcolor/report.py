"""The report: one HTML file that needs nothing else, rendered from tables and figures."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from deepcolor.files import write_text
from deepcolor.names import BASELINES, FAULTS, label
from deepcolor.tables import read_table, said

TEMPLATES = Path(__file__).parent / "templates"
PUBLISHED = Path(__file__).parent / "published.csv"
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
CREDITS_SHOWN = 50
# How a fault (see `deepcolor.faults`) is said of pictures.


def render(
    path: Path,
    *,
    title: str,
    config: dict[str, Any],
    tables: Mapping[str, Path],
    scores: Sequence[Path],
    records: Sequence[Path],
    as_published: Sequence[str],
    comparison: Path,
    costs: Path,
    preprocessing: dict[str, Path],
    epochs: dict[str, Path],
    curves: dict[str, Path],
) -> None:
    """Render the report.

    Args:
        path: HTML file to write.
        title: Of the page.
        config: The completed configuration, to be shown.
        tables: Of `deepcolor.tables`: metrics, training, ablations, seeds, transfer, data, credits.
        scores: per_image.csv of the runs and of the grayscale copy; the folder names the run.
        records: training.json of the runs.
        as_published: Names of the runs whose networks are the published ones.
        comparison: Grid of all models' longest runs.
        costs: Figure of quality against cost.
        preprocessing: By data set, its photographs before and after preprocessing.
        epochs: By model, the grid of its runs.
        curves: By model, the curves of its longest run.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        data_uri=data_uri, signed=signed, short=short, duration=duration, label=label
    )
    metrics, training = read_table(tables["metrics"]), read_table(tables["training"])
    ablations, seeds = read_table(tables["ablations"]), read_table(tables["seeds"])
    results = results_table(metrics, training, as_published)
    repeated = seeds[(seeds["seeds"] > 1) & (seeds["data_set"] == "all")]
    rows = read_table(tables["credits"]).to_dict("records")
    folder = path.parent
    split = config["evaluation"]["split"]
    varying = training[(training["varies"] != "") & ~training["model"].isin(ablations["model"])]
    text = environment.get_template("report.html.j2").render(
        title=title,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        weights=encoder_weights(training[training["run"].isin(as_published)]),
        findings=findings(results, scores, split, ablations, repeated),
        split=split,
        results=results,
        ablations=ablations.to_dict("records"),
        faults=dict(zip(training["run"], training["fault"], strict=True)),
        alone=varying.drop_duplicates("model").to_dict("records"),
        seeds=repeated.to_dict("records"),
        transfer=transfer_table(metrics, read_table(tables["transfer"])),
        data_sets=read_table(tables["data"]).to_dict("records"),
        credits=rows[:CREDITS_SHOWN],
        credits_left_out=max(0, len(rows) - CREDITS_SHOWN),
        settings=settings_table(training, list(config["training"])),
        training=training.to_dict("records"),
        versions=json.loads(records[0].read_text(encoding="utf-8"))["versions"],
        config=json.dumps(config, indent=2, ensure_ascii=False),
        image_size=config["image_size"],
        comparison=comparison,
        costs=costs,
        preprocessing=preprocessing,
        epochs=epochs,
        curves=curves,
        link=lambda file: Path(file).relative_to(folder).as_posix(),
        tables=tables,
    )
    write_text(path, text)


def data_uri(path: Path) -> str:
    """A PNG or SVG file as a data URI."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{content}"


def signed(decibels: float) -> str:
    """A difference in dB with its sign, a true minus, and none for what rounds to zero."""
    text = f"{decibels:+.2f}".replace("-", "\N{MINUS SIGN}")
    return "0.00" if text[1:] == "0.00" else text


def short(value: float) -> str:
    """A number in three digits, or in all that it has before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as "12 s", "3.4 min" or "5.6 h"."""
    if seconds >= 7200:
        return f"{short(seconds / 3600)} h"
    return f"{short(seconds / 60)} min" if seconds >= 120 else f"{short(seconds)} s"


def results_table(
    metrics: pd.DataFrame, training: pd.DataFrame, as_published: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of the main table: measured beside published, the grayscale copy first.

    Args:
        metrics: Of `tables.tabulate_metrics`.
        training: Of `tables.tabulate_training`.
        as_published: Names of the runs whose networks are the published ones.

    Returns:
        Per run: run, label, n, mse, psnr, psnr_of_mean_mse, gain (dB over the grayscale copy), trained
        (its row of `training`), first (whether it has its model's first seed), and published (mse,
        psnr). None is what there is not.
    """
    published = {
        (row["architecture"], row["epochs"]): row for row in pd.read_csv(PUBLISHED).to_dict("records")
    }
    trained = {row["run"]: row for row in training.to_dict("records")}
    first_seeds = {row["model"]: row["seed"] for row in reversed(trained.values())}
    rows = metrics[metrics["data_set"] == "all"].to_dict("records")
    baseline = next(row["psnr"] for row in rows if row["run"] in BASELINES)
    for row in rows:
        facts = trained.get(row["run"])
        row["label"] = label(row["run"])
        row["trained"] = facts
        row["gain"] = row["psnr"] - baseline if facts else None
        row["first"] = facts["seed"] == first_seeds[facts["model"]] if facts else None
        row["published"] = None
        if facts and row["run"] in as_published:
            row["published"] = published.get((facts["architecture"], facts["epochs"]))
    return rows


def encoder_weights(training: pd.DataFrame) -> str:
    """What the networks' encoders started from, in words, from `tables.tabulate_training`."""
    words = {
        "none": "random weights",
        "imagenet": "ImageNet weights",
        "no encoder": "no pre-trained encoder",
    }
    models = training.drop_duplicates("model").groupby("weights", sort=False)["model"]
    return ", ".join(
        f"{words.get(str(weights), f'weights from {weights}')} ({', '.join(names)})"
        for weights, names in models
    )


def settings_table(training: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """How the models were trained: what is the same for all, and what is not.

    Args:
        training: Of `tables.tabulate_training`.
        keys: Of `training` in the configuration, in its order.

    Returns:
        shared: by key, its value for all models; differing: the other keys; models: a row per model,
        with all columns of `training`. Values are text.
    """
    left_out = {"epochs", "seeds", "tensorboard"}
    columns = ["train_on", *(key for key in keys if key not in left_out)]
    models = training.drop_duplicates("model").copy()
    for key in columns:
        models[key] = [said(value) or "none" for value in models[key].tolist()]
    differing = [key for key in columns if models[key].nunique() > 1]
    first = models.iloc[0]
    return {
        "shared": {key: first[key] for key in columns if key not in differing},
        "differing": differing,
        "models": models.to_dict("records"),
    }


def transfer_table(metrics: pd.DataFrame, transfer: pd.DataFrame) -> dict[str, Any] | None:
    """PSNR by run and data set, of every model's longest run with its first seed.

    Args:
        metrics: Of `tables.tabulate_metrics`.
        transfer: Of `tables.tabulate_transfer`.

    Returns:
        data_sets: their names; baseline: PSNR of the grayscale copy on each; rows: of each run its name,
        train_on, and cells (psnr and seen, a cell per data set). None where there is one data set only.
    """
    data_sets = list(dict.fromkeys(transfer["data_set"]))
    if len(data_sets) < 2:
        return None
    copy = metrics[metrics["run"].isin(BASELINES)].set_index("data_set")["psnr"]
    longest = transfer.drop_duplicates(["model", "epochs", "data_set"])
    longest = longest[longest["epochs"] == longest.groupby("model")["epochs"].transform("max")]
    rows = []
    for run, cells in longest.groupby("run", sort=False):
        by_name = {cell["data_set"]: cell for cell in cells.to_dict("records")}
        rows.append(
            {
                "run": run,
                "train_on": cells["train_on"].iloc[0].replace(" ", ", "),
                "cells": [by_name[name] for name in data_sets],
            }
        )
    return {"data_sets": data_sets, "baseline": [copy[name] for name in data_sets], "rows": rows}


def findings(
    results: list[dict[str, Any]],
    scores: Sequence[Path],
    split: str,
    ablations: pd.DataFrame,
    seeds: pd.DataFrame,
) -> list[str]:
    """What the figures say, in sentences computed from them.

    Args:
        results: Of `results_table`.
        scores: per_image.csv of every row; the folder names the run.
        split: The images that they were taken on, "validation" or "test".
        ablations: Of `tables.tabulate_ablations`.
        seeds: Of `tables.tabulate_seeds`: models with several, over all data sets.
    """
    psnr = {file.parent.name: pd.read_csv(file)["psnr"] for file in scores}
    copy = next(row for row in results if row["run"] in BASELINES)
    runs = [row for row in results if row["first"]]
    longest = sorted(
        {row["trained"]["model"]: row for row in runs}.values(), key=lambda row: -row["psnr"]
    )
    # Variants stand beside what they vary; the best network is named whatever it is.
    compared = set(ablations["model"])
    named = [row for row in longest if row is longest[0] or row["trained"]["model"] not in compared]
    sentences = [
        f"Returning the grayscale input unchanged scores {copy['psnr']:.2f} dB on the {copy['n']} "
        f"{split} images: what a network adds is what lies above that."
    ]
    sentences += _collapses([row["trained"] for row in results if row["trained"]])
    for row in named:
        better = int((psnr[row["run"]] > psnr[copy["run"]]).sum())
        where = "above" if row["gain"] >= 0 else "below"
        sentences.append(
            f"{row['label']}: {row['psnr']:.2f} dB, {abs(row['gain']):.2f} dB {where} the grayscale "
            f"copy, and closer to the photograph than it on {better} of {row['n']} images."
        )
    for row in named:
        facts = row["trained"]
        same = [each for each in runs if each["trained"]["model"] == facts["model"]]
        # Early stopping keeps an epoch of its own choice, however long a training may be.
        if len(same) > 1 and facts["best_epoch"] == "" and not facts["fault"]:
            sentences.append(
                f"Training {facts['model']} for {facts['epochs']} epochs instead of "
                f"{same[0]['trained']['epochs']} changes its PSNR by "
                f"{signed(row['psnr'] - same[0]['psnr'])} dB."
            )
    failed = {row["run"] for row in results if row["trained"] and row["trained"]["fault"]}
    sound = ablations[~ablations["run"].isin(failed) & ~ablations["varied_run"].isin(failed)]
    return sentences + _changes(sound) + _spreads(seeds)


def _collapses(trained: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which trainings ended with pictures that are none, and which did for a time."""
    sentences = []
    for fault, words in FAULTS.items():
        runs = [row["run"] for row in trained if row["fault"] == fault]
        if runs:
            sentences.append(
                f"The pictures of {', '.join(runs)} are {words} at the end of training: "
                f"{'its figures are those' if len(runs) == 1 else 'their figures are those'} of a "
                "training that collapsed."
            )
    # The history of a run that goes on from a shorter one holds that one's.
    continued = {row["continued_from"] for row in trained}
    last = [row for row in trained if row["run"] not in continued]
    passing = [f"{row['run']} ({row['faults']})" for row in last if row["faults"] and not row["fault"]]
    if passing:
        sentences.append(
            f"Trainings that collapsed on the way, after the epochs named, and recovered: "
            f"{'; '.join(passing)}."
        )
    return sentences


def _changes(ablations: pd.DataFrame) -> list[str]:
    """What variants change at most, after their longest training with their first seed."""
    firsts = ablations.drop_duplicates(["model", "epochs"])
    last = firsts.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    rows = last.sort_values("difference", kind="stable").to_dict("records")
    if not rows:
        return []
    told = [
        f"{signed(row['difference'])} dB ({row['model']} beside {row['varies']}: {row['differs']})"
        for row in rows
    ]
    if len(rows) == 1:
        return [f"A change to a network changes its PSNR by {told[0]}."]
    return [f"{len(rows)} changes to networks change their PSNR by {told[0]} to {told[-1]}."]


def _spreads(seeds: pd.DataFrame) -> list[str]:
    """How far seeds are apart, after the longest training of every model that has several."""
    last = seeds.sort_values("epochs", kind="stable").drop_duplicates("model", keep="last")
    return [
        f"{row['seeds']} trainings of {row['model']} for {row['epochs']} epochs that differ in nothing "
        f"but the seed reach {row['psnr_min']:.2f} to {row['psnr_max']:.2f} dB: a difference between "
        "networks that is no larger may be chance."
        for row in last.to_dict("records")
    ]
