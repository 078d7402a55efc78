"""Reachability: the walk of rule 2.1, upstream and downstream.

Always sets of nodes, never paths: each node is looked at once, however many ways lead to it.
Data flows along the arrows, so upstream follows incoming edges, downstream outgoing ones.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from dws_graph.backends.decoding import as_certificate, as_walk_row
from dws_graph.backends.index.store import Store
from dws_graph.backends.neighbours import around
from dws_graph.backends.nodes import certificate_node, is_complete, step_node
from dws_graph.backends.ordering import in_order
from dws_graph.backends.views import Links, WalkRow
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import resource_id
from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.model.values import Json

# Of the certificates asked for: the steps that wrote them, what those read, and so on. A step's
# input is left out when the step also wrote its ref (an update in place).
WALK = """
WITH RECURSIVE reached (id) AS (
    SELECT n.id FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
    UNION
    SELECT e.src FROM reached
    CROSS JOIN edge e ON e.dst = reached.id AND e.type IN ('WROTE', 'READ_BY', 'IMPORTED_AS')
    WHERE e.type <> 'READ_BY' OR NOT EXISTS (
        SELECT 1 FROM edge s JOIN writes w ON w.step = e.dst AND w.ref = s.dst
        WHERE s.src = e.src AND s.type = 'STATE_OF'
    )
)
SELECT c.key, c.props, NULL FROM json_each(?1) j CROSS JOIN node c ON c.key = j.value
UNION
SELECT c.key, c.props, CASE e.type WHEN 'READ_BY' THEN s.key END FROM reached
CROSS JOIN edge e ON e.dst = reached.id AND e.type IN ('READ_BY', 'IMPORTED_AS')
CROSS JOIN node c ON c.id = e.src CROSS JOIN node s ON s.id = e.dst
WHERE e.type <> 'READ_BY' OR NOT EXISTS (
    SELECT 1 FROM edge o JOIN writes w ON w.step = e.dst AND w.ref = o.dst
    WHERE o.src = e.src AND o.type = 'STATE_OF'
)
"""
INCOMING = """
SELECT src, type FROM edge
WHERE dst = ? AND type IN ('READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS')
"""
OUTGOING = """
SELECT dst, type FROM edge
WHERE src = ? AND type IN ('READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS')
"""
INTO = """
SELECT s.key, e.type, n.key FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
CROSS JOIN edge e ON e.dst = n.id AND e.type IN ('READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS')
CROSS JOIN node s ON s.id = e.src
"""
OUT_OF = """
SELECT n.key, e.type, t.key FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
CROSS JOIN edge e ON e.src = n.id AND e.type IN ('READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS')
CROSS JOIN node t ON t.id = e.dst
"""
LEAVING = """
SELECT n.key, (
    SELECT count(*) FROM edge e
    WHERE e.src = n.id AND e.type IN ('READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS')
) FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
"""
AS_IT_RAN = """
SELECT src, replace(type, 'RETRACTED_', '') FROM edge
WHERE dst = ? AND type IN (
    'READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS',
    'RETRACTED_READ_BY', 'RETRACTED_CODE_OF', 'RETRACTED_WROTE'
)
"""
START = "SELECT id, label FROM node WHERE key = ?"
STATES = "SELECT src FROM edge WHERE dst = ? AND type = 'STATE_OF'"
NODE = "SELECT key, label, props FROM node WHERE id = ?"
WRITTEN = "SELECT 1 FROM edge WHERE dst = ? AND type = 'WROTE' LIMIT 1"
WAS_WRITTEN = "SELECT 1 FROM edge WHERE dst = ? AND type = 'RETRACTED_WROTE' LIMIT 1"
PROPS = "SELECT props FROM node WHERE key = ?"


def walk(store: Store, ids: Collection[str]) -> list[WalkRow]:
    """The certificates that rule 2.1 looks at, each once a step through which it is reached."""
    rows = store.rows(WALK, (json.dumps(list(ids)),))
    return [as_walk_row(key, json.loads(props), reader) for key, props, reader in rows]


@dataclass(slots=True)
class Reached:
    """What a search found, by row id.

    Attributes:
        nodes: The nodes.
        edges: (source, type, target).
        visited: How many rows were read to find them.
    """

    nodes: set[int] = field(default_factory=set)
    edges: set[tuple[int, str, int]] = field(default_factory=set)
    visited: int = 0


def reach(
    store: Store,
    starts: Iterable[str],
    *,
    down: bool,
    depth: int | None,
    retracted: bool = False,
) -> Reached:
    """The nodes that can be reached from the starts over at most `depth` steps.

    Args:
        store: The index.
        starts: Ids of certificates, steps, or refs (which stand for all their certificates).
        down: Along the arrows; else against them.
        depth: How many steps may be crossed; None for all.
        retracted: Also over steps that were retracted; only against the arrows.
    """
    found = Reached()
    c, sql = store.connection, OUTGOING if down else AS_IT_RAN if retracted else INCOMING
    level = _starts(c, starts)
    found.nodes = set(level)
    crossed = 0
    while level:  # the nodes that `crossed` steps lie before
        beyond: list[int] = []
        for node in level:  # grows: what a step reads or wrote is as far as the step
            for other, kind in c.execute(sql, (node,)).fetchall():
                found.visited += 1
                into_step = kind != "IMPORTED_AS" and (kind == "WROTE") != down
                if other not in found.nodes:
                    if into_step and depth is not None and crossed >= depth:
                        continue
                    found.nodes.add(other)
                    (beyond if into_step else level).append(other)
                found.edges.add((node, kind, other) if down else (other, kind, node))
        level = beyond
        crossed += 1
    return found


def _starts(c: sqlite3.Connection, starts: Iterable[str]) -> list[int]:
    nodes: dict[int, None] = {}
    for key in starts:
        for node, label in c.execute(START, (key,)).fetchall():
            if label == "Ref":
                nodes.update((row[0], None) for row in c.execute(STATES, (node,)))
            else:
                nodes[node] = None
    return list(nodes)


def reach_around(store: Store, starts: Iterable[str], *, depth: int, limit: int) -> Reached:
    """What lies around the starts, both ways: the nearest."""

    def touching(keys: Collection[str]) -> Iterable[Edge]:
        wanted = (json.dumps(list(keys)),)
        rows = [*store.rows(INTO, wanted), *store.rows(OUT_OF, wanted)]
        return (Edge(source, target, kind) for source, kind, target in rows)

    begin = [_key(store, row) for row in _starts(store.connection, starts)]
    keys, edges = around(touching, begin, depth=depth, limit=limit)
    rows = {key: row for key in keys for row, _ in store.rows(START, (key,))}
    return Reached(set(rows.values()), {(rows[e.source], e.type, rows[e.target]) for e in edges})


def links(store: Store, ids: Collection[str]) -> Links:
    """The arrows into nodes, and how many lead away from each."""
    wanted = (json.dumps(list(dict.fromkeys(ids))),)
    into = sorted(Edge(source, target, kind) for source, kind, target in store.rows(INTO, wanted))
    return Links(tuple(into), dict(store.rows(LEAVING, wanted)))


def _key(store: Store, row: int) -> str:
    found = store.row(NODE, (row,))
    return str(found[0]) if found else ""


def subgraph(store: Store, found: Reached, root: str) -> Subgraph:
    """What a search found, with properties, each node after those it was made from."""
    made = _Maker(store, {target for _, kind, target in found.edges if kind == "WROTE"})
    nodes = {node: made.node(node) for node in found.nodes}
    keys = {row: node.key for row, node in nodes.items()}
    edges = sorted(Edge(keys[s], keys[t], kind) for s, kind, t in found.edges)
    return Subgraph(
        root=root,
        complete=made.complete,
        nodes=tuple(in_order(nodes.values(), edges)),
        edges=tuple(edges),
    )


class _Maker:
    """Makes nodes; `complete` is False once one is not kept, or unknown."""

    def __init__(self, store: Store, written: set[int]) -> None:
        self._store = store
        self._written = written
        self._roles: dict[tuple[str, str], str | None] = {}
        self.complete = True

    def node(self, row: int) -> Node:
        found = self._store.row(NODE, (row,))
        key, label, props = found if found else ("", "", "{}")
        obj: Json = json.loads(props)
        if label == "Step":
            return step_node(key, obj)
        cert = as_certificate(key, obj)
        self.complete = self.complete and is_complete(cert)
        workspace = obj.get("workspace")
        produced = row in self._written or self._store.row(WRITTEN, (row,)) is not None
        retracted = not produced and self._store.row(WAS_WRITTEN, (row,)) is not None
        role = self._role(workspace, cert)
        return certificate_node(cert, workspace, role, produced=produced, retracted=retracted)

    def _role(self, workspace: str | None, cert: Certificate) -> str | None:
        if workspace is None:
            return None
        key = (workspace, cert.ref.name)
        if key not in self._roles:
            row = self._store.row(PROPS, (resource_id(*key),))
            self._roles[key] = json.loads(row[0]).get("role") if row else None
        return self._roles[key]
