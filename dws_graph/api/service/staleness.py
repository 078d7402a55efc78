"""Why nodes are stale."""

from __future__ import annotations

from collections.abc import Sequence

from dws_graph.api.past import Marks, marks_of, recorded_marks, stale_at
from dws_graph.api.service.sources import Source
from dws_graph.api.stale import stale_marks_in
from dws_graph.backends.views import SnapshotInfo, StaleStep
from dws_graph.model.subgraph import Subgraph
from dws_graph.workspace.staleness import find_stale

MOST_WORKSPACES = 20  # whose staleness is asked


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
    copies = source.ask(lambda q: q.instances(workspace))
    if workspace == source.home:
        return source.at_home(lambda ws: ws.instance)
    return copies[0].id if copies else None


def _stale_now(source: Source, workspaces: set[str]) -> Marks:
    marks: Marks = {}
    others = sorted(workspaces - {source.home})[:MOST_WORKSPACES]
    if others:
        for one in source.ask(lambda q: [recorded_marks(q, other) for other in others]):
            marks |= one
    if source.home in workspaces:
        marks |= source.at_home(stale_marks_in)
    return marks
