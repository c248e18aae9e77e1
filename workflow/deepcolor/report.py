"""The report: one HTML file that needs nothing else, rendered from tables and figures."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from deepcolor.files import write_text
from deepcolor.names import BASELINES, label

TEMPLATES = Path(__file__).parent / "templates"
PUBLISHED = Path(__file__).parent / "published.csv"
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
CREDITS_SHOWN = 50


def render(
    path: Path,
    *,
    title: str,
    config: dict[str, Any],
    metrics: Path,
    training: Path,
    data: Path,
    credits: Path,
    scores: Sequence[Path],
    records: Sequence[Path],
    as_published: Sequence[str],
    comparison: Path,
    preprocessing: dict[str, Path],
    epochs: dict[str, Path],
    curves: dict[str, Path],
) -> None:
    """Render the report.

    Args:
        path: HTML file to write.
        title: Of the page.
        config: The configuration, to be shown.
        metrics: Table of `tables.tabulate_metrics`.
        training: Table of `tables.tabulate_training`.
        data: Table of `tables.tabulate_data`.
        credits: Table of `tables.tabulate_credits`.
        scores: per_image.csv of the runs and of the grayscale copy; the folder names the run.
        records: training.json of the runs.
        as_published: Names of the runs whose networks are the published ones.
        preprocessing: By data set, its photographs before and after preprocessing.
        comparison: Grid of all models' longest runs.
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
    environment.filters["data_uri"] = data_uri
    environment.filters["signed"] = signed
    trained = read_table(training)
    results = results_table(read_table(metrics), trained, as_published)
    rows = read_table(credits).to_dict("records")
    folder = path.parent
    split = config["evaluation"]["split"]
    text = environment.get_template("report.html.j2").render(
        title=title,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        weights=encoder_weights(trained),
        findings=findings(results, scores, split),
        split=split,
        results=results,
        data_sets=read_table(data).to_dict("records"),
        credits=rows[:CREDITS_SHOWN],
        credits_left_out=max(0, len(rows) - CREDITS_SHOWN),
        training=trained.to_dict("records"),
        versions=json.loads(records[0].read_text(encoding="utf-8"))["versions"],
        config=json.dumps(config, indent=2, ensure_ascii=False),
        image_size=config["image_size"],
        comparison=comparison,
        preprocessing=preprocessing,
        epochs=epochs,
        curves=curves,
        link=lambda file: Path(file).relative_to(folder).as_posix(),
        tables={"metrics": metrics, "training": training, "data": data, "credits": credits},
    )
    write_text(path, text)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; names stay text, be they "007", and empty cells ""."""
    names = dict.fromkeys(["run", "model", "data_set", "photograph"], str)
    return pd.read_csv(path, keep_default_na=False, dtype=names)


def data_uri(path: Path) -> str:
    """A PNG or SVG file as a data URI."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{content}"


def results_table(
    metrics: pd.DataFrame, training: pd.DataFrame, as_published: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of the main table: measured beside published, the grayscale copy first.

    Args:
        metrics: Of `tables.tabulate_metrics`.
        training: Of `tables.tabulate_training`.
        as_published: Names of the runs whose networks are the published ones.

    Returns:
        Per run: run, label, model, epochs, n, mse, psnr, psnr_of_mean_mse, gain (dB over the
        grayscale copy), and published (mse, psnr) or None.
    """
    published = {
        (row["architecture"], row["epochs"]): row for row in pd.read_csv(PUBLISHED).to_dict("records")
    }
    trained = {row["run"]: row for row in training.to_dict("records")}
    rows = metrics[metrics["data_set"] == "all"].to_dict("records")
    baseline = next(row["psnr"] for row in rows if row["run"] in BASELINES)
    for row in rows:
        facts = trained.get(row["run"])
        row["label"] = label(row["run"])
        row["gain"] = row["psnr"] - baseline if facts else None
        row["model"] = facts["model"] if facts else None
        row["epochs"] = facts["epochs"] if facts else None
        row["published"] = None
        if facts and row["run"] in as_published:
            row["published"] = published.get((facts["architecture"], facts["epochs"]))
    return rows


def signed(decibels: float) -> str:
    """A difference in dB with its sign, a true minus, and none for what rounds to zero."""
    text = f"{decibels:+.2f}".replace("-", "\N{MINUS SIGN}")
    return "0.00" if text[1:] == "0.00" else text


def encoder_weights(training: pd.DataFrame) -> str:
    """What the networks' encoders started from, in words, from `tables.tabulate_training`."""
    words = {
        "none": "started from random weights",
        "imagenet": "started from ImageNet weights",
        "no encoder": "has no pre-trained encoder",
    }
    models = training.drop_duplicates("model")
    return ", ".join(
        f"{row.model} {words.get(str(row.weights), f'started from {row.weights}')}"
        for row in models.itertuples()
    )


def findings(results: list[dict[str, Any]], scores: Sequence[Path], split: str) -> list[str]:
    """What the figures say, in sentences computed from them.

    Args:
        results: Of `results_table`.
        scores: per_image.csv of every row; the folder names the run.
        split: The images that they were taken on, "validation" or "test".
    """
    psnr = {file.parent.name: pd.read_csv(file)["psnr"] for file in scores}
    copy = next(row for row in results if row["run"] in BASELINES)
    runs = [row for row in results if row["epochs"]]
    last = sorted({row["model"]: row for row in runs}.values(), key=lambda row: -row["psnr"])
    said = [
        f"Returning the grayscale input unchanged scores {copy['psnr']:.2f} dB on the {copy['n']} "
        f"{split} images: what a network adds is what lies above that."
    ]
    for row in last:
        better = int((psnr[row["run"]] > psnr[copy["run"]]).sum())
        where = "above" if row["gain"] >= 0 else "below"
        said.append(
            f"{row['label']}: {row['psnr']:.2f} dB, {abs(row['gain']):.2f} dB {where} the grayscale "
            f"copy, and closer to the photograph than it on {better} of {row['n']} images."
        )
    for row in last:
        shorter = [each for each in runs if each["model"] == row["model"] and each is not row]
        if shorter:
            first = shorter[0]
            change = row["psnr"] - first["psnr"]
            said.append(
                f"Training {row['model']} for {row['epochs']} epochs instead of {first['epochs']} "
                f"changes its PSNR by {signed(change)} dB."
            )
    return said
