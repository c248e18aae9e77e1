"""What a network is made of, condensed to the stages that a diagram can show.

A stage is a run of layers that work at one size of the picture in one phase of the network: a block of
an encoder, with the convolution or pooling that made the picture smaller, or one of a decoder. All of
it is read from the graph of calls; the names of layers give titles, where they say something.
"""

import math
from collections import Counter
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import keras
from keras import layers

from deepcolor.report.diagrams.layer_names import kinds, own_title
from deepcolor.report.diagrams.layout import Graph, before

Shape = tuple[int | None, ...]


class Step(NamedTuple):
    """One call of a layer, or of an operation of `keras.ops`."""

    operation: Any
    sources: list[int]  # The steps whose outputs it takes.
    shape: Shape  # Of its output, without the batch.
    side: float  # Of the picture that it gives, in pixels; 1 for a vector.
    parameters: int  # Weights that several calls share count for the first.
    trainable: int
    kernel: bool  # Whether it has more than the weights of normalization.


def describe(network: keras.Model) -> dict[str, Any]:
    """Condense a network to stages.

    Args:
        network: A functional or sequential model, of pictures of a fixed size. Models inside it are
            taken apart.

    Returns:
        `name`, `layers`, `parameters` and `trainable_parameters` of the network; `stages`, each after
        those whose outputs it takes; and `edges`. A stage has a `title`; a `phase`: input, encoder,
        bottleneck, decoder, head, side branch, or body where nothing makes the picture smaller; the
        `shape` of its output without the batch, height, width and channels for a picture; `layers`, the
        number of their calls; `kinds`, these in words; `parameters` and `trainable_parameters`. An edge
        goes `from` one stage `to` another, which are places in the list. One of the edges to a stage is
        where it goes on from; others are marked `skip`: skip connections, fusions with a side branch,
        the luminance that chroma is put on.
    """
    steps = _steps(network)
    stage_of, parents, head = _stages(steps)
    members = {stage: [n for n, each in enumerate(stage_of) if each == stage] for stage in parents}
    side = {stage: steps[numbers[-1]].side for stage, numbers in members.items()}
    main = _main_parents(parents, side)
    phases = _phases(main, side, stage_of[-1], head)
    order = sorted(parents, key=lambda stage: (len(before(parents, stage)), stage))
    place = {stage: number for number, stage in enumerate(order)}
    stages: list[dict[str, Any]] = []
    for stage in order:
        inside = [steps[number] for number in members[stage]]
        stages.append(_describe_stage(inside, steps, phases[stage]))
    _give_titles(stages)
    totals = ("layers", "parameters", "trainable_parameters")
    return {
        "name": network.name,
        **{key: sum(stage[key] for stage in stages) for key in totals},
        "stages": stages,
        "edges": [
            {"from": place[parent], "to": place[stage], "skip": parent != main[stage]}
            for stage in order
            for parent in sorted(parents[stage], key=place.__getitem__)
        ],
    }


def _describe_stage(inside: list[Step], steps: list[Step], phase: str) -> dict[str, Any]:
    """Return what `describe` tells of a stage, from its own steps and all of the network."""
    # What is padded at the end of a stage is so for the next one.
    shown = [step for step in inside if not isinstance(step.operation, layers.ZeroPadding2D)]
    return {
        "title": "prepare"
        if _prepares(inside, steps)
        else own_title([(step.operation, step.parameters) for step in inside]),
        "phase": phase,
        "shape": list((shown or inside)[-1].shape),
        "layers": sum(isinstance(step.operation, keras.Layer) for step in inside),
        "kinds": kinds([step.operation for step in inside]),
        "parameters": sum(step.parameters for step in inside),
        "trainable_parameters": sum(step.trainable for step in inside),
    }


# The calls


def _steps(network: keras.Model) -> list[Step]:
    """The calls that a network consists of, each after those whose outputs it takes."""
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)
    steps: list[Step] = []
    seen: set[int] = set()
    feeds = []
    for tensor in network.inputs:
        feeds.append((tensor, len(steps)))
        steps.append(_step(tensor._keras_history.operation, tensor.shape, [], steps, seen))
    _follow(network, feeds, steps, seen)
    return steps


def _follow(network: Any, feeds: list[Any], steps: list[Step], seen: set[int]) -> list[Any]:
    """Append the calls of a model; feeds and result are tensors with the steps that they come from."""
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)
    known = {id(tensor): feed for tensor, feed in zip(network.inputs, feeds, strict=True)}
    nodes = [
        each for _, level in sorted(network._nodes_by_depth.items(), reverse=True) for each in level
    ]
    for node in (each for each in nodes if not each.is_input):
        operation, outputs = node.operation, node.outputs
        taken = {id(tensor): known[id(tensor)] for tensor in node.input_tensors}
        if isinstance(operation, keras.Sequential) or hasattr(operation, "operations"):
            given = _follow(operation, [known[id(each)] for each in node.input_tensors], steps, seen)
        else:
            if any(None in tensor.shape[1:] for tensor in outputs):  # Made for pictures of any size.
                args, kwargs = node.arguments.fill_in({key: feed[0] for key, feed in taken.items()})
                outputs = keras.tree.flatten(operation.compute_output_spec(*args, **kwargs))
            sources = list(dict.fromkeys(number for _, number in taken.values()))
            given = [(tensor, len(steps)) for tensor in outputs]
            steps.append(_step(operation, outputs[0].shape, sources, steps, seen))
        known |= {id(tensor): feed for tensor, feed in zip(node.outputs, given, strict=True)}
    return [known[id(tensor)] for tensor in network.outputs]


def _step(operation: Any, shape: Shape, sources: list[int], steps: list[Step], seen: set[int]) -> Step:
    """The step of a call, with those of its weights that have not been `seen`."""
    weights = [each for each in getattr(operation, "weights", []) if id(each) not in seen]
    learned = [each for each in getattr(operation, "trainable_weights", []) if id(each) not in seen]
    seen |= {id(each) for each in weights}
    own = shape[1:]
    # What is padded is of the size that it was, as is what is neither a picture nor a vector.
    side = steps[sources[0]].side if sources else 1.0
    if len(own) == 1:
        side = 1.0
    elif len(own) == 3 and own[0] and own[1]:
        padded = sources and isinstance(operation, (layers.ZeroPadding2D, layers.Cropping2D))
        side = side if padded else math.sqrt(own[0] * own[1])
    counts = [sum(math.prod(each.shape) for each in group) for group in (weights, learned)]
    kernel = any(len(each.shape) > 1 for each in weights)
    return Step(operation, sources, own, side, counts[0], counts[1], kernel)


# The stages


def _stages(steps: list[Step]) -> tuple[list[int], Graph, int]:
    """The stage of every step, the stages that each takes its input from, and the head."""
    stage_of: list[int] = []
    parents: Graph = {}
    weight: Counter[int] = Counter()
    kernels = [number for number, step in enumerate(steps) if step.kernel]
    last = kernels[-1] if kernels else len(steps) - 1

    def merge(stages: set[int]) -> int:
        """Make one stage of several."""
        kept = min(stages)
        stage_of[:] = [kept if each in stages else each for each in stage_of]
        weight[kept] = sum(weight.pop(each) for each in stages)
        above = set().union(*(parents.pop(each) for each in stages))
        for child, theirs in parents.items():
            if theirs & stages:
                parents[child] = (theirs - stages) | {kept}
        parents[kept] = above - stages
        return kept

    for number, step in enumerate(steps):
        sources = [each for each in step.sources if _alike(steps[each].side, step.side)]
        # Of its own size; an input stands for itself.
        near = {stage_of[each] for each in sources if parents[stage_of[each]]}
        near = {each for each in near if not any(each in before(parents, other) for other in near)}
        if len(near) > 1 and len({frozenset(parents[each]) for each in near}) == 1:
            near = {merge(near)}  # Branches that part and meet again at once.
        reached = {stage_of[each] for each in step.sources}
        light = sorted(each for each in near if not weight[each])
        # The head, what joins it, and what joins two branches begin something new.
        parts = number == last or (number > last and len(reached) > 1) or len(near) > 1
        joined = light[:1] if parts else sorted(near)
        stage = joined[0] if joined else max(parents, default=-1) + 1
        stage_of.append(stage)
        parents[stage] = parents.get(stage, set()) | (reached - {stage})
        weight[stage] += step.parameters
        # What leaves a stage and comes back to it is a part of it.
        back = {each for each in reached if stage in before(parents, each)}
        between = {each for other in back for each in before(parents, other)}
        detour = back | {each for each in between if stage in before(parents, each)}
        if detour:
            merge(detour | {stage})
    return stage_of, parents, stage_of[last]


def _alike(one: float, other: float) -> bool:
    """Whether two sides are the same but for what convolutions without padding take away."""
    return 0.7 < one / other < 1.42


def _main_parents(parents: Graph, side: dict[int, float]) -> dict[int, int | None]:
    """By stage, the one that it goes on from: not one that skips others, nor a mere vector's branch."""
    main: dict[int, int | None] = {}
    narrowest: dict[int, float] = {}
    depth: dict[int, int] = {}
    for stage in TopologicalSorter(parents).static_order():
        ends = [a for a in parents[stage] if not any(a in before(parents, b) for b in parents[stage])]
        main[stage] = max(ends, key=lambda each: (narrowest[each], depth[each], -each), default=None)
        parent = main[stage]
        narrowest[stage] = side[stage] if parent is None else min(side[stage], narrowest[parent])
        depth[stage] = 1 + max((depth[each] for each in parents[stage]), default=0)
    return main


def _phases(
    main: dict[int, int | None], side: dict[int, float], output: int, head: int
) -> dict[int, str]:
    """The phase of every stage, by the sizes on the way from the input to the output."""
    path = [output]
    while (parent := main[path[-1]]) is not None:
        path.append(parent)
    path = path[::-1]
    end = path.index(head) if head in path else len(path) - 1
    low = min(side[stage] for stage in path)
    deepest = [number for number, stage in enumerate(path) if _alike(side[stage], low)]
    phases = dict.fromkeys(main, "side branch")
    for number, stage in enumerate(path):
        if number == 0:
            phases[stage] = "input"
        elif number >= end:
            phases[stage] = "head"
        elif _alike(side[path[0]], low):
            phases[stage] = "body"
        elif number < deepest[0]:
            phases[stage] = "encoder"
        else:
            phases[stage] = "bottleneck" if number <= deepest[-1] else "decoder"
    return phases


# The words


def _prepares(inside: list[Step], steps: list[Step]) -> bool:
    """Whether a stage has no weights and comes just after the input."""
    sources = [steps[source] for step in inside for source in step.sources]
    return (
        bool(sources)
        and not any(step.parameters for step in inside)
        and all(not source.sources or source in inside for source in sources)
    )


def _give_titles(stages: list[dict[str, Any]]) -> None:
    """Call the stages that have no title of their own by their phase, and number those."""
    own = Counter(stage["title"] for stage in stages)
    nameless = [
        stage
        for stage in stages
        if not stage["title"] or (own[stage["title"]] > 1 and stage["title"] != "prepare")
    ]
    all_of = Counter(stage["phase"] for stage in nameless)
    numbers: Counter[str] = Counter()
    for stage in nameless:
        phase = stage["phase"]
        numbers[phase] += 1
        stage["title"] = phase.removeprefix("side ") + (str(numbers[phase]) if all_of[phase] > 1 else "")
