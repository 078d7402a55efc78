"""What is new, told as it happens: server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from dws_graph.api.service.access import caller
from dws_graph.api.service.news import EVERY
from dws_graph.api.service.problems import Problem
from dws_graph.api.service.v1.common import Ask, problems, state_of
from dws_graph.errors import DwsError

router = APIRouter(tags=["service"])
MOST = 100  # listeners at a time
ALIVE = 15  # looks without news, after which a line says that the stream lives


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={**problems(), 200: {"content": {"text/event-stream": {}}}},
)
async def events(request: Request, ask: Ask) -> StreamingResponse:
    """Each `step` event tells of a step that was recorded: its id, name and when it began.

    The stream ends when the token is revoked or has expired, or its session has ended.
    """
    state = state_of(request)
    listeners, stopping = state.listeners, state.stopping
    if len(listeners) >= MOST:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many listen already.")
    before = await state.news.look(ask)
    may_go_on = still_known(request)

    async def stream() -> AsyncGenerator[str, None]:
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
                    now = await state.news.look(ask)
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

    return _Stream(stream())


class _Stream(StreamingResponse):
    """One that ends at once where nobody listens any more, not when memory is tidied."""

    def __init__(self, told: AsyncGenerator[str, None]) -> None:
        super().__init__(told, media_type="text/event-stream")
        self._told = told

    async def stream_response(self, send: Send) -> None:
        """See Starlette."""
        async with contextlib.aclosing(self._told):
            await super().stream_response(send)


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
