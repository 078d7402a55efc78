"""The page of the graph, and what its scripts draw."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from dws_graph.api.service.pages.choosing import KINDS, Choice, WantedChoice, mistake, resources_in
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
from dws_graph.api.service.shapes import Graph
from dws_graph.api.service.sifting import sifted
from dws_graph.api.service.slicing import rerun_of, slice_between
from dws_graph.api.service.sources import Source
from dws_graph.api.service.v1.common import Ask, Depth
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace, starts_of
from dws_graph.api.service.v1.then import Around, At
from dws_graph.api.service.v1.versions import Version, version_of
from dws_graph.backends.views import Questions
from dws_graph.errors import SelectionError
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.dot import to_dot, to_svg
from dws_graph.render.html import page_of
from dws_graph.render.look import Detail
from dws_graph.render.picture import Marks

router = APIRouter(include_in_schema=False)
MOST = 2_000
USUAL = {"direction": "both", "detail": "steps", "limit": MOST}  # need not be said
OF = ("node", "workspace", "ref", "at", "against", "to")  # what an address says that it is of
Way = Literal["both", "upstream", "downstream"]
DIRECTIONS = (
    ("both", "up and down"),
    ("upstream", "what it was made from"),
    ("downstream", "what was made from it"),
)
DETAILS = (("steps", "between steps"), ("certificates", "each on its own"))
MEDIA = {"svg": "image/svg+xml", "dot": "text/vnd.graphviz", "json": "application/json"}
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
    to: str | None
    opened: tuple[Opening, ...] = ()

    def said(self) -> dict[str, Any]:
        """The same as an address says it, without what need not be said."""
        given = self._asdict()
        del given["opened"]
        return {k: value for k, value in given.items() if value not in (None, USUAL.get(k))}

    def said_open(self) -> list[tuple[str, str]]:
        """What is opened, as an address says it."""
        return [("down" if one.down else "up", f"{one.key}~{one.steps}") for one in self.opened]


async def wanted_piece(
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    direction: Way | None = None,
    depth: Depth = None,
    detail: Detail = "steps",
    limit: Nodes = MOST,
    at: At = None,
    against: At = None,
    to: NodeKey = None,
    up: Opened = [],  # noqa: B006 - FastAPI makes a new one for each request
    down: Opened = [],  # noqa: B006
) -> Piece:
    """What a request asks for; a word without a value, as forms send them, says nothing.

    Two versions of all of a workspace are compared in what each was made from: with all that was
    made since, too, the later one would always hold the earlier. With `to`, what lies between.

    Raises:
        Problem: Something is opened, or lies between, and of another time than now.
    """
    over_all = against and not node and not ref
    way: Way = direction or ("upstream" if over_all else "both")
    if to and (at or against):
        raise refused("What lies between two nodes is told as it is now.", "Leave out at, against.")
    opened = openings(up, down)
    if opened and (at or against):
        raise refused("What is opened is of now.", "Leave out up and down, or at and against.")
    then = (at or None, against or None)
    return Piece(node, workspace, ref, way, depth, detail, limit, *then, to or None, opened)


Wanted = Annotated[Piece, Depends(wanted_piece)]


class Shown(NamedTuple):
    """What a page shows: a piece of the graph, how many nodes are left out, what is stale.

    `left_out` are those of a limit, `filtered` of a filter; `version` is the piece whole.
    """

    found: Subgraph
    left_out: int
    filtered: int
    marks: Marks
    version: Version
    more: More
    opened: tuple[Opening, ...]


def around_of(wanted: Piece) -> Around:
    """What it is around, and which ways."""
    up, down = wanted.direction != "downstream", wanted.direction != "upstream"
    return Around(wanted.node, wanted.workspace, wanted.ref, up, down, wanted.depth)


def shown_by(source: Source, wanted: Piece, choice: Choice) -> Shown:
    """What was asked for, less what a filter and a limit leave out, and what was opened besides.

    Raises:
        SelectionError: The filter cannot be understood, or answered.
    """
    selection = choice.selection()
    version = source.ask(lambda q: whole(q, wanted))
    found, left_out, filtered = sifted(
        source,
        version.found,
        selection,
        starts=version.starts,
        most=wanted.limit,
        stale=lambda: stale_in(source, version.found, version),
    )
    if wanted.at or wanted.against:
        marks = stale_in(source, found, version)
        return Shown(found, left_out, filtered, marks, version, {}, ())
    left = set[str]() if selection else {n.key for n in version.found.nodes} - _keys(found)
    made = source.ask(lambda q: opened_up(q, found, left, wanted.opened, wanted.detail))
    if selection:  # what else fits it is not among what was opened
        made = replace(made, left_out=made.left_out + left_out)
    marks = stale_in(source, made.found, version)
    return Shown(made.found, made.left_out, filtered, marks, version, made.more, made.opened)


def _keys(found: Subgraph) -> set[str]:
    return {node.key for node in found.nodes}


def whole(q: Questions, wanted: Piece) -> Version:
    """The same whole."""
    if wanted.to is None:
        return version_of(q, around_of(wanted), wanted.at, wanted.against)
    starts = starts_of(q, wanted.node, wanted.workspace, wanted.ref)
    return Version(slice_between(q, starts, wanted.to), (*starts, wanted.to))


@router.get("/graph")
async def graph(request: Request, ask: Ask, wanted: Wanted, choice: WantedChoice) -> HTMLResponse:
    """The graph around a node or a ref, of a workspace, or between two nodes."""
    given: dict[str, Any] = {**wanted._asdict(), **choice._asdict()}
    chosen = {key: value for key, value in choice._asdict().items() if value is not None}
    asked = {**wanted.said(), **chosen}
    wrong: SelectionError | None = None
    values: dict[str, Any] = {}
    try:
        values = await ask.slow(lambda: values_of(ask.source, wanted, choice, asked))
    except SelectionError as error:
        wrong = error
    kept = {key: asked[key] for key in OF if key in asked}
    address = urlencode([*asked.items(), *wanted.said_open()])
    wider = {**asked, "limit": min(10_000, wanted.limit * 2)}
    here: dict[str, Any] = {key: asked[key] for key in ("node", "workspace", "ref") if key in asked}
    return page(
        request,
        "graph.html.j2",
        asked=given,
        kept=[*kept.items(), *wanted.said_open()],
        directions=DIRECTIONS,
        details=DETAILS,
        choice=choice,
        kinds=KINDS,
        wrong=wrong and mistake(choice.filter or "", wrong),
        more=f"/graph?{urlencode([*wider.items(), *wanted.said_open()])}",
        drawing=f"/graph/drawing?{address}",
        saved=[(form, f"/graph/picture.{form}?{address}") for form in MEDIA],
        around=f"/graph?{urlencode(here)}",
        impact=f"/impact?{urlencode(here)}" if wanted.node or wanted.ref else "",
        scripts=[asset(name) for name in GRAPH_SCRIPTS],
        **values,
    )


def values_of(
    source: Source, wanted: Piece, choice: Choice, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """What the page says of a piece of the graph."""
    shown = shown_by(source, wanted, choice)
    version = shown.version
    drawn = DRAWINGS.get(shown.found, wanted.detail, shown.marks)

    def around_it(q: Questions) -> tuple[str, Timeline]:
        heading = heading_of(q, wanted, version)
        return heading, timeline_of(q, around_of(wanted), version, asked)

    heading, times = source.ask(around_it)
    fits_nothing = bool(shown.filtered) and not shown.found.nodes
    nothing = "Nothing fits the filter." if fits_nothing else said_of_nothing(version, heading)
    return {
        "heading": heading,
        "left_out": shown.left_out,
        "filtered": shown.filtered,
        "resources": resources_in(version.found),
        "again": rerun_of(source, version.found) if wanted.to else None,
        "start": slice_start(wanted, version),
        "keys": [node["id"] for node in drawn["data"]["nodes"]],
        "times": times,
        "laid": laid_of(version),
        "nothing": nothing,
        **{key: drawn[key] for key in ("groupings", "legend", "rows", "note")},
    }


def slice_start(wanted: Piece, version: Version) -> str:
    """The node from which slices begin; empty where there is no one node, or not now."""
    named = wanted.node or wanted.ref
    if not named or wanted.at or wanted.against:
        return ""
    starts = [key for key in version.starts if key != wanted.to]
    return starts[0] if len(starts) == 1 else ""


def heading_of(q: Questions, wanted: Piece, version: Version) -> str:
    """What the page is about: the ref, the node by its name, its two ends, or the workspace."""
    found = version.found
    ends = set(version.starts) if wanted.to else {found.root}
    if names := " to ".join(n.name for n in found.nodes if n.key in ends):
        return names
    if wanted.ref is not None:
        return wanted.ref
    if wanted.node is None and wanted.workspace is not None:
        return q.workspace_names([wanted.workspace]).get(wanted.workspace, wanted.workspace)
    near = q.neighbourhood([wanted.node or ""], root=wanted.node or "", depth=1, limit=1)
    return next((n.name for n in near.nodes), wanted.node or "")


@router.get("/graph/drawing")
async def drawing(ask: Ask, wanted: Wanted, choice: WantedChoice) -> Response:
    """What the scripts of that page draw: nodes with their places, lines with their ways."""

    def made() -> bytes:
        shown = shown_by(ask.source, wanted, choice)
        drawn = DRAWINGS.get(shown.found, wanted.detail, shown.marks)
        opened = [[one.key, "down" if one.down else "up", one.steps] for one in shown.opened]
        return json.dumps({**drawn["data"], "more": shown.more, "opened": opened}).encode()

    return Response(await ask.slow(made), media_type="application/json")


@router.get("/graph/picture.{form}")
async def picture(
    ask: Ask, form: Literal["svg", "dot", "json"], wanted: Wanted, choice: WantedChoice
) -> Response:
    """What the page shows as a file; SVG by Graphviz where that is installed and quick enough."""

    def made() -> str:
        shown = shown_by(ask.source, wanted, choice)
        if form == "json":
            return Graph.of(shown.found, shown.left_out, shown.filtered).model_dump_json()
        draw = to_svg if form == "svg" else to_dot
        return draw(shown.found, title="Lineage", detail=wanted.detail, marks=shown.marks)

    named = {"content-disposition": f'attachment; filename="lineage.{form}"'}
    data = (await ask.slow(made)).encode()
    return Response(data, media_type=MEDIA[form], headers=named)
