"""The page for users' own queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from dws_graph.api.service.pages.cookbook import COOKBOOK
from dws_graph.api.service.pages.rendering import page
from dws_graph.api.service.v1.common import Ask
from dws_graph.backends.views import UNKNOWN, Questions
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.drawing import laid_out
from dws_graph.render.picture import picture_for
from dws_graph.render.svg import draw_svg

router = APIRouter(include_in_schema=False)
MOST_DRAWN = 300
Key = Annotated[str, Field(min_length=1, max_length=200)]


class Found(BaseModel):
    """Ids that stand in the rows of an answer."""

    keys: list[Key] = Field(min_length=1, max_length=MOST_DRAWN)


@router.get("/cypher")
async def cypher(
    request: Request, ask: Ask, query: Annotated[str, Query(max_length=20_000)] = ""
) -> HTMLResponse:
    """Where queries are written."""
    return page(
        request,
        "cypher.html.j2",
        section="cypher",
        view=ask.source.name,
        query=query or COOKBOOK[0][1],
        cookbook=COOKBOOK,
    )


@router.post("/cypher/picture.svg")
async def picture(ask: Ask, found: Found) -> Response:
    """The steps, versions and snapshots that an answer names, and what joins them; 204: none."""

    def made() -> bytes:
        piece = ask.source.ask(lambda q: between(q, found.keys))
        if not piece.nodes:
            return b""
        return draw_svg(laid_out(picture_for(piece, "certificates", {})), title="").encode()

    drawn = await ask.slow(made)
    return Response(drawn, media_type="image/svg+xml") if drawn else Response(status_code=204)


def between(q: Questions, keys: list[str]) -> Subgraph:
    """Those of the nodes that there are, and the arrows between them."""
    wanted = list(dict.fromkeys(keys))
    near = q.neighbourhood(wanted, root=wanted[0], depth=1, limit=len(wanted))
    known = [n for n in near.nodes if n.properties.get("resource") != UNKNOWN.name]
    kept = {node.key for node in known if node.key in wanted}
    return Subgraph(
        root=near.root,
        complete=near.complete,
        nodes=tuple(node for node in near.nodes if node.key in kept),
        edges=tuple(e for e in near.edges if e.source in kept and e.target in kept),
    )
