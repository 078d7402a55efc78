"""Users' own questions: read-only Cypher on the embedded view of a workspace."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dws_graph.api.session import opened
from dws_graph.api.views import Progress, sync_view
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.graph.names import unknown_names
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace

LIMIT = 1_000
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query; `truncated`: there were more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool

    def to_json(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "truncated": self.truncated,
        }

    def to_pandas(self) -> Any:
        """The same as a `pandas.DataFrame`."""
        import pandas

        return pandas.DataFrame([list(row) for row in self.rows], columns=list(self.columns))


def query(
    cypher: str,
    params: Mapping[str, Any] | None = None,
    *,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> Answer:
    """Ask the workspace's graph.

    Args:
        cypher: A query that only reads.
        params: Its `$parameters`.
        limit: At most so many rows.
        timeout: Seconds.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        QueryError: It would write, is no valid Cypher, or took too long.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return query_in(ws, cypher, params, limit=limit, timeout=timeout)


def query_in(
    ws: OpenWorkspace,
    cypher: str,
    params: Mapping[str, Any] | None = None,
    *,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> Answer:
    """See `query`; `progress` is told of the facts that are folded first."""
    if not ws.writable:
        with tempfile.TemporaryDirectory(prefix="dws-") as folder:
            view = EmbeddedGraph(Path(folder) / "cypher.kgl")
            sync_view(ws, view, progress)
            return _ask(ws, view, cypher, params, limit, timeout)
    view = EmbeddedGraph(ws.root / layout.CYPHER, ws.notify)
    sync_view(ws, view, progress)
    return _ask(ws, view, cypher, params, limit, timeout)


def _ask(
    ws: OpenWorkspace,
    view: EmbeddedGraph,
    cypher: str,
    params: Mapping[str, Any] | None,
    limit: int,
    timeout: float,
) -> Answer:
    found = view.read_only(cypher, params, timeout=timeout, max_rows=limit)
    if unknown := unknown_names(cypher):  # of which the engine says nothing
        ws.notify(f"nothing in the graph has the {', or the '.join(unknown)}")
    return Answer(found.columns, found.rows, found.truncated)
