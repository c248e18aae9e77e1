"""Kill trainings at random moments until they are done; their weights must be those of one left alone.

python tests/soak/training.py --kills 50     make soak
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT / "workflow"))

EPOCHS = 40
# What keeps a state beside the weights: dropout, augmentation, accumulated gradients, averages, a
# schedule, 16-bit floats.
SETTINGS = {
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine", "warmup_epochs": 2,
    "loss": "huber",
    "batch_size": 4, "gradient_accumulation_steps": 3, "batch_norm_momentum": 0.9,
    "sampling": {}, "augmentation": ["flip", "rotate"], "ema_momentum": 0.9, "early_stopping": 0,
    "class_rebalancing": 0, "freeze_epochs": 0, "unfreeze_from": None, "unfrozen_learning_rate": None,
    "precision": "bfloat16", "xla": False, "tf32": False, "deterministic": True, "tensorboard": True,
}  # fmt: skip


def make_shards(folder: Path) -> Path:
    """Write shards of 14 training and 5 validation pictures of 32×32 noise; give their index."""
    import cv2
    from deepcolor.data.shard_index import write_index
    from deepcolor.data.shard_writer import ShardFiles, write_shard
    from deepcolor.files import sha256

    pixels = np.random.default_rng(0).integers(0, 256, (19, 32, 32, 3), np.uint8)
    rows = []
    for number, picture in enumerate(pixels):
        path = folder / f"{number:02}.png"
        cv2.imwrite(str(path), cv2.blur(picture, (5, 5)))
        row = {"id": path.stem, "path": str(path), "sha256": sha256(path), "group": path.stem}
        rows.append(row)
    table, facts = pd.DataFrame(rows), {}
    for split, part in {"training": table[:14], "validation": table[14:]}.items():
        facts[split] = [folder / f"{split}.json"]
        files = ShardFiles(folder / f"{split}.tfrecord", facts[split][0])
        write_shard(files, part, data_set="d", size=32, manifest=folder)
    write_index(folder / "index.json", facts, data_set="d", size=32)
    return folder / "index.json"


def command(index: Path, run: Path) -> list[str]:
    """The command line of train_model for a tiny U-Net."""
    return [
        sys.executable, str(PROJECT / "workflow/scripts/train_model.py"), "--run", run.name,
        "--model-name", "unet", "--architecture", "deepcolor.models.unet:unet",
        "--options", '{"filters": [4, 8, 8], "target": "lab"}', "--training", json.dumps(SETTINGS),
        "--image-size", "32", "--train-on", "d", "--indexes", str(index), "--epochs", str(EPOCHS),
        "--seed", "5", "--threads", "2", "--accelerator", "cpu",
        "--model", str(run / "model.keras"), "--history", str(run / "history.csv"),
        "--record", str(run / "training.json"), "--state", str(run / "state.safetensors"),
    ]  # fmt: skip


def fingerprint(run: Path) -> str:
    """A checksum of all that a training leaves but times: state, and the history."""
    digest = hashlib.sha256()
    for name, array in sorted(load_file(run / "state.safetensors").items()):
        digest.update(name.encode() + array.tobytes())
    history = pd.read_csv(run / "history.csv")
    times = [column for column in history.columns if "second" in column]
    digest.update(history.drop(columns=times).to_csv().encode())
    return digest.hexdigest()


def train_with_kills(index: Path, run: Path, kills: int, moments: random.Random) -> int:
    """Train to the end, killing the process (-9) up to a number of times.

    Every third time the moment is any, start-up included; otherwise it is after an epoch's line, up to
    the time of some epochs later.

    Returns:
        How often it was killed.

    Raises:
        AssertionError: It failed of itself.
    """
    done = 0
    while True:
        process = subprocess.Popen(
            command(index, run), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout
        said: list[str] = []
        if done < kills:
            if done % 3 == 2:
                time.sleep(moments.uniform(0, 10))
            else:
                for line in process.stdout:
                    said.append(line)
                    if ": epoch" in line:
                        break
                time.sleep(moments.uniform(0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
        said.append(process.communicate()[0])
        if process.returncode == 0:
            return done
        assert process.returncode == -signal.SIGKILL, "".join(said)
        done += 1


def soak(folder: Path, kills: int, seed: int, report: Callable[[str], None] = print) -> None:
    """Train and kill until there have been so many kills.

    Raises:
        AssertionError: A training ended with other weights than one that was left alone.
    """
    index = make_shards(folder)
    undisturbed = folder / "undisturbed" / "unet_40"
    subprocess.run(command(index, undisturbed), check=True, stdout=subprocess.DEVNULL)
    expected, moments, killed, trainings = fingerprint(undisturbed), random.Random(seed), 0, 0
    while killed < kills:
        trainings += 1
        run = folder / f"training{trainings}" / "unet_40"
        killed += train_with_kills(index, run, kills - killed, moments)
        assert fingerprint(run) == expected, f"training {trainings} ended with other weights"
        leftovers = [path.name for path in run.iterdir() if "backup" in path.name]
        assert not leftovers, leftovers
        report(
            f"training {trainings} was killed, in all {killed} times, and ended with the same weights"
        )


def main() -> None:
    """Parse the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        soak(Path(folder), args.kills, args.seed, lambda line: print(line, flush=True))
    print(f"{args.kills} kills, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
