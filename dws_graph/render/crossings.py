"""The order of vertices within layers: as few crossings as a fixed amount of work finds.

Several depth-first start orders, improved by sweeps: each layer is sorted by the mean place of its
neighbours, then neighbours in it are exchanged. In the best order each vertex then moves to the
best place in its layer. Work is counted in lines looked at, never in seconds: the same graph gives
the same picture on every machine.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from dws_graph.render.layers import Layered

Order = list[list[int]]  # per layer, its vertices from top to bottom
Near = list[list[int]]  # per vertex, its neighbours to one side

SWEEP_WORK = 2_500_000  # lines looked at: about a second
SIFT_WORK = 2_500_000
STARTS = 12
FRUITLESS_SWEEPS = 8
SIFTS = 3
SEED = 11


@dataclass(frozen=True, slots=True)
class Strung:
    """A layered graph as it is ordered: a line that m edges share counts as about sqrt(m) lines.

    So both are few: crossings of lines, which are seen, and crossings of edges, which are meant.
    """

    layer: list[int]
    left: Near
    right: Near

    @property
    def lines(self) -> int:
        """How many lines there are, counted like this."""
        return sum(map(len, self.right))


def ordered(graph: Layered) -> Order:
    """Per layer its vertices from top to bottom; `graph` is connected."""
    strung = _strung(graph)
    work, best, fewest = SWEEP_WORK, [], -1
    for start in _starts(graph):
        order, found, spent = _swept(strung, start, work // 2)
        work -= spent
        if fewest < 0 or found < fewest:
            best, fewest = order, found
        if not fewest or work < 16 * strung.lines:
            break
    if fewest > 0:
        _sift(strung, best)
    return best


def crossings(graph: Layered | Strung, order: Order) -> int:
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


def _strung(graph: Layered) -> Strung:
    shared = Counter(leg for path in graph.paths for leg in pairwise(path))
    times = {leg: round(math.sqrt(count)) for leg, count in shared.items()}
    return Strung(
        graph.layer,
        [[w for w in near for _ in range(times[w, v])] for v, near in enumerate(graph.left)],
        [[w for w in near for _ in range(times[v, w])] for v, near in enumerate(graph.right)],
    )


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


def _depth_first(graph: Layered, starts: list[int], near: Near) -> Order:
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


def _swept(graph: Strung, start: Order, work: int) -> tuple[Order, int, int]:
    """The best order that sweeps to and fro come by, its crossings, and the work done."""
    order = [layer[:] for layer in start]
    place = _places(order, len(graph.layer))
    best, fewest = start, crossings(graph, start)
    spent, fruitless, sweep = graph.lines, 0, 0
    while fewest and fruitless < FRUITLESS_SWEEPS and spent < work:
        near, layers = (
            (graph.right, range(len(order) - 2, -1, -1))
            if sweep % 2
            else (graph.left, range(1, len(order)))
        )
        for at in layers:
            order[at] = _by_barycentre(order[at], near, place, late_first=bool(sweep & 2))
            for i, v in enumerate(order[at]):
                place[v] = i
        spent += 2 * graph.lines
        for layer in order:
            spent += _exchange(graph, layer, place)
        found = crossings(graph, order)
        sweep += 1
        if found < fewest:
            best, fewest, fruitless = [layer[:] for layer in order], found, 0
        else:
            fruitless += 1
    return best, fewest, spent


def _by_barycentre(
    layer: list[int], near: Near, place: list[int], *, late_first: bool
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


def _exchange(graph: Strung, layer: list[int], place: list[int]) -> int:
    """Exchange neighbours in a layer where that saves crossings; the work done."""
    lefts, rights = _ends(graph.left, layer, place), _ends(graph.right, layer, place)
    work = 0
    for i in range(len(layer) - 1):
        a, b = layer[i], layer[i + 1]
        work += len(lefts[a]) + len(lefts[b]) + len(rights[a]) + len(rights[b])
        if _saved(lefts[a], lefts[b]) + _saved(rights[a], rights[b]) > 0:
            layer[i], layer[i + 1] = b, a
            place[a], place[b] = i + 1, i
    return work


def _sift(graph: Strung, order: Order) -> None:
    """Move each vertex to the place in its layer where it causes the fewest crossings."""
    place = _places(order, len(graph.layer))
    work = SIFT_WORK
    for _ in range(SIFTS):
        moved = False
        for layer in order:
            lefts, rights = _ends(graph.left, layer, place), _ends(graph.right, layer, place)
            for v in sorted(layer, key=lambda v: -len(lefts[v]) - len(rights[v])):
                if work < 0:
                    return
                here = layer.index(v)
                there, spent = _best_place(layer, here, lefts, rights)
                work -= spent
                if there != here:
                    layer.insert(there, layer.pop(here))
                    moved = True
            for i, v in enumerate(layer):
                place[v] = i
        if not moved:
            return


def _best_place(
    layer: list[int], here: int, lefts: dict[int, list[int]], rights: dict[int, list[int]]
) -> tuple[int, int]:
    """Where in the layer the vertex at `here` causes the fewest crossings, and the work done."""
    v = layer[here]
    left, right = lefts[v], rights[v]
    there = here
    most = saved = 0
    for at in range(here - 1, -1, -1):
        w = layer[at]
        saved += _saved(lefts[w], left) + _saved(rights[w], right)
        if saved > most:
            most, there = saved, at
    saved = 0
    for at in range(here + 1, len(layer)):
        w = layer[at]
        saved += _saved(left, lefts[w]) + _saved(right, rights[w])
        if saved > most:
            most, there = saved, at
    return there, len(layer) * (len(left) + len(right))


def _ends(near: Near, layer: list[int], place: list[int]) -> dict[int, list[int]]:
    """Per vertex, the places that its lines to one side lead to."""
    return {v: sorted([place[w] for w in near[v]]) for v in layer}


def _saved(upper: list[int], lower: list[int]) -> int:
    """Crossings between the lines of two vertices, less those after exchanging the two."""
    if not upper or not lower:
        return 0
    if upper[-1] <= lower[0]:
        return -1 if upper[0] < lower[-1] else 0
    saved = 0
    for at in upper:
        saved += bisect_left(lower, at) + bisect_right(lower, at) - len(lower)
    return saved


def _places(order: Order, count: int) -> list[int]:
    place = [0] * count
    for layer in order:
        for i, v in enumerate(layer):
            place[v] = i
    return place
