"""Errors as `application/problem+json`. Source: RFC 9457."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dws_graph.errors import (
    AmbiguousSnapshotError,
    ConfigurationError,
    DwsError,
    LineageConflictError,
    LineageNotFoundError,
    QueryError,
    RunConflictError,
    SnapshotNotFoundError,
    ViewUnavailableError,
)
from dws_graph.model.secrets import scrub_text
from dws_graph.model.values import clean_text

MEDIA = "application/problem+json"
log = logging.getLogger("dws_graph.service")
_STATUS: tuple[tuple[type[DwsError], HTTPStatus], ...] = (
    (LineageNotFoundError, HTTPStatus.NOT_FOUND),
    (LineageConflictError, HTTPStatus.CONFLICT),
    (RunConflictError, HTTPStatus.CONFLICT),
    (SnapshotNotFoundError, HTTPStatus.NOT_FOUND),
    (AmbiguousSnapshotError, HTTPStatus.CONFLICT),
    (QueryError, HTTPStatus.BAD_REQUEST),
    (ViewUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
)


class Problem(Exception):  # noqa: N818  # the word of the RFC
    """A request that is refused.

    Attributes:
        status: Of the answer.
        detail: A sentence about this request.
        hint: What to do next.
        headers: Of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint = status, detail, hint
        self.headers = dict(headers or {})


def not_found(detail: str) -> Problem:
    """Something that was asked for is not there."""
    return Problem(HTTPStatus.NOT_FOUND, detail)


def refused(detail: str, hint: str = "") -> Problem:
    """A request that makes no sense."""
    return Problem(HTTPStatus.BAD_REQUEST, detail, hint=hint)


def answer(problem: Problem, **more: Any) -> JSONResponse:
    """A problem as the client gets it."""
    told = {"hint": problem.hint} if problem.hint else {}
    body = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.detail,
        **told,
        **more,
    }
    return JSONResponse(body, int(problem.status), problem.headers, media_type=MEDIA)


def of_error(error: DwsError) -> Problem:
    """One of our errors as a problem; what is our own fault is not told to strangers."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return Problem(status, scrub_text(error.message), hint=scrub_text(error.hint))
    log.error("a request failed: %s", scrub_text(str(error)))
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The service could not do this.")


Tell = Callable[..., Response]
"""Makes the answer of a request and its problem, and of what a program is told besides."""


def install(app: FastAPI, tell: Tell) -> None:
    """Have every refusal of an application answered as a problem; `guards.Caught` has the rest."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return tell(request, error)

    @app.exception_handler(DwsError)
    async def _ours(request: Request, error: DwsError) -> Response:
        return tell(request, of_error(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        return tell(request, Problem(status, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()[:20]
        found = [{"at": _place(e), "detail": _said(e)} for e in errors]
        first = f"{found[0]['at']}: {found[0]['detail']}" if found else "The request is not valid."
        problem = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, first, hint=_hint(request, errors))
        return tell(request, problem, errors=found)


def _place(error: Mapping[str, Any]) -> str:
    return clean_text(".".join(map(str, error["loc"])))


def _is_no_workspace_id(error: Mapping[str, Any]) -> bool:
    return (error["type"], error["loc"][-1]) == ("string_pattern_mismatch", "workspace")


def _said(error: Mapping[str, Any]) -> str:
    if _is_no_workspace_id(error):
        return "a workspace is named by its id here, and this is none"
    return clean_text(error["msg"])


def _hint(request: Request, errors: Sequence[Mapping[str, Any]]) -> str:
    """What to do about a request that is not valid; empty where its errors say all."""
    if any(map(_is_no_workspace_id, errors)):
        return "GET /api/v1/workspaces lists the workspaces with their ids."
    if any(e["loc"][0] == "body" for e in errors) and not _says_json(request):
        return "Send the body as JSON, and say so: Content-Type: application/json."
    return ""


def _says_json(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media.startswith("application/") and media.endswith(("/json", "+json"))


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document that says how problems are answered, and what shows who asks."""
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}, {}]  # none: on this machine alone
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                if MEDIA in response.get("content", {}):
                    shape = response["content"].pop("application/json", None)
                    response["content"][MEDIA] = shape or response["content"][MEDIA]
    return document


def of_mistake(error: Exception) -> Problem:
    """What the product did not foresee: told to who runs the service, and not to strangers."""
    log.error("a request failed: %s", scrub_text("".join(traceback.format_exception(error))))
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The service could not do this.")
