"""Layers for a layout: which column a node stands in, and what a long edge passes through.

Nodes are numbers here, 0 to n-1. Nothing recurses: a chain of thousands is as good as a fan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dws_graph.render.ranks import Arrow, shortest_ranks


@dataclass(frozen=True, slots=True)
class Layered:
    """A graph whose every edge leads from one layer to the next.

    Vertices up to `real` are the nodes; the rest are dummies, the places where a long edge passes
    through a layer. The long edges of one source share dummies, so that they look like one line
    that branches; or those of one target, where it has more of them, like lines that join.
    """

    real: int
    layer: list[int]
    left: list[list[int]]
    right: list[list[int]]
    paths: list[list[int]]  # per edge, its vertices from left to right

    def join(self, a: int, b: int) -> None:
        """Draw a line from a vertex to one in the next layer."""
        self.right[a].append(b)
        self.left[b].append(a)

    def lengthen(self, chain: list[int], dummies: int, step: int) -> None:
        """Add dummies to a chain that leads to the right (step 1) or to the left (-1)."""
        while len(chain) <= dummies:
            dummy = len(self.layer)
            self.layer.append(self.layer[chain[-1]] + step)
            self.left.append([])
            self.right.append([])
            self.join(*((chain[-1], dummy) if step > 0 else (dummy, chain[-1])))
            chain.append(dummy)


def layered(count: int, arrows: Sequence[Arrow]) -> Layered:
    """Choose layers for acyclic, distinct, connecting arrows, and split the long ones."""
    layer = shortest_ranks(count, arrows)
    long = [(a, b) for a, b in arrows if layer[b] - layer[a] > 1]
    leaving, entering = Counter(a for a, _ in long), Counter(b for _, b in long)
    made = Layered(count, layer, [[] for _ in layer], [[] for _ in layer], [])
    heads = [[v] for v in range(count)]  # a node, then its dummies to the right
    tails = [[v] for v in range(count)]  # a node, then its dummies to the left
    for source, target in arrows:
        before = layer[target] - layer[source] - 1
        if leaving[source] >= entering[target]:
            made.lengthen(heads[source], before, 1)
            path = [*heads[source][: before + 1], target]
            made.join(path[-2], target)
        else:
            made.lengthen(tails[target], before, -1)
            path = [source, *reversed(tails[target][: before + 1])]
            made.join(source, path[1])
        made.paths.append(path)
    return made


def acyclic(count: int, arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows, with those turned round that close a cycle; loops must be left out before."""
    after = _neighbours(count, arrows)
    index = [0] * count  # of the next arrow to follow
    state = [0] * count  # 0 not seen, 1 on the path, 2 done
    back: set[Arrow] = set()
    has_source = {b for _, b in arrows}
    for start in sorted(range(count), key=lambda v: v in has_source):
        if state[start]:
            continue
        path, state[start] = [start], 1
        while path:
            v = path[-1]
            if index[v] == len(after[v]):
                state[v] = 2
                path.pop()
                continue
            w = after[v][index[v]]
            index[v] += 1
            if state[w] == 1:
                back.add((v, w))
            elif state[w] == 0:
                state[w] = 1
                path.append(w)
    return [(b, a) if (a, b) in back else (a, b) for a, b in arrows]


def components(count: int, arrows: Sequence[Arrow]) -> list[list[int]]:
    """The connected parts, each in the order of its nodes, by their first node."""
    near = _neighbours(count, [*arrows, *((b, a) for a, b in arrows)])
    seen = [False] * count
    parts = []
    for start in range(count):
        if seen[start]:
            continue
        seen[start] = True
        part = [start]
        for v in part:
            for w in near[v]:
                if not seen[w]:
                    seen[w] = True
                    part.append(w)
        parts.append(sorted(part))
    return parts


def _neighbours(count: int, arrows: Sequence[Arrow]) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in arrows:
        after[a].append(b)
    return after
