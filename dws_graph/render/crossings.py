"""The order of vertices within layers: as few crossings as a fixed amount of work finds.

Several depth-first start orders, improved by barycentre sweeps; the best is polished by
exchanging neighbours. Work is counted in edges looked at, never in seconds: the same graph gives
the same picture on every machine.
"""

from __future__ import annotations

import random
from bisect import bisect_right

from dws_graph.render.layers import Layered

Order = list[list[int]]  # per layer, its vertices from top to bottom

WORK = 900_000  # edges looked at: about a second
STARTS = 6
FRUITLESS_SWEEPS = 4
SEED = 11


def ordered(graph: Layered) -> Order:
    """Per layer its vertices from top to bottom; `graph` is connected."""
    edges = max(1, sum(len(r) for r in graph.right))
    left_for_starts, best, fewest = WORK // 2, [], -1
    for start in _starts(graph):
        order, found, spent = _swept(graph, start, left_for_starts // 2)
        left_for_starts -= spent
        if fewest < 0 or found < fewest:
            best, fewest = order, found
        if not fewest or left_for_starts < 8 * edges:
            break
    return _exchanged(graph, best, WORK // 2) if fewest > 0 else best


def crossings(graph: Layered, order: Order) -> int:
    """How many pairs of lines cross between layers."""
    place = _places(order, len(graph.layer))
    total = 0
    for vertices in order[:-1]:
        seen: list[int] = []
        for v in vertices:
            for at in sorted([place[w] for w in graph.right[v]]):
                here = bisect_right(seen, at)
                total += len(seen) - here
                seen.insert(here, at)
    return total


def _starts(graph: Layered) -> list[Order]:
    """Depth-first orders: along the arrows, through all neighbours, and shuffled ones."""
    rng = random.Random(SEED)  # noqa: S311 - not for secrets
    vertices = sorted(range(len(graph.layer)), key=lambda v: graph.layer[v])
    both = [[*r, *lf] for r, lf in zip(graph.right, graph.left, strict=True)]
    found = [_depth_first(graph, vertices, graph.right), _depth_first(graph, vertices, both)]
    while len(found) < STARTS:
        shuffled = [rng.sample(n, len(n)) for n in both]
        rng.shuffle(vertices)
        found.append(_depth_first(graph, vertices, shuffled))
    return found


def _depth_first(graph: Layered, starts: list[int], near: list[list[int]]) -> Order:
    order: Order = [[] for _ in range(max(graph.layer) + 1)]
    seen = [False] * len(graph.layer)
    for start in starts:
        todo = [start]
        while todo:
            v = todo.pop()
            if seen[v]:
                continue
            seen[v] = True
            order[graph.layer[v]].append(v)
            todo.extend(w for w in reversed(near[v]) if not seen[w])
    return order


def _swept(graph: Layered, start: Order, work: int) -> tuple[Order, int, int]:
    """The best order that sweeps to and fro come by, its crossings, and the work done."""
    edges = max(1, sum(len(r) for r in graph.right))
    order = [layer[:] for layer in start]
    best, fewest = start, crossings(graph, start)
    spent, fruitless, sweep = edges, 0, 0
    while fewest and fruitless < FRUITLESS_SWEEPS and spent < work:
        for near, layers in (
            (graph.left, range(1, len(order))),
            (graph.right, range(len(order) - 2, -1, -1)),
        ):
            place = _places(order, len(graph.layer))
            for at in layers:
                order[at] = _by_barycentre(order[at], near, place, late_first=bool(sweep & 1))
                for i, v in enumerate(order[at]):
                    place[v] = i
        found = crossings(graph, order)
        spent += 3 * edges
        sweep += 1
        if found < fewest:
            best, fewest, fruitless = [layer[:] for layer in order], found, 0
        else:
            fruitless += 1
    return best, fewest, spent


def _by_barycentre(
    layer: list[int], near: list[list[int]], place: list[int], *, late_first: bool
) -> list[int]:
    """The layer sorted by the mean place of neighbours; who has none stays where it is."""
    means: dict[int, float] = {}
    for v in layer:
        if near[v]:
            means[v] = sum([place[w] for w in near[v]]) / len(near[v])
    movable = [v for v in (reversed(layer) if late_first else layer) if v in means]
    movable.sort(key=means.__getitem__)
    moved = iter(movable)
    return [next(moved) if v in means else v for v in layer]


def _exchanged(graph: Layered, order: Order, work: int) -> Order:
    """The order after exchanging neighbours in a layer for as long as that saves crossings."""
    order = [layer[:] for layer in order]
    place = _places(order, len(graph.layer))
    dirty = set(range(len(order)))
    while dirty and work > 0:
        at = min(dirty)
        dirty.discard(at)
        layer = order[at]
        lefts = {v: sorted([place[w] for w in graph.left[v]]) for v in layer}
        rights = {v: sorted([place[w] for w in graph.right[v]]) for v in layer}
        changed = False
        for i in range(len(layer) - 1):
            a, b = layer[i], layer[i + 1]
            work -= len(lefts[a]) + len(lefts[b]) + len(rights[a]) + len(rights[b])
            if _saved(lefts[a], lefts[b]) + _saved(rights[a], rights[b]) > 0:
                layer[i], layer[i + 1] = b, a
                place[a], place[b] = i + 1, i
                changed = True
        if changed:
            dirty.update(x for x in (at - 1, at, at + 1) if 0 <= x < len(order))
    return order


def _saved(upper: list[int], lower: list[int]) -> int:
    """Crossings between the lines of two vertices, less those after exchanging the two."""
    if not upper or not lower or upper[-1] <= lower[0]:
        return -1 if upper and lower and upper[0] < lower[-1] else 0
    saved = 0
    for at in upper:
        below = bisect_right(lower, at)
        equal = below - bisect_right(lower, at - 1)
        saved += (below - equal) - (len(lower) - below)
    return saved


def _places(order: Order, count: int) -> list[int]:
    place = [0] * count
    for layer in order:
        for i, v in enumerate(layer):
            place[v] = i
    return place
