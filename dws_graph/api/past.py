"""The graph at a snapshot: what was current then, and what was stale by what had been recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dws_graph.backends.judging import stale_given
from dws_graph.backends.overviews import Moment
from dws_graph.backends.views import UNKNOWN, Questions, SnapshotInfo, StaleStep
from dws_graph.model.certificates import Certificate
from dws_graph.model.ids import uuid7_time
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Node, Subgraph

MOST_STEPS = 100_000
MOST_COPIES = 8  # of a workspace, whose staleness is asked
Marks = dict[str, list[str]]


def moment_of(snapshot: SnapshotInfo) -> Moment:
    """When a snapshot was recorded; it is itself part of what there was then."""
    time = uuid7_time(snapshot.recorded) or ""  # to the millisecond
    return Moment(snapshot.recorded, max(time, snapshot.timestamp))


def held_at(q: Questions, snapshot: SnapshotInfo) -> list[Certificate]:
    """What was current at a snapshot."""
    held = q.snapshot_certificates(snapshot.workspace, snapshot.hash)
    return [one.certificate for one in held if one.certificate.ref != UNKNOWN]


def versions_at(q: Questions, snapshot: SnapshotInfo, ref: ResourceRef) -> list[str]:
    """The versions of a ref at a snapshot: what was current of it, else the newest known then."""
    held = held_at(q, snapshot)
    if found := [c.id for c in held if c.ref == ref] or [c.id for c in held if ref.covers(c.ref)]:
        return found
    versions = [c.id for c in q.certificates_of(snapshot.workspace, ref)]
    known = q.known_then(versions, moment_of(snapshot))
    return [key for key in versions if key in known][:1]


def current_marked(found: Subgraph, held: Sequence[Certificate]) -> Subgraph:
    """The same, each node saying whether it was current."""
    keys = {certificate.id for certificate in held}

    def marked(node: Node) -> Node:
        return replace(node, properties={**node.properties, "current": True})

    nodes = tuple(marked(n) if n.key in keys else n for n in found.nodes)
    return replace(found, nodes=nodes)


def unmarked(found: Subgraph) -> Subgraph:
    """The same without these marks: of two versions over one another they would be those of one."""

    def plain(node: Node) -> Node:
        said = {key: value for key, value in node.properties.items() if key != "current"}
        return replace(node, properties=said)

    return replace(found, nodes=tuple(map(plain, found.nodes)))


def stale_at(q: Questions, snapshot: SnapshotInfo) -> list[StaleStep]:
    """The steps that were to be run again at a snapshot, by what had been recorded."""
    held = held_at(q, snapshot)
    near = q.lineage_then([c.id for c in held], moment_of(snapshot), down=False, depth=1)
    keys = {certificate.id for certificate in held}
    writers = {e.target: e.source for e in near.edges if e.type == "WROTE" and e.target in keys}
    told = q.snapshot_steps(snapshot.workspace, snapshot.hash, MOST_STEPS)
    infos = {step.id: step for step in told}
    for key in set(writers.values()) - infos.keys():  # retracted since
        if (info := q.step(key)) is not None:
            infos[key] = info
    return stale_given(snapshot.workspace, held, writers, infos, ())


def marks_of(found: Sequence[StaleStep], where: str = "") -> Marks:
    """For pictures: {id of a step or of what it wrote: reasons, for people}.

    Args:
        found: The stale steps.
        where: The copy that this is true of, where there are several.
    """
    marks: Marks = {}
    for stale in found:
        texts = [f"{why}: {ref}{where}" for ref, why in stale.reasons]
        wrote = [c.id for c in stale.step.outputs if c.ref in stale.outputs]
        marks |= dict.fromkeys([stale.step.id, *wrote], texts)
    return marks


def recorded_marks(q: Questions, workspace: str) -> Marks:
    """What is stale in a workspace by what is recorded, in the copies of it that were last active.

    Where there are several copies, a reason says in which one it holds.
    """
    copies = q.instances(workspace)[:MOST_COPIES]
    marks: Marks = {}
    for copy in copies:
        where = f" (in the copy on {copy.hostname or copy.id[:8]})" if len(copies) > 1 else ""
        for key, texts in marks_of(q.stale(workspace, copy.id), where).items():
            marks[key] = [*marks.get(key, ()), *texts]
    return marks
