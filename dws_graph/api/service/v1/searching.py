"""A text in all that is recorded, and users' own queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service import shapes
from dws_graph.api.service.cursors import place
from dws_graph.api.service.problems import refused
from dws_graph.api.service.v1.common import (
    USUAL_LIMIT,
    Ask,
    Cursor,
    Limit,
    page_of,
    problems,
)
from dws_graph.backends.views import HitKind

router = APIRouter(tags=["search"])


@router.get("/search", responses=problems())
async def search(
    ask: Ask,
    q: Annotated[str, Query(min_length=1, max_length=1_000, examples=["alpha=0.1"])],
    workspace: Annotated[str | None, Query(max_length=64)] = None,
    kind: HitKind | None = None,
    limit: Limit = USUAL_LIMIT,
    cursor: Cursor = None,
) -> shapes.Page[shapes.Hit]:
    """All that has a text in a name, tag, message, description, parameter, or as its first digits.

    Parameters are found by name, value and `name=value`, certificates by four digits of a hash.
    At most so many of each kind; of one kind there are more by `cursor`.
    """
    after = place(cursor)
    if kind is None:
        if after is not None:
            raise refused("Several kinds have no next page.", "Give kind, too.")
        found = await ask.ask(lambda questions: questions.search(q, workspace, limit))
        return shapes.Page(items=[shapes.Hit.of(hit) for hit in found])
    hits = await ask.ask(
        lambda questions: questions.search(q, workspace, limit + 1, kind=kind, after=after)
    )
    return page_of(hits, limit, shapes.Hit.of, lambda hit: hit.place)


@router.post("/cypher", responses=problems())
async def cypher(ask: Ask, query: shapes.Query) -> shapes.Table:
    """The rows of a Cypher query that only reads: of the team's Neo4j, else the embedded view."""
    text, given, how = query.cypher, query.parameters, (query.limit, query.timeout)
    return shapes.Table(**await ask.slow(lambda: ask.source.query(text, given, *how)))
