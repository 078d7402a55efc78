"""Where something came from, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query, Response

from dws_graph.api.refs import standing_for
from dws_graph.api.service.problems import not_found, refused
from dws_graph.api.service.shapes import Certificate, Graph, Page, StaleReason, StaleStep, StepRow
from dws_graph.api.service.sifting import Sifted, sifted
from dws_graph.api.service.sources import Source
from dws_graph.api.service.staleness import stale_steps, why_stale
from dws_graph.api.service.v1.common import Ask, Depth, OneWorkspace, WorkspaceId, problems
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.api.service.v1.then import Around, At, lineage_at, snapshot_named, workspace_of
from dws_graph.backends.views import Questions, SnapshotInfo
from dws_graph.model.certificates import Certificate as Known
from dws_graph.model.refs import ResourceRef
from dws_graph.model.selection import Selection
from dws_graph.model.selection_text import LONGEST, parsed
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.dot import to_dot

router = APIRouter(tags=["lineage"])
MOST_NODES = 10_000
MOST_PARTS = 100
RECENT = 50  # snapshots in which a result is looked for
Direction = Literal["upstream", "downstream", "neighbourhood"]
Nodes = Annotated[int, Query(ge=1, le=MOST_NODES, description="At most so many nodes.")]
NodeKey = Annotated[str | None, Query(max_length=200, description="The id of a node.")]
Workspace = OneWorkspace
RefText = Annotated[
    str | None, Query(max_length=10_000, description="NAME or NAME:/PATH; what is current of it.")
]
FilterText = Annotated[
    str | None,
    Query(
        max_length=LONGEST,
        description="Which of them: names, KEY:VALUE, +, and, or, not; see the documentation.",
        examples=["+results and kind:step"],
    ),
]


def starts_of(
    q: Questions, node: str | None, workspace: str | None, ref: str | None
) -> tuple[str, ...]:
    """The ids of the nodes that a question begins at.

    Raises:
        Problem: Neither a node nor a ref is named, or nothing is known of it.
    """
    if (node is None) == (ref is None):
        raise refused("Name a node, or a ref.", "Give node=ID, or workspace=ID and ref=NAME.")
    if node is not None:
        return (node,)
    if workspace is None or ref is None:
        raise refused("A ref needs the workspace that it is of.", "Give workspace=ID, too.")
    found = newest_of(q, workspace, ref_of(ref))
    if not found:
        raise not_found("Nothing is known of that ref.")
    return found


def newest_of(q: Questions, workspace: str, ref: ResourceRef) -> tuple[str, ...]:
    """What stands for a ref now, as for `dws lineage upstream`: the versions of it and its parts.

    Those that are current in the copy that was active last; else, of results that a snapshot has
    moved, in the newest snapshot that holds any; else the newest of each.
    """
    for copy in q.instances(workspace)[:1]:
        if found := _standing_for(ref, q.current(workspace, copy.id)):
            return found
    for snapshot in q.newest_snapshots(workspace, RECENT):
        held = q.snapshot_certificates(workspace, snapshot.hash)
        if found := _standing_for(ref, {one.certificate.ref: one.certificate for one in held}):
            return found
    refs = [one for one in q.refs(workspace, ref.name) if ref == one or ref.covers(one)]
    several = [q.certificates_of(workspace, one) for one in refs[:MOST_PARTS]]
    return tuple(versions[0].id for versions in several if versions)


def _standing_for(ref: ResourceRef, held: Mapping[ResourceRef, Known]) -> tuple[str, ...]:
    near = [one for one in held if ref.touches(one)]
    return tuple(held[one].id for one in standing_for(ref, near)[:MOST_PARTS])


def reached(
    q: Questions, direction: Direction, starts: tuple[str, ...], depth: int | None, nodes: int
) -> Graph:
    """What lies in a direction, the nearest first where that is too much.

    Raises:
        Problem: There is no such node.
    """
    root = starts[0]
    left_out = 0
    if direction == "neighbourhood":
        found = q.neighbourhood(starts, root=root, depth=depth or 1, limit=nodes)
    else:
        ask = q.upstream if direction == "upstream" else q.downstream
        found = ask(starts, root=root, depth=depth)
        if len(found.nodes) > nodes:
            found, left_out = nearest(found, starts, nodes)
    if not found.nodes:
        raise not_found("There is no such node.")
    return Graph.of(found, left_out)


def nearest(found: Subgraph, starts: tuple[str, ...], most: int) -> tuple[Subgraph, int]:
    """The nodes of a piece that are nearest to its starts, and how many are left out."""
    near: dict[str, list[str]] = {}
    for edge in found.edges:
        near.setdefault(edge.source, []).append(edge.target)
        near.setdefault(edge.target, []).append(edge.source)
    kept = dict.fromkeys([n.key for n in found.nodes if n.key in starts][:most])
    waiting = list(kept)
    for key in waiting:
        for other in near.get(key, ()):
            if other not in kept and len(kept) < most:
                kept[other] = None
                waiting.append(other)
    return (
        Subgraph(
            root=found.root,
            complete=found.complete,
            nodes=tuple(n for n in found.nodes if n.key in kept),
            edges=tuple(e for e in found.edges if e.source in kept and e.target in kept),
        ),
        len(found.nodes) - len(kept),
    )


@router.get("/lineage/{direction}", responses=problems(404))
async def get_lineage(
    ask: Ask,
    direction: Direction,
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    depth: Depth = None,
    limit: Nodes = 2_000,
    at: At = None,
    filter: FilterText = None,
) -> Graph:
    """What a node or ref was made from (upstream), what was made from it, or what is around it.

    With `at`, as it was at a snapshot of the workspace that is named, else of the node's: what had
    been recorded by then, what was current then marked so; `depth` counts steps. What became of
    content since, its hash, is told as it is known now. Without a node or ref: all of a workspace.
    """
    selection = parsed(filter or "")
    if selection is not None:
        asked = Asked(direction, node, workspace, ref, depth, at)
        return await ask.slow(lambda: Graph.of(*chosen(ask.source, asked, selection, limit)))
    if at is not None:
        around = around_of(direction, node, workspace, ref, depth)
        return await ask.ask(lambda q: reached_then(q, around, at, limit))
    return await ask.ask(
        lambda q: reached(q, direction, starts_of(q, node, workspace, ref), depth, limit)
    )


def around_of(
    direction: Direction,
    node: str | None,
    workspace: str | None,
    ref: str | None,
    depth: int | None,
) -> Around:
    """What is asked, where it is of the past."""
    if node is not None and ref is not None:
        raise refused("Name a node, or a ref.", "Give node=ID, or workspace=ID and ref=NAME.")
    if ref is not None and workspace is None:
        raise refused("A ref needs the workspace that it is of.", "Give workspace=ID, too.")
    up, down = direction != "downstream", direction != "upstream"
    return Around(node, workspace, ref, up, down, depth)


def reached_then(q: Questions, around: Around, at: str, most: int) -> Graph:
    """What lay in a direction at a snapshot.

    Raises:
        Problem: There is no such snapshot, or nothing was known then of what is asked for.
    """
    found = then_of(q, around, at)
    if len(found.nodes) <= most:
        return Graph.of(found)
    current = tuple(n.key for n in found.nodes if n.properties.get("current"))
    return Graph.of(*nearest(found, (found.root,) if found.root else current, most))


def then_of(q: Questions, around: Around, at: str) -> Subgraph:
    """The same whole.

    Raises:
        Problem: There is no such snapshot, or nothing was known then of what is asked for.
    """
    return at_snapshot(q, around, snapshot_named(q, workspace_of(q, around), at))


def at_snapshot(q: Questions, around: Around, snapshot: SnapshotInfo) -> Subgraph:
    """The same of a snapshot that is known.

    Raises:
        Problem: Nothing was known then of what is asked for.
    """
    found = lineage_at(q, snapshot, around)
    if not found.nodes:
        raise not_found("Nothing was known of that at that snapshot.")
    return found


class Asked(NamedTuple):
    """What a request asks for."""

    direction: Direction
    node: str | None
    workspace: str | None
    ref: str | None
    depth: int | None
    at: str | None


class Whole(NamedTuple):
    """All of what was asked for: where it begins, and at which snapshot, if at any."""

    found: Subgraph
    starts: tuple[str, ...]
    snapshot: SnapshotInfo | None = None


def whole(q: Questions, asked: Asked) -> Whole:
    """All that lies in a direction; of a neighbourhood so many nodes as may be asked for.

    Raises:
        Problem: There is no such node, ref or snapshot.
    """
    direction, node, workspace, ref, depth, at = asked
    if at is not None:
        around = around_of(direction, node, workspace, ref, depth)
        snapshot = snapshot_named(q, workspace_of(q, around), at)
        found = at_snapshot(q, around, snapshot)
        current = tuple(n.key for n in found.nodes if n.properties.get("current"))
        return Whole(found, (found.root,) if found.root else current, snapshot)
    starts = starts_of(q, node, workspace, ref)
    if direction == "neighbourhood":
        found = q.neighbourhood(starts, root=starts[0], depth=depth or 1, limit=MOST_NODES)
    else:
        question = q.upstream if direction == "upstream" else q.downstream
        found = question(starts, root=starts[0], depth=depth)
    if not found.nodes:
        raise not_found("There is no such node.")
    return Whole(found, starts)


def chosen(
    source: Source, asked: Asked, selection: Selection | None, most: int | None = None
) -> Sifted:
    """What a filter selects of it; of too much the nearest."""
    found, starts, snapshot = source.ask(lambda q: whole(q, asked))
    return sifted(
        source,
        found,
        selection,
        starts=starts,
        most=most,
        stale=lambda: why_stale(source, found, snapshot),
    )


@router.get(
    "/export/{direction}",
    responses={
        **problems(404),
        200: {"content": {"application/json": {}, "text/vnd.graphviz": {}}, "model": Graph},
    },
)
async def export_lineage(
    ask: Ask,
    direction: Direction,
    format: Literal["json", "dot"] = "json",
    node: NodeKey = None,
    workspace: Workspace = None,
    ref: RefText = None,
    depth: Depth = None,
    at: At = None,
    filter: FilterText = None,
) -> Response:
    """The same as a file: all of it, as JSON or as a text for Graphviz."""
    asked = Asked(direction, node, workspace, ref, depth, at)
    selection = parsed(filter or "")

    def make() -> tuple[bytes, str]:
        found = chosen(ask.source, asked, selection)
        if format == "dot":
            return to_dot(found.found, title="Lineage").encode(), "text/vnd.graphviz"
        return Graph.of(*found).model_dump_json().encode(), "application/json"

    data, media = await ask.slow(make)
    named = {"content-disposition": f'attachment; filename="lineage.{format}"'}
    return Response(data, media_type=media, headers=named)


@router.get("/certificates/{certificate}", responses=problems(404))
async def get_certificate(ask: Ask, certificate: str) -> Certificate:
    """The state of a ref at one time."""
    found = await ask.ask(lambda q: q.certificates([certificate]))
    if certificate not in found:
        raise not_found("There is no such certificate.")
    return Certificate.of(found[certificate])


@router.get("/workspaces/{workspace}/stale", responses=problems())
async def get_stale(
    ask: Ask, workspace: WorkspaceId, instance: Annotated[str, Query(max_length=64)]
) -> Page[StaleStep]:
    """What is to be run again in a copy of a workspace, by what was recorded.

    Of the copy on this machine its files are looked at, too.
    """
    found = await ask.slow(lambda: stale_steps(ask.source, workspace, instance))
    rows = [
        StaleStep(
            step=StepRow.of(stale.step),
            outputs=list(map(str, stale.outputs)),
            reasons=[StaleReason(ref=str(ref), reason=why) for ref, why in stale.reasons],
        )
        for stale in found
    ]
    return Page(items=rows)
