"""A folder of results without any training: random scores around given levels, random pictures.

What is written down of a run is what the jobs write, and everything after that (metrics, tables,
comparisons, report) is made by the project's own functions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from deepcolor.data.manifest import write_manifest
from deepcolor.data.order import Order
from deepcolor.evaluation import bootstrap, samples
from deepcolor.evaluation.comparisons import compare_all
from deepcolor.evaluation.distances import DEFINITIONS
from deepcolor.evaluation.measures import KEPT, MEASURES
from deepcolor.evaluation.paired_scores import read_paired_scores
from deepcolor.evaluation.run_pairs import read_trained_runs
from deepcolor.evaluation.score import write_scores
from deepcolor.files import read_json, write_json
from deepcolor.frames import write_frame
from deepcolor.labels import BASELINES
from deepcolor.report import figures, tables
from deepcolor.report.comparison_tables import tabulate_ablations, tabulate_seeds, tabulate_transfer
from deepcolor.report.context import ReportInputs
from deepcolor.report.cost_figure import plot_costs
from deepcolor.report.data_tables import tabulate_credits, tabulate_data
from deepcolor.report.metrics_table import tabulate_metrics
from deepcolor.report.reliability_figure import plot_reliability
from deepcolor.report.render import render_report
from deepcolor.report.results import result_rows
from deepcolor.report.score_figure import plot_scores
from deepcolor.report.summary import write_summary
from deepcolor.report.training_table import tabulate_training
from PIL import Image

from support.synthetic_records import TRAINING, varied, write_records

# PSNR of the baselines, dB.
BASELINE_LEVELS = {
    "grayscale-copy": 20.0, "mean-chroma": 20.5, "mean-chroma-oracle": 23.0, "true-chroma": 40.0,
}  # fmt: skip


def fewer_resamples(monkeypatch: pytest.MonkeyPatch, count: int = 399) -> None:
    """Let intervals be rougher, and tests faster."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", count)


@dataclass(frozen=True)
class Results:
    """What `write_results` has written, as `render_report` asks for it.

    Attributes:
        folder: Of the results.
        arguments: Fields of `ReportInputs`.
    """

    folder: Path
    arguments: dict[str, Any]

    def table(self, name: str) -> pd.DataFrame:
        """A table, read again."""
        return tables.read_table(self.arguments["tables"][name])


def write_results(
    folder: Path,
    records: Sequence[dict[str, Any]],
    levels: Mapping[str, float | Mapping[str, float]],
    *,
    pictures: Sequence[str] = (),
    data_sets: Sequence[str] = ("a",),
    photographs: int = 10,
    per_photograph: int = 1,
    size: int = 16,
    split: str = "test",
    noise: float = 0.3,
    drawn: int = 4,
    extremes: int = 2,
    as_published: Sequence[str] = (),
    distances: bool = False,
    sure: Sequence[str] = (),
    real_figures: bool = False,
    words: str = "Something.",
    ids: str = "image",
    title: str = "Title",
) -> Results:
    """Write a whole folder of results.

    Args:
        folder: To write into.
        records: Of `record`, a model's first seed before the others, its shorter runs before longer.
        levels: By run, other program's pictures or baseline the mean PSNR in dB, from which the other
            measures follow (a dB more is a CIEDE2000 of 1 less), or such a mean by measure.
        pictures: Runs that are other programs' pictures.
        data_sets: Their names; images of each further one are 1 dB easier.
        photographs: In the split, of each data set.
        per_photograph: Images of each photograph.
        size: Of the pictures, in pixels.
        split: What the figures are taken on.
        noise: Standard deviation, over images, of what a run does better or worse than usual, in dB.
        drawn: Pictures drawn for the report.
        extremes: Best pictures, and worst ones, of each run.
        as_published: Runs whose networks are the published ones.
        distances: Whether FID and LPIPS are measured.
        sure: Runs that predict color classes.
        real_figures: Whether curves, costs and scores are plotted; otherwise they are empty files.
        words: What the data sets say of themselves.
        ids: What the names of images begin with.
        title: Of the report.
    """
    files = write_records(folder, records)
    images = pd.DataFrame(
        [
            {"data_set": name, "id": f"{ids}-{group}-{crop}", "group": f"{ids}-{group}"}
            for name in data_sets
            for group in range(photographs)
            for crop in range(per_photograph)
        ]
    )
    places = {name: f"baselines/{name}" for name in BASELINES}
    places |= {run: run for run in [*(each["run"] for each in records), *pictures]}
    scored = {run: folder / place / "per_image.csv" for run, place in places.items()}
    for run, file in scored.items():
        found = score(images, run, {**BASELINE_LEVELS, **levels}[run], noise)
        write_scores(found, file, file.with_name("metrics.json"))
    predictions = {run: folder / run / "predictions.npy" for run in places if run not in BASELINES}
    for run, file in predictions.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, photo_like(run, len(images), size))
    firsts = {each["model"]: each["seed"] for each in reversed(records)}
    longest = {each["model"]: each["run"] for each in records if each["seed"] == firsts[each["model"]]}
    compared = [*longest.values(), *pictures]
    shards = _shards(images, photo_like("truth", len(images), size))
    samples.draw_samples(shards, split, drawn, 1, folder / "samples.npz")
    best = {run: scored[run] for run in compared}
    samples.draw_extremes(shards, split, best, extremes, folder / "extremes.npz")
    table = _write_tables(folder, files, records, scored, pictures, words)
    measured = [each["run"] for each in records] if distances else []
    for run in measured:
        write_json(folder / run / "distances.json", DISTANCES)
    certainty = {run: write_certainty(folder / run, len(images), size) for run in sure}
    for rule in ("train_model", "plot_costs"):
        (folder / "benchmarks" / rule).mkdir(parents=True)
        (folder / "benchmarks" / rule / "a.tsv").write_text("s\tmax_rss\n1.5\t-\n150\t200.5\n")
    return Results(
        folder,
        {
            "title": title,
            "config": {
                "title": title,
                "seed": 1,
                "image_size": size,
                "evaluation": {"split": split},
                "training": {"epochs": [1, 2], "seeds": [], **TRAINING},
            },
            "tables": table,
            "records": files,
            "scores": scored,
            "predictions": predictions,
            "compared": compared,
            "as_published": list(as_published),
            "samples": folder / "samples.npz",
            "extremes": folder / "extremes.npz",
            "figures": _write_figures(
                folder, table, list(longest), data_sets, compared, certainty, real_figures
            ),
            "distances": {run: folder / run / "distances.json" for run in measured},
            "certainty": certainty,
            "benchmarks": folder / "benchmarks",
            "rules": ["train_model", "plot_costs"],
        },
    )


def write_certainty(folder: Path, count: int, size: int) -> Path:
    """Write the certainty.json and certainty.npy of a run that is the surer of a cell, the later it is.

    Args:
        folder: Folder of the run, which exists.
        count: Number of images.
        size: Side of the images in pixels.
    """
    from deepcolor.evaluation.certainty import Reliability

    random = np.random.default_rng(list(folder.name.encode()))
    shape = (count, size // 4, size // 4)
    sharpness = np.linspace(0, 9, size**2 // 16).reshape(shape[1:])[..., None]
    logits = (sharpness * random.random((*shape, 20))).astype(np.float32)
    reliability = Reliability()
    entropy = reliability.add(logits, random.dirichlet(np.ones(20), shape).astype(np.float32))
    highest = float(np.log2(20))
    np.save(folder / "certainty.npy", np.rint(255 * np.minimum(entropy / highest, 1)).astype(np.uint8))
    content = {"n": count, "classes": 20, "highest_entropy": highest, **reliability.summary()}
    write_json(folder / "certainty.json", content)
    return folder / "certainty.json"


# As workflow/scripts/measure_distances.py writes it.
DISTANCES: dict[str, Any] = {
    "fid": {"value": None, "n": 2, "note": "too few images"},
    "lpips": {"value": 0.25, "n": 2, "note": "of its own network"},
    "definitions": {name: DEFINITIONS[name] for name in ("fid", "lpips")},
    "weights_sha256": {"inception": "0" * 64, "lpips": "1" * 64},
}


def render(results: Results) -> str:
    """Render the report, and read it."""
    render_report(results.folder / "report.html", ReportInputs(**results.arguments))
    return (results.folder / "report.html").read_text(encoding="utf-8")


def summarize(results: Results) -> tuple[dict[str, Any], str]:
    """Write the summaries, and read them: the JSON without NaN, and the Markdown."""
    files = [results.folder / f"summary.{kind}" for kind in ("json", "md")]
    write_summary(
        files[0],
        files[1],
        title=results.arguments["title"],
        tables={
            name: results.arguments["tables"][name]
            for name in ("metrics", "training", "ablations", "seeds", "comparisons")
        },
        split=results.arguments["config"]["evaluation"]["split"],
    )

    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} in summary.json")

    content = json.loads(files[0].read_text(encoding="utf-8"), parse_constant=refused)
    return content, files[1].read_text(encoding="utf-8")


def score(
    images: pd.DataFrame, run: str, level: float | Mapping[str, float], noise: float
) -> pd.DataFrame:
    """The scores of images: photographs differ in difficulty, alike for all runs."""
    difficulty = np.random.default_rng(0).normal(0, 2, len(images["group"].unique()))
    base = difficulty[pd.factorize(images["group"])[0]] + pd.factorize(images["data_set"])[0]
    random = np.random.default_rng(list(run.encode()))
    # The mean over images is the level, but for the data sets' differences.
    own = random.normal(0, noise, len(images))
    ease = base - difficulty.mean() + own - own.mean()
    asked = dict(level) if isinstance(level, Mapping) else {"psnr": level}
    psnr = asked.get("psnr", 20.0)
    means = {
        "psnr": psnr, "ssim": 0.5 + psnr / 100, "ciede2000": 50 - psnr, "chroma_rmse": 60 - psnr,
        "chroma_deficit": 55 - psnr, "colorfulness": psnr, "colorfulness_difference": psnr - 30,
        "dominant_channel_accuracy": 0.5, **asked,
    }  # fmt: skip
    found = images.copy()
    for kept in ("", KEPT):
        gain = 0.5 if kept else 0.0
        for name in MEASURES:
            mean = means.get(f"{kept}{name}", means.get(name, 0.0))
            slope = {"psnr": 1, "ssim": 0.01, "ciede2000": -1, "chroma_rmse": -1}.get(name, 0.1)
            found[f"{kept}{name}"] = mean + slope * (ease + gain * (f"{kept}{name}" not in means))
        found[f"{kept}mse"] = 10 ** (-found[f"{kept}psnr"] / 10)
    return found


def photo_like(name: str, count: int, size: int) -> np.ndarray:
    """Random pictures that compress about as well as photographs: `(count, size, size, 3)` uint8."""
    random = np.random.default_rng(list(name.encode()))
    found = np.empty((count, size, size, 3), np.uint8)
    for each in found:
        coarse = Image.fromarray(random.integers(0, 256, (7, 7, 3), np.uint8))
        smooth = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), float)
        each[:] = np.clip(smooth + random.normal(0, 6, (size, size, 1)), 0, 255)
    return found


def _shards(images: pd.DataFrame, truth: np.ndarray) -> Any:
    """What `samples` asks of shards."""
    return SimpleNamespace(
        images=lambda split: images,
        size=truth.shape[1],
        evaluation_batches=lambda split, size: (
            [SimpleNamespace(numpy=lambda picture=picture: picture)] for picture in truth
        ),
    )


def _write_tables(
    folder: Path,
    files: Sequence[Path],
    records: Sequence[dict[str, Any]],
    scored: Mapping[str, Path],
    pictures: Sequence[str],
    words: str,
) -> dict[str, Path]:
    """Write all tables, by the project's own functions."""
    metrics = tabulate_metrics([file.with_name("metrics.json") for file in scored.values()])
    varies = varied(records)
    trained = read_trained_runs(files, varies)
    read = read_paired_scores(scored)
    compared = compare_all(read, trained, pictures)
    about, manifests = _write_data(folder / "data", list(metrics["data_set"].unique())[1:], words)
    found = {
        "metrics": metrics,
        "training": tabulate_training(files, varies),
        "ablations": tabulate_ablations(metrics, files, varies),
        "seeds": tabulate_seeds(metrics, files),
        "transfer": tabulate_transfer(metrics, files),
        "comparisons": compared,
        "data_sets": tabulate_data(about, manifests),
        "credits": tabulate_credits(about, manifests),
    }
    for name, content in found.items():
        write_frame(folder / "tables" / f"{name}.csv", content)
    return {name: folder / "tables" / f"{name}.csv" for name in found}


def _write_data(folder: Path, data_sets: Sequence[str], words: str) -> tuple[list[Path], list[Path]]:
    """Write the data_set.json and manifest.csv of data sets of 60 photographs."""
    about, manifests = [], []
    for number, name in enumerate(data_sets):
        about.append(folder / f"{number}.json")
        manifests.append(folder / f"{number}.csv")
        write_json(
            about[-1],
            {
                "name": name, "revision": words, "about": words, "good_for": words, "terms": words,
                "asked": {"training": 61}, "delivered": {"training": 60}, "rejected": {"gray": 1},
                "near_duplicates": None if number else 7,
            },
        )  # fmt: skip
        row = {
            "path": "a.png", "split": "training", "width": 8, "height": 8, "sha256": "0",
            "source": words, "license": words, "credit": words, "phash": "",
        }  # fmt: skip
        rows: list[dict[str, object]] = [
            {**row, "id": f"{words}{each}", "group": f"{words}{each}"} for each in range(60)
        ]
        write_manifest(manifests[-1], rows, Order(0, name))
    return about, manifests


def _write_figures(
    folder: Path,
    table: Mapping[str, Path],
    models: Sequence[str],
    data_sets: Sequence[str],
    compared: Sequence[str],
    certainty: Mapping[str, Path],
    real: bool,
) -> list[Path]:
    """Write the figures in the order of rules/report.smk."""
    at = folder / "figures"
    at.mkdir()
    plotted = [at / "scores.svg", at / "quality_against_cost.svg"]
    plotted += [at / f"curves-{model}.svg" for model in models]
    reliability = [at / "reliability.svg"] if certainty else []
    drawn = [at / f"architecture-{models[0]}.svg", at / "workflow.svg"]
    painted = [at / f"preprocessing-{name}.png" for name in data_sets]
    linked = [at / f"{name}.png" for name in ["grid-all_models", *(f"grid-{each}" for each in models)]]
    linked += [at / f"extremes-{run}.png" for run in compared]
    for file in [*plotted, *reliability, *drawn]:
        file.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"></svg>')
    for file in [*painted, *linked]:
        Image.new("RGB", (8, 8), "teal").save(file)
    if real:
        metrics, training = (tables.read_table(table[name]) for name in ("metrics", "training"))
        rows = result_rows(metrics, training, [], "test")
        plot_scores([row for row in rows if row["run"] != "true-chroma"], plotted[0])
        means = tables.as_predicted(metrics, "all")[["run", "psnr"]]
        plot_costs(training.merge(means, on="run"), 20.0, plotted[1])
        columns = {f"{val}{name}": [0.1, 0.2] for val in ("", "val_") for name in figures.CURVES}
        figures.plot_curves(pd.DataFrame({"epoch": [1, 2], **columns}), [1, 2], plotted[2])
        for file in plotted[3:]:
            file.write_bytes(plotted[2].read_bytes())
        for file in reliability:
            plot_reliability({run: read_json(content) for run, content in certainty.items()}, file)
    return [*plotted, *reliability, *drawn, *painted, *linked]
