"""What is asked of single things: steps, snapshots, refs and their certificates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from dws_graph.backends.decoding import (
    as_certificate,
    as_environment,
    as_retraction,
    as_snapshot,
    as_step,
    by_ref,
)
from dws_graph.backends.index.paths import touching
from dws_graph.backends.index.store import Store
from dws_graph.backends.views import EnvironmentInfo, Retraction, SnapshotInfo, StepInfo, Touch
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import (
    environment_id,
    ref_id,
    retraction_id,
    snapshot_id,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import clean_text

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
ENDED = "SELECT fact FROM step_end WHERE step = ? AND completed"
RETRACTED_PRODUCER = """
SELECT c.key, s.key FROM node c
JOIN edge e ON e.dst = c.id AND e.type = 'RETRACTED_WROTE' JOIN node s ON s.id = e.src
WHERE c.key = ?
ORDER BY s.key
"""
STEP = """
SELECT n.id, n.props FROM node n JOIN step s ON s.node = n.id
WHERE n.key = ? AND n.label = 'Step'
"""
RETRACTION = "SELECT props FROM node WHERE key = ? AND label = 'Retraction'"
ENVIRONMENT = "SELECT props FROM node WHERE key = ? AND label = 'Environment'"
AROUND = """
SELECT e.dst, e.type, c.key, c.props FROM json_each(?1) j
CROSS JOIN edge e ON e.dst = j.value
    AND e.type IN ('READ_BY', 'CODE_OF', 'RETRACTED_READ_BY', 'RETRACTED_CODE_OF')
JOIN node c ON c.id = e.src
UNION ALL
SELECT e.src, e.type, c.key, c.props FROM json_each(?1) j
CROSS JOIN edge e ON e.src = j.value AND e.type IN ('WROTE', 'RETRACTED_WROTE')
JOIN node c ON c.id = e.dst
"""
WORKSPACE_NAME = """
SELECT key, json_extract(props, '$.name') FROM node
WHERE key = ? AND label = 'Workspace' AND json_extract(props, '$.name') IS NOT NULL
"""
REFS_TOUCHING = """
SELECT resource, subpath FROM ref
WHERE workspace = :workspace AND resource = :resource
    AND subpath IN (SELECT value FROM json_each(:around))
UNION ALL
SELECT resource, subpath FROM ref
WHERE workspace = :workspace AND resource = :resource AND subpath >= :first AND subpath < :end
"""
HAS_REFS = "SELECT 1 FROM ref WHERE workspace = ? AND resource = ? LIMIT 1"
CERTIFICATES_OF = """
SELECT c.key, c.props FROM node r
JOIN edge e ON e.dst = r.id AND e.type = 'STATE_OF' JOIN node c ON c.id = e.src
WHERE r.key = ?
ORDER BY coalesce(nullif(c.at, ''), c.key) DESC, c.key DESC
"""
SNAPSHOTS = """
SELECT s.props FROM node w JOIN edge e ON e.dst = w.id AND e.type = 'OF'
JOIN node s ON s.id = e.src
WHERE w.key = ?
ORDER BY json_extract(s.props, '$.timestamp'), json_extract(s.props, '$.number'),
    json_extract(s.props, '$.hash')
"""
TAKEN_BY = """
SELECT json_extract(s.props, '$.hash'), json_extract(s.props, '$.instance')
FROM node w JOIN edge e ON e.dst = w.id AND e.type = 'OF' JOIN node s ON s.id = e.src
WHERE w.key = ?
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


def workspace_names(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The names of workspaces by id, as far as they are known."""
    return dict(store.each(WORKSPACE_NAME, ids))


def touched_by(store: Store, certificate: str) -> list[Touch]:
    """The completed steps that read or wrote a certificate, in the order of their facts."""
    rows = store.rows(TOUCHED_BY, (certificate,))
    return [Touch(step=step, instance=instance, fact=fact) for step, instance, fact in rows]


def ended(store: Store, step: str) -> str | None:
    """The fact that says that a step completed; None where there is none."""
    row = store.row(ENDED, (step,))
    return str(row[0]) if row else None


def retracted_producers(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The retracted step that wrote each certificate; those of no such step are left out."""
    return dict(store.each(RETRACTED_PRODUCER, ids))


def step(store: Store, key: str) -> StepInfo | None:
    """One step in full; None also where nothing but its retraction is known."""
    with store.read():
        row = store.row(STEP, (key,))
        return step_in_full(store, *row) if row else None


def retraction(store: Store, workspace: str, step: str) -> Retraction | None:
    """Why a step was retracted; None when it was not."""
    row = store.row(RETRACTION, (retraction_id(workspace, step),))
    return as_retraction(json.loads(row[0])) if row else None


def environment(store: Store, workspace: str, env: str) -> EnvironmentInfo | None:
    """What the environment of this hash holds; None where no fact here says so."""
    row = store.row(ENVIRONMENT, (environment_id(workspace, env),))
    return as_environment(json.loads(row[0])) if row else None


def step_in_full(store: Store, node: int, props: str) -> StepInfo:
    """A step from its node, with the certificates around it."""
    return steps_in_full(store, [(node, props)])[0]


def steps_in_full(store: Store, steps: Sequence[tuple[int, str]]) -> list[StepInfo]:
    """Many steps, with one query for all that is around them."""
    around: dict[tuple[int, str], list[Certificate]] = {}
    known: dict[str, Certificate] = {}
    for node, kind, key, props in store.rows(AROUND, (json.dumps([n for n, _ in steps]),)):
        if (found := known.get(key)) is None:
            found = known[key] = as_certificate(key, json.loads(props))
        around.setdefault((node, kind.removeprefix("RETRACTED_")), []).append(found)
    kinds = ("READ_BY", "CODE_OF", "WROTE")
    return [
        as_step(json.loads(props), *(by_ref(around.get((node, kind), ())) for kind in kinds))
        for node, props in steps
    ]


def refs_touching(store: Store, workspace: str, ref: ResourceRef) -> list[ResourceRef]:
    """The refs that share content with one, sorted."""
    return _refs(store.rows(REFS_TOUCHING, {"workspace": workspace, **touching(ref)}))


def has_refs(store: Store, workspace: str, resource: str) -> bool:
    """Whether anything was recorded of a resource."""
    is_text = clean_text(resource) == resource  # no name holds bytes that are not UTF-8
    return is_text and store.row(HAS_REFS, (workspace, resource)) is not None


def _refs(rows: Iterable[tuple[Any, ...]]) -> list[ResourceRef]:
    found = (ResourceRef(name, subpath or None) for name, subpath in rows)
    return sorted(found, key=lambda r: (r.name, r.subpath or ""))


def certificates_of(store: Store, workspace: str, ref: ResourceRef) -> list[Certificate]:
    """All versions of a ref, newest first."""
    rows = store.rows(CERTIFICATES_OF, (ref_id(workspace, ref),))
    return [as_certificate(key, json.loads(props)) for key, props in rows]


def snapshots(store: Store, workspace: str) -> list[SnapshotInfo]:
    """The workspace's snapshots, oldest first."""
    found = (as_snapshot(json.loads(props)) for (props,) in store.rows(SNAPSHOTS, (workspace,)))
    return [snapshot for snapshot in found if snapshot]


def taken_by(store: Store, workspace: str) -> dict[str, str | None]:
    """The instance that took each snapshot, by hash; None of those that were deleted."""
    return dict(store.rows(TAKEN_BY, (workspace,)))


def snapshot(store: Store, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
    """One snapshot, by its full hash."""
    row = store.row(SNAPSHOT, (snapshot_id(workspace, snapshot_hash),))
    return as_snapshot(json.loads(row[0])) if row else None


def contains(store: Store, workspace: str, snapshot_hash: str) -> list[tuple[Certificate, bool]]:
    """What a snapshot contains, by ref; whether the ref had an entry, not only a hash."""
    rows = store.rows(CONTAINED, (snapshot_id(workspace, snapshot_hash),))
    return [
        (
            as_certificate(key, json.loads(props or "{}"), ResourceRef(name, subpath or None)),
            bool(entry),
        )
        for key, props, name, subpath, entry in rows
    ]
