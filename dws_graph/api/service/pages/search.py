"""The page of the search: what was found by its kind, with what of it has the text marked."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.service.cursors import cursor as cursor_of
from dws_graph.api.service.cursors import place
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.results import result_resources
from dws_graph.api.service.v1.common import Ask, Cursor
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import Hit, HitKind, Questions
from dws_graph.render.text import shortened

router = APIRouter(include_in_schema=False)
ROWS, FEW = 50, 8
LONGEST = 300
KINDS: dict[HitKind, str] = {
    "workspace": "Workspaces",
    "resource": "Resources",
    "ref": "Data and code",
    "certificate": "Versions",
    "snapshot": "Snapshots",
    "step": "Steps",
}


class Group(NamedTuple):
    """Hits of one kind; `more` leads to those that follow."""

    title: str
    hits: list[Hit]
    more: str


@router.get("/search")
async def search(
    request: Request,
    ask: Ask,
    q: Annotated[str, Query(max_length=1_000)] = "",
    kind: HitKind | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """A text in everything that was recorded."""
    text, after = q.strip(), place(cursor)

    def asked(questions: Questions) -> tuple[list[Group], dict[str, str], set[str]]:
        kinds = list(KINDS) if kind is None else [kind]
        rows = FEW if kind is None else ROWS
        groups = [_group(questions, text, one, rows, after) for one in kinds] if text else []
        hits = [hit for group in groups for hit in group.hits]
        names = questions.workspace_names({hit.workspace for hit in hits})
        return groups, names, _of_results(questions, hits)

    groups, names, of_results = await ask.ask(asked)
    return page(
        request,
        "search.html.j2",
        q=text,
        kind=kind,
        groups=[group for group in groups if group.hits],
        names=names,
        address=address,
        result=lambda hit: result_url(hit) if hit.key in of_results else "",
        pieces=lambda said: pieces(said, text),
    )


def _group(q: Questions, text: str, kind: HitKind, rows: int, after: Place | None) -> Group:
    hits = q.search(text, None, rows + 1, kind=kind, after=after)
    more = ""
    if len(hits) > rows:
        asked = {"q": text, "kind": kind, "cursor": cursor_of(hits[rows - 1].place)}
        more = f"/search?{urlencode(asked)}"
    return Group(KINDS[kind], hits[:rows], more)


def _of_results(q: Questions, hits: list[Hit]) -> set[str]:
    """The keys of those that are results, of which a snapshot may hold versions."""
    found = [hit for hit in hits if hit.kind in ("resource", "ref", "certificate")]
    names = {
        workspace: result_resources(q, workspace) if q.newest_snapshots(workspace, 1) else ()
        for workspace in {hit.workspace for hit in found}
    }
    return {hit.key for hit in found if hit.name.partition(":")[0] in names[hit.workspace]}


def result_url(hit: Hit) -> str:
    """The page of a result."""
    return f"/result?{urlencode({'workspace': hit.workspace, 'ref': hit.name})}"


def address(hit: Hit) -> str:
    """The page of what was found."""
    key = quote(hit.key, safe="")
    if hit.kind in ("workspace", "step", "certificate"):
        return f"/{hit.kind}s/{key}"
    if hit.kind == "snapshot":
        return f"/workspaces/{quote(hit.workspace, safe='')}/snapshots/{quote(hit.hash, safe='')}"
    return f"/graph?{urlencode({'workspace': hit.workspace, 'ref': hit.name})}"


def pieces(said: str, text: str) -> list[tuple[str, bool]]:
    """What is said, in pieces: those that are the text (in any case) are true."""
    shown, wanted = shortened(said, LONGEST), text.lower()
    lower = shown.lower()
    if not wanted or len(lower) != len(shown):  # some letters are two in lower case
        return [(shown, False)]
    found: list[tuple[str, bool]] = []
    at = 0
    while (begin := lower.find(wanted, at)) >= 0:
        end = begin + len(wanted)
        found += [(shown[at:begin], False), (shown[begin:end], True)]
        at = end
    return [piece for piece in (*found, (shown[at:], False)) if piece[0]]
