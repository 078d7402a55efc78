"""Who may do what: a bearer token, a session of the pages, or nobody in particular."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from fastapi import Request

from dws_graph.api.service.problems import Problem
from dws_graph.api.service.sessions import Session, check_csrf
from dws_graph.api.service.state import State
from dws_graph.api.service.token_file import SCOPES

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
ADMIN, WRITE, READ = "admin", "write", "read"


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        scope: What he may do; None: nothing.
        token: The id of his token; empty without one.
    """

    scope: str | None
    token: str = ""


def caller(request: Request) -> Caller:
    """Who asks.

    Raises:
        Problem: His token is none, or there were too many such.
    """
    state: State = request.app.state.service
    given = request.headers.getlist("authorization")
    if given:
        return _by_token(state, request, given)
    session = state.sessions.find(request.cookies.get(state.cookie, ""))
    if session is not None:
        _check_csrf(request, session)
        return Caller(session.scope, session.token)
    return Caller(READ if state.settings.is_local else None)


def needs(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: refuses callers who may not do that."""

    async def check(request: Request) -> Caller:  # what is not async costs a thread
        found = caller(request)
        if found.scope is None:
            raise _unknown("This needs a token.")
        if not may(found.scope, scope):
            if not found.token:
                raise _unknown(f"This needs a token of scope {scope}.")
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"This needs a token of scope {scope}; yours is of scope {found.scope}.",
                hint=f"An admin makes one: dws token create --scope {scope}.",
            )
        return found

    return check


def may(scope: str, wanted: str) -> bool:
    """Whether a scope is enough."""
    return SCOPES.index(scope) >= SCOPES.index(wanted)


def _by_token(state: State, request: Request, given: list[str]) -> Caller:
    kind, _, text = given[0].partition(" ")
    found = None
    if len(given) == 1 and kind.lower() == "bearer":
        found = state.tokens.check(text.strip())
    if found is not None:  # also where others behind the same address have failed
        return Caller(found.scope, found.id)
    check_wait(state, request)
    state.throttle.failed(client_of(request))
    raise _unknown("The token is none, was revoked or has expired.")


def client_of(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""


def check_wait(state: State, request: Request) -> None:
    """Refuse a client who has failed too often, until he may try again.

    Raises:
        Problem: He is to wait.
    """
    if wait := state.throttle.wait(client_of(request)):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "There were too many tokens that are none.",
            headers={"retry-after": str(wait)},
        )


def _check_csrf(request: Request, session: Session) -> None:
    """Refuse what another site's page may have sent along with the cookie."""
    if request.method in SAFE or check_csrf(session, request.headers.get(CSRF_HEADER, "")):
        return
    raise Problem(
        HTTPStatus.FORBIDDEN,
        "The request comes from no page of this service.",
        hint=f"Load the page again; a program sends a token, and no cookie ({CSRF_HEADER}).",
    )


def _unknown(detail: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        detail,
        hint="Send one as: Authorization: Bearer TOKEN; dws token create makes them.",
        headers={"www-authenticate": 'Bearer realm="dws"'},
    )
