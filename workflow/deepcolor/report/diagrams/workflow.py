"""The diagram of the workflow's rules. Equal inputs give equal files.

Lengths are in inches, from the upper left corner.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcolor.report.diagrams import layout
from deepcolor.report.diagrams.canvas import (
    ARROW,
    GAP,
    WIDTH,
    Point,
    canvas,
    draw_arrow,
    draw_box,
    draw_curve,
    legend,
    length_of,
    write,
)
from deepcolor.report.figure_style import COLORS, project_style, save_figure


@project_style()
def plot_workflow(graph: Mapping[str, Any], path: Path) -> None:
    """Draw the rules of the workflow from left to right, each after those whose files it reads.

    Arrows that follow from others are left out: of a → b → c and a → c the last.

    Args:
        graph: `rules`, each with its `name` and the `stage` of the workflow that it belongs to, and
            `edges`, pairs of names: a rule and one that reads its files, which can be itself.
        path: SVG file to write.
    """
    rules = graph["rules"]
    numbers = {rule["name"]: number for number, rule in enumerate(rules)}
    parents: dict[int, set[int]] = {number: set() for number in range(len(rules))}
    for source, target in graph["edges"]:
        parents[numbers[target]].add(numbers[source])
    kept = layout.without_shortcuts(layout.acyclic(parents))
    column = layout.columns(kept)
    edges = layout.chains(kept, column)
    height = layout.heights(edges, column)
    words = [rule["name"].split("_", 1) for rule in rules]
    wide = max(length_of(word) for lines in words for word in lines) + 0.16
    pitch = max(wide + 0.3, WIDTH / (1 + max(column.values())))
    step, tall, top = 0.6, 0.4, 0.45
    low = min(height.values())
    places = {
        place: (pitch * (place[1] + 0.5), top + step * (value - low + 0.5))
        for place, value in height.items()
    }
    figure, axes = canvas(
        pitch * (1 + max(column.values())), top + step * (max(height.values()) - low + 1)
    )
    stages = list(dict.fromkeys(rule["stage"] for rule in rules))
    colors = {stage: COLORS[number % len(COLORS)] for number, stage in enumerate(stages)}
    legend(axes, 0.12, [(colors[stage], stage) for stage in stages])
    for edge in edges:
        draw_curve(axes, _curve([places[place] for place in edge], wide))
    for number, lines in enumerate(words):
        x, y = places[number, column[number]]
        box = (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
        draw_box(axes, box, colors[rules[number]["stage"]], 0.06)
        for line, text in enumerate(lines):
            write(axes, x, y + GAP * (line - (len(lines) - 1) / 2), text, ha="center")
        if number in parents[number]:  # It reads files of its own.
            turn = y - tall / 2 - 0.12
            draw_arrow(
                axes, [(x + 0.2, box[1]), (x + 0.2, turn), (x - 0.2, turn), (x - 0.2, box[1])], ARROW
            )
    save_figure(figure, path, metadata={"Date": None})


def _curve(places: Sequence[Point], wide: float) -> list[Point]:
    """Return the points of a curve from the right of one box to the left of another."""
    (first, top), *between, (last, bottom) = places
    points = [(first + wide / 2, top)]
    for x, y in between:
        points += [(x - wide / 2, y), (x + wide / 2, y)]
    return [*points, (last - wide / 2, bottom)]
