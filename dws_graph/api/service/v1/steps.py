"""Steps: listed, one in full, and what it ran in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from dws_graph.api.service.cursors import place
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.retractions import retraction_of
from dws_graph.api.service.shapes import Environment, Page, Step, StepRow
from dws_graph.api.service.v1.common import (
    USUAL_LIMIT,
    Ask,
    Cursor,
    Limit,
    OneWorkspace,
    WorkspaceId,
    page_of,
    problems,
    unchanging,
)
from dws_graph.api.service.v1.filters import step_filter
from dws_graph.backends.views import Questions

router = APIRouter(tags=["steps"])
Conditions = Annotated[list[str], Query(max_length=20)]


@router.get("/steps", responses=problems())
async def list_steps(
    ask: Ask,
    workspace: OneWorkspace = None,
    name: Annotated[str | None, Query(max_length=10_000)] = None,
    status: Literal["completed", "failed", "retracted"] | None = None,
    ref: Annotated[
        str | None, Query(max_length=10_000, description="That read or wrote it; needs workspace.")
    ] = None,
    parameter: Annotated[
        list[str], Query(max_length=20, description="name=value", examples=[["alpha=0.1"]])
    ] = [],  # noqa: B006 - FastAPI copies it
    metric: Annotated[
        list[str],
        Query(
            max_length=20, description="name, one of < <= = >= >, a number", examples=[["f1>0.9"]]
        ),
    ] = [],  # noqa: B006
    since: Annotated[str | None, Query(max_length=40, examples=["2026-11-01"])] = None,
    until: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = USUAL_LIMIT,
    cursor: Cursor = None,
) -> Page[StepRow]:
    """Steps, newest first."""
    chosen = step_filter(
        workspace=workspace,
        name=name,
        status=status,
        ref=ref,
        parameters=parameter,
        metrics=metric,
        since=since,
        until=until,
    )
    after = place(cursor)
    rows = await ask.ask(lambda q: q.chosen_steps(chosen, limit + 1, after))
    return page_of(rows, limit, StepRow.of, lambda s: s.place)


@router.get("/steps/{step}", responses=problems(404))
async def get_step(ask: Ask, step: str) -> Step:
    """One step in full."""

    def asked(q: Questions) -> Step:
        found = q.step(step)
        if found is None:
            raise not_found("There is no such step.")
        return Step.of_whole(found, retraction_of(q, found))

    return await ask.ask(asked)


@router.get(
    "/workspaces/{workspace}/environments/{hash}",
    responses={**problems(404), 200: {"model": Environment}},
)
async def get_environment(
    request: Request, ask: Ask, workspace: WorkspaceId, hash: str
) -> Response:
    """What steps ran in."""
    found = await ask.ask(lambda q: q.environment(workspace, hash))
    if found is None:
        raise not_found("There is no such environment.")
    body = Environment(
        hash=found.hash,
        python=found.python,
        platform=found.platform,
        packages=list(found.packages),
    )
    return unchanging(request, body.model_dump())
