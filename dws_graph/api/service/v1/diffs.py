"""What differs between two snapshots."""

from __future__ import annotations

from fastapi import APIRouter

from dws_graph.api.service.comparison import files_between, side_of
from dws_graph.api.service.shapes import Diff
from dws_graph.api.service.v1.common import Ask, WorkspaceId, problems

router = APIRouter(prefix="/workspaces/{workspace}", tags=["snapshots"])


@router.get("/snapshots/{hash}/diff/{other}", responses=problems(404))
async def diff_snapshots(ask: Ask, workspace: WorkspaceId, hash: str, other: str) -> Diff:
    """In what a snapshot and another differ, each by its whole hash.

    Files are told of the workspace that the service was started in; of others, whose files are
    elsewhere, `files` is null.
    """

    def made() -> Diff:
        a, b = ask.source.ask(lambda q: (side_of(q, workspace, hash), side_of(q, workspace, other)))
        return Diff.of(a, b, files_between(ask.source, a.snapshot, b.snapshot))

    return await ask.slow(made)
