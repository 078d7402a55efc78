"""What is new, told as it happens: server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from dws_graph.api.service.access import caller
from dws_graph.api.service.problems import Problem
from dws_graph.api.service.v1.common import Ask, problems, state_of
from dws_graph.backends.views import Questions, StepFilter
from dws_graph.errors import DwsError

router = APIRouter(tags=["service"])
MOST = 100  # listeners at a time
EVERY = 1.0  # seconds between two looks
ALIVE = 15  # looks without news, after which a line says that the stream lives


class Newest(NamedTuple):
    """The newest step of all, and the one that is named with it: what news are told by."""

    step: str
    name: str
    time: str


def newest(q: Questions) -> Newest:
    """The last step that was recorded."""
    steps = q.chosen_steps(StepFilter(), 1)
    return Newest(steps[0].id, steps[0].name, steps[0].start_time) if steps else Newest("", "", "")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={**problems(), 200: {"content": {"text/event-stream": {}}}},
)
async def events(request: Request, ask: Ask) -> StreamingResponse:
    """Each `step` event tells of a step that was recorded: its id, name and when it began.

    The stream ends when the token is revoked or has expired, or its session has ended.
    """
    listeners, stopping = state_of(request).listeners, state_of(request).stopping
    if len(listeners) >= MOST:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many listen already.")
    before = await ask.ask(newest)
    may_go_on = still_known(request)

    async def stream() -> AsyncIterator[str]:
        mine = object()
        listeners.add(mine)
        last, quiet = before, 0
        try:
            yield "retry: 5000\n\n"
            while not (stopping.is_set() or await request.is_disconnected()):
                await asyncio.sleep(EVERY)
                if not await ask.quick(may_go_on):
                    return
                try:
                    now = await ask.ask(newest)
                except DwsError:  # the view is away: it may come back
                    now = last
                quiet = 0 if now != last else quiet + 1
                if now != last:
                    yield event("step", now._asdict())
                    last = now
                elif quiet % ALIVE == 0:
                    yield ": alive\n\n"
        finally:
            listeners.discard(mine)

    return StreamingResponse(stream(), media_type="text/event-stream")


def still_known(request: Request) -> Callable[[], bool]:
    """Tells whether who asked may go on: his token is one still, and he has not logged out."""
    state, who = state_of(request), caller(request)
    cookie = request.cookies.get(state.cookie, "")
    is_session = who.token and "authorization" not in request.headers

    def known() -> bool:
        if is_session and not state.sessions.goes_on(cookie):
            return False
        return not who.token or state.tokens.get(who.token) is not None

    return known


def event(kind: str, data: Any) -> str:
    """An event as text: JSON has no line breaks of its own."""
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
