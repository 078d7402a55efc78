"""A text in all names, and users' own queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service import shapes
from dws_graph.api.service.v1.common import Ask, Limit, problems

router = APIRouter(tags=["search"])


@router.get("/search", responses=problems())
async def search(
    ask: Ask,
    q: Annotated[str, Query(min_length=1, max_length=1_000, examples=["train"])],
    workspace: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
) -> shapes.Page[shapes.Hit]:
    """Refs, steps and snapshots that have a text in their name, tag, message, or hash."""
    found = await ask.ask(lambda questions: questions.search(q, workspace, limit))
    return shapes.Page(items=[shapes.Hit(**hit._asdict()) for hit in found])


@router.post("/cypher", responses=problems())
async def cypher(ask: Ask, query: shapes.Query) -> shapes.Table:
    """The rows of a Cypher query that only reads: of the team's Neo4j, else the embedded view."""
    text, given, how = query.cypher, query.parameters, (query.limit, query.timeout)
    return shapes.Table(**await ask.slow(lambda: ask.source.query(text, given, *how)))
