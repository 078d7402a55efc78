"""What is asked of single things: steps, snapshots, refs and their certificates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dws_graph.backends.index.decoding import Certificates, as_certificate, as_snapshot, as_step
from dws_graph.backends.index.store import Store
from dws_graph.backends.views import SnapshotInfo, StepInfo, Touch
from dws_graph.errors import ApiParamError
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import ref_id, resource_id, snapshot_id
from dws_graph.model.refs import ResourceRef

PRODUCER = """
SELECT c.key, s.key FROM node c
JOIN edge e ON e.dst = c.id AND e.type = 'WROTE' JOIN node s ON s.id = e.src
WHERE c.key = ?
ORDER BY s.key
"""
TOUCHED_BY = """
SELECT t.step, t.instance, t.fact FROM node c
JOIN edge e ON e.src = c.id AND e.type IN ('READ_BY', 'CODE_OF')
JOIN node s ON s.id = e.dst JOIN step_end t ON t.step = s.key
WHERE c.key = ?1 AND t.completed
UNION
SELECT t.step, t.instance, t.fact FROM node c
JOIN edge e ON e.dst = c.id AND e.type = 'WROTE'
JOIN node s ON s.id = e.src JOIN step_end t ON t.step = s.key
WHERE c.key = ?1 AND t.completed
ORDER BY 3
"""
STEP = "SELECT id, props FROM node WHERE key = ? AND label = 'Step'"
STEPS = """
SELECT s.id, s.props FROM node s
WHERE s.label = 'Step'
    AND (?1 IS NULL OR json_extract(s.props, '$.workspace') = ?1)
    AND (?2 IS NULL OR json_extract(s.props, '$.name') = ?2)
    AND (?3 IS NULL OR json_extract(s.props, '$.status') = ?3)
    AND (?4 IS NULL OR json_extract(s.props, '$.start_time') >= ?4)
ORDER BY s.key DESC LIMIT ?5
"""
STEPS_OF_REF = """
SELECT s.id, s.props FROM node s
WHERE s.id IN (
        SELECT e.dst FROM node r JOIN edge o ON o.dst = r.id AND o.type = 'STATE_OF'
        JOIN edge e ON e.src = o.src AND e.type IN ('READ_BY', 'CODE_OF')
        WHERE r.key = ?6
        UNION
        SELECT e.src FROM node r JOIN edge o ON o.dst = r.id AND o.type = 'STATE_OF'
        JOIN edge e ON e.dst = o.src AND e.type = 'WROTE'
        WHERE r.key = ?6
    )
    AND (?1 IS NULL OR json_extract(s.props, '$.workspace') = ?1)
    AND (?2 IS NULL OR json_extract(s.props, '$.name') = ?2)
    AND (?3 IS NULL OR json_extract(s.props, '$.status') = ?3)
    AND (?4 IS NULL OR json_extract(s.props, '$.start_time') >= ?4)
ORDER BY s.key DESC LIMIT ?5
"""
READ = """
SELECT c.key, c.props FROM edge e JOIN node c ON c.id = e.src WHERE e.dst = ? AND e.type = ?
"""
WRITTEN = """
SELECT c.key, c.props FROM edge e JOIN node c ON c.id = e.dst WHERE e.src = ? AND e.type = 'WROTE'
"""
REFS = """
SELECT json_extract(r.props, '$.resource'), json_extract(r.props, '$.subpath')
FROM node w JOIN edge i ON i.dst = w.id AND i.type = 'IN'
JOIN edge p ON p.dst = i.src AND p.type = 'PART_OF' JOIN node r ON r.id = p.src
WHERE w.key = ?
"""
REFS_OF_RESOURCE = """
SELECT json_extract(r.props, '$.resource'), json_extract(r.props, '$.subpath')
FROM node w JOIN edge p ON p.dst = w.id AND p.type = 'PART_OF' JOIN node r ON r.id = p.src
WHERE w.key = ?
"""
CERTIFICATES_OF = """
SELECT c.key, c.props FROM node r
JOIN edge e ON e.dst = r.id AND e.type = 'STATE_OF' JOIN node c ON c.id = e.src
WHERE r.key = ?
ORDER BY coalesce(nullif(c.at, ''), c.key) DESC
"""
SNAPSHOTS = """
SELECT s.props FROM node w JOIN edge e ON e.dst = w.id AND e.type = 'OF'
JOIN node s ON s.id = e.src
WHERE w.key = ?
ORDER BY json_extract(s.props, '$.timestamp'), json_extract(s.props, '$.number'),
    json_extract(s.props, '$.hash')
"""
SNAPSHOT = "SELECT props FROM node WHERE key = ? AND label = 'Snapshot'"
CONTAINED = """
SELECT i.certificate, n.props, i.resource, i.subpath, i.entry
FROM contained i LEFT JOIN node n ON n.key = i.certificate
WHERE i.snapshot = ?
ORDER BY i.resource, i.subpath, i.certificate
"""


def producers(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The step that wrote each certificate; those that none wrote are left out."""
    return dict(store.each(PRODUCER, ids))


def touched_by(store: Store, certificate: str) -> list[Touch]:
    """The completed steps that read or wrote a certificate, in the order of their facts."""
    rows = store.rows(TOUCHED_BY, (certificate,))
    return [Touch(step=step, instance=instance, fact=fact) for step, instance, fact in rows]


def step(store: Store, key: str) -> StepInfo | None:
    """One step in full."""
    with store.read():
        row = store.row(STEP, (key,))
        return _step(store, *row) if row else None


def steps(
    store: Store,
    workspace: str | None,
    name: str | None,
    status: str | None,
    ref: ResourceRef | None,
    since: str | None,
    limit: int | None,
) -> list[StepInfo]:
    """Steps, newest first; of one ref when it and its workspace are given."""
    sql = STEPS
    params: list[Any] = [workspace, name, status, since, -1 if limit is None else limit]
    if ref is not None:
        if workspace is None:
            raise ApiParamError("steps of a ref need its workspace", hint="Give the workspace too.")
        sql = STEPS_OF_REF
        params.append(ref_id(workspace, ref))
    with store.read():
        return [_step(store, *row) for row in store.rows(sql, params)]


def _step(store: Store, node: int, props: str) -> StepInfo:
    around = [store.rows(READ, (node, kind)) for kind in ("READ_BY", "CODE_OF")]
    around.append(store.rows(WRITTEN, (node,)))
    inputs, code, outputs = (_by_ref(rows) for rows in around)
    return as_step(props, inputs, code, outputs)


def _by_ref(rows: list[tuple[Any, ...]]) -> Certificates:
    certs = (as_certificate(key, props) for key, props in rows)
    return tuple(sorted(certs, key=lambda c: (c.ref.name, c.ref.subpath or "", c.id)))


def refs(store: Store, workspace: str, resource: str | None) -> list[ResourceRef]:
    """The refs of a workspace, or of one of its resources, sorted."""
    if resource is None:
        rows = store.rows(REFS, (workspace,))
    else:
        rows = store.rows(REFS_OF_RESOURCE, (resource_id(workspace, resource),))
    found = {ResourceRef(name, subpath) for name, subpath in rows}
    return sorted(found, key=lambda r: (r.name, r.subpath or ""))


def certificates_of(store: Store, workspace: str, ref: ResourceRef) -> list[Certificate]:
    """All versions of a ref, newest first."""
    rows = store.rows(CERTIFICATES_OF, (ref_id(workspace, ref),))
    return [as_certificate(key, props) for key, props in rows]


def snapshots(store: Store, workspace: str) -> list[SnapshotInfo]:
    """The workspace's snapshots, oldest first."""
    found = (as_snapshot(props) for (props,) in store.rows(SNAPSHOTS, (workspace,)))
    return [snapshot for snapshot in found if snapshot]


def snapshot(store: Store, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
    """One snapshot, by its full hash."""
    row = store.row(SNAPSHOT, (snapshot_id(workspace, snapshot_hash),))
    return as_snapshot(row[0]) if row else None


def contains(store: Store, workspace: str, snapshot_hash: str) -> list[tuple[Certificate, bool]]:
    """What a snapshot contains, by ref; whether the ref had an entry, not only a hash."""
    rows = store.rows(CONTAINED, (snapshot_id(workspace, snapshot_hash),))
    return [
        (as_certificate(key, props or "{}", ResourceRef(name, subpath or None)), bool(entry))
        for key, props, name, subpath, entry in rows
    ]
