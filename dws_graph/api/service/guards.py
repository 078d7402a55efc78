"""What is checked of every request before anything looks at it, and said with every answer.

Pure ASGI: a body is counted as it arrives, and an answer streams.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dws_graph.api.service.metering import Meter
from dws_graph.api.service.problems import MEDIA, Tell, of_mistake

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Headed:
    """Adds the security headers to every answer; `vary` and caching stay what a route says."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._more = {"strict-transport-security": "max-age=31536000"} if secure else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def heading(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**SECURITY, **self._more}.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, heading if scope["type"] == "http" else send)


class Hosted:
    """Refuses requests to a name that is not the service's: DNS rebinding."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = [v.decode("latin-1") for k, v in scope["headers"] if k == b"host"]
        if len(named) == 1 and without_port(named[0]) in self._hosts:
            await self._app(scope, receive, send)
        else:
            detail = "This service is not called by that name; see dws serve --name."
            await refuse(send, HTTPStatus.MISDIRECTED_REQUEST, detail)


def without_port(host: str) -> str:
    """The name in a `Host` header, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


class Bounded:
    """Refuses bodies that are too large, or take too long to arrive."""

    def __init__(self, app: ASGIApp, *, most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI: the whole body is here before the application is asked."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length")
        if told is not None and (not told.isdecimal() or int(told) > self._most):
            await refuse(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_much)
            return
        try:
            body = await asyncio.wait_for(self._read(receive), self._seconds)
        except asyncio.TimeoutError:
            detail = f"The body did not arrive within {self._seconds:g} s."
            await refuse(send, HTTPStatus.REQUEST_TIMEOUT, detail)
            return
        if body is None:
            await refuse(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_much)
            return
        await self._app(scope, _given(body, receive), send)

    @property
    def _too_much(self) -> str:
        return f"A body may have at most {self._most:,} bytes."

    async def _read(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self._most:
                return None
            if not message.get("more_body"):
                return bytes(body)


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that has the body first."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


async def refuse(send: Send, status: HTTPStatus, detail: str) -> None:
    """Answer with a problem, from outside the application."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", MEDIA.encode()),
        (b"content-length", str(len(data)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": data})


class Caught:
    """Answers what nobody foresaw: inside of `Headed` and `Counted`, so that these see it, too."""

    def __init__(self, app: ASGIApp, *, tell: Tell) -> None:
        self._app, self._tell = app, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as e:  # whatever it is, it ends no connection
            if begun or scope["type"] != "http":
                raise
            await self._tell(Request(scope), of_mistake(e))(scope, receive, send)


class _Enough(Exception):  # noqa: N818  # nothing is wrong
    """All that was asked for has been sent."""


class Headless:
    """Answers HEAD as GET is answered, without the body: that of a stream would never end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b""})
            raise _Enough

        with contextlib.suppress(_Enough):
            # the server has a scope of its own, and sees HEAD there
            await self._app({**scope, "method": "GET"}, receive, sending)


API = "/api/v1"


def template_of(scope: Scope) -> str:
    """The path of a request's route, as it was written down: no text of a client's."""
    path: str = getattr(scope.get("route"), "path", "(none)")  # without its router's prefix
    is_api = scope["path"].startswith(f"{API}/") and path.startswith("/")
    return f"{API}{path}" if is_api and not path.startswith(API) else path


class Counted:
    """Counts requests and their seconds, for `/metrics`."""

    METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

    def __init__(self, app: ASGIApp, *, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = template_of(scope)
            method = scope["method"] if scope["method"] in self.METHODS else "(other)"
            self._meter.note(method, route, status, time.perf_counter() - begin)
