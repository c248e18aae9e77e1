"""The table of metrics of all runs and baselines."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from deepcolor.files import read_json
from deepcolor.report.tables import LUMINANCE


def tabulate_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """Tabulate metrics: two rows per run and data set, and two per run over all (data_set "all").

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
                for name, mean in summary[key].items():
                    row |= {name: mean["value"]}
                    row |= {f"{name}_low": mean["low"], f"{name}_high": mean["high"]}
                rows.append(row)
    return pd.DataFrame(rows)
