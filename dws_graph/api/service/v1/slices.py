"""What lies between two nodes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service.shapes import Slice
from dws_graph.api.service.slicing import rerun_of, slice_between
from dws_graph.api.service.v1.common import Ask, problems
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace, starts_of

router = APIRouter(tags=["lineage"])


@router.get("/slice", responses=problems(404))
async def get_slice(
    ask: Ask,
    to: Annotated[str, Query(max_length=200, description="The id of the other node.")],
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
) -> Slice:
    """What lies on the ways between two nodes, and the command that runs its steps again."""

    def make() -> Slice:
        found = ask.source.ask(lambda q: slice_between(q, starts_of(q, node, workspace, ref), to))
        return Slice.of_rerun(found, rerun_of(ask.source, found))

    return await ask.slow(make)
