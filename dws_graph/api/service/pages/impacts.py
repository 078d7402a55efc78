"""The page of an impact: what a change would reach, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.service.cursors import cursor as cursor_of
from dws_graph.api.service.cursors import place
from dws_graph.api.service.impacts import Wanted, after, impact
from dws_graph.api.service.pages.choosing import (
    KINDS,
    Choice,
    WantedChoice,
    mistake,
)
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.v1.common import Ask, Cursor, Depth
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.api.service.v1.impact import Order
from dws_graph.api.service.v1.lineage import NodeKey, RefText, Workspace
from dws_graph.backends.views import Questions
from dws_graph.errors import SelectionError
from dws_graph.model.impact import Column, Reached
from dws_graph.model.selection import Selection

router = APIRouter(include_in_schema=False)
ROWS = 100
COLUMNS: tuple[tuple[Column, str], ...] = (
    ("away", "Steps away"),
    ("kind", "Kind"),
    ("name", "Name"),
    ("workspace", "Workspace"),
    ("resource", "Resource"),
    ("stale", "Stale"),
    ("time", "Last written (UTC)"),
    ("step", "By"),
)


class Head(NamedTuple):
    """A heading, which sorts the table."""

    said: str
    url: str
    sorted: str


class Asked(NamedTuple):
    """Whose impact is asked for, and in what order."""

    node: str | None
    workspace: str | None
    ref: str | None
    depth: int | None
    sort: Column
    order: Literal["asc", "desc"]

    def wanted(self, selection: Selection | None) -> Wanted:
        """The same with a filter."""
        ref = None if self.ref is None else ref_of(self.ref)
        back = self.order == "desc"
        return Wanted(self.node, self.workspace, ref, self.depth, selection, self.sort, back)


async def asked_for(
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    depth: Depth = None,
    sort: Column = "away",
    order: Order = "asc",
) -> Asked:
    """What a request asks for."""
    return Asked(node, workspace, ref, depth, sort, order)


@router.get("/impact")
async def impact_page(
    request: Request,
    ask: Ask,
    choice: WantedChoice,
    asked: Annotated[Asked, Depends(asked_for)],
    cursor: Cursor = None,
) -> HTMLResponse:
    """All that was made from a node, or from any version of a ref."""
    at = place(cursor)
    wrong: SelectionError | None = None
    rows: Sequence[Reached] = ()
    wanted = asked.wanted(None)
    try:
        wanted = asked.wanted(choice.selection())
        rows = await ask.slow(lambda: impact(ask.source, wanted))
    except SelectionError as error:
        wrong = error
    shown = after(rows, wanted, at)
    here, given = told(asked, "node", "workspace", "ref"), {**told(asked), **told(choice)}
    return page(
        request,
        "impact.html.j2",
        heading=await ask.ask(lambda q: name_of(q, asked)),
        asked=asked,
        here=list(here.items()),
        choice=choice,
        kinds=KINDS,
        resources=sorted({row.resource for row in rows if row.resource}),
        wrong=wrong and mistake(choice.filter or "", wrong),
        rows=shown[:ROWS],
        summary=summary(rows),
        heads=heads(given),
        graph=f"/graph?{urlencode({**here, 'direction': 'downstream'})}",
        csv=exported(asked, wanted.selection, format="csv"),
        json=exported(asked, wanted.selection),
        next=next_page(shown, wanted, given),
    )


def told(asked: Asked | Choice, *names: str) -> dict[str, Any]:
    """What was asked for, as an address has it: all of it, or these."""
    given: dict[str, Any] = asked._asdict()
    return {key: given[key] for key in names or given if given[key] is not None}


def exported(asked: Asked, selection: Selection | None, **more: str) -> str:
    """The same table from the HTTP API, which has the filter alone."""
    chosen = {} if selection is None else {"filter": str(selection)}
    return f"/api/v1/impact?{urlencode({**told(asked), **chosen, **more})}"


def name_of(q: Questions, asked: Asked) -> str:
    """What people call it."""
    if asked.node is None:
        return str(asked.ref)
    if found := q.certificates([asked.node]).get(asked.node):
        return str(found.ref)
    step = q.step(asked.node)
    return step.name if step else asked.node


def summary(rows: Sequence[Reached]) -> str:
    """How much there is, in a sentence."""
    if not rows:
        return "Nothing was made from it that fits."
    counts = Counter(row.kind for row in rows)
    words = {"step": ("step", "steps"), "data": ("piece of data", "pieces of data")}
    said = [
        f"{many} {words.get(kind, (kind, kind))[many > 1]}" for kind, many in sorted(counts.items())
    ]
    stale = sum(1 for row in rows if row.stale)
    return f"{' and '.join(said)}; {stale or 'none'} of them {'is' if stale == 1 else 'are'} stale."


def heads(given: Mapping[str, Any]) -> list[Head]:
    """The headings, each with the address that sorts by it."""
    found = []
    for column, said in COLUMNS:
        here = given["sort"] == column
        turned = "desc" if here and given["order"] == "asc" else "asc"
        url = f"/impact?{urlencode({**given, 'sort': column, 'order': turned})}"
        state = ("ascending" if given["order"] == "asc" else "descending") if here else ""
        found.append(Head(said, url, state))
    return found


def next_page(rows: Sequence[Reached], wanted: Wanted, given: Mapping[str, Any]) -> str:
    """The address of the rows that follow."""
    if len(rows) <= ROWS:
        return ""
    at = cursor_of(rows[ROWS - 1].place(wanted.sort))
    return f"/impact?{urlencode({**given, 'cursor': at})}"
