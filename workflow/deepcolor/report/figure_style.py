"""The style of all figures, and how they are made and written. Equal inputs give equal files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepcolor.files import replacing

# What differs from Matplotlib's defaults.
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "svg.hashsalt": "deepcolor",
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

# The palette of Okabe and Ito, which color-blind people tell apart, without its yellow, faint on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# One more than colors, so that 56 pairs are different.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@contextmanager
def project_style() -> Iterator[None]:
    """Draw in the project's style inside a block or function, and leave a user's settings alone."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def new_figure(width: float, height: float, constrained: bool = True) -> Figure:
    """Return an empty figure, which no window shows and nothing needs to close.

    Args:
        width: Width in inches.
        height: Height in inches.
        constrained: Whether Matplotlib makes room for what is written around axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained" if constrained else None)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure: Figure to write.
        path: File to write, whose suffix is the format.
        options: Options of `Figure.savefig`.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], **options)
