"""The scores of several runs on the same images, read for paired comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from deepcolor.errors import DeepColorError
from deepcolor.evaluation.bootstrap import Bootstrap
from deepcolor.evaluation.measures import KEPT
from deepcolor.frames import read_frame

# Measures that are compared, of each prediction as it is and with the luminance of the input.
COMPARED_MEASURES = ("psnr", "ssim", "ciede2000")


@dataclass
class PairedScores:
    """The scores of all runs on the same images, and their resampled means.

    Attributes:
        runs: Names of the runs.
        columns: Names of the measures, such as psnr and kept_psnr.
        values: Scores, `(images, runs, columns)`.
        groups: Number of the photograph of each image, `(images,)`.
        bootstrap: Bootstrap over these images.
        means: Resampled means, `(RESAMPLES, runs, columns)`.
        influence: Influence of each photograph, see `Bootstrap.influence`.
        photographs: Mean scores of each photograph, `(photographs, runs, columns)`.
    """

    runs: list[str]
    columns: list[str]
    values: np.ndarray
    groups: np.ndarray
    bootstrap: Bootstrap
    means: np.ndarray = field(init=False)
    influence: np.ndarray = field(init=False)
    photographs: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Resample once for all runs, so that differences of means are paired."""
        shape = (len(self.runs), len(self.columns))
        flat = self.values.reshape(len(self.values), -1)
        self.means = self.bootstrap.means(flat).reshape(-1, *shape)
        self.influence = self.bootstrap.influence(flat).reshape(-1, *shape)
        sums = np.zeros((self.groups.max() + 1, flat.shape[1]))
        np.add.at(sums, self.groups, flat)
        self.photographs = (sums / np.bincount(self.groups)[:, None]).reshape(-1, *shape)


def read_paired_scores(files: Mapping[str, Path]) -> PairedScores:
    """Read the scores of runs.

    Args:
        files: The per_image.csv of each run, by run.

    Raises:
        DeepColorError: Two files are not of the same images.
    """
    columns = [f"{kept}{name}" for kept in ("", KEPT) for name in COMPARED_MEASURES]
    names = dict.fromkeys(["data_set", "id", "group"], str)
    tables = {run: read_frame(file, names) for run, file in files.items()}
    run, first = next(iter(tables.items()))
    for other, table in tables.items():
        if not table["id"].equals(first["id"]) or not table["data_set"].equals(first["data_set"]):
            raise DeepColorError(
                f"{files[other]} and {files[run]} are not of the same images; delete one and run the "
                "same command again"
            )
    keys = first["data_set"] + "/" + first["group"]
    return PairedScores(
        runs=list(tables),
        columns=columns,
        values=np.stack([table[columns].to_numpy() for table in tables.values()], axis=1),
        groups=pd.factorize(keys)[0],
        bootstrap=Bootstrap(first["data_set"], first["group"]),
    )
