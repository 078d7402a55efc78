"""Snapshots of a workspace."""

from __future__ import annotations

from fastapi import APIRouter

from dws_graph.api.service.cursors import place
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.shapes import Page, Snapshot
from dws_graph.api.service.v1.common import (
    USUAL_LIMIT,
    Ask,
    Cursor,
    Limit,
    WorkspaceId,
    page_of,
    problems,
)

router = APIRouter(prefix="/workspaces/{workspace}", tags=["snapshots"])


@router.get("/snapshots", responses=problems())
async def list_snapshots(
    ask: Ask, workspace: WorkspaceId, limit: Limit = USUAL_LIMIT, cursor: Cursor = None
) -> Page[Snapshot]:
    """Snapshots, newest first."""
    after = place(cursor)
    rows = await ask.ask(lambda q: q.newest_snapshots(workspace, limit + 1, after))
    return page_of(rows, limit, Snapshot.of, lambda s: s.place)


@router.get("/snapshots/{hash}", responses=problems(404))
async def get_snapshot(ask: Ask, workspace: WorkspaceId, hash: str) -> Snapshot:
    """One snapshot, by its whole hash."""
    found = await ask.ask(lambda q: q.snapshot(workspace, hash))
    if found is None:
        raise not_found("There is no such snapshot.")
    return Snapshot.of(found)
