"""The tables, from what the jobs wrote down."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepcolor.data.manifest import chunks, distinct, read_manifest
from deepcolor.evaluation.variants import varied_run
from deepcolor.files import read_json
from deepcolor.frames import read_frame, write_frame

SPLITS = ("training", "validation", "test")
ABLATIONS = [
    "run", "model", "varies", "epochs", "seed", "varied_run", "differs", "psnr", "psnr_of_varied",
    "difference",
]  # fmt: skip
# What a prediction's luminance is, and the part of metrics.json that has it so.
LUMINANCE = {"predicted": "as_predicted", "kept": "luminance_kept"}
# Columns that hold names.
NAMES = [
    "run", "other", "better", "model", "varies", "varied_run", "data_set", "train_on", "photograph",
]  # fmt: skip


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all; see `cells` for texts that look like formulas."""
    write_frame(path, table)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; names stay text, be they "007", and empty cells ""."""
    return read_frame(path, dict.fromkeys(NAMES, str))


def tabulate_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """Two rows per run and data set, and two per run over all (data_set "all").

    Args:
        files: The metrics.json of runs and baselines; the folder names the run.

    Returns:
        Columns run, data_set, luminance ("predicted": the prediction as it is; "kept": its chroma on the
        input's luminance), n (images), photographs, and for every measure three: its mean, and with
        "_low" and "_high" the ends of its interval, empty where there is none.
    """
    rows = []
    for file in files:
        content = read_json(file)
        for data_set, summary in {"all": content["all"], **content["data_sets"]}.items():
            for luminance, key in LUMINANCE.items():
                row = {"run": file.parent.name, "data_set": data_set, "luminance": luminance}
                row |= {"n": summary["n"], "photographs": summary["photographs"]}
                for name, figure in summary[key].items():
                    row |= {name: figure["value"]}
                    row |= {f"{name}_low": figure["low"], f"{name}_high": figure["high"]}
                rows.append(row)
    return pd.DataFrame(rows)


def as_predicted(metrics: pd.DataFrame, data_set: str | None = None) -> pd.DataFrame:
    """The rows of `tabulate_metrics` with predictions as they are; of one data set, if given."""
    rows = metrics[metrics["luminance"] == "predicted"]
    return rows if data_set is None else rows[rows["data_set"] == data_set]


def tabulate_training(files: Sequence[Path], varies: Mapping[str, str]) -> pd.DataFrame:
    """A row per run: what was trained, how, on what, and what it cost.

    Args:
        files: The training.json of runs.
        varies: By run of a variant, the model that it varies.

    Returns:
        Among other columns `model`, `seed`, `options` (of the architecture), a column for each key of
        `training`, `stopped_after` (epochs really trained), `best_epoch` (if early stopping chose it),
        `collapses` (such as "black 1-3, gray 7": the epochs after which validation pictures had
        collapsed), `collapse` (that of the network that is kept), and what it cost. What there is not is
        empty.
    """
    rows = []
    for file in files:
        record = read_json(file)
        settings = record["settings"]
        device_memory = record["peak_device_memory_bytes"]
        rows.append(
            {
                "run": record["run"],
                "model": record["model"],
                "architecture": settings["architecture"].split(":")[1],
                "options": ", ".join(f"{k} {said(v)}" for k, v in settings["options"].items()),
                "varies": varies.get(record["run"], ""),
                "epochs": record["epochs"],
                "seed": record["seed"],
                "train_on": " ".join(record["train_on"]),
                "continued_from": record["continued_from"] or "",
                "restart_reason": record["restart_reason"],
                "stopped_after": record["stopped_after"],
                "best_epoch": record["best_epoch"] or "",
                "collapse": _collapse_at(record, record["best_epoch"] or record["stopped_after"]),
                "collapses": _ranges(record["collapses"]),
                "weights": settings["options"].get("weights", "no encoder"),
                **{key: _plain(value) for key, value in settings["training"].items()},
                "effective_batch_size": record["effective_batch_size"],
                "training_images": record["images"]["training"],
                "validation_images": record["images"]["validation"],
                "steps_per_epoch": record["steps_per_epoch"],
                "parameters": record["parameters"],
                "trainable_parameters": record["trainable_parameters"],
                "multiply_adds": record["multiply_adds"],
                "model_bytes": record["model_bytes"],
                "seconds": round(record["seconds"], 1),
                "seconds_per_epoch": round(record["seconds_per_epoch"], 2),
                "images_per_second": round(record["images_per_second"], 1),
                "inference_images_per_second": round(record["inference_images_per_second"], 1),
                "peak_memory_mib": record["peak_memory_bytes"] // 2**20,
                "peak_device_memory_mib": "" if device_memory is None else device_memory // 2**20,
                "device": record["device"],
                "devices": record["devices"],
                "threads": record["threads"],
                "backend": record["backend"],
            }
        )
    return pd.DataFrame(rows)


def _collapse_at(record: dict[str, Any], epoch: int) -> str:
    """Return the kind of collapse of the validation pictures after an epoch, "" without one."""
    return next((each["collapse"] for each in record["collapses"] if each["epoch"] == epoch), "")


def _ranges(collapses: Sequence[dict[str, Any]]) -> str:
    """Return collapses by epoch in short: "black 1-3, gray 7"."""
    found: list[list[Any]] = []
    for each in collapses:
        if found and found[-1][0] == each["collapse"] and found[-1][2] == each["epoch"] - 1:
            found[-1][2] = each["epoch"]
        else:
            found.append([each["collapse"], each["epoch"], each["epoch"]])
    return ", ".join(
        f"{kind} {first}" if first == last else f"{kind} {first}-{last}" for kind, first, last in found
    )


def said(value: Any) -> str:
    """A setting as config.yaml has it: true, [64, 128], imagenet."""
    return value if isinstance(value, str) else json.dumps(value)


def _plain(value: Any) -> Any:
    """A setting as a cell: the names of a list with blanks between, a truth value as YAML has it."""
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return said(value) if isinstance(value, bool) else value


def tabulate_ablations(
    metrics: pd.DataFrame, files: Sequence[Path], varies: Mapping[str, str]
) -> pd.DataFrame:
    """A row per run of a variant: beside the run that it varies, what differs, and what that changes.

    Set beside it is the run of the varied model with as many epochs: that with the same seed, or with
    its first one. A variant without such a run has no row.

    Args:
        metrics: Of `tabulate_metrics`.
        files: The training.json of runs.
        varies: By run of a variant, the model that it varies.

    Returns:
        Columns ABLATIONS: differs (in words), psnr and psnr_of_varied (dB, over all images, of RGB
        whatever the target), difference (dB). Without rows if there are no variants.
    """
    records = [read_json(file) for file in files]
    psnr = as_predicted(metrics, "all").set_index("run")["psnr"]
    rows = []
    for record in records:
        other = varied_run(record, records, varies.get(record["run"], ""))
        if other:
            rows.append(
                {
                    "run": record["run"],
                    "model": record["model"],
                    "varies": varies[record["run"]],
                    "epochs": record["epochs"],
                    "seed": record["seed"],
                    "varied_run": other["run"],
                    "differs": "; ".join(_differences(record, other)) or "nothing",
                    "psnr": psnr[record["run"]],
                    "psnr_of_varied": psnr[other["run"]],
                    "difference": psnr[record["run"]] - psnr[other["run"]],
                }
            )
    return pd.DataFrame(rows, columns=ABLATIONS)


def _differences(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What differs between the trainings of a variant and its model: "dropout: 0.3 instead of 0.5"."""

    def settings(of: Mapping[str, Any]) -> list[dict[str, Any]]:
        images = {"train_on": ", ".join(of["train_on"]), "seed": of["seed"]}
        return [of["settings"]["options"], of["settings"]["training"], images]

    return [
        f"{key}: {said(these[key])} instead of {said(those[key])}"
        for these, those in zip(settings(record), settings(other), strict=True)
        for key in these
        if these[key] != those[key]
    ]


def tabulate_seeds(metrics: pd.DataFrame, files: Sequence[Path]) -> pd.DataFrame:
    """A row per model, epochs and data set: how far trainings with several seeds are apart.

    Args:
        metrics: Of `tabulate_metrics`.
        files: The training.json of runs.

    Returns:
        Columns model, epochs, data_set (or "all"), seeds (their number), and mean, sd (standard
        deviation over n - 1, empty for one seed), min and max of psnr (dB), mse and ciede2000.
    """
    keys = ["model", "epochs", "data_set"]
    groups = _facts(files).merge(as_predicted(metrics), on="run").groupby(keys, sort=False)
    table = groups.size().to_frame("seeds")
    for name in ("psnr", "mse", "ciede2000"):
        spread = groups[name].agg(["mean", "std", "min", "max"]).rename(columns={"std": "sd"})
        table = table.join(spread.add_prefix(f"{name}_"))
    return table.reset_index()


def tabulate_transfer(metrics: pd.DataFrame, files: Sequence[Path]) -> pd.DataFrame:
    """A row per run and data set that it was tested on: had it seen such photographs in training?

    Args:
        metrics: Of `tabulate_metrics`.
        files: The training.json of runs.

    Returns:
        Columns run, model, epochs, seed, train_on (names with blanks between), data_set, seen (whether
        the data set was trained on: true or false), n, psnr (dB), mse.
    """
    of_data_sets = as_predicted(metrics)[lambda table: table["data_set"] != "all"]
    table = _facts(files).merge(of_data_sets, on="run")
    seen = [row.data_set in row.train_on.split() for row in table.itertuples()]
    table["seen"] = ["true" if each else "false" for each in seen]
    return table[["run", "model", "epochs", "seed", "train_on", "data_set", "seen", "n", "psnr", "mse"]]


def _facts(files: Sequence[Path]) -> pd.DataFrame:
    """Run, model, epochs, seed and train_on of runs, from their training.json."""
    records = [read_json(file) for file in files]
    table = pd.DataFrame(records, columns=["run", "model", "epochs", "seed", "train_on"])
    return table.assign(train_on=table["train_on"].str.join(" "))


def tabulate_data(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """A row per data set: counts, photographs, rejections, what it is and is good for.

    Args:
        about: The data_set.json of every data set.
        manifests: The manifest.csv of every data set, in the same order.
    """
    rows = []
    for facts, manifest in zip(about, manifests, strict=True):
        content = read_json(facts)
        rejected = content["rejected"]
        licenses = set().union(*(rows["license"] for rows in chunks(manifest, ["license"])))
        rows.append(
            {
                "data_set": content["name"],
                **{split: content["delivered"].get(split, 0) for split in SPLITS},
                "asked": sum(content["asked"].values()),
                "delivered": sum(content["delivered"].values()),
                "photographs": distinct(rows["group"] for rows in chunks(manifest, ["group"])),
                "rejected": sum(rejected.values()),
                "reasons": "; ".join(f"{reason}: {n}" for reason, n in rejected.items()),
                "licenses": "; ".join(sorted(licenses - {""})) or "not stated",
                "near_duplicates": content["near_duplicates"],
                "revision": content["revision"],
                "terms": content["terms"],
                "about": content["about"],
                "good_for": content["good_for"],
            }
        )
    return pd.DataFrame(rows)


def tabulate_credits(about: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """A row per photograph: where it comes from, its license, whom to credit, images taken from it."""
    parts = []
    for facts, manifest in zip(about, manifests, strict=True):
        keys = ["group", "source", "license", "credit"]
        counted = read_manifest(manifest, keys).groupby(keys, as_index=False).size()
        counted.insert(0, "data_set", read_json(facts)["name"])
        parts.append(counted.rename(columns={"group": "photograph", "size": "images"}))
    return pd.concat(parts, ignore_index=True)
