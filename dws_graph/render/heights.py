"""Where vertices of ordered layers stand vertically: near their neighbours, never overlapping.

Each layer is solved by pooling adjacent violators: the positions nearest to the wished ones
(weighted least squares) that keep order and distances. Sweeps repeat that until lines are short;
then the dummies of each long edge are put on one straight line where there is room.
"""

from __future__ import annotations

from itertools import pairwise

from dws_graph.render.crossings import Order
from dws_graph.render.layers import Layered

SWEEPS = 24
LEAST_SWEEPS = 8
WORK = 360_000  # vertices moved: fewer sweeps for the largest graphs
NODE_GAP = 14.0
LINE_GAP = 10.0

Pull = tuple[list[int], list[float], float]  # neighbours, how strongly each pulls, together


def placed(graph: Layered, order: Order, heights: list[float]) -> list[float]:
    """The vertical centre of each vertex, the topmost edge at 0 or below it."""
    offsets = [_offsets(graph, layer, heights) for layer in order]
    y = [0.0] * len(graph.layer)
    both = [[*lf, *r] for lf, r in zip(graph.left, graph.right, strict=True)]

    def pulled_by(near: list[list[int]]) -> list[Pull]:
        return [_pull(v, others, graph.real) for v, others in enumerate(near)]

    for layer, offset in zip(order, offsets, strict=True):
        for v, o in zip(layer, offset, strict=True):
            y[v] = o - offset[-1] / 2
    pulls = (pulled_by(graph.left), pulled_by(graph.right), pulled_by(both))
    sweeps = min(SWEEPS, max(LEAST_SWEEPS, WORK // len(y)))
    for sweep in range(sweeps):
        forward = sweep % 2 == 0
        pull = pulls[2] if sweep >= sweeps // 2 else pulls[0 if forward else 1]
        for at in range(len(order)) if forward else range(len(order) - 1, -1, -1):
            _move(order[at], offsets[at], y, pull, sweep >= sweeps // 2)
    _straighten(graph, order, offsets, y)
    top = min(y[v] - heights[v] / 2 for v in range(len(y)))
    return [round(at - top, 2) for at in y]


def pooled(wishes: list[float], weights: list[float]) -> list[float]:
    """The non-decreasing sequence nearest to the wishes (weighted least squares)."""
    values: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for wish, weight in zip(wishes, weights, strict=True):
        value, mass, size = wish, weight, 1
        while values and values[-1] > value:
            other = masses.pop()
            value = (values.pop() * other + value * mass) / (other + mass)
            mass += other
            size += sizes.pop()
        values.append(value)
        masses.append(mass)
        sizes.append(size)
    return [value for value, size in zip(values, sizes, strict=True) for _ in range(size)]


def _offsets(graph: Layered, layer: list[int], heights: list[float]) -> list[float]:
    """For each vertex of a layer, its least distance from the first one."""
    found = [0.0]
    for a, b in pairwise(layer):
        gap = NODE_GAP if a < graph.real and b < graph.real else LINE_GAP
        found.append(found[-1] + (heights[a] + heights[b]) / 2 + gap)
    return found


def _pull(v: int, near: list[int], real: int) -> Pull:
    """How strongly each line pulls: long edges most, so that they run straight."""
    weights = [(2.0, 1.0, 8.0)[(v >= real) + (w >= real)] for w in near]
    return near, weights, sum(weights) or 0.01


def _move(
    layer: list[int], offsets: list[float], y: list[float], pulls: list[Pull], level: bool
) -> None:
    """Move a layer's vertices to where their neighbours pull them together."""
    wishes, masses = [], []
    for v, offset in zip(layer, offsets, strict=True):
        near, weights, mass = pulls[v]
        if not near:
            wishes.append(y[v] - offset)
        elif len(near) == 1:
            wishes.append(y[near[0]] - offset)
        else:
            pulled = [(y[u], w) for u, w in zip(near, weights, strict=True)]
            wish = _mean(pulled, mass) if level else _median(sorted(pulled), mass / 2)
            wishes.append(wish - offset)
        masses.append(mass)
    for v, value, offset in zip(layer, pooled(wishes, masses), offsets, strict=True):
        y[v] = value + offset


def _mean(pulled: list[tuple[float, float]], mass: float) -> float:
    return sum([height * weight for height, weight in pulled]) / mass


def _median(pulled: list[tuple[float, float]], half: float) -> float:
    """The height that as much pulls down from as up from: a mean would bend long lines."""
    for (height, weight), (following, _) in pairwise(pulled):
        half -= weight
        if half <= 0:
            return height if half else (height + following) / 2
    return pulled[-1][0]


def _straighten(graph: Layered, order: Order, offsets: list[list[float]], y: list[float]) -> None:
    """Put runs of dummies, and what hangs on them alone, on one line where there is room."""
    place = {v: (at, i) for at, layer in enumerate(order) for i, v in enumerate(layer)}

    def room(v: int) -> tuple[float, float]:
        at, i = place[v]
        layer, offset = order[at], offsets[at]
        low = y[layer[i - 1]] + offset[i] - offset[i - 1] if i else float("-inf")
        last = i == len(layer) - 1
        high = float("inf") if last else y[layer[i + 1]] - (offset[i + 1] - offset[i])
        return low, high

    for run in _runs(graph):
        while run:
            low, high, end = float("-inf"), float("inf"), 0
            for v in run:
                below, above = room(v)
                if max(low, below) > min(high, above):
                    break
                low, high, end = max(low, below), min(high, above), end + 1
            end = max(end, 1)
            wish = sorted(y[v] for v in run[:end])[end // 2]
            for v in run[:end]:
                y[v] = min(max(wish, low), high)
            run = run[end:]


def _runs(graph: Layered) -> list[list[int]]:
    """Vertices that one line passes through: chains of one left and one right neighbour each."""
    runs = []
    seen = [False] * len(graph.layer)
    for v in sorted(range(len(graph.layer)), key=lambda v: (v < graph.real, graph.layer[v])):
        if seen[v]:
            continue
        seen[v] = True
        run = [v]
        while True:
            onward = [w for w in graph.right[run[-1]] if _continues(graph, run[-1], w)]
            if not onward or seen[onward[0]]:
                break
            seen[onward[0]] = True
            run.append(onward[0])
        runs.append(run)
    return runs


def _continues(graph: Layered, v: int, w: int) -> bool:
    both_dummies = v >= graph.real and w >= graph.real
    return both_dummies or (len(graph.right[v]) == 1 and len(graph.left[w]) == 1)
