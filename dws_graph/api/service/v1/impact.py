"""What a change of something would reach."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dws_graph.api.service.cursors import place
from dws_graph.api.service.impacts import Wanted, after, as_csv, impact
from dws_graph.api.service.shapes import ImpactRow, Page
from dws_graph.api.service.v1.common import (
    USUAL_LIMIT,
    Ask,
    Cursor,
    Depth,
    Limit,
    page_of,
    problems,
)
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.api.service.v1.lineage import FilterText, NodeKey, RefText, Workspace
from dws_graph.model.impact import Column
from dws_graph.model.selection_text import parsed

router = APIRouter(tags=["lineage"])
Order = Annotated[Literal["asc", "desc"], Query(description="Smallest first, or greatest.")]


async def wanted_impact(
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    depth: Depth = None,
    filter: FilterText = None,
    sort: Column = "away",
    order: Order = "asc",
) -> Wanted:
    """What a request asks for."""
    named = None if ref is None else ref_of(ref)
    return Wanted(node, workspace, named, depth, parsed(filter or ""), sort, order == "desc")


@router.get(
    "/impact",
    responses={
        **problems(404),
        200: {
            "model": Page[ImpactRow],
            "content": {"application/json": {}, "text/csv": {"schema": {"type": "string"}}},
        },
    },
)
async def get_impact(
    ask: Ask,
    wanted: Annotated[Wanted, Depends(wanted_impact)],
    format: Annotated[
        Literal["json", "csv"], Query(description="csv: all rows, without pages.")
    ] = "json",
    limit: Limit = USUAL_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """All that was made from a node, or from any version of a ref: a row a name, nearest first."""
    at = place(cursor)
    rows = await ask.slow(lambda: impact(ask.source, wanted))
    if format == "csv":
        named = {"content-disposition": 'attachment; filename="impact.csv"'}
        return StreamingResponse(as_csv(rows), media_type="text/csv", headers=named)
    shown = after(rows, wanted, at)[: limit + 1]
    found = page_of(shown, limit, ImpactRow.of, lambda row: row.place(wanted.sort))
    return JSONResponse(found.model_dump())
