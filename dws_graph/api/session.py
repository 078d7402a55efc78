"""Opening the workspace that a function of the API was given, and closing it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dws_graph.workspace.committed import tell_not_as_committed
from dws_graph.workspace.opening import find_and_load_workspace
from dws_graph.workspace.telling import tell
from dws_graph.workspace.workspace import Workspace


@contextmanager
def opened(workspace_uri_or_path: str | None, verbose: bool = False) -> Iterator[Workspace]:
    """The workspace named, or the enclosing one; nobody is asked, warnings are logged."""
    ws = find_and_load_workspace(True, verbose, workspace_uri_or_path, notify=tell)
    try:
        tell_not_as_committed(ws)
        yield ws
    finally:
        ws.close()
