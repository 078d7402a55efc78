"""The page of the graph, and what its scripts draw."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from threading import Lock
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from dws_graph.api.service.pages.rendering import GRAPH_SCRIPTS, asset, page
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.sources import Source
from dws_graph.api.service.v1.common import Ask, Depth
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace, nearest, starts_of
from dws_graph.api.stale import stale_marks_in
from dws_graph.backends.views import Questions
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.dot import to_svg
from dws_graph.render.html import page_of
from dws_graph.render.look import Detail
from dws_graph.render.picture import Marks

router = APIRouter(include_in_schema=False)
MOST = 2_000
Way = Literal["both", "upstream", "downstream"]
DIRECTIONS = (
    ("both", "up and down"),
    ("upstream", "what it was made from"),
    ("downstream", "what was made from it"),
)
DETAILS = (("steps", "between steps"), ("certificates", "each on its own"))
Nodes = Annotated[int, Query(ge=1, le=10_000)]


class Drawings:
    """Pages laid out before, by what they show: the newest few."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, found: Subgraph, detail: Detail, marks: Marks) -> dict[str, Any]:
        """The page of a piece of the graph."""
        said = json.dumps([detail, marks, found.to_json()], sort_keys=True, default=str)
        key = hashlib.sha256(said.encode()).hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = page_of(found, detail=detail, marks=marks)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


DRAWINGS = Drawings()


def marks_of(source: Source, found: Subgraph) -> Marks:
    """Why nodes are stale: of the workspace on this machine, whose files can be looked at."""
    if source.home not in found.workspaces():
        return {}
    keys = {node.key for node in found.nodes}
    marks = source.at_home(stale_marks_in)
    return {key: reasons for key, reasons in marks.items() if key in keys}


class Piece(NamedTuple):
    """Which piece of the graph is asked for, and how it is to be drawn."""

    node: str | None
    workspace: str | None
    ref: str | None
    direction: Way
    depth: int | None
    detail: Detail
    limit: int


def wanted_piece(
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    direction: Way = "both",
    depth: Depth = None,
    detail: Detail = "steps",
    limit: Nodes = MOST,
) -> Piece:
    """What a request asks for."""
    return Piece(node, workspace, ref, direction, depth, detail, limit)


Wanted = Annotated[Piece, Depends(wanted_piece)]


def found_by(source: Source, wanted: Piece) -> tuple[Subgraph, int]:
    """The piece of the graph that was asked for, and how many nodes a limit left out."""
    return source.ask(lambda q: piece(q, wanted))


def piece(q: Questions, wanted: Piece) -> tuple[Subgraph, int]:
    """The same, of a view."""
    starts = starts_of(q, wanted.node, wanted.workspace, wanted.ref)
    parts = []
    if wanted.direction != "downstream":
        parts.append(q.upstream(starts, root=starts[0], depth=wanted.depth))
    if wanted.direction != "upstream":
        parts.append(q.downstream(starts, root=starts[0], depth=wanted.depth))
    found = parts[0] if len(parts) == 1 else joined(*parts)
    if not found.nodes:
        raise not_found("There is no such node.")
    most = wanted.limit
    return nearest(found, starts, most) if len(found.nodes) > most else (found, 0)


def joined(up: Subgraph, down: Subgraph) -> Subgraph:
    """Two pieces as one."""
    return Subgraph(
        root=up.root,
        complete=up.complete and down.complete,
        nodes=tuple({n.key: n for n in (*up.nodes, *down.nodes)}.values()),
        edges=tuple(dict.fromkeys((*up.edges, *down.edges))),
    )


@router.get("/graph")
async def graph(
    request: Request,
    ask: Ask,
    wanted: Wanted,
) -> HTMLResponse:
    """The graph around a node or a ref."""

    def made() -> tuple[dict[str, Any], int, str]:
        found, left_out = found_by(ask.source, wanted)
        names = (n.name for n in found.nodes if n.key == found.root)
        heading = next(names, wanted.ref or wanted.node or "")
        drawn = DRAWINGS.get(found, wanted.detail, marks_of(ask.source, found))
        return drawn, left_out, heading

    drawn, left_out, heading = await ask.slow(made)
    given: dict[str, Any] = wanted._asdict()
    asked = {key: value for key, value in given.items() if value is not None}
    kept: dict[str, Any] = {key: asked[key] for key in ("node", "workspace", "ref") if key in asked}
    way = "neighbourhood" if wanted.direction == "both" else wanted.direction
    near: dict[str, Any] = {} if wanted.depth is None else {"depth": wanted.depth}
    exported = urlencode({**kept, **near})
    return page(
        request,
        "graph.html.j2",
        heading=heading,
        asked=given,
        kept=list(kept.items()),
        directions=DIRECTIONS,
        details=DETAILS,
        left_out=left_out,
        more=f"/graph?{urlencode({**asked, 'limit': min(10_000, wanted.limit * 2)})}",
        drawing=f"/graph/drawing?{urlencode(asked)}",
        svg=f"/graph/picture.svg?{urlencode(asked)}",
        dot=f"/api/v1/export/{way}?{exported}&format=dot",
        json=f"/api/v1/export/{way}?{exported}&format=json",
        scripts=[asset(name) for name in GRAPH_SCRIPTS],
        **{key: drawn[key] for key in ("groupings", "legend", "rows", "note")},
    )


@router.get("/graph/drawing")
async def drawing(
    ask: Ask,
    wanted: Wanted,
) -> Response:
    """What the scripts of that page draw: nodes with their places, lines with their ways."""

    def made() -> bytes:
        found, _ = found_by(ask.source, wanted)
        drawn = DRAWINGS.get(found, wanted.detail, marks_of(ask.source, found))
        return json.dumps(drawn["data"]).encode()

    return Response(await ask.slow(made), media_type="application/json")


@router.get("/graph/picture.svg")
async def picture(
    ask: Ask,
    wanted: Wanted,
) -> Response:
    """The same as SVG, by Graphviz where that is installed and quick enough."""

    def made() -> bytes:
        found, _ = found_by(ask.source, wanted)
        marks = marks_of(ask.source, found)
        return to_svg(found, title="Lineage", detail=wanted.detail, marks=marks).encode()

    named = {"content-disposition": 'attachment; filename="lineage.svg"'}
    return Response(await ask.slow(made), media_type="image/svg+xml", headers=named)
