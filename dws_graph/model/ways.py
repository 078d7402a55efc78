"""How far the nodes of a piece of the graph are from one another, and what lies between them.

Distances count steps, as the views do: what a step reads and writes is as far away as the step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from dws_graph.model.subgraph import Edge, Subgraph

VIA = "VIA"  # the type of an edge that stands for what was left out between two nodes
MOST_LOOKS = 2_000_000  # at edges, to find what lies between


def away(
    edges: Iterable[Edge], starts: Iterable[str], *, down: bool, depth: float | None = None
) -> dict[str, int]:
    """How many steps each node that is reached from the starts is away, the nearest first.

    Args:
        edges: All there are.
        starts: Keys of nodes.
        down: Along the arrows; else against them.
        depth: How many steps may be crossed; None for all.
    """
    following: dict[str, list[tuple[str, bool]]] = {}
    for edge in edges:
        here, there = (edge.source, edge.target) if down else (edge.target, edge.source)
        into_step = edge.type in ("READ_BY", "CODE_OF") if down else edge.type == "WROTE"
        following.setdefault(here, []).append((there, into_step))
    found = dict.fromkeys(starts, 0)
    level, crossed = list(found), 0
    while level:
        beyond: list[str] = []
        for here in level:  # grows: what a step reads or wrote is as far as the step
            for there, into_step in following.get(here, ()):
                if there in found or (into_step and depth is not None and crossed >= depth):
                    continue
                found[there] = crossed + into_step
                (beyond if into_step else level).append(there)
        level, crossed = beyond, crossed + 1
    return found


def nearest_first(found: Subgraph, starts: Collection[str]) -> list[str]:
    """The nodes that any way leads to from the starts, by how many arrows; then all others."""
    near: dict[str, list[str]] = {}
    for edge in found.edges:
        near.setdefault(edge.source, []).append(edge.target)
        near.setdefault(edge.target, []).append(edge.source)
    order = dict.fromkeys(n.key for n in found.nodes if n.key in starts)
    waiting = list(order)
    for key in waiting:
        new = [other for other in near.get(key, ()) if other not in order]
        order.update(dict.fromkeys(new))
        waiting += dict.fromkeys(new)
    return [*order, *(n.key for n in found.nodes if n.key not in order)]


def only(found: Subgraph, keys: Collection[str]) -> Subgraph:
    """A part of a piece: these nodes, and what joins them, be it over nodes that are left out.

    Where nodes are left out between two that stay, an edge `VIA` stands for the ways over them;
    there are none where those would be more than one could look at.
    """
    edges = [e for e in found.edges if e.source in keys and e.target in keys]
    following: dict[str, list[str]] = {}
    for edge in found.edges:
        following.setdefault(edge.source, []).append(edge.target)
    told = {(e.source, e.target) for e in edges}
    joined = _over_others([n.key for n in found.nodes if n.key in keys], following, keys)
    edges += [Edge(*ends, VIA) for ends in joined if ends not in told]
    nodes = tuple(n for n in found.nodes if n.key in keys)
    return replace(found, nodes=nodes, edges=tuple(edges))


def _over_others(
    kept: Iterable[str], following: Mapping[str, list[str]], keys: Collection[str]
) -> list[tuple[str, str]]:
    """Pairs of kept nodes between which a way over others leads."""
    found: list[tuple[str, str]] = []
    looks = 0
    for start in kept:
        waiting = [other for other in following.get(start, ()) if other not in keys]
        seen = set(waiting)
        while waiting:
            for other in following.get(waiting.pop(), ()):
                looks += 1
                if other in seen:
                    continue
                seen.add(other)
                if other in keys:
                    found.append((start, other))
                else:
                    waiting.append(other)
        if looks > MOST_LOOKS:
            return []
    return found


def between(up: Subgraph, a: str) -> Subgraph | None:
    """What lies on ways from a node to what `up` is the upstream of; None: no way leads there."""
    if not any(node.key == a for node in up.nodes):
        return None
    return up.reached_from({a})
