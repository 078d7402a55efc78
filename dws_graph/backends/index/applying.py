"""Facts in: the rows of a batch into `node` and `edge`.

Every statement is idempotent, and finds its rows by key: the cost of a fact does not grow with
the history before it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from dws_graph.errors import ViewError
from dws_graph.model.rows import CurrentRow, EdgeRow, NodeRow, Rows
from dws_graph.model.values import Json

BARE = """
INSERT OR IGNORE INTO node (key, label, props)
VALUES (?1, 'Certificate', json_object('id', ?1))
"""
IDENTITY = "INSERT OR IGNORE INTO node (key, label, props) VALUES (?, ?, ?)"
REF = "INSERT OR IGNORE INTO ref (workspace, resource, subpath) VALUES (?, ?, ?)"
SHARED = """
INSERT INTO node (key, label, at, props) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET label = excluded.label, at = excluded.at, props = excluded.props
WHERE excluded.at > node.at
"""
# What a workspace itself tells of a node (it has an instance then) stays, whatever others told.
IMPORTED = """
INSERT INTO node (key, label, at, props) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET label = excluded.label, at = excluded.at, props = CASE
    WHEN json_extract(node.props, '$.retracted')
    THEN json_set(excluded.props, '$.retracted', json('true')) ELSE excluded.props END
WHERE excluded.at > node.at AND json_extract(node.props, '$.instance') IS NULL
"""
OWN = """
INSERT INTO node (key, label, props) VALUES (?1, ?2, json_patch('{}', ?3))
ON CONFLICT (key) DO UPDATE SET props = json_patch(node.props, ?3)
"""
# A step that was imported before its own workspace told of it.
OWN_AT_LAST = """
UPDATE node SET at = '', props = json_patch('{}', json_object('id', ?1,
    'workspace', json_extract(props, '$.workspace'),
    'retracted', CASE WHEN json_extract(props, '$.retracted') THEN json('true') END))
WHERE key = ?1 AND at <> ''
"""
PLACEHOLDER = """
INSERT INTO node (key, label, props) VALUES (?1, ?2, json_patch('{}', ?3))
ON CONFLICT (key) DO UPDATE SET at = '', props = json_patch(node.props, ?3),
    label = CASE node.label WHEN 'HashCertificate' THEN node.label ELSE excluded.label END
WHERE node.label <> 'HashCertificate' OR node.at LIKE '-%'
"""
EDGE = "INSERT OR IGNORE INTO edge (src, type, dst) VALUES (?, ?, ?)"
UNCURRENT = "DELETE FROM edge WHERE src = ? AND type = 'CURRENT' AND instance = ?"
CURRENT = "INSERT OR IGNORE INTO edge (src, type, dst, instance) VALUES (?, 'CURRENT', ?, ?)"
SUPERSEDED = """
UPDATE node SET props = json_set(props, '$.superseded', json('true'))
WHERE key = ? AND label IN ('Certificate', 'PlaceholderCertificate')
"""
KEEP = """
UPDATE node SET label = 'HashCertificate', props = json_patch(props, ?2)
WHERE key = ?1 AND label IN ('Certificate', 'PlaceholderCertificate', 'HashCertificate')
"""
MERGE_EDGES = """
INSERT OR IGNORE INTO edge (src, type, dst)
SELECT ?2, type, dst FROM edge WHERE src = ?1
    AND type IN ('READ_BY', 'CODE_OF', 'RETRACTED_READ_BY', 'RETRACTED_CODE_OF')
"""
DELETE_EDGES = ("DELETE FROM edge WHERE src = ?", "DELETE FROM edge WHERE dst = ?")
DELETE_NODE = "DELETE FROM node WHERE id = ?"
HASHED = """
INSERT OR REPLACE INTO hashed (certificate, ref, hash, subpath_hash)
SELECT n.id, e.dst, json_extract(n.props, '$.hash'), json_extract(n.props, '$.subpath_hash')
FROM node n JOIN edge e ON e.src = n.id AND e.type = 'STATE_OF'
WHERE n.key = ? AND n.label = 'HashCertificate'
"""
WRITES = """
INSERT OR IGNORE INTO writes (step, ref)
SELECT ?1, dst FROM edge WHERE src = ?2 AND type = 'STATE_OF'
"""
IS_RETRACTED = "SELECT id FROM node WHERE key = ? AND json_extract(props, '$.retracted')"
RETRACT = (
    """
    UPDATE OR REPLACE edge SET type = 'RETRACTED_' || type
    WHERE dst = ? AND type IN ('READ_BY', 'CODE_OF')
    """,
    "UPDATE OR REPLACE edge SET type = 'RETRACTED_WROTE' WHERE src = ? AND type = 'WROTE'",
    "DELETE FROM writes WHERE step = ?",
)
LISTED = """
INSERT OR REPLACE INTO step
    (node, key, workspace, name, status, start_time, parameters, metrics, description)
SELECT id, key, json_extract(props, '$.workspace'), json_extract(props, '$.name'),
    CASE WHEN json_extract(props, '$.retracted') THEN 'retracted'
        ELSE json_extract(props, '$.status') END,
    json_extract(props, '$.start_time'), json_extract(props, '$.parameters'),
    json_extract(props, '$.metrics'), json_extract(props, '$.description')
FROM node WHERE key = ? AND label = 'Step' AND json_extract(props, '$.name') IS NOT NULL
"""
TAG_WAS = "SELECT snapshot FROM tagged WHERE tag_node = ?"
TAG_IS = """
INSERT OR REPLACE INTO tagged (tag_node, snapshot, tag)
SELECT key, json_extract(props, '$.snapshot'), json_extract(props, '$.tag')
FROM node WHERE key = ?
"""
TAGS_OF = "SELECT tag FROM tagged WHERE snapshot = ? ORDER BY tag"
SET_TAGS = "UPDATE node SET props = json_set(props, '$.tags', json(?2)) WHERE key = ?1"
NODE_ID = "SELECT id FROM node WHERE key = ?"


def apply_rows(c: sqlite3.Connection, rows: Rows) -> None:
    """Writes the rows of a batch, in the order of their kinds.

    Raises:
        ViewError: An edge names a node that no row of the batch holds.
    """
    ids = _Ids(c)
    c.executemany(BARE, ((key,) for key in rows.bare))
    c.executemany(IDENTITY, ((r.id, r.label, _text(r.props)) for r in rows.identities))
    refs = (r.props for r in rows.identities if r.label == "Ref")
    c.executemany(REF, ((p["workspace"], p["resource"], p.get("subpath", "")) for p in refs))
    c.executemany(SHARED, ((r.id, r.label, r.props["at"], _text(r.props)) for r in rows.shared))
    c.executemany(IMPORTED, ((r.id, r.label, r.props["at"], _text(r.props)) for r in rows.imported))
    c.executemany(OWN_AT_LAST, ((r.id,) for r in rows.own if "instance" in r.props))
    c.executemany(OWN, ((r.id, r.label, _raw(r.props)) for r in rows.own))
    c.executemany(PLACEHOLDER, ((r.id, r.label, _raw(r.props)) for r in rows.placeholders))
    _tags(c, rows)
    _edges(c, ids, rows.edges)
    _currents(c, ids, rows.current)
    c.executemany(SUPERSEDED, ((key,) for key in rows.superseded))
    c.executemany(KEEP, ((props["id"], _raw(props)) for props in rows.keep))
    hashed = [r.id for r in (*rows.shared, *rows.imported) if r.label == "HashCertificate"]
    hashed += [props["id"] for props in rows.keep]
    c.executemany(HASHED, ((key,) for key in hashed))
    for placeholder, certificate in rows.merge:
        _merge(c, ids, placeholder, certificate)
    _retract(c, rows.steps())
    listed = (r.id for r in (*rows.own, *rows.imported) if r.label == "Step")
    c.executemany(LISTED, ((key,) for key in listed))


class _Ids:
    """The row ids of nodes by key, each looked up once a batch."""

    def __init__(self, c: sqlite3.Connection) -> None:
        self._c = c
        self._known: dict[str, int] = {}

    def find(self, key: str) -> int | None:
        if key not in self._known:
            row = self._c.execute(NODE_ID, (key,)).fetchone()
            if row is None:
                return None
            self._known[key] = row[0]
        return self._known[key]

    def __getitem__(self, key: str) -> int:
        found = self.find(key)
        if found is None:
            raise ViewError(
                f"the index lacks the node {key}, which an edge names",
                hint="Fold it anew: dws graph rebuild --view index.",
            )
        return found

    def forget(self, key: str) -> None:
        self._known.pop(key, None)


def _edges(c: sqlite3.Connection, ids: _Ids, edges: Iterable[EdgeRow]) -> None:
    rows = [(ids[e.src], e.type, ids[e.dst]) for e in edges]
    c.executemany(EDGE, rows)
    c.executemany(WRITES, ((src, dst) for src, kind, dst in rows if kind == "WROTE"))


def _currents(c: sqlite3.Connection, ids: _Ids, currents: Iterable[CurrentRow]) -> None:
    for row in currents:
        ref = ids[row.ref]
        c.execute(UNCURRENT, (ref, row.instance))
        if row.certificate is not None:
            c.execute(CURRENT, (ref, ids[row.certificate], row.instance))


def _merge(c: sqlite3.Connection, ids: _Ids, placeholder: str, certificate: str) -> None:
    gone = ids.find(placeholder)
    if gone is None:
        return
    c.execute(MERGE_EDGES, (gone, ids[certificate]))
    for sql in DELETE_EDGES:
        c.execute(sql, (gone,))
    c.execute(DELETE_NODE, (gone,))
    ids.forget(placeholder)


def _retract(c: sqlite3.Connection, steps: Iterable[str]) -> None:
    """Takes the edges of those of the steps that were retracted, in whatever order, out of use."""
    for key in steps:
        if row := c.execute(IS_RETRACTED, (key,)).fetchone():
            for sql in RETRACT:
                c.execute(sql, row)


def _tags(c: sqlite3.Connection, rows: Rows) -> None:
    """The `tags` of each snapshot that this batch describes, or gives or takes a tag."""
    described: list[NodeRow] = [*rows.identities, *rows.shared]
    snapshots = {r.id for r in described if r.label == "Snapshot"}
    for row in rows.shared:
        if row.label == "Tag":
            before = c.execute(TAG_WAS, (row.id,)).fetchone()
            c.execute(TAG_IS, (row.id,))
            after = c.execute(TAG_WAS, (row.id,)).fetchone()
            snapshots |= {found[0] for found in (before, after) if found}
    for snapshot in snapshots - {""}:
        tags = [tag for (tag,) in c.execute(TAGS_OF, (snapshot,))]
        c.execute(SET_TAGS, (snapshot, json.dumps(tags)))


def _raw(props: Json) -> str:
    """Properties to add, of which None takes one away."""
    return json.dumps(props, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _text(props: Json) -> str:
    """Properties as a whole."""
    return _raw({key: value for key, value in props.items() if value is not None})
