"""A workspace whose journal says what a test wants: made without running anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dws_graph.workspace.opening import open_workspace
from tests.backends.histories import Recorder
from tests.service.processes import dws


def recorded_workspace(root: Path, tell: Callable[[Recorder], None]) -> None:
    """Make it, with the facts that are told to a recorder."""
    root.mkdir()
    made = dws(root, "init")
    assert made.returncode == 0, made.stderr
    with open_workspace(root, batch=True) as ws:
        recorder = Recorder(ws.instance, ws.id)
        recorder.lines = list(ws.journal.since({}))
        known = len(recorder.lines)
        tell(recorder)
        ws.journal.append_lines(recorder.lines[known:])
        ws.catch_up()
