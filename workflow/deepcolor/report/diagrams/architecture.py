"""The diagram of a network's stages. Equal inputs give equal files.

Lengths are in inches, from the upper left corner, and sizes of text in points.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from deepcolor.report.diagrams import layout
from deepcolor.report.diagrams.canvas import (
    ARROW,
    GAP,
    WIDTH,
    Box,
    Point,
    canvas,
    draw_arrow,
    draw_box,
    legend,
    length_of,
    wrapped,
    write,
)
from deepcolor.report.figure_style import COLORS, project_style, save_figure

BLUE, VERMILION, GREEN, PINK, ORANGE, _, BLACK = COLORS[:7]
PHASES = {
    "input": "#8c8c8c", "encoder": BLUE, "body": BLUE, "bottleneck": PINK, "decoder": GREEN,
    "head": BLACK, "side branch": ORANGE,
}  # fmt: skip
FIGURES = ("size", "channels", "layers", "parameters", "trainable")
SKIP = VERMILION
HEADING = 0.72  # For what the figures under the boxes are.
TALL = 1.5  # The box of the largest picture.
LEVEL = 0.17  # From one skip connection to the one above it.


@project_style()
def plot_architecture(architecture: Mapping[str, Any], path: Path) -> None:
    """Draw the stages of a network from left to right: the smaller the picture, the lower the box.

    Side branches stand below, in rows of their own; skip connections go over the top. Under each box
    stand its figures, and at the bottom the layers that it consists of.

    Args:
        architecture: What `deepcolor.report.diagrams.stages.describe` gives.
        path: SVG file to write.
    """
    stages, edges = architecture["stages"], architecture["edges"]
    parents: dict[int, set[int]] = {number: set() for number in range(len(stages))}
    for edge in edges:
        parents[edge["to"]].add(edge["from"])
    column = layout.columns(parents)
    row = _rows(stages, edges)
    pitch = max(0.7, (WIDTH - HEADING) / (1 + max(column.values())))
    width = HEADING + pitch * (1 + max(column.values()))
    arcs = _arcs(edges, row, column)
    titles = [wrapped(stage["title"], pitch - 0.08, " ") for stage in stages]
    most = {each: max(len(titles[n]) for n in row if row[n] == each) for each in set(row.values())}
    levels = {(row[edges[number]["from"]], level) for number, level in arcs.items()}
    centers, bottom = _centers(most, Counter(each for each, _ in levels))
    listed = _listed([stages[number] for number in sorted(row, key=lambda n: (row[n], n))], width - 1.75)
    figure, axes = canvas(width, bottom + GAP * sum(len(lines) for _, lines in listed) + 0.05)
    _write_heading(axes, architecture)
    boxes = _boxes(
        stages, {n: (HEADING + pitch * (column[n] + 0.5), centers[row[n]]) for n in row}, pitch
    )
    for number, edge in enumerate(edges):
        source, target = edge["from"], edge["to"]
        y = None
        if number in arcs:
            y = centers[row[source]] - TALL / 2 - 0.08 - LEVEL * arcs[number]
        gap = None if row[source] == row[target] else HEADING + pitch * column[target]
        way = _way(boxes[source], boxes[target], y, gap)
        draw_arrow(axes, way, SKIP if edge["skip"] else ARROW)
    for number, stage in enumerate(stages):
        left, top, right, low = boxes[number]
        draw_box(axes, boxes[number], PHASES[stage["phase"]], 0.0)
        x, y = (left + right) / 2, centers[row[number]] + TALL / 2 + 0.15
        for line, text in enumerate(titles[number], start=most[row[number]] - len(titles[number])):
            write(axes, x, y + GAP * line, text, room=pitch - 0.08, ha="center", weight="bold")
        for line, (name, value) in enumerate(_figures(stage), start=most[row[number]]):
            write(axes, x, y + GAP * line, value, room=pitch - 0.08, ha="center")
            if number == min(each for each in row if row[each] == row[number]):
                write(axes, 0.05, y + GAP * line, name, color="0.35")
    _write_layers(axes, listed, bottom)
    save_figure(figure, path, metadata={"Date": None})


# Where things stand


def _rows(stages: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The row of every stage: 0, or that of its side branch."""
    row: dict[int, int] = {}
    for number, stage in enumerate(stages):
        row[number] = 0
        if stage["phase"] == "side branch":
            (parent,) = (e["from"] for e in edges if e["to"] == number and not e["skip"])
            sisters = [row.get(e["to"]) for e in edges if e["from"] == parent and e["to"] != number]
            goes_on = row[parent] > 0 and row[parent] not in sisters
            row[number] = row[parent] if goes_on else max(row.values()) + 1
    return row


def _centers(
    title_lines: Mapping[int, int], arc_levels: Mapping[int, int]
) -> tuple[dict[int, float], float]:
    """Return the height of the middle of each row's boxes, and where the last row ends.

    Args:
        title_lines: Number of lines of the titles, by row.
        arc_levels: Number of levels of edges over the boxes, by row; 0 where a row is missing.
    """
    centers, bottom = {}, 0.45
    for row in sorted(title_lines):
        centers[row] = bottom + 0.12 + LEVEL * arc_levels.get(row, 0) + TALL / 2
        bottom = centers[row] + TALL / 2 + 0.15 + GAP * (title_lines[row] + len(FIGURES)) + 0.1
    return centers, bottom


def _arcs(
    edges: Sequence[Mapping[str, Any]], row: Mapping[int, int], column: Mapping[int, int]
) -> dict[int, int]:
    """The level, from 0, of every edge that goes over the boxes: the longer, the higher."""
    taken: dict[int, list[tuple[int, int, int]]] = {}
    found: dict[int, int] = {}
    length = {n: column[edge["to"]] - column[edge["from"]] for n, edge in enumerate(edges)}
    for number in sorted(length, key=lambda each: (length[each], each)):
        edge = edges[number]
        start, end = column[edge["from"]], column[edge["to"]]
        inside = any(row[n] == row[edge["from"]] and start < column[n] < end for n in row)
        if inside or (row[edge["from"]] == row[edge["to"]] and edge["skip"]):
            lines = taken.setdefault(row[edge["from"]], [])
            found[number] = 1 + max(
                (level for level, first, last in lines if first < end and start < last), default=-1
            )
            lines.append((found[number], start, end))
    return found


def _boxes(
    stages: Sequence[Mapping[str, Any]], centers: Mapping[int, tuple[float, float]], pitch: float
) -> dict[int, Box]:
    """The boxes of stages: their heights grow with the picture, their widths with its channels."""

    def share(value: float, largest: float) -> float:
        return math.log2(1 + value) / math.log2(1 + largest)

    sides = [_side(stage["shape"]) for stage in stages]
    channels = [stage["shape"][-1] or 1 for stage in stages]
    boxes = {}
    for number, (x, y) in centers.items():
        height = TALL * (0.1 + 0.9 * share(sides[number], max(sides)))
        width = min(pitch, 1.1) * (0.1 + 0.5 * share(channels[number], max(channels)))
        boxes[number] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return boxes


def _way(start: Box, end: Box, over: float | None, gap: float | None) -> list[Point]:
    """The points of an arrow from one box to another.

    Args:
        start: Of the one.
        end: Of the other.
        over: The height at which it passes over the boxes between them, if there are any.
        gap: For a box in another row, where there is room between the columns.
    """
    level, into = (start[1] + start[3]) / 2, (end[1] + end[3]) / 2
    above = 0.3 * start[0] + 0.7 * start[2]
    if gap is None and over is not None:
        at = 0.7 * end[0] + 0.3 * end[2]
        return [(above, start[1]), (above, over), (at, over), (at, end[1])]
    if gap is None:
        return [(start[2], level), (end[0], into)]
    if start[1] > end[3]:  # From below: beside the arrow of the row itself.
        into = 0.2 * end[1] + 0.8 * end[3]
    out = [(start[2], level)] if over is None else [(above, start[1]), (above, over)]
    return [*out, (gap, out[-1][1]), (gap, into), (end[0], into)]


# What is written


def _side(shape: Sequence[int | None]) -> float:
    """The side of a stage's picture; 1 for a vector."""
    return math.sqrt((shape[0] or 1) * (shape[1] or 1)) if len(shape) == 3 else 1.0


def _figures(stage: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What stands under a stage's box, by what it is."""
    shape = ["?" if side is None else f"{side:,}" for side in stage["shape"]]
    numbers = [f"{stage[key]:,}" for key in ("layers", "parameters", "trainable_parameters")]
    return list(zip(FIGURES, ["×".join(shape[:-1]) or "vector", shape[-1], *numbers], strict=True))


def _headline(architecture: Mapping[str, Any]) -> str:
    """The figures of the whole network."""
    return (
        f"{architecture['layers']:,} layers, {architecture['parameters']:,} parameters, "
        f"{architecture['trainable_parameters']:,} of them trainable"
    )


def _listed(stages: Sequence[Mapping[str, Any]], room: float) -> list[tuple[str, list[str]]]:
    """By stages that follow one another and are made alike, what they consist of, in lines."""
    found = []
    for kinds, group in groupby(stages, key=lambda stage: stage["kinds"]):
        titles = [stage["title"] for stage in group]
        name = titles[0] if len(titles) == 1 else f"{titles[0]} to {titles[-1]}"
        found.append((name, wrapped("; ".join(kinds), room, "; ")))
    return found


def _write_layers(axes: Axes, listed: Sequence[tuple[str, Sequence[str]]], top: float) -> None:
    """Write the layers of stages in lines from a height on."""
    for name, lines in listed:
        write(axes, 1.6, top, name, room=1.5, ha="right", weight="bold")
        for text in lines:
            write(axes, 1.7, top, text)
            top += GAP


def _write_heading(axes: Axes, architecture: Mapping[str, Any]) -> None:
    """Write the totals of the network, and below them what colors and sizes mean."""
    stages, edges = architecture["stages"], architecture["edges"]
    write(axes, 0.05, 0.12, _headline(architecture), weight="bold")
    phases = [phase for phase in PHASES if any(stage["phase"] == phase for stage in stages)]
    x = legend(axes, 0.32, [(PHASES[phase], phase) for phase in phases])
    if any(edge["skip"] for edge in edges):
        draw_arrow(axes, [(x, 0.32), (x + 0.25, 0.32)], SKIP)
        write(axes, x + 0.31, 0.32, "skip connection, fusion")
        x += 0.31 + length_of("skip connection, fusion") + 0.2
    write(axes, x, 0.32, "height: size of the picture, width: channels (log)", color="0.35")
