"""Pages: versions of a ref, readers of a certificate, snapshots and what they contain."""

from __future__ import annotations

import json

from dws_graph.backends.decoding import as_certificate, as_snapshot
from dws_graph.backends.index.asking import contains, steps_in_full
from dws_graph.backends.index.store import Store
from dws_graph.backends.overviews import NEWEST, Held, Place, Reader, Version
from dws_graph.backends.views import SnapshotInfo, StepInfo
from dws_graph.model.folding import ref_id, snapshot_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json

VERSIONS = """
SELECT n.key, n.props, page.rank FROM (
    SELECT c.id, c.key, coalesce(nullif(c.at, ''), c.key) AS rank FROM node r
    JOIN edge e ON e.dst = r.id AND e.type = 'STATE_OF' JOIN node c ON c.id = e.src
    WHERE r.key = :ref AND (coalesce(nullif(c.at, ''), c.key), c.key) < (:by, :id)
    ORDER BY 3 DESC, 2 DESC LIMIT :limit
) page JOIN node n ON n.id = page.id
ORDER BY page.rank DESC, n.key DESC
"""
READERS = """
SELECT s.key, s.workspace, s.name, s.status, s.start_time,
    max(e.type = 'READ_BY'), max(e.type = 'CODE_OF')
FROM node c JOIN edge e ON e.src = c.id AND e.type IN ('READ_BY', 'CODE_OF')
JOIN step s ON s.node = e.dst
WHERE c.key = :certificate AND (s.start_time, s.key) < (:by, :id)
GROUP BY s.start_time, s.key ORDER BY s.start_time DESC, s.key DESC LIMIT :limit
"""
SNAPSHOTS = """
SELECT props FROM node
WHERE label = 'Snapshot' AND json_extract(props, '$.workspace') = :workspace
    AND json_extract(props, '$.timestamp') > ''
    AND (json_extract(props, '$.timestamp'), key) < (:by, :id)
ORDER BY json_extract(props, '$.timestamp') DESC, key DESC LIMIT :limit
"""
OUTPUTS = """
SELECT i.certificate FROM contained i JOIN node c ON c.key = i.certificate
WHERE i.snapshot = ? AND EXISTS (SELECT 1 FROM edge e WHERE e.dst = c.id AND e.type = 'WROTE')
"""
WRITERS = """
SELECT DISTINCT n.id, n.props, s.start_time, s.key FROM contained i
CROSS JOIN node c ON c.key = i.certificate
CROSS JOIN edge e ON e.dst = c.id AND e.type = 'WROTE'
CROSS JOIN step s ON s.node = e.src CROSS JOIN node n ON n.id = s.node
WHERE i.snapshot = :snapshot AND (s.start_time, s.key) < (:by, :id)
ORDER BY s.start_time DESC, s.key DESC LIMIT :limit
"""


def versions(
    store: Store, workspace: str, ref: ResourceRef, limit: int, after: Place | None
) -> list[Version]:
    """A page of the versions of a ref, newest first."""
    rows = store.rows(VERSIONS, {"ref": ref_id(workspace, ref), **_page(limit, after)})
    return [
        Version(certificate=as_certificate(key, json.loads(props), ref), rank=rank)
        for key, props, rank in rows
    ]


def readers(store: Store, certificate: str, limit: int, after: Place | None) -> list[Reader]:
    """A page of the steps that read a certificate, newest first."""
    rows = store.rows(READERS, {"certificate": certificate, **_page(limit, after)})
    return [
        Reader(
            step=key,
            workspace=workspace,
            name=name,
            status=status,
            start_time=start_time,
            as_input=bool(as_input),
            as_code=bool(as_code),
        )
        for key, workspace, name, status, start_time, as_input, as_code in rows
    ]


def newest_snapshots(
    store: Store, workspace: str, limit: int, after: Place | None
) -> list[SnapshotInfo]:
    """A page of the workspace's snapshots, newest first."""
    rows = store.rows(SNAPSHOTS, {"workspace": workspace, **_page(limit, after)})
    found = (as_snapshot(json.loads(props)) for (props,) in rows)
    return [snapshot for snapshot in found if snapshot]


def snapshot_certificates(store: Store, workspace: str, snapshot_hash: str) -> list[Held]:
    """What a snapshot contains, by ref."""
    with store.read():
        held = contains(store, workspace, snapshot_hash)
        rows = store.rows(OUTPUTS, (snapshot_id(workspace, snapshot_hash),))
    outputs = {key for (key,) in rows}
    return [Held(certificate=cert, output=cert.id in outputs) for cert, _ in held]


def snapshot_steps(
    store: Store, workspace: str, snapshot_hash: str, limit: int, after: Place | None
) -> list[StepInfo]:
    """A page of the steps that wrote what a snapshot contains, newest first."""
    asked = {"snapshot": snapshot_id(workspace, snapshot_hash), **_page(limit, after)}
    with store.read():
        rows = [(node, props) for node, props, *_ in store.rows(WRITERS, asked)]
        return steps_in_full(store, rows)


def _page(limit: int, after: Place | None) -> Json:
    return {**(after or NEWEST)._asdict(), "limit": limit}
