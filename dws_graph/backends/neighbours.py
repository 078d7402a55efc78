"""What lies around some nodes, both ways; the nearest, where that is more than is wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from dws_graph.model.subgraph import Edge

Touching = Callable[[Collection[str]], Iterable[Edge]]
"""The edges that come from or lead to some nodes, by their ids."""


def around(
    touching: Touching, starts: Collection[str], *, depth: int, limit: int
) -> tuple[set[str], set[Edge]]:
    """The nodes at most `depth` edges away from the starts, and all edges between them.

    Args:
        touching: Asks a view.
        starts: Ids of steps and certificates.
        depth: How many edges may be crossed.
        limit: At most so many nodes: the nearest, and of equally near ones the first by id.
    """
    nodes = set(sorted(starts)[:limit])
    edges: set[Edge] = set()
    level = nodes
    while level:
        edges.update(touching(sorted(level)))
        met = {end for edge in edges for end in (edge.source, edge.target)} - nodes
        level = set(sorted(met)[: limit - len(nodes)]) if depth > 0 else set()
        nodes |= level
        depth -= 1  # the last level is only asked for the edges within it
    return nodes, {edge for edge in edges if edge.source in nodes and edge.target in nodes}
