"""Logging in and out, and the files that pages load: what needs no token."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dws_graph.api.service.access import check_wait, client_of
from dws_graph.api.service.pages.rendering import TYPES, asset, assets, page
from dws_graph.api.service.problems import Problem, not_found
from dws_graph.api.service.sessions import check_csrf, set_cookie, unset_cookie
from dws_graph.api.service.v1.common import state_of

router = APIRouter(include_in_schema=False)


@router.get("/static/{version}/{name}")
async def static(version: str, name: str) -> Response:
    """A file that pages load, by its name alone: no path is ever made of it."""
    if name not in assets() or asset(name) != f"/static/{version}/{name}":
        raise not_found("There is no such file.")
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    kind = TYPES[PurePosixPath(name).suffix]
    return Response(assets()[name], media_type=kind, headers=headers)


@router.get("/login")
async def login_page(request: Request, next: str = "/") -> Response:
    """Asks for a token."""
    return page(request, "login.html.j2", next=within(next), wrong="")


@router.post("/login")
async def login(request: Request) -> Response:
    """Begins a session of the pages."""
    state = state_of(request)
    _check_origin(request)
    check_wait(state, request)
    form = await _form(request)
    onward = within(form.get("next", "/"))
    token = state.tokens.check(form.get("token", "").strip())
    if token is None:
        state.throttle.failed(client_of(request))
        wrong = "The token is none, was revoked or has expired."
        return page(request, "login.html.j2", status=401, next=onward, wrong=wrong)
    answer = RedirectResponse(onward, status_code=303)
    cookie = set_cookie(state.cookie, state.sessions.begin(token), secure=state.settings.secure)
    answer.headers["set-cookie"] = cookie
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Ends it."""
    state = state_of(request)
    _check_origin(request)
    session = state.sessions.find(request.cookies.get(state.cookie, ""))
    if session is not None:
        given = (await _form(request)).get("csrf", "")
        if not check_csrf(session, given):
            raise Problem(HTTPStatus.FORBIDDEN, "The page is out of date: load it again.")
        state.sessions.end(session)
    answer = RedirectResponse("/", status_code=303)
    answer.headers["set-cookie"] = unset_cookie(state.cookie, secure=state.settings.secure)
    return answer


def within(path: str) -> str:
    """A path of this service, to go on to; never another host's."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return quote(path, safe="/?&=%:#+,;@!$'()*~-._")


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "That is no form.")
    text = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=10)
    except ValueError as e:
        raise Problem(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from e
    return {name: values[-1] for name, values in found.items()}


def _check_origin(request: Request) -> None:
    """Refuse forms that a page of another origin has sent."""
    origin = request.headers.get("origin")  # "null" is a frame in a sandbox, or a file
    told = request.headers.get("sec-fetch-site", "same-origin")
    host = request.headers.get("host", "")
    ours = origin is None or origin.partition("://")[2] == host
    if not ours or told not in ("same-origin", "none"):
        raise Problem(HTTPStatus.FORBIDDEN, "The form comes from another site.")
