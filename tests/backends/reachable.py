"""What a view reaches, compared with what networkx reaches in a dump."""

from __future__ import annotations

import networkx as nx

from dws_graph.backends.views import Dump, Questions
from dws_graph.model.subgraph import Subgraph

LINEAGE = ("READ_BY", "CODE_OF", "WROTE", "IMPORTED_AS")


def as_networkx(dump: Dump) -> nx.MultiDiGraph:
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    for node in dump["nodes"]:
        if set(node["labels"]) & {"Step", "Certificate"}:
            graph.add_node(node["properties"]["id"])
    for edge in dump["edges"]:
        if edge["type"] in LINEAGE:
            graph.add_edge(edge["source"], edge["target"], key=edge["type"])
    return graph


def nodes_and_edges(found: Subgraph) -> tuple[set[str], set[tuple[str, str, str]]]:
    return {n.key for n in found.nodes}, {(e.source, e.target, e.type) for e in found.edges}


def check_reach(questions: Questions, dump: Dump, *, every: int) -> None:
    """Upstream and downstream of every so manieth node are what networkx finds."""
    whole = as_networkx(dump)
    for key in sorted(whole.nodes)[::every]:
        up = {key, *nx.ancestors(whole, key)}
        down = {key, *nx.descendants(whole, key)}
        edges_up = set(whole.in_edges(up, keys=True))
        edges_down = set(whole.out_edges(down, keys=True))
        assert nodes_and_edges(questions.upstream([key])) == (up, edges_up)
        assert nodes_and_edges(questions.downstream([key])) == (down, edges_down)
