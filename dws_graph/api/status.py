"""The state of a workspace in short: its resources, and whether its views are up to date."""

from __future__ import annotations

from typing import Any, TypedDict

from dws_graph.api.session import opened
from dws_graph.api.views import waiting_facts_in
from dws_graph.resources.base import Resource
from dws_graph.workspace.credentials import graph_url
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import is_changed
from dws_graph.workspace.snapshots import latest, manifest_of


class ResourceStatus(TypedDict):
    """A resource; `changed` since the latest snapshot, None when nobody can tell."""

    name: str
    role: str
    type: str
    params: dict[str, Any]
    changed: bool | None


class LineageStatus(TypedDict):
    """Where the team's graph is, and how many facts each view lacks (None: nobody can tell)."""

    graph: str | None
    waiting_facts: dict[str, int | None]


class StatusReport(TypedDict):
    """Of `dws report status`; `id` and `instance` are UUIDs."""

    name: str
    id: str
    instance: str
    resources: list[ResourceStatus]
    lineage: LineageStatus


def report_status(workspace_uri_or_path: str | None = None, verbose: bool = False) -> StatusReport:
    """The state of a workspace in short.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return report_status_in(ws)


def report_status_in(ws: OpenWorkspace) -> StatusReport:
    """See `report_status`."""
    newest = latest(ws)
    hashes: dict[str, str | None] = {}
    if newest is not None:
        hashes = {p["name"]: p.get("hash") for p in manifest_of(ws, newest.hashval)}
    return StatusReport(
        name=ws.name,
        id=ws.id,
        instance=ws.instance,
        resources=[_resource(ws, r, hashes.get(r.name)) for r in ws.get_resources()],
        lineage=LineageStatus(graph=graph_url(ws), waiting_facts=waiting_facts_in(ws)),
    )


def _resource(ws: OpenWorkspace, resource: Resource, before: str | None) -> ResourceStatus:
    params = {
        key: value
        for key, value in resource.get_params().items()
        if key not in ("name", "role", "resource_type")
    }
    return ResourceStatus(
        name=resource.name,
        role=resource.role,
        type=resource.resource_type,
        params=params,
        changed=is_changed(ws, resource, before),
    )
