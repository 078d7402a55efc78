"""The team's Neo4j, to be asked across the borders of workspaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dws_graph.api.views import sync_view
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.views import Questions
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.team import team_graph


@contextmanager
def team_questions(ws: OpenWorkspace) -> Iterator[Questions]:
    """The questions of the team's graph, which has all that this workspace knows by then.

    Raises:
        ConfigurationError: No Neo4j is configured.
        ViewUnavailableError: It does not answer; no other view is asked instead.
    """
    with team_graph(ws) as graph:
        sync_view(ws, graph)
        yield GraphQuestions(graph.connection.reading)
