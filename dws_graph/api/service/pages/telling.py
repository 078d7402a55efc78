"""What goes wrong, told to a person as a page and to a program as a problem."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from dws_graph.api.service.access import SAFE
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.problems import Problem, answer


def tell(request: Request, problem: Problem, **more: Any) -> Response:
    """The answer to a request that is refused; `more` is for programs."""
    if not is_for_people(request):
        return answer(problem, **more)
    if problem.status is HTTPStatus.UNAUTHORIZED and request.method in SAFE:
        return RedirectResponse(f"/login?next={quote(_asked(request), safe='')}", status_code=303)
    shown = page(
        request,
        "problem.html.j2",
        status=problem.status,
        title=problem.status.phrase,
        detail=problem.detail,
        hint=problem.hint,
    )
    shown.headers.update(problem.headers)
    return shown


def is_for_people(request: Request) -> bool:
    """Whether a browser shows the answer: it asks for a page, and brings no token."""
    if request.url.path.startswith("/api/") or "authorization" in request.headers:
        return False
    return "text/html" in request.headers.get("accept", "")


def _asked(request: Request) -> str:
    """The path and query of a request, as it wrote them."""
    query = request.scope["query_string"].decode("latin-1")
    path: str = request.scope["raw_path"].decode("latin-1")
    return f"{path}?{query}" if query else path
