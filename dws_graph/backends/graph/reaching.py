"""Reachability on Neo4j: the walk of rule 2.1, upstream and downstream.

Always sets of nodes, never paths. A wide frontier is asked for its edges, all at once; from a few
nodes the server itself searches to the end, which visits each node once for each of them. So a
long chain costs one question, and a wide graph one for each of its levels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from dws_graph.backends.decoding import as_certificate, as_walk_row
from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read, each
from dws_graph.backends.neighbours import around
from dws_graph.backends.nodes import certificate_node, is_complete, step_node
from dws_graph.backends.ordering import in_order
from dws_graph.backends.views import Links, WalkRow
from dws_graph.model.folding import resource_id
from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.model.values import Json

FEW = 8  # nodes from each of which the server searches by itself


@dataclass(slots=True)
class Reached:
    """What a search found.

    Attributes:
        nodes: The ids of the nodes.
        edges: The edges between them.
        visited: How many rows were read to find the edges.
    """

    nodes: set[str] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)
    visited: int = 0


def reach(read: Read, starts: Iterable[str], *, down: bool, depth: int | None) -> Reached:
    """The nodes that can be reached from the starts over at most `depth` steps.

    Args:
        read: Asks the graph.
        starts: Ids of certificates, steps, or refs (which stand for all their certificates).
        down: Along the arrows; else against them.
        depth: How many steps may be crossed; None for all.
    """
    found = Reached()
    level = [row["id"] for row in each(read, texts.STARTS, starts)]
    found.nodes.update(level)
    crossed = 0
    while level:  # the nodes that `crossed` steps lie before
        beyond: list[str] = []
        while level:  # what a step reads or wrote is as far as the step
            if depth is None and len(level) <= FEW:
                level += _all_reached(read, level, found, down=down)
            near: list[str] = []
            for edge in _edges(read, texts.OUTGOING if down else texts.INCOMING, level):
                found.visited += 1
                other = edge.target if down else edge.source
                if other not in found.nodes:
                    into_step = edge.type != "IMPORTED_AS" and (edge.type == "WROTE") != down
                    if into_step and depth is not None and crossed >= depth:
                        continue
                    found.nodes.add(other)
                    (beyond if into_step and depth is not None else near).append(other)
                found.edges.add(edge)
            level = near
        level = beyond
        crossed += 1
    return found


def _all_reached(read: Read, few: Collection[str], found: Reached, *, down: bool) -> list[str]:
    """All that can be reached from a few nodes, and was not found yet."""
    rows = each(read, texts.ALL_DOWNSTREAM if down else texts.ALL_UPSTREAM, few)
    new = [row["id"] for row in rows if row["id"] not in found.nodes]
    found.nodes.update(new)
    return new


def reach_around(read: Read, starts: Iterable[str], *, depth: int, limit: int) -> Reached:
    """What lies around the starts, both ways: the nearest."""

    def touching(ids: Collection[str]) -> Iterable[Edge]:
        return _edges(read, texts.TOUCHING_NODES, ids)

    begin = [row["id"] for row in each(read, texts.STARTS, starts)]
    return Reached(*around(touching, begin, depth=depth, limit=limit))


def _edges(read: Read, text: str, ids: Iterable[str]) -> Iterable[Edge]:
    rows = each(read, text, ids)
    return (Edge(row["source"], row["target"], row["type"]) for row in rows)


def links(read: Read, ids: Collection[str]) -> Links:
    """The arrows into nodes, and how many lead away from each."""
    into = sorted(_edges(read, texts.INCOMING, ids))
    return Links(tuple(into), {row["id"]: row["arrows"] for row in each(read, texts.LEAVING, ids)})


def subgraph(read: Read, found: Reached, root: str) -> Subgraph:
    """What a search found, with properties, each node after those it was made from."""
    rows = list(each(read, texts.CERTIFICATE_NODES, found.nodes))
    roles = _roles(read, rows)
    complete = True
    nodes: list[Node] = []
    for row in rows:
        cert = as_certificate(row["id"], row["properties"])
        workspace = row["properties"].get("workspace")
        complete = complete and is_complete(cert)
        produced = row["produced"]
        retracted = row["retracted"] and not produced
        role = roles.get((workspace, cert.ref.name))
        nodes.append(
            certificate_node(cert, workspace, role, produced=produced, retracted=retracted)
        )
    steps = found.nodes.difference(node.key for node in nodes)
    nodes += (step_node(r["id"], r["properties"]) for r in each(read, texts.STEP_NODES, steps))
    edges = sorted(found.edges)
    return Subgraph(
        root=root, complete=complete, nodes=tuple(in_order(nodes, edges)), edges=tuple(edges)
    )


def _roles(read: Read, certificates: Iterable[Json]) -> dict[tuple[str, str], str | None]:
    described = (row["properties"] for row in certificates)
    named = {(p["workspace"], p["resource"]) for p in described if "resource" in p}
    ids = {resource_id(*key): key for key in named}
    return {ids[row["id"]]: row["role"] for row in each(read, texts.ROLES, ids)}


def walk(read: Read, ids: Iterable[str]) -> list[WalkRow]:
    """The certificates that rule 2.1 looks at, each once a step through which it is reached."""
    found: dict[tuple[str, str | None], WalkRow] = {}
    level = list(each(read, texts.CERTIFICATES, ids))
    seen: set[str] = set()
    while level:
        for row in level:
            reader = row.get("reader")
            met = as_walk_row(row["id"], row["properties"], reader)
            found.setdefault((met.certificate.id, reader), met)
        new = {row["id"] for row in level} - seen
        seen |= new
        level = list(each(read, texts.WALK, sorted(new)))
    return list(found.values())
