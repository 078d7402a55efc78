"""What is asked for as it is, as it was, or as one version over another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dws_graph.api.laying_over import laid_over
from dws_graph.api.past import unmarked
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.v1.lineage import starts_of
from dws_graph.api.service.v1.then import (
    Around,
    current_of,
    lineage_at,
    snapshot_named,
    workspace_of,
)
from dws_graph.backends.views import Questions, SnapshotInfo
from dws_graph.model.subgraph import Subgraph

EMPTY = Subgraph(root="", complete=True, nodes=(), edges=())


@dataclass(frozen=True, slots=True)
class Version:
    """A piece of the graph, at a snapshot or now.

    Attributes:
        found: The piece.
        starts: Ids of its middle: what is farthest from these is left out first.
        snapshot: None for now.
        against: The snapshot that it is laid over.
    """

    found: Subgraph
    starts: tuple[str, ...]
    snapshot: SnapshotInfo | None = None
    against: SnapshotInfo | None = None


def version_of(q: Questions, around: Around, at: str | None, against: str | None) -> Version:
    """What is asked for.

    Args:
        q: Answers.
        around: What it is around.
        at: A snapshot; None for now.
        against: One to lay that over.

    Raises:
        Problem: There is no such node, ref or snapshot.
    """
    one = _version(q, around, at)
    if against is None:
        return one
    before = _version(q, around, against)
    laid = unmarked(laid_over(q, before.found, one.found))
    changed = tuple(n.key for n in laid.nodes if n.properties["change"] != "same")
    starts = (*([laid.root] if laid.root else ()), *changed)
    return replace(one, found=laid, starts=starts or one.starts, against=before.snapshot)


def _version(q: Questions, around: Around, at: str | None) -> Version:
    if at is None:
        return _now(q, around)
    snapshot = snapshot_named(q, workspace_of(q, around), at)
    found = lineage_at(q, snapshot, around)
    marked = tuple(n.key for n in found.nodes if n.properties.get("current"))
    return Version(found, (found.root,) if found.root else marked, snapshot)


def _now(q: Questions, around: Around) -> Version:
    if around.node is None and around.ref is None and around.workspace is not None:
        starts = tuple(current_of(q, around.workspace))
        return Version(_both_ways(q, starts, "", around) if starts else EMPTY, starts)
    starts = starts_of(q, around.node, around.workspace, around.ref)
    found = _both_ways(q, starts, starts[0], around)
    if not found.nodes:
        raise not_found("There is no such node.")
    return Version(found, starts)


def _both_ways(q: Questions, starts: tuple[str, ...], root: str, around: Around) -> Subgraph:
    parts = []
    if around.up:
        parts.append(q.upstream(starts, root=root, depth=around.depth))
    if around.down:
        parts.append(q.downstream(starts, root=root, depth=around.depth))
    return parts[0] if len(parts) == 1 else joined(*parts)


def joined(up: Subgraph, down: Subgraph) -> Subgraph:
    """Two pieces as one."""
    return Subgraph(
        root=up.root,
        complete=up.complete and down.complete,
        nodes=tuple({n.key: n for n in (*up.nodes, *down.nodes)}.values()),
        edges=tuple(dict.fromkeys((*up.edges, *down.edges))),
    )
