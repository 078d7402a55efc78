"""What the options common to all commands said, and the workspace that a command works on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import click

from dws_graph.render.text import clean
from dws_graph.workspace import environment
from dws_graph.workspace.committed import tell_not_as_committed
from dws_graph.workspace.opening import find_and_load_workspace
from dws_graph.workspace.workspace import Workspace


@dataclass
class Session:
    """One run of dws.

    Attributes:
        batch: Never ask.
        verbose: Tell each git command, and where an error came from.
        color: Whether to use colours; None: where it is a terminal.
        workspace_dir: The workspace named on the command line.
    """

    batch: bool = False
    verbose: bool = False
    color: bool | None = None
    workspace_dir: str | None = None

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""
        return not (self.batch or environment.batch()) and sys.stdin.isatty()

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """The workspace, opened, and closed at the end."""
        ws = find_and_load_workspace(
            not self.can_ask, self.verbose, self.workspace_dir, notify=note
        )
        with closing(ws):
            tell_not_as_committed(ws)
            yield ws


pass_session = click.make_pass_decorator(Session)


def note(text: str) -> None:
    """Tell a person something beside the answer."""
    click.echo(f"Note: {clean(text)}", err=True)
