"""The page for users' own queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.service.pages.cookbook import COOKBOOK
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.v1.common import Ask

router = APIRouter(include_in_schema=False)


@router.get("/cypher")
async def cypher(
    request: Request, ask: Ask, query: Annotated[str, Query(max_length=20_000)] = ""
) -> HTMLResponse:
    """Where queries are written."""
    return page(
        request,
        "cypher.html.j2",
        section="cypher",
        view=ask.source.name,
        query=query or COOKBOOK[0][1],
        cookbook=COOKBOOK,
    )
