"""Two versions of a lineage over one another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dws_graph.api.service.problems import not_found
from dws_graph.api.service.shapes import Graph
from dws_graph.api.service.v1.common import Ask, Depth, problems
from dws_graph.api.service.v1.lineage import Direction, NodeKey, Nodes, RefText, Workspace, nearest
from dws_graph.api.service.v1.then import Around, At
from dws_graph.api.service.v1.versions import version_of
from dws_graph.backends.views import Questions

router = APIRouter(tags=["lineage"])
Against = Annotated[str, Query(max_length=200, description="The snapshot that it is laid over.")]


@router.get("/overlay", responses=problems(404))
async def get_overlay(
    ask: Ask,
    against: Against,
    at: At = None,
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    direction: Direction | None = None,
    depth: Depth = None,
    limit: Nodes = 2_000,
) -> Graph:
    """A lineage at a snapshot (none: now) laid over the same at another.

    Each node and edge has `change`: `same`, `added` (only in the later), `dropped` (only in the
    earlier) or `changed`. A changed node has `changes`, too. Without a node or ref: what all of a
    workspace was made from.
    """

    def asked(q: Questions) -> Graph:
        way = direction or ("neighbourhood" if node or ref else "upstream")
        up, down = way != "downstream", way != "upstream"
        around = Around(node, workspace, ref, up, down, depth)
        version = version_of(q, around, at, against)
        if not version.found.nodes:
            raise not_found("Nothing was known of that in either version.")
        if len(version.found.nodes) <= limit:
            return Graph.of(version.found)
        return Graph.of(*nearest(version.found, version.starts, limit))

    return await ask.slow(lambda: ask.source.ask(asked))
