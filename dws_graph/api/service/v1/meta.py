"""Whether the service lives, and how it does."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse

from dws_graph.api.service.access import READ, needs
from dws_graph.api.service.shapes import Health
from dws_graph.api.service.v1.common import Ask, problems, state_of

open_router = APIRouter(tags=["service"])
router = APIRouter(tags=["service"])


@open_router.get("/health", responses=problems())
async def health(ask: Ask) -> Health:
    """Whether the service lives; it asks nobody."""
    return Health(status="ok", view=ask.source.name)


@open_router.get("/ready", responses=problems())
async def ready(ask: Ask) -> Health:
    """Whether what it serves answers; 503 where not."""
    await ask.ask(lambda q: q.workspace_names([]))
    return Health(status="ok", view=ask.source.name)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=problems(),
    dependencies=[Depends(needs(READ))],
)
async def metrics(request: Request) -> PlainTextResponse:
    """Counts for Prometheus."""
    text = state_of(request).meter.text()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
