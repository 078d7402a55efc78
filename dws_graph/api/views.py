"""The views of the graph: how far they are, bringing them up to date, folding them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypedDict

from dws_graph.api.findings import REBUILD
from dws_graph.api.session import opened
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.journal.lines import last_fact
from dws_graph.backends.views import Applied, AppliedMap, Dump, View
from dws_graph.errors import (
    ConfigurationError,
    DwsError,
    JournalMisfitError,
    ViewAmendedError,
    ViewError,
)
from dws_graph.workspace import layout
from dws_graph.workspace.credentials import graph_url
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.team import fold_waiting, leave_alone, team, team_graph

INDEX, NEO4J, CYPHER = "index", "neo4j", "cypher"
VIEWS = (INDEX, NEO4J, CYPHER)
CYPHER_VIEWS = (NEO4J, CYPHER)
Progress = Callable[[int, int], None]
"""Called with the number of facts done, and of all."""
LastFacts = Mapping[tuple[str, str], int]


class ViewStatus(TypedDict):
    """A view: where it is, facts applied and waiting, bytes on disk.

    None is what nobody knows: of a server that does not answer (`error` says why), or its size.
    """

    view: str
    where: str
    applied: int | None
    waiting: int | None
    size: int | None
    error: str | None


class ViewSynced(TypedDict):
    """A view, and how many facts were applied to it now."""

    view: str
    applied: int


def graph_status(
    workspace_uri_or_path: str | None = None, verbose: bool = False
) -> list[ViewStatus]:
    """How far each view is.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return graph_status_in(ws)


def graph_status_in(ws: OpenWorkspace) -> list[ViewStatus]:
    """See `graph_status`."""
    found = _statuses(ws)
    if any(status["error"] for status in found):
        leave_alone(ws)  # it is told once
    return found


def _statuses(ws: OpenWorkspace) -> list[ViewStatus]:
    last = last_facts_in(ws)
    return [_neo4j_status(ws, last) if v == NEO4J else _status(ws, v, last) for v in _views_of(ws)]


def _status(ws: OpenWorkspace, name: str, last: LastFacts) -> ViewStatus:
    view = _local(ws, name)
    where = str(ws.root / (layout.INDEX if name == INDEX else layout.CYPHER))
    if not ws.writable and name == INDEX:
        where = "in memory"
    size = view.size() if isinstance(view, EmbeddedGraph) else ws.index.size()
    return _as_status(name, where, view.applied(), last, size)


def _as_status(
    name: str, where: str, applied: AppliedMap, last: LastFacts, size: int | None
) -> ViewStatus:
    have = _count(applied, last)
    waiting = sum(last.values()) - have
    return ViewStatus(view=name, where=where, applied=have, waiting=waiting, size=size, error=None)


def _neo4j_status(ws: OpenWorkspace, last: LastFacts) -> ViewStatus:
    """Not waited for long; without user and password."""
    where = str(graph_url(ws))
    applied: AppliedMap | None = None
    error = "Neo4j is slow to answer"
    try:
        if (found := team(ws)) is not None:
            if found.address.database is not None:
                where += f" ({found.address.database})"
            known = found
            applied = found.ask(lambda _: known.graph.applied())
    except DwsError as e:
        error = e.message
    if applied is None:
        return ViewStatus(
            view=NEO4J, where=where, applied=None, waiting=None, size=None, error=error
        )
    return _as_status(NEO4J, where, applied, last, None)


def waiting_facts_in(ws: OpenWorkspace) -> dict[str, int | None]:
    """How many facts of the journal each view lacks; None where the server does not answer."""
    return {status["view"]: status["waiting"] for status in _statuses(ws)}


def graph_sync(
    view: str | None = None,
    progress: Progress | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[ViewSynced]:
    """Apply the facts that wait.

    Args:
        view: `index`, `neo4j` or `cypher`; None for all there are.
        progress: Called with the number of facts done, and of all.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such view.
        ViewUnavailableError: Neo4j does not answer.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return graph_sync_in(ws, view, progress)


def graph_sync_in(
    ws: OpenWorkspace, view: str | None = None, progress: Progress | None = None
) -> list[ViewSynced]:
    """See `graph_sync`."""
    found = []
    for name in _names(ws, view):
        with _view(ws, name) as opened_view:
            applied = sync_view(ws, opened_view, progress)
        found.append(ViewSynced(view=name, applied=applied))
    return found


def graph_rebuild(
    view: str | None = None,
    progress: Progress | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[ViewSynced]:
    """Fold views anew from the journal; arguments as for `graph_sync`."""
    with opened(workspace_uri_or_path, verbose) as ws:
        return graph_rebuild_in(ws, view, progress)


def graph_rebuild_in(
    ws: OpenWorkspace, view: str | None = None, progress: Progress | None = None
) -> list[ViewSynced]:
    """See `graph_rebuild`."""
    found = []
    for name in _names(ws, view):
        if name == INDEX:
            applied = ws.fold_anew(_teller(ws, {}, progress))
        else:
            with _view(ws, name) as opened_view:
                _empty(opened_view)
                applied = sync_view(ws, opened_view, progress)
        found.append(ViewSynced(view=name, applied=applied))
    return found


def graph_drop(view: str, workspace_uri_or_path: str | None = None, verbose: bool = False) -> None:
    """Take this workspace's part out of a view; the journal keeps all that is needed to fold it.

    Args:
        view: `neo4j` (what other workspaces there need of it stays) or `cypher`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such view, or it is the index.
        ViewUnavailableError: Neo4j does not answer.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        graph_drop_in(ws, view)


def graph_drop_in(ws: OpenWorkspace, view: str) -> None:
    """See `graph_drop`. The next command that reaches a configured Neo4j folds it again."""
    if view == INDEX:
        raise ConfigurationError(
            "the index cannot be dropped: dws itself asks it",
            hint="Fold it anew: dws graph rebuild --view index.",
        )
    [name] = _names(ws, view)
    with _view(ws, name) as opened_view:
        _empty(opened_view)
    if name == NEO4J:
        leave_alone(ws)  # not folded again at the end of this very command


def dump(
    view: str = INDEX, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> Dump:
    """All that a view holds now, in the form that is equal from every view.

    Args:
        view: `index`, `neo4j` or `cypher`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return dump_in(ws, view)


def dump_in(ws: OpenWorkspace, view: str = INDEX) -> Dump:
    """See `dump`."""
    [name] = _names(ws, view)
    with _view(ws, name) as opened_view:
        return opened_view.dump()


def last_facts_in(ws: OpenWorkspace) -> dict[tuple[str, str], int]:
    """The number of the last fact of each (workspace, instance)."""
    found = {}
    if head := ws.journal.head().seq:
        found[ws.id, ws.instance] = head
    for instance, files in ws.journal.others().items():
        ends = [fact.seq for fact in map(last_fact, files) if fact is not None]
        if ends:
            found[ws.id, instance] = max(ends)
    return found


def _names(ws: OpenWorkspace, view: str | None) -> tuple[str, ...]:
    if view is not None and view not in VIEWS:
        raise ConfigurationError(
            f"there is no view '{view}'", hint=f"There are: {', '.join(VIEWS)}."
        )
    names = _views_of(ws) if view is None else (view,)
    if CYPHER in names and not ws.writable:
        ws.check_writable()
    return names


def _views_of(ws: OpenWorkspace) -> tuple[str, ...]:
    """All views, Neo4j where one is configured; it comes last, for it may not answer."""
    return (INDEX, CYPHER, NEO4J) if graph_url(ws) else (INDEX, CYPHER)


def _local(ws: OpenWorkspace, name: str) -> View:
    return ws.index if name == INDEX else EmbeddedGraph(ws.root / layout.CYPHER, ws.notify)


@contextmanager
def _view(ws: OpenWorkspace, name: str) -> Iterator[View]:
    if name == NEO4J:
        with team_graph(ws) as graph:
            yield graph
    else:
        yield _local(ws, name)


def _empty(view: View) -> None:
    if isinstance(view, EmbeddedGraph):
        view.remove()
    elif isinstance(view, Neo4jGraph):
        view.drop()


def _count(applied: Mapping[tuple[str, str], Applied], last: Mapping[tuple[str, str], int]) -> int:
    return sum(min(applied[key].seq, seq) for key, seq in last.items() if key in applied)


def sync_view(ws: OpenWorkspace, view: View, progress: Progress | None = None) -> int:
    """Apply the facts that wait to a view of the workspace; how many.

    Raises:
        ViewError: It holds facts that are not those of the journal.
    """
    applied = view.applied()
    tell = _teller(ws, applied, progress)
    try:
        if isinstance(view, Neo4jGraph):
            return fold_waiting(view, ws.journal, progress=tell)
        return view.apply(ws.journal.since(applied), progress=tell)
    except ViewAmendedError:  # something was undone, or renamed, that it holds
        if view is ws.index:
            return ws.fold_anew(tell)
        _empty(view)
        return view.apply(ws.journal.since({}), progress=tell)
    except JournalMisfitError as e:  # the index, which was caught up before, found none
        raise ViewError(
            f"the view {view.name} does not hold what the journal has",
            hint=REBUILD.format(view.name),
        ) from e


def _teller(
    ws: OpenWorkspace, applied: Mapping[tuple[str, str], Applied], progress: Progress | None
) -> Callable[[int], None]:
    """Tells `progress` how many of the facts that were waiting are done."""
    last = last_facts_in(ws)
    total = sum(last.values()) - _count(applied, last)
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(min(done, total), total)

    return tell
