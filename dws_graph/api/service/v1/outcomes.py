"""Results of a workspace's snapshots."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service.cursors import cursor as cursor_of
from dws_graph.api.service.cursors import place
from dws_graph.api.service.results import results
from dws_graph.api.service.shapes import Page, Result
from dws_graph.api.service.v1.common import Ask, Cursor, WorkspaceId, problems
from dws_graph.api.service.v1.filters import ref_of

router = APIRouter(prefix="/workspaces/{workspace}", tags=["snapshots"])
MOST, USUAL = 50, 20  # snapshots of a page


@router.get("/results", responses=problems())
async def list_results(
    ask: Ask,
    workspace: WorkspaceId,
    ref: Annotated[
        str | None, Query(max_length=10_000, description="None: all of the role results.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Of so many snapshots.")] = USUAL,
    cursor: Cursor = None,
) -> Page[Result]:
    """What snapshots hold of results, newest first: versions, their metrics, who made them."""
    wanted, after = None if ref is None else ref_of(ref), place(cursor)
    found = await ask.ask(lambda q: results(q, workspace, limit + 1, after, wanted))
    following = cursor_of(found[limit - 1][0].place) if len(found) > limit else None
    items = [Result.of(one) for _, several in found[:limit] for one in several]
    return Page(items=items, next=following)
