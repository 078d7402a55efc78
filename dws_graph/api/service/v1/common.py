"""What the routes share: the service's state, the page asked for, caching by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BeforeValidator, Field

from dws_graph.api.service.cursors import MOST, USUAL, cursor
from dws_graph.api.service.problems import MEDIA
from dws_graph.api.service.shapes import Page, ProblemBody
from dws_graph.api.service.sources import Asking
from dws_graph.api.service.state import State

T = TypeVar("T")
R = TypeVar("R")


def state_of(request: Request) -> State:
    """What the service has."""
    state: State = request.app.state.service
    return state


async def asking_of(request: Request) -> Asking:
    """Who asks the views."""
    return state_of(request).asking


Ask = Annotated[Asking, Depends(asking_of)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many.")]
Cursor = Annotated[
    str | None, Query(max_length=2_000, description="`next` of the page before; none: the first.")
]
Depth = Annotated[
    Annotated[int, Field(ge=1, le=100_000)] | None,
    BeforeValidator(lambda given: given or None),  # forms send what is not filled in, too
    Query(description="Arrows to follow; none: all the way."),
]
Text = Annotated[str, Query(max_length=10_000)]
USUAL_LIMIT = USUAL
UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"  # a view makes ids from it
_EXAMPLE = ["0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e"]
WorkspaceId = Annotated[str, Path(pattern=UUID, examples=_EXAMPLE)]
OneWorkspace = Annotated[str | None, Query(pattern=UUID, examples=_EXAMPLE)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for OpenAPI."""
    named = {*statuses, 400, 401, 403, 408, 413, 421, 422, 429, 503}
    return {
        status: {"model": ProblemBody, "content": {MEDIA: {}}, "description": "A problem."}
        for status in sorted(named)
    }


def page_of(
    rows: Sequence[R], limit: int, shape: Callable[[R], T], after: Callable[[R], Sequence[str]]
) -> Page[T]:
    """A page of rows, of which one more than the limit was asked for."""
    shown = rows[:limit]
    following = cursor(after(shown[-1])) if len(rows) > limit and shown else None
    return Page(items=[shape(row) for row in shown], next=following)


def _knows(request: Request, etag: str) -> bool:
    """Whether the client has that already. Source: RFC 9110, section 13.1.2."""
    told = ",".join(request.headers.getlist("if-none-match")).split(",")
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in told)


def unchanging(request: Request, body: Any) -> Response:
    """An answer that stays what it is for ever, for what is addressed by hash.

    Its tag is the hash of what is sent, so nobody who has another answer, of an older service or of
    a graph that was made anew, is told that he has this one; no client's text becomes a header.
    """
    data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        "etag": etag,
        "cache-control": "private, max-age=3600",
        "vary": "Authorization, Cookie",
    }
    if _knows(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="application/json", headers=headers)
