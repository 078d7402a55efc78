"""The slider of the graph's page: the workspace's snapshots, and now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from dws_graph.api.laying_over import counted
from dws_graph.api.past import Marks
from dws_graph.api.service.pages.history import label
from dws_graph.api.service.pages.rendering import moment
from dws_graph.api.service.sources import Source
from dws_graph.api.service.staleness import why_stale
from dws_graph.api.service.v1.common import Ask
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace
from dws_graph.api.service.v1.then import Around, moments_of
from dws_graph.api.service.v1.versions import Version
from dws_graph.backends.views import Questions, SnapshotInfo
from dws_graph.model.subgraph import Subgraph

router = APIRouter(include_in_schema=False)
NOW = "now"
MOST_KEPT = 40  # words of an address that are taken over


class Point(NamedTuple):
    """A moment of the slider; `hash` is empty for now."""

    number: int
    hash: str
    label: str
    time: str
    url: str


class Timeline(NamedTuple):
    """The slider.

    Attributes:
        points: Its moments, oldest first; the last is now.
        at: The one that is shown.
        against: The one that it is laid over.
        previous: The one before.
        next: The one after.
        kept: What else the address says, for the form.
    """

    points: list[Point]
    at: Point
    against: Point | None
    previous: Point | None
    next: Point | None
    kept: list[tuple[str, Any]]


class Laid(NamedTuple):
    """What is said of two versions over one another."""

    before: str
    after: str
    counts: Mapping[str, int]


def timeline_of(
    q: Questions, around: Around, version: Version, asked: Mapping[str, Any]
) -> Timeline:
    """The slider of what a page shows; `asked` is what its address says."""
    known = moments_of(q, around)
    shown = [one for one in (version.against, version.snapshot) if one is not None]
    for one in shown:  # older than those that are listed
        if one.hash not in {other.hash for other in known}:
            known.insert(0, one)
    points = [_point(n, one, asked) for n, one in enumerate(known)]
    points.append(Point(len(points), "", NOW, "", _address(asked, None)))
    by_hash = {point.hash: point for point in points}
    at = by_hash[version.snapshot.hash if version.snapshot else ""]
    kept = [(name, value) for name, value in asked.items() if name not in ("at", "against")]
    return Timeline(
        points,
        at,
        by_hash[version.against.hash] if version.against else None,
        points[at.number - 1] if at.number else None,
        points[at.number + 1] if at.number + 1 < len(points) else None,
        kept,
    )


def _point(number: int, snapshot: SnapshotInfo, asked: Mapping[str, Any]) -> Point:
    when = moment(snapshot.timestamp)
    return Point(number, snapshot.hash, label(snapshot), when, _address(asked, snapshot.hash))


def _address(asked: Mapping[str, Any], at: str | None) -> str:
    others = {name: value for name, value in asked.items() if name != "at"}
    return f"/graph?{urlencode({**others, **({'at': at} if at else {})})}"


def laid_of(version: Version) -> Laid | None:
    """What is said of an overlay; None where there is none."""
    if version.against is None:
        return None
    after = label(version.snapshot) if version.snapshot else NOW
    return Laid(label(version.against), after, counted(version.found))


def said_of_nothing(version: Version, heading: str) -> str:
    """Why there is nothing to be seen; empty where there is something."""
    if version.found.nodes:
        return ""
    if version.snapshot is None:
        return "Nothing is current in this workspace."
    return f"Nothing of {heading} had been recorded at snapshot {label(version.snapshot)}."


def stale_in(source: Source, found: Subgraph, version: Version) -> Marks:
    """Why nodes are stale: at the snapshot that is shown, by what had been recorded; else now.

    Of the workspace on this machine its files are looked at, too; of two versions over one another
    nothing is said.
    """
    if version.against is not None:
        return {}
    return why_stale(source, found, version.snapshot)


@router.get("/graph/moment")
async def at_a_moment(
    request: Request,
    ask: Ask,
    moment: Annotated[int, Query(ge=0, le=10_000)],
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
) -> RedirectResponse:
    """Leads from a place of the slider, which a form sends, to the address of that moment."""
    around = Around(node or None, workspace, ref or None)
    known = await ask.ask(lambda q: moments_of(q, around))
    words = _words(request.query_params.multi_items())
    return RedirectResponse(_address(words, _hash_at(known, moment)), status_code=303)


def _hash_at(known: Sequence[SnapshotInfo], number: int) -> str | None:
    return known[number].hash if number < len(known) else None


def _words(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The words of an address that go on to another, but for the place and those without value."""
    return {name: value for name, value in given[:MOST_KEPT] if value and name != "moment"}
