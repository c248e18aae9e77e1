"""Records of trainings that never were: what training.json says of runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.files import write_json

# For a browser markup, for Markdown a cell's end, for a shell trouble; a folder can be called so.
HOSTILE = '<img src=x onerror=alert(1)><script>"it\'s"|&amp;'
HOSTILE_DATA_SET = '<b>"it\'s"|&amp;'  # Names of data sets have no blanks: tables hold lists of them.

TRAINING = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "loss": "mse", "batch_size": 8,
    "sampling": {}, "augmentation": [], "early_stopping": 0, "deterministic": True,
}  # fmt: skip
OPTIONS = {
    "target": "rgb",
    "filters": [4, 8],
    "skip_connections": True,
    "dropout": 0.5,
    "weights": "none",
}


def record(model: str, epochs: int, **changes: Any) -> dict[str, Any]:
    """What training.json says of a run; `options` and `training` are laid over the defaults.

    `varies`, which is no part of training.json, is what `varied` reads.
    """
    settings = {
        "architecture": f"deepcolor.models.unet:{changes.pop('architecture', 'unet')}",
        "options": {**OPTIONS, **changes.pop("options", {})},
        "image_size": 32,
        "training": {**TRAINING, **changes.pop("training", {})},
    }
    found = {
        "run": f"{model}_{epochs}", "model": model, "epochs": epochs, "seed": 0, "varies": None,
        "train_on": ["a"], "continued_from": None, "restart_reason": "", "settings": settings,
        "parameters": 3_000_000, "trainable_parameters": 2_990_000, "multiply_adds": 260_000_000,
        "model_bytes": 36_000_000, "images": {"training": 4, "validation": 2}, "shards": ["0" * 64],
        "steps_per_epoch": 1, "effective_batch_size": 8, "seconds": 1.5 * epochs,
        "seconds_per_epoch": 1.5, "images_per_second": 70.0, "inference_images_per_second": 200.0,
        "peak_memory_bytes": 2**30, "peak_device_memory_bytes": None, "device": "CPU", "devices": 1,
        "threads": 2, "backend": "tensorflow", "stopped_after": epochs, "best_epoch": None,
        "collapses": [], "outputs": {}, "versions": {"keras": "3"},
    }  # fmt: skip
    return {**found, **changes}


def varied(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By run of a variant, the model that it varies."""
    return {each["run"]: each["varies"] for each in records if each["varies"]}


def write_records(folder: Path, records: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write the training.json of runs, and something in the place of their networks."""
    files = [folder / each["run"] / "training.json" for each in records]
    for file, each in zip(files, records, strict=True):
        write_json(file, each)
        (file.parent / "model.keras").write_text(each["run"], encoding="utf-8")
    return files


def forty_runs() -> tuple[list[dict[str, Any]], dict[str, float | Mapping[str, float]]]:
    """Records and levels of forty runs of everything: lengths, seeds, variants, collapses, odd names."""
    records = [record(f"network-{number:02}", 30, train_on=["a", "b"]) for number in range(21)]
    records += [record(f"network-00-variant-{each}", 30, varies="network-00",
                       options={"dropout": each / 10}) for each in range(4)]  # fmt: skip
    records.append(record(HOSTILE, 30, training={"early_stopping": 1}, best_epoch=7))
    black = [{"epoch": epoch, "collapse": "black"} for epoch in range(1, 31)]
    records += [record(f"failed-{number}", 30, collapses=black) for number in range(2)]
    for number in range(4):
        for epochs in (1, 10, 30):
            start = {"continued_from": f"long-{number}_{epochs // 3 if epochs == 30 else 1}"}
            records.append(record(f"long-{number}", epochs, **(start if epochs > 1 else {})))
    for seed in (1, 2):
        run = f"network-01-seed{seed}_30"
        records.insert(2, record("network-01", 30, seed=seed, run=run, train_on=["a", "b"]))
    return records[:40], {each["run"]: 21 + 0.1 * place for place, each in enumerate(records[:40])}
