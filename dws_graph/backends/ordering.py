"""The order of a subgraph's nodes: each after those it was made from."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable

from dws_graph.model.subgraph import Edge, Node


def in_order(nodes: Collection[Node], edges: Iterable[Edge]) -> list[Node]:
    """The nodes, sources first; where that leaves a choice, by time, name and key.

    Nodes of a cycle, which only wrong data can hold, come last.
    """
    by_key = {node.key: node for node in nodes}
    after: dict[str, list[str]] = defaultdict(list)
    waits: dict[str, int] = dict.fromkeys(by_key, 0)
    for edge in edges:
        if edge.source in by_key and edge.target in by_key:
            after[edge.source].append(edge.target)
            waits[edge.target] += 1
    ready = [_rank(node) for node in nodes if not waits[node.key]]
    heapq.heapify(ready)
    ordered: list[Node] = []
    while ready:
        *_, key = heapq.heappop(ready)
        ordered.append(by_key[key])
        for following in after[key]:
            waits[following] -= 1
            if not waits[following]:
                heapq.heappush(ready, _rank(by_key[following]))
    if len(ordered) < len(by_key):
        left = [_rank(node) for node in nodes if waits[node.key] > 0]
        ordered += [by_key[key] for *_, key in sorted(left)]
    return ordered


def _rank(node: Node) -> tuple[str, str, str]:
    return (str(node.properties.get("start_time") or ""), node.name, node.key)
