"""Users' own questions: read-only Cypher, on the team's Neo4j or the embedded view."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dws_graph.api.session import opened
from dws_graph.api.views import CYPHER, NEO4J, Progress, sync_view
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.graph.names import unknown_names
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.errors import ConfigurationError, ViewUnavailableError
from dws_graph.workspace import layout
from dws_graph.workspace.credentials import graph_url
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.team import team_graph

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
    view: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> Answer:
    """Ask the graph: of the team's workspaces where a Neo4j is configured, else of this one.

    Args:
        cypher: A query that only reads.
        params: Its `$parameters`.
        limit: At most so many rows.
        timeout: Seconds.
        view: `neo4j` or `cypher`; None is `neo4j` where one is configured.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        QueryError: It would write, is no valid Cypher, or took too long.
        ViewUnavailableError: Neo4j does not answer; no other view is asked instead.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return query_in(ws, cypher, params, limit=limit, timeout=timeout, view=view)


def query_in(
    ws: OpenWorkspace,
    cypher: str,
    params: Mapping[str, Any] | None = None,
    *,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
    view: str | None = None,
    progress: Progress | None = None,
) -> Answer:
    """See `query`; `progress` is told of the facts that are folded first."""
    if view not in (None, NEO4J, CYPHER):
        raise ConfigurationError(
            f"the view '{view}' is not asked in Cypher", hint=f"There are: {NEO4J}, {CYPHER}."
        )
    if view == NEO4J or (view is None and graph_url(ws) is not None):
        return _ask_neo4j(ws, cypher, params, limit, timeout, progress)
    if not ws.writable:
        with tempfile.TemporaryDirectory(prefix="dws-") as folder:
            embedded = EmbeddedGraph(Path(folder) / "cypher.kgl")
            sync_view(ws, embedded, progress)
            return _ask(ws, embedded, cypher, params, limit, timeout)
    embedded = EmbeddedGraph(ws.root / layout.CYPHER, ws.notify)
    sync_view(ws, embedded, progress)
    return _ask(ws, embedded, cypher, params, limit, timeout)


def _ask_neo4j(
    ws: OpenWorkspace,
    cypher: str,
    params: Mapping[str, Any] | None,
    limit: int,
    timeout: float,
    progress: Progress | None,
) -> Answer:
    try:
        with team_graph(ws) as graph:
            sync_view(ws, graph, progress)
            return _ask(ws, graph, cypher, params, limit, timeout)
    except ViewUnavailableError as e:
        raise ViewUnavailableError(
            e.message, hint=f"To ask about this workspace alone: --view {CYPHER}. {e.hint}"
        ) from e


def _ask(
    ws: OpenWorkspace,
    view: EmbeddedGraph | Neo4jGraph,
    cypher: str,
    params: Mapping[str, Any] | None,
    limit: int,
    timeout: float,
) -> Answer:
    found = view.read_only(cypher, params, timeout=timeout, max_rows=limit)
    if unknown := unknown_names(cypher):  # of which the engine says nothing
        ws.notify(f"nothing in the graph has the {', or the '.join(unknown)}")
    return Answer(found.columns, found.rows, found.truncated)
