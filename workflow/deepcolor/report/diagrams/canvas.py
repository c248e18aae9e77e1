"""Boxes, arrows and text of the diagrams, on a canvas in inches from the upper left corner."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Line
from matplotlib.textpath import text_to_path

from deepcolor.report.figure_style import new_figure

SIZE, GAP = 8.0, 0.165  # Of text in points, and from line to line.
ARROW = "#404040"
WIDTH = 10.0  # Of a diagram, at least.

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # Left, top, right, bottom.


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of a size, and axes that fill it."""
    figure = new_figure(width, height, constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def length_of(text: str, **options: Any) -> float:
    """How long a text is."""
    font = FontProperties(size=SIZE, **options)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72)


def write(axes: Axes, x: float, y: float, text: str, room: float = 99, **options: Any) -> None:
    """Write a text, smaller where there is no room."""
    wide = length_of(text, weight=options.get("weight", "normal"))
    size = SIZE * min(1, room / max(wide, 1e-6))
    axes.text(x, y, text, fontsize=size, va="center_baseline", parse_math=False, **options)


def draw_box(axes: Axes, box: Box, color: str, rounding: float) -> None:
    """Draw a box with a pale inside."""
    style = f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0"
    for face, edge in (("white", "none"), (color, "none"), ("none", color)):
        axes.add_patch(
            FancyBboxPatch(
                box[:2], box[2] - box[0], box[3] - box[1], boxstyle=style, linewidth=1.2,
                facecolor=face, edgecolor=edge, alpha=0.3 if face == color else None, zorder=3,
            )
        )  # fmt: skip


def draw_arrow(axes: Axes, points: Sequence[Point], color: str) -> None:
    """Draw an arrow along points, with corners rounded."""
    vertices: list[Point] = [points[0]]
    codes = [Line.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        for end, code in ((before, Line.LINETO), (after, Line.CURVE3)):
            away = math.dist(corner, end)
            near = min(0.06, away / 2) / max(away, 1e-9)
            point = (
                corner[0] + near * (end[0] - corner[0]),
                corner[1] + near * (end[1] - corner[1]),
            )
            vertices += [point] if code == Line.LINETO else [corner, point]
            codes += [code] if code == Line.LINETO else [code, code]
    _draw(axes, Line([*vertices, points[-1]], [*codes, Line.LINETO]), color)


def draw_curve(axes: Axes, points: Sequence[Point]) -> None:
    """Draw an arrow through points that is level at each."""
    vertices, codes = [points[0]], [Line.MOVETO]
    for (x, y), (right, level) in pairwise(points):
        half = (x + right) / 2
        vertices += [(half, y), (half, level), (right, level)]
        codes += [Line.CURVE4] * 3
    _draw(axes, Line(vertices, codes), ARROW)


def _draw(axes: Axes, line: Line, color: str) -> None:
    """Draw an arrow along a line."""
    axes.add_patch(
        FancyArrowPatch(
            path=line, arrowstyle="-|>,head_length=5,head_width=2.2", color=color, linewidth=1.1,
            shrinkA=0, shrinkB=0, mutation_scale=1, zorder=2, joinstyle="round",
        )
    )  # fmt: skip


def legend(axes: Axes, y: float, keys: Sequence[tuple[str, str]]) -> float:
    """Write what colors mean into a line.

    Args:
        axes: Of `canvas`.
        y: Height of the line.
        keys: Colors and what they mean.

    Returns:
        Where the line ends.
    """
    x = 0.05
    for color, text in keys:
        draw_box(axes, (x, y - 0.05, x + 0.1, y + 0.05), color, 0.0)
        write(axes, x + 0.16, y, text)
        x += 0.16 + length_of(text) + 0.2
    return x


def wrapped(text: str, room: float, separator: str) -> list[str]:
    """Part a text at separators into lines that fit, unless a part alone is too long."""
    lines: list[str] = []
    for part in text.split(separator):
        longer = f"{lines[-1]}{separator}{part}" if lines else part
        if lines and length_of(longer, weight="bold") > room:
            lines[-1] += separator.rstrip()
            lines.append(part)
        else:
            lines[-1:] = [longer]
    return lines
