"""Recording from outside: runs of programs that have no workspace of their own."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from dws_graph.api.service.problems import Problem, not_found, refused
from dws_graph.api.service.recorder import Recorder
from dws_graph.api.service.run_shapes import Run, RunEnd, RunFailed, RunStart
from dws_graph.api.service.v1.common import problems, state_of
from dws_graph.lineage.outside import complete_run, fail_run, find_run, start_run
from dws_graph.model import outside
from dws_graph.workspace.opened import OpenWorkspace

router = APIRouter(prefix="/runs", tags=["runs"])


async def recorder_of(request: Request) -> Recorder:
    """Who records.

    Raises:
        Problem: Nobody does.
    """
    recorder = state_of(request).recorder
    if recorder is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "This service records nothing: the workspace that it serves is somebody's.",
            hint="Start it with a workspace of its own: dws serve --data DIR.",
        )
    return recorder


async def run_id(
    run: Annotated[
        str,
        Path(
            min_length=1,
            max_length=200,
            description="Your own id of the run, any text.",
            examples=["manual__2026-11-28T12:00"],
        ),
    ],
) -> str:
    """The client's id of a run.

    Raises:
        Problem: It has characters that nobody can see, or was no UTF-8.
    """
    if any(unicodedata.category(c) in ("Cc", "Cs") or c == "\ufffd" for c in run):
        raise refused("The id of the run has control characters, or is no UTF-8 text.")
    return run


Recording = Annotated[Recorder, Depends(recorder_of)]
RunId = Annotated[str, Depends(run_id)]


async def _run(recorder: Recorder, work: Callable[[OpenWorkspace], outside.Run | None]) -> Run:
    def answered(ws: OpenWorkspace) -> Run:
        found = work(ws)
        if found is None:
            raise not_found("Nobody has told of that run.")
        return Run.of(found, ws.id)

    return await recorder.record(answered)


@router.put("/{run:path}", responses=problems(404, 409))
async def start(recorder: Recording, run: RunId, body: RunStart) -> Run:
    """Say that a run begins; the same again is answered the same."""
    told = body.told()
    return await _run(recorder, lambda ws: start_run(ws, run, told))


@router.post("/{run:path}/complete", responses=problems(404, 409))
async def complete(recorder: Recording, run: RunId, body: RunEnd) -> Run:
    """Say that a run has completed; of one that was not started, all at once."""
    told = body.told()
    return await _run(recorder, lambda ws: complete_run(ws, run, told))


@router.post("/{run:path}/fail", responses=problems(404, 409))
async def fail(recorder: Recording, run: RunId, body: RunFailed) -> Run:
    """Say that a run has failed: the state of its outputs is unknown from now on."""
    told = body.told()
    return await _run(recorder, lambda ws: fail_run(ws, run, told))


@router.get("/{run:path}", responses=problems(404, 409))
async def get_run(recorder: Recording, run: RunId) -> Run:
    """A run as it stands."""
    return await _run(recorder, lambda ws: find_run(ws, run))
