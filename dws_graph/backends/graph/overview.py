"""What overviews show: workspaces, their resources, the copies of one, and refs by pages."""

from __future__ import annotations

from dws_graph.backends.graph import page_texts as texts
from dws_graph.backends.graph.asking import Read
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
from dws_graph.model.values import Json

RECENTLY = 1_000  # steps
ALL = 1_000_000_000  # rows


def workspaces(read: Read, limit: int, after: Place | None) -> list[WorkspaceInfo]:
    """A page of the workspaces that are known, by name, then id."""
    rows = read(texts.WORKSPACES, **(after or FIRST)._asdict(), limit=limit)
    ids = [row["id"] for row in rows]
    resources = {row["id"]: row for row in read(texts.RESOURCES_OF, ids=ids)}
    steps = {row["id"]: row for row in read(texts.STEPS_OF, ids=ids)}
    snapshots = {row["id"]: row for row in read(texts.SNAPSHOTS_OF, ids=ids)}
    return [
        _workspace(row, *(found.get(row["id"], {}) for found in (resources, steps, snapshots)))
        for row in rows
    ]


def _workspace(row: Json, resources: Json, steps: Json, snapshots: Json) -> WorkspaceInfo:
    return WorkspaceInfo(
        id=row["id"],
        name=row["name"],
        resources=resources.get("found", 0),
        steps=steps.get("found", 0),
        snapshots=snapshots.get("found", 0),
        time=max(steps.get("time", ""), snapshots.get("time", "")) or None,
    )


def resources(read: Read, workspace: str, limit: int, after: str) -> list[ResourceInfo]:
    """A page of the resources of a workspace, by name."""
    rows = read(texts.RESOURCES, workspace=workspace, limit=limit, after=after)
    times = _touched(read, workspace, [row["name"] for row in rows if row["refs"]])
    return [
        ResourceInfo(
            name=row["name"],
            role=row["role"],
            type=row["type"],
            removed=row["removed"],
            refs=row["refs"],
            time=times.get(row["name"]),
        )
        for row in rows
    ]


def _touched(read: Read, workspace: str, names: list[str]) -> dict[str, str]:
    """When each was read or written last: of most the newest steps tell."""
    if not names:
        return {}
    recent = read(texts.TOUCHED_RECENTLY, workspace=workspace, recently=RECENTLY)
    times = {row["resource"]: row["time"] for row in recent}
    if rest := [resource_id(workspace, name) for name in names if name not in times]:
        times |= {row["resource"]: row["time"] for row in read(texts.TOUCHED, ids=rest)}
    return times


def instances(read: Read, workspace: str) -> list[InstanceInfo]:
    """The copies of a workspace that recorded anything, the last active first."""
    rows = read(texts.INSTANCES, workspace=workspace)
    found = [InstanceInfo(**row) for row in rows if of_this_project(row["id"])]
    found.sort(key=lambda info: info.id)
    return sorted(found, key=lambda info: info.time or "", reverse=True)


def refs(
    read: Read, workspace: str, resource: str | None, limit: int | None, after: ResourceRef | None
) -> list[ResourceRef]:
    """The refs of a workspace, or of one of its resources, sorted."""
    asked: Json = {"name": after.name if after else "", "part": (after and after.subpath) or ""}
    asked["limit"] = ALL if limit is None else limit
    if resource is None:
        rows = read(texts.REFS, workspace=workspace, **asked)
    else:
        rows = read(texts.REFS_OF_RESOURCE, resource=resource_id(workspace, resource), **asked)
    return [ResourceRef(row["resource"], row["subpath"]) for row in rows]
