"""What overviews show: workspaces, their resources, the copies of one and what is current there.

What is counted is counted in an index, for the rows of one page alone.
"""

from __future__ import annotations

from dws_graph.backends.index.store import Store
from dws_graph.backends.overviews import (
    FIRST,
    InstanceInfo,
    Place,
    ResourceInfo,
    WorkspaceInfo,
    of_this_project,
)
from dws_graph.model.folding import resource_id
from dws_graph.model.refs import ResourceRef

WORKSPACES = """
SELECT key, json_extract(props, '$.name') FROM node
WHERE label = 'Workspace' AND (coalesce(json_extract(props, '$.name'), ''), key) > (:by, :id)
ORDER BY coalesce(json_extract(props, '$.name'), ''), key LIMIT :limit
"""
RESOURCES_OF = """
SELECT count(*) FROM node w JOIN edge e ON e.dst = w.id AND e.type = 'IN'
JOIN node r ON r.id = e.src
WHERE w.key = ? AND json_extract(r.props, '$.removed') IS NULL
"""
STEPS_OF = "SELECT count(*), max(start_time) FROM step WHERE workspace = ?"
SNAPSHOTS_OF = """
SELECT count(*), max(json_extract(props, '$.timestamp')) FROM node
WHERE label = 'Snapshot' AND json_extract(props, '$.workspace') = ?
    AND json_extract(props, '$.timestamp') > ''
"""
RESOURCES = """
SELECT json_extract(r.props, '$.name'), json_extract(r.props, '$.role'),
    json_extract(r.props, '$.type'), json_extract(r.props, '$.removed') IS NOT NULL,
    (SELECT count(*) FROM ref f
        WHERE f.workspace = :workspace AND f.resource = json_extract(r.props, '$.name'))
FROM node w JOIN edge e ON e.dst = w.id AND e.type = 'IN' JOIN node r ON r.id = e.src
WHERE w.key = :workspace AND json_extract(r.props, '$.name') > :after
ORDER BY 1 LIMIT :limit
"""
RECENTLY = 1_000  # steps, of which most resources that are used at all were touched
TOUCHED_RECENTLY = """
WITH newest AS (
    SELECT node, start_time FROM step WHERE workspace = :workspace
    ORDER BY start_time DESC, key DESC LIMIT :recently
)
SELECT json_extract(c.props, '$.resource'), max(newest.start_time) FROM newest
CROSS JOIN edge e ON e.dst = newest.node
    AND e.type IN ('READ_BY', 'CODE_OF', 'RETRACTED_READ_BY', 'RETRACTED_CODE_OF')
CROSS JOIN node c ON c.id = e.src GROUP BY 1
UNION ALL
SELECT json_extract(c.props, '$.resource'), max(newest.start_time) FROM newest
CROSS JOIN edge e ON e.src = newest.node AND e.type IN ('WROTE', 'RETRACTED_WROTE')
CROSS JOIN node c ON c.id = e.dst GROUP BY 1
"""
TOUCHED = """
SELECT max(s.start_time) FROM node r
CROSS JOIN edge p ON p.dst = r.id AND p.type = 'PART_OF'
CROSS JOIN edge o ON o.dst = p.src AND o.type = 'STATE_OF'
CROSS JOIN edge e ON e.src = o.src
    AND e.type IN ('READ_BY', 'CODE_OF', 'RETRACTED_READ_BY', 'RETRACTED_CODE_OF')
CROSS JOIN step s ON s.node = e.dst
WHERE r.key = ?1
UNION ALL
SELECT max(s.start_time) FROM node r
CROSS JOIN edge p ON p.dst = r.id AND p.type = 'PART_OF'
CROSS JOIN edge o ON o.dst = p.src AND o.type = 'STATE_OF'
CROSS JOIN edge e ON e.dst = o.src AND e.type IN ('WROTE', 'RETRACTED_WROTE')
CROSS JOIN step s ON s.node = e.src
WHERE r.key = ?1
"""
INSTANCES = """
SELECT a.instance, h.hostname, a.time FROM applied a
LEFT JOIN hostname h ON h.workspace = a.workspace AND h.instance = a.instance
WHERE a.workspace = ?
ORDER BY a.time DESC, a.instance
"""
REFS = """
SELECT resource, subpath FROM ref
WHERE workspace = :workspace AND (resource, subpath) > (:name, :subpath)
ORDER BY resource, subpath LIMIT :limit
"""
REFS_OF_RESOURCE = """
SELECT resource, subpath FROM ref
WHERE workspace = :workspace AND resource = :resource AND (resource, subpath) > (:name, :subpath)
ORDER BY resource, subpath LIMIT :limit
"""


def workspaces(store: Store, limit: int, after: Place | None) -> list[WorkspaceInfo]:
    """A page of the workspaces that are known, by name, then id."""
    asked = {**(after or FIRST)._asdict(), "limit": limit}
    with store.read():
        return [_workspace(store, *row) for row in store.rows(WORKSPACES, asked)]


def _workspace(store: Store, workspace: str, name: str | None) -> WorkspaceInfo:
    [(resources,)] = store.rows(RESOURCES_OF, (workspace,))
    [(steps, started)] = store.rows(STEPS_OF, (workspace,))
    [(snapshots, taken)] = store.rows(SNAPSHOTS_OF, (workspace,))
    return WorkspaceInfo(
        id=workspace,
        name=name,
        resources=resources,
        steps=steps,
        snapshots=snapshots,
        time=max(started or "", taken or "") or None,
    )


def resources(store: Store, workspace: str, limit: int, after: str) -> list[ResourceInfo]:
    """A page of the resources of a workspace, by name."""
    asked = {"workspace": workspace, "limit": limit, "after": after}
    with store.read():
        rows = store.rows(RESOURCES, asked)
        times = _touched(store, workspace, [name for name, *_, refs in rows if refs])
    return [
        ResourceInfo(
            name=name,
            role=role,
            type=kind,
            removed=bool(removed),
            refs=refs,
            time=times.get(name),
        )
        for name, role, kind, removed, refs in rows
    ]


def _touched(store: Store, workspace: str, names: list[str]) -> dict[str, str]:
    """When each was read or written last: of most the newest steps tell."""
    times: dict[str, str] = {}
    asked = {"workspace": workspace, "recently": RECENTLY}
    for name, time in store.rows(TOUCHED_RECENTLY, asked) if names else ():
        times[name] = max(times.get(name, ""), time)
    for name in names:
        if name not in times:
            found = [time for (time,) in store.rows(TOUCHED, (resource_id(workspace, name),))]
            if time := max(filter(None, found), default=None):
                times[name] = time
    return times


def instances(store: Store, workspace: str) -> list[InstanceInfo]:
    """The copies of a workspace that recorded anything, the last active first."""
    return [
        InstanceInfo(id=key, hostname=hostname, time=time)
        for key, hostname, time in store.rows(INSTANCES, (workspace,))
        if of_this_project(key)
    ]


def refs(
    store: Store, workspace: str, resource: str | None, limit: int | None, after: ResourceRef | None
) -> list[ResourceRef]:
    """The refs of a workspace, or of one of its resources, sorted."""
    asked = {
        "workspace": workspace,
        "resource": resource,
        "name": after.name if after else "",
        "subpath": (after.subpath or "") if after else "",
        "limit": -1 if limit is None else limit,
    }
    rows = store.rows(REFS if resource is None else REFS_OF_RESOURCE, asked)
    return [ResourceRef(name, subpath or None) for name, subpath in rows]
