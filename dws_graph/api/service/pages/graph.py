"""The page of the graph, and what its scripts draw."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from dws_graph.api.service.pages.expanding import (
    More,
    Opened,
    Opening,
    opened_up,
    openings,
)
from dws_graph.api.service.pages.rendering import GRAPH_SCRIPTS, asset, page
from dws_graph.api.service.pages.timeline import (
    Timeline,
    laid_of,
    said_of_nothing,
    stale_in,
    timeline_of,
)
from dws_graph.api.service.problems import refused
from dws_graph.api.service.sources import Source
from dws_graph.api.service.v1.common import Ask, Depth
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace, nearest
from dws_graph.api.service.v1.then import Around, At
from dws_graph.api.service.v1.versions import Version, version_of
from dws_graph.backends.views import Questions
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.dot import to_svg
from dws_graph.render.html import page_of
from dws_graph.render.look import Detail
from dws_graph.render.picture import Marks

router = APIRouter(include_in_schema=False)
MOST = 2_000
USUAL = {"direction": "both", "detail": "steps", "limit": MOST}  # need not be said
OF = ("node", "workspace", "ref", "at", "against")  # what an address says that it is of
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


class Piece(NamedTuple):
    """Which piece of the graph is asked for, and how it is to be drawn."""

    node: str | None
    workspace: str | None
    ref: str | None
    direction: Way
    depth: int | None
    detail: Detail
    limit: int
    at: str | None
    against: str | None
    opened: tuple[Opening, ...] = ()

    def said(self) -> dict[str, Any]:
        """The same as an address says it, without what need not be said."""
        given = self._asdict()
        del given["opened"]
        return {k: value for k, value in given.items() if value not in (None, USUAL.get(k))}

    def said_open(self) -> list[tuple[str, str]]:
        """What is opened, as an address says it."""
        return [("down" if one.down else "up", f"{one.key}~{one.steps}") for one in self.opened]


def wanted_piece(
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    direction: Way | None = None,
    depth: Depth = None,
    detail: Detail = "steps",
    limit: Nodes = MOST,
    at: At = None,
    against: At = None,
    up: Opened = [],  # noqa: B006 - FastAPI makes a new one for each request
    down: Opened = [],  # noqa: B006
) -> Piece:
    """What a request asks for; a word without a value, as forms send them, says nothing.

    Two versions of all of a workspace are compared in what each was made from: with all that was
    made since, too, the later one would always hold the earlier.

    Raises:
        Problem: Something is opened, of another time than now.
    """
    over_all = against and not node and not ref
    way: Way = direction or ("upstream" if over_all else "both")
    opened = openings(up, down)
    if opened and (at or against):
        raise refused("What is opened is of now.", "Leave out up and down, or at and against.")
    at, against = at or None, against or None
    return Piece(node, workspace, ref, way, depth, detail, limit, at, against, opened)


Wanted = Annotated[Piece, Depends(wanted_piece)]


class Shown(NamedTuple):
    """What a page shows: a piece of the graph, how many nodes a limit left out, what is stale."""

    found: Subgraph
    left_out: int
    marks: Marks
    version: Version
    more: More
    opened: tuple[Opening, ...]


def around_of(wanted: Piece) -> Around:
    """What it is around, and which ways."""
    up, down = wanted.direction != "downstream", wanted.direction != "upstream"
    return Around(wanted.node, wanted.workspace, wanted.ref, up, down, wanted.depth)


def shown_by(source: Source, wanted: Piece) -> Shown:
    """What was asked for, and of now what was opened besides."""
    version = source.ask(lambda q: version_of(q, around_of(wanted), wanted.at, wanted.against))
    found, left, most = version.found, set[str](), wanted.limit
    if len(found.nodes) > most:
        found, _ = nearest(found, version.starts, most)
        left = {n.key for n in version.found.nodes} - {n.key for n in found.nodes}
    if wanted.at or wanted.against:
        return Shown(found, len(left), stale_in(source, found, version), version, {}, ())
    made = source.ask(lambda q: opened_up(q, found, left, wanted.opened, wanted.detail))
    marks = stale_in(source, made.found, version)
    return Shown(made.found, made.left_out, marks, version, made.more, made.opened)


@router.get("/graph")
async def graph(
    request: Request,
    ask: Ask,
    wanted: Wanted,
) -> HTMLResponse:
    """The graph around a node or a ref."""
    given: dict[str, Any] = wanted._asdict()
    asked = wanted.said()

    def made() -> tuple[dict[str, Any], Shown, str, Timeline]:
        shown = shown_by(ask.source, wanted)
        drawn = DRAWINGS.get(shown.found, wanted.detail, shown.marks)
        return drawn, shown, *ask.source.ask(lambda q: around_it(q, shown))

    def around_it(q: Questions, shown: Shown) -> tuple[str, Timeline]:
        heading = heading_of(q, wanted, shown.found)
        return heading, timeline_of(q, around_of(wanted), shown.version, asked)

    drawn, shown, heading, times = await ask.slow(made)
    kept = {key: asked[key] for key in OF if key in asked}
    address = [*asked.items(), *wanted.said_open()]
    wider = [*({**asked, "limit": min(10_000, wanted.limit * 2)}).items(), *wanted.said_open()]
    return page(
        request,
        "graph.html.j2",
        heading=heading,
        asked=given,
        kept=[*kept.items(), *wanted.said_open()],
        directions=DIRECTIONS,
        details=DETAILS,
        left_out=shown.left_out,
        times=times,
        laid=laid_of(shown.version),
        nothing=said_of_nothing(shown.version, heading),
        more=f"/graph?{urlencode(wider)}",
        drawing=f"/graph/drawing?{urlencode(address)}",
        svg=f"/graph/picture.svg?{urlencode(address)}",
        **exports_of(wanted, asked),
        scripts=[asset(name) for name in GRAPH_SCRIPTS],
        **{key: drawn[key] for key in ("groupings", "legend", "rows", "note")},
    )


def exports_of(wanted: Piece, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Where the same is to be had as a file; empty where it is not."""
    said = {key: asked[key] for key in (*OF, "depth") if key in asked}
    way = "neighbourhood" if wanted.direction == "both" else wanted.direction
    if wanted.against is not None:
        return {"dot": "", "json": f"/api/v1/overlay?{urlencode({**said, 'direction': way})}"}
    if wanted.node is None and wanted.ref is None and wanted.at is None:
        return {"dot": "", "json": ""}
    kinds = ("dot", "json")
    return {k: f"/api/v1/export/{way}?{urlencode({**said, 'format': k})}" for k in kinds}


def heading_of(q: Questions, wanted: Piece, found: Subgraph) -> str:
    """What the page is about: the ref, the node by its name, or the workspace."""
    if name := next((n.name for n in found.nodes if n.key == found.root), wanted.ref):
        return name
    if wanted.node is None and wanted.workspace is not None:
        return q.workspace_names([wanted.workspace]).get(wanted.workspace, wanted.workspace)
    near = q.neighbourhood([wanted.node or ""], root=wanted.node or "", depth=1, limit=1)
    return next((n.name for n in near.nodes), wanted.node or "")


@router.get("/graph/drawing")
async def drawing(
    ask: Ask,
    wanted: Wanted,
) -> Response:
    """What the scripts of that page draw: nodes with their places, lines with their ways."""

    def made() -> bytes:
        shown = shown_by(ask.source, wanted)
        drawn = DRAWINGS.get(shown.found, wanted.detail, shown.marks)
        opened = [[one.key, "down" if one.down else "up", one.steps] for one in shown.opened]
        return json.dumps({**drawn["data"], "more": shown.more, "opened": opened}).encode()

    return Response(await ask.slow(made), media_type="application/json")


@router.get("/graph/picture.svg")
async def picture(
    ask: Ask,
    wanted: Wanted,
) -> Response:
    """The same as SVG, by Graphviz where that is installed and quick enough."""

    def made() -> bytes:
        shown = shown_by(ask.source, wanted)
        drawn = to_svg(shown.found, title="Lineage", detail=wanted.detail, marks=shown.marks)
        return drawn.encode()

    named = {"content-disposition": 'attachment; filename="lineage.svg"'}
    return Response(await ask.slow(made), media_type="image/svg+xml", headers=named)
