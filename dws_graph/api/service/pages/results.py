"""The page of a result: its metrics, where it came from, and its history over snapshots."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from dws_graph.api.service.cursors import cursor as cursor_of
from dws_graph.api.service.cursors import place
from dws_graph.api.service.pages.history import label, metrics_in
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.results import Result, newest_result, results, results_in
from dws_graph.api.service.sources import Source
from dws_graph.api.service.staleness import Holding, still_holds
from dws_graph.api.service.told import story
from dws_graph.api.service.v1.common import UUID, Ask, Cursor
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.api.service.v1.lineage import nearest
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import Questions
from dws_graph.model.refs import ResourceRef
from dws_graph.render.drawing import laid_out
from dws_graph.render.picture import picture_for
from dws_graph.render.prose import Section
from dws_graph.render.svg import draw_svg

router = APIRouter(include_in_schema=False)
ROWS = 20
NEAR, MOST_NODES = 8, 60  # what the picture on the page shows: arrows, nodes


class Told(NamedTuple):
    """What the page shows."""

    name: str
    result: Result
    sections: list[Section]
    stale: list[str]
    history: list[Result]
    beside: list[str]
    following: str | None


@router.get("/result")
async def one_result(
    request: Request,
    ask: Ask,
    workspace: Annotated[str, Query(pattern=UUID)],
    ref: Annotated[str, Query(max_length=10_000)],
    snapshot: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """A result as a snapshot holds it, else as the newest does that holds it at all."""
    wanted, after = ref_of(ref), place(cursor)
    told = await ask.slow(lambda: _told(ask.source, workspace, wanted, snapshot, after))
    found = str(told.result.certificate.ref)  # a part, where the whole is in no snapshot
    kept = {"workspace": workspace, "ref": found}
    here = {**kept, "snapshot": told.result.snapshot.hash}
    asked = {"node": told.result.certificate.id, "direction": "upstream"}
    return page(
        request,
        "result.html.j2",
        section="overview",
        workspace=workspace,
        ref=found,
        label=label(told.result.snapshot),
        names=metrics_in([one.metrics for one in told.history]),
        address=lambda one: f"/result?{urlencode({**kept, 'snapshot': one.snapshot.hash})}",
        picture=f"/result/picture.svg?node={told.result.certificate.id}",
        graph=f"/graph?{urlencode(asked)}",
        older=f"/result?{urlencode({**here, 'cursor': told.following})}" if told.following else "",
        called=label,
        first=after is None,
        **told._asdict(),
    )


def _told(
    source: Source, workspace: str, ref: ResourceRef, snapshot: str | None, after: Place | None
) -> Told:
    result = source.ask(lambda q: _result(q, workspace, ref, snapshot))
    holding = still_holds(source, workspace, result.certificate, result.snapshot.hash)
    return source.ask(lambda q: _told_of(q, workspace, ref, result, holding, after))


def _told_of(
    q: Questions,
    workspace: str,
    ref: ResourceRef,
    result: Result,
    holding: Holding | None,
    after: Place | None,
) -> Told:
    beside = [str(one.certificate.ref) for one in results_in(q, result.snapshot, (), ref)]
    ref = result.certificate.ref
    found = results(q, workspace, ROWS + 1, after, ref)
    following = cursor_of(found[ROWS - 1][0].place) if len(found) > ROWS else None
    history = [one for _, many in found[:ROWS] for one in many if one.certificate.ref == ref]
    same = [label(r.snapshot) for r in history if r.certificate.id == result.certificate.id]
    names = same or [label(result.snapshot)]
    sections = story(q, result.certificate, result.step, names[::-1], holding)
    name = q.workspace_names([workspace]).get(workspace, workspace)
    beside.remove(str(ref))
    others = [one for one in history if one.snapshot.hash != result.snapshot.hash]
    why = [f"{reason}: {of}" for _, of, reason in holding.stale] if holding else []
    return Told(name, result, sections, why, others, beside, following)


def _result(q: Questions, workspace: str, ref: ResourceRef, snapshot: str | None) -> Result:
    if snapshot is None:
        newest = newest_result(q, workspace, ref)
        if newest is None:
            raise not_found("No snapshot holds that.")
        return newest
    info = q.snapshot(workspace, snapshot)
    if info is None:
        raise not_found("There is no such snapshot.")
    found = results_in(q, info, (), ref)
    if not found:
        raise not_found("That snapshot does not hold that.")
    return found[0]


@router.get("/result/picture.svg")
async def picture(ask: Ask, node: Annotated[str, Query(max_length=200)]) -> Response:
    """The last steps on the way to a version, as a picture."""

    def made() -> bytes:
        found = ask.source.ask(lambda q: q.upstream([node], root=node, depth=NEAR))
        if not found.nodes:
            raise not_found("There is no such version.")
        near, _ = nearest(found, (node,), MOST_NODES)
        return draw_svg(laid_out(picture_for(near, "steps", {})), title="").encode()

    return Response(await ask.slow(made), media_type="image/svg+xml")
