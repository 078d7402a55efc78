"""Why nodes are stale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dws_graph.api.explaining import holds_in
from dws_graph.api.past import MOST_COPIES, Marks, marks_of, recorded_marks, stale_at
from dws_graph.api.service.sources import Source
from dws_graph.api.stale import stale_marks_in
from dws_graph.backends.views import Questions, SnapshotInfo, StaleStep
from dws_graph.model.certificates import Certificate
from dws_graph.model.subgraph import Subgraph
from dws_graph.workspace.staleness import find_stale

MOST_WORKSPACES = 20  # whose staleness is asked


class Holding(NamedTuple):
    """Whether a version still follows from what there is.

    Attributes:
        holds: None: it is not the current version.
        stale: (step, ref, reason) why it does not.
        looked: Whether files were looked at; else it is by what is recorded.
    """

    holds: bool | None
    stale: tuple[tuple[str, str, str], ...]
    looked: bool


def still_holds(source: Source, workspace: str, cert: Certificate, snapshot: str) -> Holding | None:
    """Whether a version in a snapshot still holds; None: nothing is recorded as current of it.

    Of the workspace on this machine its files are looked at.
    """
    if workspace != source.home:
        return source.ask(lambda q: _recorded(q, workspace, cert))
    name, keys = cert.ref.name, (cert.id,)
    found = source.at_home(lambda ws: holds_in(ws, name, (cert.ref,), keys, snapshot))
    return Holding(*found, looked=True)


def _recorded(q: Questions, workspace: str, cert: Certificate) -> Holding | None:
    copies = q.instances(workspace)[:MOST_COPIES]
    current = {copy.id: q.current(workspace, copy.id).get(cert.ref) for copy in copies}
    those = [key for key, now in current.items() if now is not None and now.id == cert.id]
    if not those:
        return Holding(None, (), looked=False) if any(current.values()) else None
    up = {node.key for node in q.upstream([cert.id], root=cert.id).nodes}
    found = [
        (stale.step.name, str(ref), why)
        for copy in those
        for stale in q.stale(workspace, copy)
        if stale.step.id in up
        for ref, why in stale.reasons
    ]
    return Holding(not found, tuple(dict.fromkeys(found)), looked=False)


def why_stale(source: Source, found: Subgraph, snapshot: SnapshotInfo | None = None) -> Marks:
    """Why nodes are stale: at a snapshot, by what had been recorded; else now.

    Of the workspace on this machine its files are looked at, too.
    """
    if snapshot is not None:
        marks = source.ask(lambda q: marks_of(stale_at(q, snapshot)))
    else:
        marks = _stale_now(source, found.workspaces())
    keys = {node.key for node in found.nodes}
    return {key: reasons for key, reasons in marks.items() if key in keys}


def stale_steps(source: Source, workspace: str, instance: str) -> Sequence[StaleStep]:
    """The steps to be run again in a copy of a workspace, by what was recorded.

    In the copy on this machine its files are looked at, too.
    """
    if workspace == source.home:
        here = source.at_home(lambda ws: find_stale(ws) if ws.instance == instance else None)
        if here is not None:
            return here
    return source.ask(lambda q: q.stale(workspace, instance))


def copy_of(source: Source, workspace: str) -> str | None:
    """The copy that stands for a workspace: on this machine, else the one that was active last."""
    if workspace == source.home:
        return source.at_home(lambda ws: ws.instance)
    copies = source.ask(lambda q: q.instances(workspace))
    return copies[0].id if copies else None


def reasons_now(source: Source, workspace: str, key: str) -> list[str]:
    """Why a step, or what one wrote, is stale now; none: it is not, or it is not current."""
    return _stale_now(source, {workspace} - {""}).get(key, [])


def _stale_now(source: Source, workspaces: set[str]) -> Marks:
    marks: Marks = {}
    others = sorted(workspaces - {source.home})[:MOST_WORKSPACES]
    if others:
        for one in source.ask(lambda q: [recorded_marks(q, other) for other in others]):
            marks |= one
    if source.home in workspaces:
        marks |= source.at_home(stale_marks_in)
    return marks
