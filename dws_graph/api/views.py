"""The views of the graph: how far they are, bringing them up to date, folding them anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

from dws_graph.api.findings import REBUILD
from dws_graph.api.session import opened
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.journal.lines import last_fact
from dws_graph.backends.views import Applied, Dump, View
from dws_graph.errors import ConfigurationError, JournalMisfitError, ViewError
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace

INDEX, CYPHER = "index", "cypher"
VIEWS = (INDEX, CYPHER)
Progress = Callable[[int, int], None]
"""Called with the number of facts done, and of all."""


class ViewStatus(TypedDict):
    """A view: where it is, facts applied and waiting, bytes on disk."""

    view: str
    where: str
    applied: int
    waiting: int
    size: int


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
    last = last_facts_in(ws)
    found = []
    for name in VIEWS:
        view = _view(ws, name)
        applied = _count(view.applied(), last)
        waiting = sum(last.values()) - applied
        where = str(ws.root / (layout.INDEX if name == INDEX else layout.CYPHER))
        if not ws.writable and name == INDEX:
            where = "in memory"
        size = view.size() if isinstance(view, EmbeddedGraph) else ws.index.size()
        found.append(
            ViewStatus(view=name, where=where, applied=applied, waiting=waiting, size=size)
        )
    return found


def waiting_facts_in(ws: OpenWorkspace) -> dict[str, int]:
    """How many facts of the journal each view lacks."""
    last = last_facts_in(ws)
    return {name: sum(last.values()) - _count(_view(ws, name).applied(), last) for name in VIEWS}


def graph_sync(
    view: str | None = None,
    progress: Progress | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[ViewSynced]:
    """Apply the facts that wait.

    Args:
        view: `index` or `cypher`; None for both.
        progress: Called with the number of facts done, and of all.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such view.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return graph_sync_in(ws, view, progress)


def graph_sync_in(
    ws: OpenWorkspace, view: str | None = None, progress: Progress | None = None
) -> list[ViewSynced]:
    """See `graph_sync`."""
    return [
        ViewSynced(view=name, applied=sync_view(ws, _view(ws, name), progress))
        for name in _names(ws, view)
    ]


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
            EmbeddedGraph(ws.root / layout.CYPHER).remove()
            applied = sync_view(ws, _view(ws, name), progress)
        found.append(ViewSynced(view=name, applied=applied))
    return found


def dump(
    view: str = INDEX, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> Dump:
    """All that a view holds now, in the form that is equal from every view.

    Args:
        view: `index` or `cypher`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return dump_in(ws, view)


def dump_in(ws: OpenWorkspace, view: str = INDEX) -> Dump:
    """See `dump`."""
    [name] = _names(ws, view)
    return _view(ws, name).dump()


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
    names = VIEWS if view is None else (view,)
    if CYPHER in names and not ws.writable:
        ws.check_writable()
    return names


def _view(ws: OpenWorkspace, name: str) -> View:
    return ws.index if name == INDEX else EmbeddedGraph(ws.root / layout.CYPHER, ws.notify)


def _count(applied: Mapping[tuple[str, str], Applied], last: Mapping[tuple[str, str], int]) -> int:
    return sum(min(applied[key].seq, seq) for key, seq in last.items() if key in applied)


def sync_view(ws: OpenWorkspace, view: View, progress: Progress | None = None) -> int:
    """Apply the facts that wait to a view of the workspace; how many.

    Raises:
        ViewError: It holds facts that are not those of the journal.
    """
    applied = view.applied()
    try:
        return view.apply(ws.journal.since(applied), progress=_teller(ws, applied, progress))
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
