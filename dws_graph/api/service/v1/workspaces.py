"""Workspaces, their resources and refs, and what is current in each copy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service.cursors import place
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.shapes import Certificate, Instance, Page, Ref, Resource, Workspace
from dws_graph.api.service.v1.common import (
    USUAL_LIMIT,
    Ask,
    Cursor,
    Limit,
    WorkspaceId,
    page_of,
    problems,
)
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.model.refs import ResourceRef

router = APIRouter(prefix="/workspaces", tags=["workspaces"])


@router.get("/{workspace}/refs", responses=problems())
async def list_refs(
    ask: Ask,
    workspace: WorkspaceId,
    resource: Annotated[str | None, Query(max_length=10_000)] = None,
    limit: Limit = USUAL_LIMIT,
    cursor: Cursor = None,
) -> Page[Ref]:
    """The refs that lineage names, sorted."""
    at = place(cursor)
    after = None if at is None else ResourceRef(at.by, at.id or None)
    rows = await ask.ask(lambda q: q.refs(workspace, resource, limit=limit + 1, after=after))
    return page_of(rows, limit, Ref.of, lambda ref: (ref.name, ref.subpath or ""))


@router.get("/{workspace}/certificates", responses=problems(404))
async def list_certificates(
    ask: Ask,
    workspace: WorkspaceId,
    ref: Annotated[str, Query(max_length=10_000, examples=["results:/metrics.json"])],
    limit: Limit = USUAL_LIMIT,
    cursor: Cursor = None,
) -> Page[Certificate]:
    """All versions of a ref, newest first."""
    wanted, after = ref_of(ref), place(cursor)
    found = await ask.ask(lambda q: q.versions(workspace, wanted, limit + 1, after))
    if not found and after is None:
        raise not_found("Nothing is known of that ref.")
    return page_of(found, limit, lambda v: Certificate.of(v.certificate), lambda v: v.place)


@router.get("", responses=problems())
async def list_workspaces(
    ask: Ask, limit: Limit = USUAL_LIMIT, cursor: Cursor = None
) -> Page[Workspace]:
    """The workspaces that the graph knows, by name."""
    after = place(cursor)
    found = await ask.ask(lambda q: q.workspaces(limit + 1, after))
    return page_of(found, limit, lambda ws: Workspace(**asdict(ws)), lambda ws: ws.place)


@router.get("/{workspace}/resources", responses=problems())
async def list_resources(
    ask: Ask, workspace: WorkspaceId, limit: Limit = USUAL_LIMIT, cursor: Cursor = None
) -> Page[Resource]:
    """The resources of a workspace, by name."""
    after = place(cursor)
    found = await ask.ask(lambda q: q.resources(workspace, limit + 1, after.by if after else ""))
    return page_of(found, limit, lambda r: Resource(**asdict(r)), lambda r: (r.name, ""))


@router.get("/{workspace}/instances", responses=problems())
async def list_instances(ask: Ask, workspace: WorkspaceId) -> Page[Instance]:
    """The copies of a workspace that recorded anything, the last active first."""
    found = await ask.ask(lambda q: q.instances(workspace))
    return Page(items=[Instance(**asdict(one)) for one in found])


@router.get("/{workspace}/instances/{instance}/current", responses=problems())
async def list_current(ask: Ask, workspace: WorkspaceId, instance: str) -> Page[Certificate]:
    """What is current in a copy of a workspace."""
    found = await ask.ask(lambda q: q.current(workspace, instance))
    return Page(items=[Certificate.of(cert) for cert in found.values()])
