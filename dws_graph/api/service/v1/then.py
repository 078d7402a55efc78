"""What requests ask of the past: `at` a snapshot."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Query

from dws_graph.api.past import current_marked, held_at, moment_of, versions_at
from dws_graph.api.service.problems import not_found, refused
from dws_graph.api.service.v1.filters import ref_of
from dws_graph.backends.views import Questions, SnapshotInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.subgraph import Subgraph

FEWEST_DIGITS = 6  # of a snapshot's hash that name it
LISTED = 500  # snapshots, the newest, among which names are looked for
At = Annotated[
    str | None,
    Query(max_length=200, description="As it was at a snapshot: its tag, hash, or id."),
]


class Around(NamedTuple):
    """What a lineage is asked around: a node, a ref, or all of a workspace."""

    node: str | None
    workspace: str | None
    ref: str | None
    up: bool = True
    down: bool = True
    depth: int | None = None


def workspace_of(q: Questions, around: Around) -> str:
    """The workspace whose snapshots are meant: the one named, else the node's.

    Raises:
        Problem: There is no such node.
    """
    if around.workspace is not None:
        return around.workspace
    if around.ref is not None:
        raise refused("A ref needs the workspace that it is of.", "Give workspace=ID, too.")
    if around.node is None:
        raise refused("Name a node, a ref, or a workspace.", "Give node=ID, or workspace=ID.")
    if not (found := _of_node(q, around.node)):
        raise not_found("There is no such node, or nobody told yet whose it is.")
    return found


def _of_node(q: Questions, node: str) -> str:
    near = q.neighbourhood([node], root=node, depth=1, limit=1)
    return next((str(n.properties.get("workspace") or "") for n in near.nodes), "")


def moments_of(q: Questions, around: Around) -> list[SnapshotInfo]:
    """The newest snapshots of the workspace that is meant, oldest first; none where none is."""
    workspace = around.workspace or (_of_node(q, around.node) if around.node else "")
    return snapshots_of(q, workspace) if workspace else []


def snapshots_of(q: Questions, workspace: str) -> list[SnapshotInfo]:
    """The newest snapshots of a workspace, oldest first."""
    return q.newest_snapshots(workspace, LISTED)[::-1]


def snapshot_named(q: Questions, workspace: str, name: str) -> SnapshotInfo:
    """A snapshot by its tag, its hash or the first digits of that, or its id.

    Raises:
        Problem: There is none, or there are several.
    """
    if (exact := q.snapshot(workspace, name)) is not None:
        return exact
    known = snapshots_of(q, workspace)
    found = [one for one in known if name in one.tags or name == one.id]
    if not found and len(name) >= FEWEST_DIGITS:
        found = [one for one in known if one.hash.startswith(name)]
    if len(found) > 1:
        raise refused(
            "Several snapshots begin like that.", "Give more digits of the hash, or a tag."
        )
    if not found:
        raise not_found("There is no such snapshot in that workspace.")
    return found[0]


def lineage_at(q: Questions, snapshot: SnapshotInfo, around: Around) -> Subgraph:
    """A lineage at a snapshot, what was current then marked; nothing where nothing was known."""
    held = held_at(q, snapshot)
    starts = _starts_at(q, snapshot, around, held)
    found = q.lineage_then(
        starts,
        moment_of(snapshot),
        root=_root(around, starts),
        up=around.up,
        down=around.down,
        depth=around.depth,
    )
    return current_marked(found, held)


def _starts_at(
    q: Questions, snapshot: SnapshotInfo, around: Around, held: list[Certificate]
) -> list[str]:
    if around.node is not None:
        return [around.node]
    if around.ref is not None:
        return versions_at(q, snapshot, ref_of(around.ref))
    return [certificate.id for certificate in held]


def _root(around: Around, starts: list[str]) -> str:
    """What is marked as asked for: nothing where that is all there is."""
    if around.node is None and around.ref is None:
        return ""
    return starts[0] if starts else ""


def current_of(q: Questions, workspace: str) -> list[str]:
    """All that is current in any copy of a workspace."""
    found: dict[str, None] = {}
    for copy in q.instances(workspace):
        found |= {c.id: None for c in q.current(workspace, copy.id).values()}
    return list(found)
