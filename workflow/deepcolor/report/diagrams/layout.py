"""Where the nodes of a graph stand that is drawn from left to right."""

from collections.abc import Hashable, Mapping
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TypeVar

import numpy as np

Node = TypeVar("Node", bound=Hashable)
Graph = dict[Node, set[Node]]  # By node, those that come just before.
Place = tuple[int, int]  # A node and a column: its own, or one that an edge to the node passes.


def before(parents: Mapping[Node, set[Node]], node: Node) -> set[Node]:
    """All nodes that come before one, be it in several steps."""
    found: set[Node] = set()
    waiting = [node]
    while waiting:
        new = parents[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def acyclic(parents: Mapping[int, set[int]]) -> Graph[int]:
    """The graph without the edges that close a circle: of those, the ones from higher numbers go."""
    kept: Graph[int] = {node: set() for node in parents}
    for node, above in parents.items():
        for parent in sorted(above):
            if parent != node and node not in before(kept, parent):
                kept[node].add(parent)
    return kept


def without_shortcuts(parents: Mapping[int, set[int]]) -> Graph[int]:
    """The graph without the edges that follow from others: of a → b → c and a → c the last."""
    return {
        node: {one for one in above if not any(one in before(parents, other) for other in above)}
        for node, above in parents.items()
    }


def columns(parents: Mapping[int, set[int]]) -> dict[int, int]:
    """The column of every node: one more than the last of those before it.

    Raises:
        graphlib.CycleError: The graph goes in circles.
    """
    found: dict[int, int] = {}
    for node in TopologicalSorter(parents).static_order():
        found[node] = 1 + max((found[each] for each in parents[node]), default=-1)
    return found


def chains(parents: Mapping[int, set[int]], column: Mapping[int, int]) -> list[list[Place]]:
    """The places that each edge goes through, from the one before to the one after."""
    return [
        [
            (parent, column[parent]),
            *((-1 - number, between) for between in range(column[parent] + 1, column[node])),
            (node, column[node]),
        ]
        for number, (parent, node) in enumerate(
            (parent, node) for node in sorted(parents) for parent in sorted(parents[node])
        )
    ]


def heights(edges: list[list[Place]], column: Mapping[int, int]) -> dict[Place, float]:
    """The height of every place, so that edges are short and cross little; nodes are 1 apart or more.

    Places of a column are sorted by the mean height of their neighbors, to and fro, as K. Sugiyama,
    S. Tagawa and M. Toda do ("Methods for visual understanding of hierarchical system structures",
    1981), and then moved as near to that mean as their order allows.

    Args:
        edges: What `chains` gives.
        column: The column of every node.
    """
    found: dict[Place, float] = {}
    near: dict[Place, dict[int, list[Place]]] = {}
    for place in [*column.items(), *(place for edge in edges for place in edge)]:
        near.setdefault(place, {-1: [], 1: []})
    for edge in edges:
        for left, right in pairwise(edge):
            near[left][1].append(right)
            near[right][-1].append(left)
    levels: dict[int, list[Place]] = {}
    for place in near:
        found[place] = float(len(levels.setdefault(place[1], [])))
        levels[place[1]].append(place)
    order = sorted(levels)
    for sweep in range(24):
        toward = -1 if sweep % 2 == 0 else 1
        for level in order if toward == -1 else order[::-1]:
            places = levels[level]
            sides = (-1, 1) if sweep >= 16 else (toward,)
            wanted = {}
            for place in places:
                heights_near = [found[each] for side in sides for each in near[place][side]]
                wanted[place] = sum(heights_near) / len(heights_near) if heights_near else found[place]
            if sweep < 16:
                places.sort(key=lambda place: wanted[place])
            found |= zip(places, _apart([wanted[each] for each in places], places), strict=True)
    return found


def _apart(wanted: list[float], places: list[Place]) -> list[float]:
    """The heights nearest to those wanted in squares, in the given order and far enough apart.

    With the distances taken off this is isotonic regression, solved by pooling adjacent violators.
    """
    room = [0.5 if node >= 0 else 0.25 for node, _ in places]
    offsets = np.cumsum([0.0, *(one + other for one, other in pairwise(room))])
    groups: list[tuple[float, int]] = []  # Mean and number of neighbors that move together.
    for value in np.array(wanted) - offsets:
        groups.append((float(value), 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (one, many), (other, more) = groups[-2:]
            groups[-2:] = [((one * many + other * more) / (many + more), many + more)]
    means = [mean for mean, count in groups for _ in range(count)]
    return [float(mean + offset) for mean, offset in zip(means, offsets, strict=True)]
